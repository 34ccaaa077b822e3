"""The sound of files: beeps at known times must be heard at these times, whatever holds them."""

from __future__ import annotations

import logging
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from socialcli.errors import VideoError
from socialcli.perception.contract import SAMPLE_RATE
from socialcli.video.limits import DecodeLimits
from socialcli.video.sound import BLOCK, RATE, SoundFile, open_sound, sound_of

from .clips import cut, record, write_video

Samples = npt.NDArray[np.float32]


def beeps(seconds: float, rate: int, level: float = 0.5) -> Samples:
    """440 Hz in the first half of each second."""
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * 440 * time) * ((time % 1) < 0.5)).astype(np.float32)


def heard(path: Path, start: float | None = None, end: float | None = None) -> Samples:
    sound = sound_of(path, start, end)
    assert sound is not None
    assert sound.dtype == np.float32 and sound.ndim == 1
    return sound


def onsets(sound: Samples) -> list[float]:
    """When a beep begins, seconds."""
    loud = np.abs(sound) > 0.05
    quiet_before = np.array([not loud[max(i - 2000, 0) : i].any() for i in np.flatnonzero(loud)])
    return [float(i / RATE) for i in np.flatnonzero(loud)[quiet_before]]


def test_the_rate_is_that_of_perception() -> None:
    assert RATE == SAMPLE_RATE


@pytest.mark.parametrize(
    ("suffix", "codec", "rate", "layout"),
    [
        ("wav", "pcm_s16le", 8000, "mono"),
        ("mp4", "aac", 48000, "5.1"),
        ("mkv", "aac", 44100, "stereo"),
        ("mp3", "libmp3lame", 48000, "stereo"),
        ("ts", "aac", 48000, "stereo"),
    ],
)
def test_any_rate_and_layout_is_heard_at_its_time(
    tmp_path: Path, suffix: str, codec: str, rate: int, layout: str
) -> None:
    path = record(tmp_path / f"a.{suffix}", beeps(4, rate), rate, codec=codec, layout=layout)
    sound = heard(path)
    late = 0.004 if suffix != "ts" else 0.025  # a transport stream begins with the encoder's delay, and cannot say so
    assert len(sound) == pytest.approx(4 * RATE, abs=0.06 * RATE)  # codecs fill their last packet
    assert onsets(sound) == pytest.approx([0, 1, 2, 3], abs=late)
    assert np.abs(sound).max() == pytest.approx(0.5, abs=0.08)
    assert onsets(heard(path, 1.75, 3.5)) == pytest.approx([0.25, 1.25], abs=late)


def test_the_voice_of_the_centre_is_heard_and_bass_is_not(tmp_path: Path) -> None:
    for channel, least, most in ((2, 0.1, 0.25), (3, 0.0, 0.01)):  # the centre, and the low frequencies
        path = record(tmp_path / f"{channel}.mkv", beeps(1, 48000), 48000, layout="5.1", channels=[channel])
        assert least <= np.abs(heard(path)).max() <= most


def test_loud_stereo_stays_in_range(tmp_path: Path) -> None:
    path = record(tmp_path / "a.wav", beeps(1, 16000, 1.0), 16000, codec="pcm_s16le", layout="stereo")
    assert np.abs(heard(path)).max() == pytest.approx(1.0, abs=0.001)


