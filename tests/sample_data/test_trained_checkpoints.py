"""The trained checkpoints: small, and at a loss without boxes. README's first command is tested beside `run`."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from _checkpoints import TRAINED
from click.testing import CliRunner

from socialcli.api import ask, load_model, open_clip
from socialcli.cli import main
from socialcli.episodes.reading import read_episodes

VISUAL_TOKENS = {"llava-next-video": 8 * 16, "qwen2.5-vl": 4 * 16, "internvl3": 8 * 16}  # of 8 frames


@pytest.mark.parametrize("name", TRAINED)
def test_words_alone_do_not_give_the_answers_away(sample_data: Path, tmp_path: Path, name: str) -> None:
    words = [str(sample_data / "world" / "episodes.parquet"), "--model", name, "--task", "videoqa", "--inputs", "L"]
    words += ["--checkpoint", str(sample_data / "trained" / name), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(main, ["run", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (row,) = pq.read_table(tmp_path / "out" / "accuracy.parquet").to_pylist()
    assert (row["n"], row["failed"], row["chance"]) == (160, 0, 0.25)
    assert row["accuracy"] < 0.39  # four standard errors above chance


@pytest.mark.parametrize("name", TRAINED)
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
