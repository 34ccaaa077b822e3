"""Damaged inputs, each put through the real command, in a process that may die of them.

    python -m tests.faults.damaged FOLDER < CASES        # a case on each line: INPUT SEED

Prints a line of JSON for each case that came to an end: the exit codes, what stood on standard error, and what was
wrong with the rows. A case that takes too long ends the process, with the places where it hung on standard error.
"""

from __future__ import annotations

import faulthandler
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from ..conftest import FAMILIES, SAMPLE
from ..verbs.runs import Run, command, record, write
from .consistency import asked_questions, check_rows
from .mutations import mutated

MOST_SECONDS = 60.0  # of a case, on a busy machine, the first one's imports included; a sound one takes half a second
LIMIT = 1  # questions of each task
VIDEO = 10  # the sample's episode with the smallest video

QUICK = ("--frames", "2", "--alignment", "both", "--limit", str(LIMIT))


def _run(episodes: Path, folder: Path, checkpoint: Path, family: str, *options: str) -> Run:
    model = ("--model", family, "--checkpoint", str(checkpoint), "--task", "all")
    return command("run", str(episodes), *model, *QUICK, *options, "-o", str(folder / "out"))


def sample_checkpoint(family: str) -> Path:
    """The tiny one, whole."""
    return SAMPLE / "checkpoints" / family


def episodes_file(name: str) -> Callable[[Path, int], list[Run]]:
    """A damaged episodes file; the clips are whole."""

    def case(folder: Path, seed: int) -> list[Run]:
        file = folder / name
        file.write_bytes(mutated((SAMPLE / name).read_bytes(), seed))
        done = _run(file, folder, sample_checkpoint(FAMILIES[0]), FAMILIES[0], "--media-root", str(SAMPLE))
        return [done, command("validate", str(file))]

    return case


def video(folder: Path, seed: int) -> list[Run]:
    """A damaged video; the episode is right."""
    episode = record(VIDEO)
    source = SAMPLE / episode["video"]["path"]
    episode["video"]["path"] = source.name
    (folder / source.name).write_bytes(mutated(source.read_bytes(), seed))
    file = write(folder / "episodes.jsonl", [episode])
    return [_run(file, folder, sample_checkpoint(FAMILIES[0]), FAMILIES[0])]


def checkpoint_file(name: str) -> Callable[[Path, int], list[Run]]:
    """A damaged file of a checkpoint, whose other files are whole; the families take turns."""

    def case(folder: Path, seed: int) -> list[Run]:
        family = FAMILIES[seed % len(FAMILIES)]
        copy = folder / "checkpoint"
        shutil.copytree(sample_checkpoint(family), copy)
        (copy / name).write_bytes(mutated((copy / name).read_bytes(), seed))
        return [_run(SAMPLE / "episodes.jsonl", folder, copy, family)]

    return case


INPUTS: dict[str, Callable[[Path, int], list[Run]]] = {
    **{name: episodes_file(name) for name in ("episodes.parquet", "episodes.jsonl")},
    "video.mp4": video,
    **{
        name: checkpoint_file(name)
        for name in ("model.safetensors", "config.json", "tokenizer.json", "processor_config.json")
    },
}


def wrong_rows(name: str, run: Run) -> str | None:
    """What is wrong with the rows that a run left; None where nothing is."""
    file = run.output.parent / name if name.startswith("episodes") else None
    try:
        check_rows(run, asked_questions(file), LIMIT)
    except AssertionError as error:
        return str(error)
    return None


def main(folder: Path) -> None:
    """Work through the cases of standard input."""
    for line in sys.stdin:
        name, seed = line.split()
        own = folder / f"{name}-{seed}"
        own.mkdir()
        faulthandler.dump_traceback_later(MOST_SECONDS, exit=True)
        runs = INPUTS[name](own, int(seed))
        wrong = wrong_rows(name, runs[0])
        faulthandler.cancel_dump_traceback_later()
        told = [{"code": one.code, "stderr": one.stderr} for one in runs]
        print(json.dumps({"input": name, "seed": int(seed), "runs": told, "wrong": wrong}), flush=True)
        shutil.rmtree(own)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