def test_sound_that_begins_after_the_picture_comes_after_silence(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mkv", beeps(2, 16000), 16000, begins=1.2, pictures=80)
    assert onsets(heard(path)) == pytest.approx([1.2, 2.2], abs=0.003)
    assert not heard(path, 0.0, 1.0).any()


def test_a_gap_in_the_time_stamps_is_silence(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mkv", beeps(4, 16000), 16000, codec="pcm_s16le", gap=(1.75, 5.0))
    sound = heard(path)
    assert onsets(sound) == pytest.approx([0, 1, 7, 8], abs=0.003)
    assert len(sound) == pytest.approx(9 * RATE, abs=0.07 * RATE)


def test_time_stamps_that_jump_by_days_are_an_error(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mkv", beeps(2, 16000), 16000, codec="pcm_s16le", gap=(1.0, 90_000.0))
    with pytest.raises(VideoError, match=r"jump from 1\.0 to 9000\d"):
        sound_of(path)


def test_sound_may_last_longer_than_the_picture(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", beeps(4, 16000), 16000, pictures=25)
    assert onsets(heard(path)) == pytest.approx([0, 1, 2, 3], abs=0.003)


def test_a_window_with_an_end_has_all_its_samples(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", beeps(2, 16000), 16000, pictures=25)
    sound = heard(path, 1.5, 6.25)
    assert len(sound) == 4.75 * RATE
    assert not sound[RATE:].any()
    assert len(heard(path, 10.0)) == 0
    assert len(heard(path, 1.0, 1.0)) == 0


def test_a_file_without_sound_has_none(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 5)
    assert sound_of(path) is None
    with open_sound(path) as sound:
        assert sound is None


def test_blocks_are_the_whole_sound(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mkv", beeps(25, 16000), 16000, codec="pcm_s16le")
    with open_sound(path) as sound:
        assert isinstance(sound, SoundFile)
        blocks = list(sound.blocks())
        again = list(sound.blocks())  # from the beginning
    assert [len(block) for block in blocks] == [BLOCK, BLOCK, 25 * RATE - 2 * BLOCK]
    assert np.array_equal(np.concatenate(blocks), heard(path))
    assert all(np.array_equal(a, b) for a, b in zip(blocks, again, strict=True))


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        for _ in range(30):
            file.writeframes(np.zeros(20 * 16000, np.int16).tobytes())
    with open_sound(path) as sound:
        assert sound is not None
        tracemalloc.start()
        count = sum(len(block) for block in sound.blocks())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert count == 600 * RATE
    assert peak < 4 * 4 * BLOCK  # bytes: a few blocks of the 60


def damage(path: Path, first: int, last: int) -> Path:
    """Overwrite packets of sound from `first` to before `last`."""
    with open_sound(path) as sound:
        assert sound is not None
        packets = [(packet.pos, packet.size) for packet in sound.container.demux(sound.stream) if packet.size]
    data = bytearray(path.read_bytes())
    for place, size in packets[first:last]:
        assert place is not None
        data[place : place + size] = b"\xff" * size
    path.write_bytes(data)
    return path


def test_sound_of_which_nothing_can_be_decoded_is_an_error(tmp_path: Path) -> None:
    path = damage(record(tmp_path / "a.mp4", beeps(2, 16000), 16000), 0, 1000)
    with pytest.raises(VideoError, match="none of the sound can be decoded"):
        sound_of(path)


def test_damaged_packets_become_silence_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = damage(record(tmp_path / "a.mp4", beeps(6, 16000), 16000), 30, 50)  # 64 ms each: from 1.9 to 3.2 s
    with caplog.at_level(logging.WARNING):
        broken = heard(path)
    assert "packets of sound are damaged" in caplog.text
    assert onsets(broken)[0:2] + onsets(broken)[-2:] == pytest.approx([0, 1, 4, 5], abs=0.005)
    assert not broken[round(2.1 * RATE) : round(3.0 * RATE)].any()


def test_what_is_no_sound_is_an_error_that_names_it(tmp_path: Path) -> None:
    text = tmp_path / "a.wav"
    text.write_text("not a sound")
    with pytest.raises(VideoError, match=r"a\.wav: not a video or sound file"):
        sound_of(text)
    with pytest.raises(VideoError, match="cannot be read"):
        sound_of(tmp_path / "missing.wav")
    empty = tmp_path / "empty.wav"
    empty.touch()
    with pytest.raises(VideoError, match="0 bytes"):
        sound_of(empty)
    headless = cut(record(tmp_path / "a.mp4", beeps(1, 16000), 16000), tmp_path / "cut.mp4", 0.5)
    with pytest.raises(VideoError, match="header is missing"):
        sound_of(headless)


def test_a_playlist_cannot_open_another_file(tmp_path: Path) -> None:
    record(tmp_path / "a.wav", beeps(1, 16000), 16000, codec="pcm_s16le")
    playlist = tmp_path / "b.mp3"
    playlist.write_text("ffconcat version 1.0\nfile a.wav\n")
    with pytest.raises(VideoError, match="not a video or sound file"):
        sound_of(playlist)


def test_a_limit_of_packets_holds(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mkv", beeps(2, 16000), 16000)
    with pytest.raises(VideoError, match="more than 10 packets"):
        sound_of(path, limits=DecodeLimits(max_packets=10))
