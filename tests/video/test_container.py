from __future__ import annotations

import errno
import random
import signal
import threading
from collections.abc import Container
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from socialcli.errors import VideoError
from socialcli.video.container import LocalSource, VideoFile, open_video
from socialcli.video.limits import DEFAULT_LIMITS, DecodeLimits
from socialcli.video.listing import list_frames
from socialcli.video.sampling import sample_frames
from socialcli.video.timing import Window

from .clips import B_FRAMES, cut, number, numbers, write_sound, write_video

_NOISE = np.random.default_rng(0).integers(0, 256, (64, 96, 128, 3), np.uint8)


def _noise(index: int) -> np.ndarray:
    return _NOISE[index % 64]


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """75 frames (3 s) that do not compress, so that a share of the file is about that share of the time."""
    folder = tmp_path_factory.mktemp("noisy")
    options = {"x264-params": B_FRAMES + ":qp=10"}
    return {
        suffix: write_video(folder / f"noisy.{suffix}", 75, draw=_noise, options=options, container=container)
        for suffix, container in (
            ("mp4", {"movflags": "faststart"}),
            ("mkv", {}),
            ("avi", {}),
            ("flv", {}),
        )
    }


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "flv"])
def test_a_cut_file_is_an_error_and_never_fewer_frames(noisy: dict[str, Path], tmp_path: Path, suffix: str) -> None:
    path = cut(noisy[suffix], tmp_path / f"cut.{suffix}", 0.6)
    with pytest.raises(VideoError, match="cut short"):
        sample_frames(path, 8)
    with pytest.raises(VideoError, match="cut short"):
        sample_frames(path, 8, 2.0, 3.0)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "flv"])
def test_a_window_before_the_cut_is_whole(noisy: dict[str, Path], tmp_path: Path, suffix: str) -> None:
    path = cut(noisy[suffix], tmp_path / f"cut.{suffix}", 0.8)
    part, whole = sample_frames(path, 4, 0.1, 0.5), sample_frames(noisy[suffix], 4, 0.1, 0.5)
    assert part.times == whole.times
    assert all((a.image == b.image).all() for a, b in zip(part.frames, whole.frames, strict=True))


def test_a_file_cut_between_two_frames_is_found_by_its_index(noisy: dict[str, Path], tmp_path: Path) -> None:
    with open_video(noisy["mp4"], DEFAULT_LIMITS) as video:
        last = max(video.stream.index_entries, key=lambda entry: entry.pos)
        end = last.pos
    path = tmp_path / "cut.mp4"
    path.write_bytes(noisy["mp4"].read_bytes()[:end])
    with pytest.raises(VideoError, match="cut short"):
        sample_frames(path, 8)


def test_an_mp4_without_its_header_is_an_error(tmp_path: Path) -> None:
    path = cut(write_video(tmp_path / "a.mp4", 25), tmp_path / "cut.mp4", 0.5)
    with pytest.raises(VideoError, match="header is missing"):
        sample_frames(path, 8)


