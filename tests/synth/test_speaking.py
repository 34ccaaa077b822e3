"""Files of a world that speaks: sound and picture together, the same bytes twice, and a silent world as before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from socialcli.episodes.reading import read_episodes
from socialcli.errors import UsageError
from socialcli.synth.settings import SynthSettings
from socialcli.synth.speech import espeak
from socialcli.synth.speech.spoken import RATE
from socialcli.synth.synthesis import SynthRequest, synthesize
from tests.synth.speaking import SEED, SPEAKING, performed

SAMPLE = Path(__file__).parents[2] / "sample_data" / "world" / "videos"
SMALL = replace(SPEAKING, size=(96, 96), fps=10, shots=3)


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def make(folder: Path, settings: SynthSettings = SMALL, **changes: int) -> dict[str, str]:
    synthesize(replace(SynthRequest(settings, folder, episodes=2, seed=SEED), **changes))
    return contents(folder)


def test_one_seed_makes_the_same_files_by_any_number_of_workers(tmp_path: Path) -> None:
    first = make(tmp_path / "one")
    assert set(first) == {
        "episodes.parquet",
        *(f"{place}/synth-audio-{SEED}-{index:06d}{end}" for index in range(2) for place, end in FILES),
    }
    assert make(tmp_path / "two", workers=2) == first
    episodes = [row.episode for row in read_episodes(tmp_path / "one" / "episodes.parquet")]
    assert [one.episode_id for one in episodes if one] == [f"synth-audio-{SEED}-00000{place}" for place in (0, 1)]


FILES = (("videos", ".mp4"), ("transcripts", ".srt"), ("truth", ".rttm"), ("truth", ".json"))


def test_the_sound_in_the_file_is_the_talk_and_lasts_as_long_as_the_picture(tmp_path: Path) -> None:
    make(tmp_path, episodes=1)
    plot, performance = performed(SMALL)
    track = performance.talk.track(plot.world.frames / plot.world.fps) / 32767
    with av.open(str(tmp_path / "videos" / f"synth-audio-{SEED}-000000.mp4")) as container:
        (sound,) = container.streams.audio
        assert (sound.codec_context.name, sound.rate, sound.channels) == ("aac", RATE, 1)
        pieces = [frame.to_ndarray()[0] for frame in container.decode(sound)]
    decoded = np.concatenate(pieces)
    assert abs(len(decoded) - len(track)) < 1024
    count = min(len(decoded), len(track))
    assert np.corrcoef(decoded[:count], track[:count])[0, 1] > 0.97
    with av.open(str(tmp_path / "videos" / f"synth-audio-{SEED}-000000.mp4")) as container:
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    assert times == pytest.approx([number / 10 for number in range(plot.world.frames)])


def test_a_silent_world_is_what_it_was(tmp_path: Path) -> None:
    silent = SynthSettings(size=(224, 224), splits=(("test", 1.0),))
    synthesize(SynthRequest(silent, tmp_path, episodes=2, seed=7))
    for index in range(2):
        name = f"synth-7-{index:06d}.mp4"
        assert (tmp_path / "videos" / name).read_bytes() == (SAMPLE / name).read_bytes()


def test_files_of_an_earlier_run_are_replaced_and_others_kept(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "truth" / "mine.json").write_text("{}", encoding="utf-8")
    left = set(make(tmp_path, replace(SMALL, audio=None, shots=1, frames=4), overwrite=True))
    assert left == {
        "episodes.parquet",
        "truth/mine.json",
        *(f"videos/synth-{SEED}-00000{place}.mp4" for place in (0, 1)),
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"audio": None}, "--shots needs a world that speaks; add --audio"),
        ({"audio": None, "shots": 1, "listeners_move": 0.5}, "--listeners-move needs a world that speaks"),
        ({"harm": ("thing",)}, "its scenes are silent"),
        ({"fps": 4}, "lips that speak need 10 frames a second"),
        ({"audio": None, "shots": 1, "people": (2, 3), "harm": ("thing",)}, "need 3 people or more"),
    ],
)
def test_contradicting_settings_are_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    settings = replace(SMALL, **changes)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=message):
        make(tmp_path / "out", settings)
    assert not (tmp_path / "out").exists()


def test_without_espeak_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="install it"):
        make(tmp_path / "out", replace(SMALL, audio="espeak"))
    assert not (tmp_path / "out").exists()


def pitch_of(sound: Sequence[float]) -> float:
    echo = np.correlate(sound, sound, "full")[len(sound) - 1 :]
    return RATE / (40 + int(np.argmax(echo[40:230])))


def test_espeak_speaks_with_voices_of_their_own_and_lips_that_follow(tmp_path: Path) -> None:
    if espeak.shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    settings = replace(SMALL, audio="espeak")
    assert make(tmp_path / "one", settings) == make(tmp_path / "two", settings)
    plot, performance = performed(settings)
    for one in performance.talk.spoken:
        loud = np.sqrt((one.sound.reshape(len(one.opening), -1) ** 2).mean(axis=1))
        assert np.corrcoef(loud, one.opening)[0, 1] > 0.6 and one.opening.max() > 0.8
    pitches = {
        line.speaker: pitch_of(one.sound[4000:12000].tolist())
        for line, one in zip(plot.story.lines, performance.talk.spoken, strict=True)
    }
    assert len({round(pitch / 5) for pitch in pitches.values()}) == 3
    written = (tmp_path / "one" / "truth" / f"synth-audio-{SEED}-000000.json").read_text(encoding="utf-8")
    assert f'"synthesizer": "espeak-ng {espeak.espeak_version()}"' in written
