"""How much memory a command takes as its input grows, in whole processes.

    python benchmarks/memory.py
    python benchmarks/memory.py --episodes 20 --times 10     # to try the script

Repeats the sample's episodes under new ids, in a small and a large file of each format, and prints the ratio of the
peak memory of a command on the two: `validate`, `run --limit 0`, and `plan`, which creates every prompt (text only,
because decoding twenty thousand clips takes hours). No network.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from _timing import limit_cell, note, row, table_head

from socialcli.episodes.writing import EpisodeWriter

SAMPLE_DATA = Path(__file__).resolve().parent.parent / "sample_data"
SAMPLE = SAMPLE_DATA / "episodes.jsonl"
CHECKPOINT = SAMPLE_DATA / "checkpoints" / "llava-next-video"
MODEL = ("--model", "llava-next-video", "--checkpoint", str(CHECKPOINT), "--task", "all", "-qq")
ASKED = {"run --limit 0": ("run", "--limit", "0"), "plan --inputs L": ("plan", "--inputs", "L")}
FORMATS = (".jsonl", ".jsonl.gz", ".parquet")
LIMIT = 1.1

# Peak memory of the process itself: on Linux, children inherit `ru_maxrss` from the process that started them.
PROGRAM = """
import sys
from socialcli.cli import main
try:
    main(sys.argv[1:])
finally:
    with open("/proc/self/status") as status:
        print(next(line.split()[1] for line in status if line.startswith("VmHWM:")), file=sys.stderr)
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--episodes", type=int, default=200, help="episodes of the small file (default: %(default)s)")
    parser.add_argument(
        "--times", type=int, default=100, help="size of the large file relative to the small one (default: 100)"
    )
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}; peak memory for {options.episodes * options.times:,} episodes,")
    print(f"relative to {options.episodes:,}\n")
    table_head("work", "memory relative to the small file", "limit", "MiB")
    with tempfile.TemporaryDirectory() as folder:
        for suffix in FORMATS:
            small, large = (
                peak("validate", str(written(Path(folder) / f"episodes{suffix}", count)))
                for count in (options.episodes, options.episodes * options.times)
            )
            row(f"`socialcli validate`, `{suffix}`", f"{large / small:.2f}", limit_cell(LIMIT), f"{large / 2**10:.0f}")
        files = [Path(folder) / f"episodes-{name}.jsonl" for name in ("small", "large")]
        for file, count in zip(files, (options.episodes, options.episodes * options.times), strict=True):
            written(file, count)
        for name, words in ASKED.items():
            out = ("-o", str(Path(folder) / "out"), "--overwrite")
            small, large = (peak(words[0], str(file), *MODEL, *words[1:], *out) for file in files)
            row(f"`socialcli {name}`, `.jsonl`", f"{large / small:.2f}", limit_cell(LIMIT), f"{large / 2**10:.0f}")


def written(path: Path, count: int) -> Path:
    """A file of `count` episodes."""
    note(f"writing {count} episodes to {path.name}")
    with EpisodeWriter(path) as writer:
        for record in records(count):
            writer.write(record)
    return path


def records(count: int) -> Iterator[dict[str, Any]]:
    """The sample's episodes, repeated with new ids."""
    sample = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    for number in range(count):
        record = sample[number % len(sample)]
        questions = [{**question, "id": f"{question['id']}-{number}"} for question in record["questions"]]
        yield {**record, "episode_id": f"{record['episode_id']}-{number}", "questions": questions}


def peak(*words: str) -> int:
    """The peak memory of a command in KiB. Raises CalledProcessError if it fails."""
    command: Sequence[str] = (sys.executable, "-c", PROGRAM, *words)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stderr.split()[-1])


if __name__ == "__main__":
    main()