def test_sound_that_lasts_longer_than_the_pictures_is_no_cut(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", 25, sound=3.0)
    assert numbers(sample_frames(path, 2)) == [0, 24]


def test_a_still_that_stays_on_is_no_cut(tmp_path: Path) -> None:
    path = write_video(tmp_path / "slides.mkv", 3, milliseconds=[0, 5000, 10000], rate=1)
    assert sample_frames(path, 3).times == (0.0, 5.0, 10.0)


def test_damaged_pictures_are_an_error(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mkv", 50, draw=_noise, options={"x264-params": B_FRAMES})
    data = bytearray(source.read_bytes())
    with open_video(source, DEFAULT_LIMITS) as video:
        places = [packet.pos for packet in video.packets_from(None) if packet.pos is not None]
    for place in places[:20]:
        data[place + 20 : place + 120] = bytes(100)
    source.write_bytes(bytes(data))
    with pytest.raises(VideoError):
        sample_frames(source, 50)


def _damaged(path: Path, frame: int) -> Path:
    """The video with most bytes of one picture's packet replaced; the frames are numbered as they are shown."""
    with open_video(path, DEFAULT_LIMITS) as video:
        packets = [packet for packet in video.packets_from(None) if packet.pts is not None and packet.pos is not None]
    packet = sorted(packets, key=lambda one: one.pts)[frame]
    data = bytearray(path.read_bytes())
    start, end = packet.pos + packet.size // 3, packet.pos + packet.size - 8
    data[start:end] = np.random.default_rng(frame).bytes(end - start)
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize(("damaged", "wanted"), [(4, 7), (4, 2), (8, 5)], ids=["before", "behind a B", "far behind"])
def test_what_is_made_from_a_damaged_picture_is_no_sound_one(tmp_path: Path, damaged: int, wanted: int) -> None:
    source = write_video(tmp_path / "a.mp4", 24, draw=_noise, options={"x264-params": B_FRAMES})
    time = wanted / 25
    before = sample_frames(source, 1, time, time)
    _damaged(source, damaged)
    with pytest.raises(VideoError, match=rf"the picture at {damaged / 25:.3f} s is damaged"):
        sample_frames(source, 1, time, time)
    assert before.times == (time,)


def test_damage_in_another_group_of_pictures_costs_nothing(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", 36, draw=_noise, options={"x264-params": B_FRAMES})
    before = sample_frames(source, 3, 12 / 25, 22 / 25)
    _damaged(_damaged(source, 4), 28)
    after = sample_frames(source, 3, 12 / 25, 22 / 25)
    assert all((a.image == b.image).all() for a, b in zip(before.frames, after.frames, strict=True))


def test_damage_shown_before_the_key_frame_costs_nothing(tmp_path: Path) -> None:
    options = {"x264-params": B_FRAMES + ":open-gop=1:b-pyramid=normal"}
    source = write_video(tmp_path / "a.mp4", 36, draw=_noise, options=options)
    with open_video(source, DEFAULT_LIMITS) as video:
        listing = list_frames(video, Window())
    key = listing.ticks.index(listing.keys[1])
    before = sample_frames(source, 1, key / 25, key / 25)
    _damaged(source, key - 2)  # decoded after the key frame, and what its neighbours are made from
    after = sample_frames(source, 1, key / 25, key / 25)
    assert (after.frames[0].image == before.frames[0].image).all()
    with pytest.raises(VideoError, match="is damaged"):
        sample_frames(source, 1, (key - 2) / 25, (key - 2) / 25)


def test_sound_alone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no video in this file"):
        sample_frames(write_sound(tmp_path / "sound.mp4"), 8)


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(VideoError, match="0 bytes"):
        sample_frames(tmp_path / "empty.mp4", 8)


@pytest.mark.parametrize("content", [b"not a video at all\n" * 100, bytes(range(256)) * 40, b"RIFF", b"\x00" * 5000])
def test_what_is_not_a_video_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clip.mp4").write_bytes(content)
    with pytest.raises(VideoError, match="not a video file"):
        sample_frames(tmp_path / "clip.mp4", 8)


def test_an_encrypted_video_is_an_error(tmp_path: Path) -> None:
    protection = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
        "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
    }
    with pytest.raises(VideoError, match="encrypted"):
        sample_frames(write_video(tmp_path / "a.mp4", 25, container=protection), 8)


@pytest.mark.parametrize("protocol", ["", "file:"])
def test_a_playlist_disguised_as_a_video_opens_no_other_file(tmp_path: Path, protocol: str) -> None:
    other = write_video(tmp_path / "other.ts", 25)
    playlists = {
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\n"
        f"{protocol}{other}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile {protocol}{other}\n",
        f"ffconcat version 1.0\nfile {other.name}\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        f'mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp2t"><Representation id="1" '
        f'bandwidth="1"><BaseURL>{other}</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>",
    }
    for content in playlists:
        (tmp_path / "clip.mp4").write_text(content)
        with pytest.raises(VideoError, match="not a video file"):
            sample_frames(tmp_path / "clip.mp4", 8)


class _Counting:
    """A file that counts the bytes read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.bytes = file, 0

    def read(self, size: int) -> bytes:
        data = self.file.read(size)
        self.bytes += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_short_window_of_a_long_file_reads_a_small_part_of_it(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"long.{suffix}", 3000, draw=_noise, options={"preset": "ultrafast", "qp": "20"})
    size = path.stat().st_size
    assert size > 8_000_000
    with path.open("rb") as file:
        counting = _Counting(file)
        video = VideoFile(path, counting, DEFAULT_LIMITS)  # type: ignore[arg-type]  # what PyAV uses of a file
        listing = list_frames(video, Window(60.0, 61.0))
        assert len(listing.ticks) == 26
        assert counting.bytes < size / 4
        video.close()


def test_only_the_groups_of_the_wanted_frames_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", 240, options={"x264-params": B_FRAMES})
    decoded = []
    frames_from = VideoFile.frames_from

    def counted(self: VideoFile, tick: int | None, wanted: Container[int] | None = None):
        for frame in frames_from(self, tick, wanted):
            decoded.append(number(frame.to_ndarray(format="rgb24")))
            yield frame

    monkeypatch.setattr(VideoFile, "frames_from", counted)
    assert numbers(sample_frames(path, 2)) == [0, 239]
    assert len(decoded) <= 1 + 12


def test_frames_that_no_other_is_made_from_are_decoded_only_where_they_are_wanted(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 48, options={"x264-params": B_FRAMES})
    with open_video(path, DEFAULT_LIMITS) as video:
        whole = [frame.pts for frame in video.frames_from(None)]
    with open_video(path, DEFAULT_LIMITS) as video:
        wanted = [whole[1], whole[30], whole[47]]
        some = [frame.pts for frame in video.frames_from(None, wanted)]
    assert set(wanted) <= set(some) < set(whole)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (DecodeLimits(max_pixels=128 * 48 - 1), "limit of 6143 pixels"),
        (DecodeLimits(max_file_bytes=100), "limit of 100"),
        (DecodeLimits(max_packets=10), "more than 10 packets"),
    ],
)
def test_limits_are_kept(tmp_path: Path, limits: DecodeLimits, reason: str) -> None:
    path = write_video(tmp_path / "a.mp4", 25)
    with pytest.raises(VideoError, match=reason):
        sample_frames(path, 8, limits=limits)


def test_metadata_that_are_not_utf8_do_no_harm(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", 5)
    data = path.read_bytes()
    assert b"Lavf" in data
    path.write_bytes(data.replace(b"Lavf", b"\xff\xfe\xfdf"))
    assert numbers(sample_frames(path, 5)) == [0, 1, 2, 3, 4]


def test_a_seek_to_nowhere_answers_as_ffmpeg_expects(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"0123456789")
    with (tmp_path / "a.mp4").open("rb") as file:
        source = LocalSource(file)
        assert source.seek(-1) == -errno.EINVAL
        assert source.seek(4) == 4
        assert source.read(3) == b"456"


def test_no_interrupt_is_lost_while_a_file_is_read(tmp_path: Path) -> None:
    """PyAV loses exceptions of signal handlers that run while it reports the end of a file: one in twenty of these."""
    path = write_video(tmp_path / "v.mp4", 4)
    moments = random.Random(0)

    class Arrived(BaseException):
        pass

    def arrive(_number: int, _frame: object) -> None:
        arrived.append(1)
        raise Arrived

    before = signal.signal(signal.SIGTERM, arrive)
    arrived: list[int] = []
    raised = 0
    try:
        for attempt in range(200):
            timer = threading.Timer(
                moments.uniform(0.001, 0.01), signal.pthread_kill, [threading.get_ident(), signal.SIGTERM]
            )
            try:
                timer.start()
                while len(arrived) == attempt:
                    with open_video(path, DEFAULT_LIMITS) as video:
                        list(video.packets_from(None))
            except Arrived:
                raised += 1
    finally:
        signal.signal(signal.SIGTERM, before)
    assert raised == 200
