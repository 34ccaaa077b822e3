"""Fails where two runs of the same questions differ: python .ci/same_scores.py FOLDER FOLDER."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pyarrow.parquet as pq

TOLERANCE = 1e-5  # log-probabilities in float32


def scores(folder: Path) -> dict[str, list[float]]:
    """The scores of every row by its key, which holds all that decides them but the versions of the libraries."""
    rows = pq.read_table(folder / "predictions.parquet", columns=["key", "scores"]).to_pylist()
    return {row["key"]: row["scores"] for row in rows}


def main(one: Path, other: Path) -> None:
    """Print the largest difference; exit with 1 where there are other rows, none, or too large a difference."""
    first, second = scores(one), scores(other)
    if not first or first.keys() != second.keys():
        sys.exit(f"{one} and {other} hold other rows")
    pairs = [pair for key in first for pair in zip(first[key], second[key], strict=True)]
    largest = max(math.fabs(left - right) for left, right in pairs)
    print(f"{one.name}, {other.name}: {len(first)} rows, scores differ by {largest:.1e} at most", file=sys.stderr)
    if not largest <= TOLERANCE:
        sys.exit(f"scores differ by {largest:.1e}, more than {TOLERANCE:.0e}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
