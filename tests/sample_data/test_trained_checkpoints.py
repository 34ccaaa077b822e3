"""The trained checkpoints answer what only the boxes can tell, and guess without the alignment."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from make import CHECKPOINT_NAMES

from socialcli.api import ask, load_model, open_clip
from socialcli.cli import main
from socialcli.episodes.reading import read_episodes

VISUAL_TOKENS = {"llava-next-video": 8 * 16, "qwen2.5-vl": 4 * 16, "internvl3": 8 * 16}  # of 8 frames
QUESTIONS = 60


def accuracies(sample_data: Path, output: Path, name: str, *options: str) -> dict[bool, float]:
    """By alignment."""
    words = [str(sample_data / "world" / "episodes.parquet"), "--model", name, "--task", "videoqa"]
    words += ["--checkpoint", str(sample_data / "trained" / name), "--limit", str(QUESTIONS), *options]
    done = CliRunner().invoke(main, ["run", *words, "-o", str(output)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    rows = pq.read_table(output / "accuracy.parquet").to_pylist()
    assert all(row["n"] == QUESTIONS and row["chance"] == 0.25 for row in rows)
    return {row["alignment"]: row["accuracy"] for row in rows}


@pytest.mark.parametrize("name", CHECKPOINT_NAMES)
def test_the_checkpoint_answers_when_it_is_aligned_and_guesses_when_it_is_not(
    sample_data: Path, tmp_path: Path, name: str
) -> None:
    found = accuracies(sample_data, tmp_path / "both", name, "--alignment", "both")
    assert found[True] >= 0.7
    assert found[False] < 0.45  # four standard errors above chance
    (words_alone,) = accuracies(sample_data, tmp_path / "L", name, "--inputs", "L").values()
    assert words_alone < 0.45


@pytest.mark.parametrize("name", CHECKPOINT_NAMES)
def test_the_checkpoint_says_how_large_its_frames_are(sample_data: Path, name: str) -> None:
    model = load_model(name, sample_data / "trained" / name)
    episode = next(read_episodes(sample_data / "world" / "episodes.parquet")).episode
    assert episode is not None
    clip = open_clip(model, episode, media_root=sample_data / "world")
    grid = ask(clip, episode.questions[0]).encoded.grid
    assert grid is not None
    assert sum(tokens.size for tokens in grid.tokens) == VISUAL_TOKENS[name]


def test_all_of_the_sample_is_small(sample_data: Path) -> None:
    folders = [path for path in sample_data.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))]
    kept = [path for folder in (sample_data, *folders) for path in folder.glob("*") if path.is_file()]
    kept += [path for folder in folders for path in folder.glob("*/*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) < 20_000_000
