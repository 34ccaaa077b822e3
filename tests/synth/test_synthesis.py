"""A folder of episodes: the same whoever draws it, and never half of one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode
from socialcli.errors import UsageError
from socialcli.synth.settings import SynthSettings
from socialcli.synth.synthesis import SynthRequest, synthesize
from socialcli.video.sampling import sample_frames

SMALL = SynthSettings(size=(96, 96), frames=4)
KILLED = """
import sys
from pathlib import Path
from socialcli.synth.synthesis import SynthRequest, synthesize
from socialcli.synth.settings import SynthSettings

if __name__ == "__main__":
    synthesize(SynthRequest(SynthSettings(), Path(sys.argv[1]), episodes=1000, workers=2))
"""


def request(output: Path, **changes: Any) -> SynthRequest:
    return replace(SynthRequest(SMALL, output, episodes=6), **changes)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def episodes(folder: Path) -> list[Episode]:
    return [row.episode for row in read_episodes(folder / "episodes.parquet") if row.episode is not None]


def test_one_seed_makes_the_same_files_by_any_number_of_workers(tmp_path: Path) -> None:
    for name, workers in (("one", 1), ("again", 1), ("three", 3)):
        synthesize(request(tmp_path / name, workers=workers))
    first = contents(tmp_path / "one")
    assert len(first) == 7
    assert contents(tmp_path / "again") == first
    assert contents(tmp_path / "three") == first


def test_the_first_episodes_are_the_same_however_many_there_are(tmp_path: Path) -> None:
    synthesize(request(tmp_path / "few", episodes=3))
    synthesize(request(tmp_path / "more", episodes=6))
    assert episodes(tmp_path / "few") == episodes(tmp_path / "more")[:3]
    few, more = contents(tmp_path / "few"), contents(tmp_path / "more")
    videos = [name for name in few if name.startswith("videos")]
    assert len(videos) == 3
    assert all(few[name] == more[name] for name in videos)


def test_the_counts_are_those_of_the_file(tmp_path: Path) -> None:
    counts = synthesize(request(tmp_path))
    made = episodes(tmp_path)
    assert sum(counts[split, ""] for split in ("train", "validation", "test")) == len(made) == 6
    assert counts["train", "videoqa"] == 4 * sum(episode.split == "train" for episode in made)
    assert len({episode.episode_id for episode in made}) == 6


def test_episodes_in_the_folder_are_kept_unless_told_otherwise(tmp_path: Path) -> None:
    synthesize(request(tmp_path))
    before = contents(tmp_path)
    with pytest.raises(UsageError, match="--overwrite"):
        synthesize(request(tmp_path, seed=1))
    assert contents(tmp_path) == before
    (tmp_path / "videos" / "mine.mp4").write_bytes(b"not to be touched")
    synthesize(request(tmp_path, seed=1, episodes=2, overwrite=True))
    videos = {path.name for path in (tmp_path / "videos").iterdir()}
    assert videos == {"synth-1-000000.mp4", "synth-1-000001.mp4", "mine.mp4"}


def test_an_interrupted_run_leaves_whole_videos_and_no_episodes_file(tmp_path: Path) -> None:
    def interrupt(made: Iterable[Episode]) -> Iterator[Episode]:
        for number, episode in enumerate(made):
            if number == 3:
                raise KeyboardInterrupt
            yield episode

    with pytest.raises(KeyboardInterrupt):
        synthesize(request(tmp_path), progress=interrupt)
    left = list(contents(tmp_path))
    assert left == [f"videos/synth-0-{index:06d}.mp4" for index in range(4)]
    synthesize(request(tmp_path, episodes=2))
    assert set(contents(tmp_path)) == {"episodes.parquet", *left[:2]}


def test_a_killed_run_leaves_no_half_file_under_a_whole_ones_name_and_no_process(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    output = tmp_path / "out"
    process = subprocess.Popen([sys.executable, str(script), str(output)])
    deadline = time.monotonic() + 60
    while len(list(output.glob("videos/synth-*.mp4"))) < 6 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    while any(map(lives, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(workers) >= 2 and not any(map(lives, workers))
    videos = list(output.glob("videos/synth-*.mp4"))
    assert len(videos) >= 6
    assert all(len(sample_frames(path, 16).times) == 16 for path in videos)
    assert not (output / "episodes.parquet").exists()

    synthesize(SynthRequest(SMALL, output, episodes=1))
    assert set(contents(output)) == {"episodes.parquet", "videos/synth-0-000000.mp4"}


def test_more_utterances_than_frames_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="10 utterances need a frame each"):
        synthesize(SynthRequest(SynthSettings(people=(3, 5), turns=2, frames=9), tmp_path / "out", episodes=1))
    assert not (tmp_path / "out").exists()


def lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
