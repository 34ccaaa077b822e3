from __future__ import annotations

import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest

from socialcli.errors import VideoError
from socialcli.video.sampling import sample_frames
from socialcli.video.streaming import StreamedFrame, stream_frames

from .clips import B_FRAMES, cut, number, picture, set_matrix, shift, write_slides, write_video

FORMATS = {
    "b_frames.mp4": ("libx264", {"x264-params": B_FRAMES}, {}),
    "open_groups.mp4": ("libx264", {"x264-params": f"{B_FRAMES}:open-gop=1"}, {}),
    "gradual.mp4": ("libx264", {"x264-params": "keyint=12:min-keyint=12:scenecut=0:intra-refresh=1"}, {}),
    "late_start.ts": ("libx264", {"x264-params": B_FRAMES}, {"output_ts_offset": "1000"}),
    "storage_order.avi": ("libx264", {"x264-params": B_FRAMES}, {}),
    "hidden_frames.webm": ("libvpx", {"g": "12", "auto-alt-ref": "1", "lag-in-frames": "16", "b": "1M"}, {}),
    "program.mpg": ("mpeg2video", {"g": "12", "bf": "2", "b": "2M"}, {}),
}


@pytest.fixture(scope="module", params=FORMATS)
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 frames at 25 per second in each format."""
    codec, options, container = FORMATS[request.param]
    path = tmp_path_factory.mktemp("clips") / request.param
    return write_video(path, 50, codec=codec, options=options, container=container)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "plain.mp4", 50)


def shown(frames: list[StreamedFrame]) -> list[int]:
    return [number(frame.image()) for frame in frames]


def test_every_frame_of_every_format_comes_once_at_its_time(clip: Path) -> None:
    frames = list(stream_frames(clip))
    assert shown(frames) == list(range(50))
    first = frames[0].time
    assert [frame.time - first for frame in frames] == pytest.approx([index / 25 for index in range(50)], abs=2e-3)
    assert [frame.end for frame in frames[:-1]] == [frame.time for frame in frames[1:]]
    assert frames[-1].end - frames[-1].time == pytest.approx(1 / 25, abs=2e-3)


def test_a_window_begins_with_the_frame_on_screen(clip: Path) -> None:
    first = next(stream_frames(clip)).time  # that of an AVI has no presentation times: ffmpeg counts from 1 frame
    assert shown(list(stream_frames(clip, first + 0.63, first + 0.8))) == [15, 16, 17, 18, 19, 20]
    assert shown(list(stream_frames(clip, first + 1.0, first + 1.08))) == [25, 26, 27]
    assert list(stream_frames(clip, 9.0)) == []


def test_the_moments_of_a_rate_are_those_of_the_file(plain: Path) -> None:
    asked = {k: number(frame.image()) for frame in stream_frames(plain) for k in frame.moments(5)}
    assert asked == {k: 5 * k for k in range(10)}
    later = {k: number(frame.image()) for frame in stream_frames(plain, 0.7, 1.2) for k in frame.moments(5)}
    assert later == {4: 20, 5: 25, 6: 30}
    dense = [k for frame in stream_frames(plain, 0, 0.2) for k in frame.moments(100)]
    assert dense == list(range(24))


def test_a_still_is_on_screen_at_many_moments(tmp_path: Path) -> None:
    path = write_slides(tmp_path / "slides.mp4", [0, 1000, 1040, 3000], 4000)
    frames = list(stream_frames(path))
    assert [list(frame.moments(2)) for frame in frames] == [[0, 1], [2], [3, 4, 5], [6, 7]]
    assert [frame.time for frame in frames] == [0.0, 1.0, 1.04, 3.0]


def test_frames_are_turned_and_mirrored_as_samples_are(tmp_path: Path) -> None:
    path = set_matrix(write_video(tmp_path / "turned.mp4", 5), 0, 1, -1, 0)
    (sampled,) = sample_frames(path, 1, 0, 0).frames
    frame = next(stream_frames(path))
    assert np.array_equal(frame.image(), sampled.image)
    assert frame.thumbnail(64).shape == (64, 24, 3)
    assert frame.thumbnail(9999).shape == sampled.image.shape


def test_times_count_from_the_start_of_the_file(plain: Path, tmp_path: Path) -> None:
    path = shift(plain, tmp_path / "shifted.mkv", 5.0)
    assert [frame.time for frame in stream_frames(path)][:3] == [0.0, 0.04, 0.08]
    assert sample_frames(path, 2).times == (0.0, 1.96)


def test_a_file_that_is_cut_short_fails_after_its_last_frame(plain: Path, tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mkv", 75)
    frames = stream_frames(cut(whole, tmp_path / "cut.mkv", 0.5))
    seen = []
    with pytest.raises(VideoError, match=r"cut\.mkv.*(cut short|damaged)"):
        seen += [frame.time for frame in frames]
    assert list(stream_frames(plain, 0, 0.1))
    with pytest.raises(VideoError, match="no such video file"):
        next(stream_frames(tmp_path / "missing.mp4"))
    with pytest.raises(VideoError, match="after its end"):
        next(stream_frames(plain, 2.0, 1.0))


def test_a_damaged_picture_fails_after_those_before_it(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 96, 128, 3), dtype=np.uint8)
    data = bytearray(write_video(tmp_path / "whole.mp4", 30, draw=lambda index: noise[index]).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    seen: list[float] = []
    with pytest.raises(VideoError, match=r"damaged\.mp4: the picture at 0\.\d+ s is damaged"):
        for frame in stream_frames(path):
            seen.append(frame.time)
    assert 5 < len(seen) < 20
    assert len(list(stream_frames(path, 0, 0.1))) == 3  # what lies behind a window is not its matter


def test_pictures_of_two_sizes_are_refused(tmp_path: Path) -> None:
    small = write_video(tmp_path / "a.ts", 10)
    large = write_video(tmp_path / "b.ts", 10, draw=lambda index: picture(index, 256, 96))
    both = tmp_path / "both.ts"
    with av.open(str(small)) as one, av.open(str(large)) as other, av.open(str(both), "w") as output:
        copy = output.add_stream_from_template(one.streams.video[0])
        for source, later in ((one, 0), (other, 90_000)):
            for packet in source.demux(video=0):
                if packet.pts is not None and packet.dts is not None:
                    packet.pts, packet.dts, packet.stream = packet.pts + later, packet.dts + later, copy
                    output.mux(packet)
    with pytest.raises(VideoError, match="change from 128x48 to 256x96"):
        list(stream_frames(both))


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Ten times the frames must not take more memory than a few of them."""

    def peak(count: int) -> int:
        path = write_video(tmp_path / f"{count}.mp4", count, draw=lambda index: picture(index % 256, 640, 480))
        tracemalloc.start()
        for frame in stream_frames(path):
            frame.image()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(300) < peak(30) + 200_000
