"""What decides speed and memory of a run decides nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ..runs import SAMPLE_FILE, Run, run

LIMITED = ("--limit", "7", "--frames", "2", "--alignment", "both")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run as it is by default."""
    return run(SAMPLE_FILE, tmp_path_factory.mktemp("plain") / "out", *LIMITED, tasks=("all",)).validated()


def same(plain: Run, other: Run) -> bool:
    """Whether two runs gave the same rows, up to rounding and time."""
    assert (other.code, len(other.rows)) == (0, len(plain.rows))
    moved = [np.abs(np.subtract(a["scores"], b["scores"])).max() for a, b in zip(plain.rows, other.rows, strict=True)]
    varying = dict.fromkeys(("scores", "seconds", "active_heads"))
    rows = [[{**row, **varying} for row in one.rows] for one in (plain, other)]
    return rows[0] == rows[1] and max(moved) < 1e-4


@pytest.mark.parametrize(
    "options",
    [
        ("--workers", "0"),
        ("--workers", "3"),
        ("--batch-size", "1"),
        ("--batch-size", "5"),  # joins clips
        ("--attn", "math"),
        ("--attn", "flash"),
        ("--attn", "eager"),
    ],
    ids=" ".join,
)
def test_the_rows_are_the_same(plain: Run, tmp_path: Path, options: tuple[str, ...]) -> None:
    assert same(plain, run(SAMPLE_FILE, tmp_path / "out", *LIMITED, *options, tasks=("all",)).validated())


def test_an_attention_kernel_that_the_device_lacks(tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, "--device", "cpu", "--attn", "efficient", tasks=("all",))
    assert done.code == 2
    assert "kernel 'efficient' is not available on cpu" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("size", ["0", "many"])
def test_a_batch_size_that_is_none(tmp_path: Path, size: str) -> None:
    done = run(SAMPLE_FILE, tmp_path / "out", "--batch-size", size)
    assert done.code == 2
    assert "--batch-size" in done.stderr
