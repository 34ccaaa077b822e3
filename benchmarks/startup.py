"""Measure the start-up time of the command line and the speed of `validate`, in whole processes.

    python benchmarks/startup.py
    python benchmarks/startup.py --episodes 100 --repeats 3     # to try the script

Prints ratios of medians: of `socialcli --help` to `python -c "import click"`, of a finished run of 10,000 answers to
`python -c "import pyarrow.parquet"`, and of `socialcli validate` on a JSONL of episodes with 500 boxes
each to `json.loads` on every line. Then it plants errors in a part of that file, and compares what `validate` finds
with what the JSON Schema alone finds. No network.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from _clips import episode_record
from _timing import in_turns, limit_cell, note, row, table_head
from jsonschema import Draft202012Validator

from socialcli.episodes.checking.problems import field_path

PYTHON = sys.executable
SAMPLE = Path(__file__).resolve().parent.parent / "sample_data"
SOCIALCLI = str(Path(PYTHON).parent / "socialcli")
LOADS = "import json, sys\nfor line in open(sys.argv[1], 'rb'):\n    json.loads(line)"
BOX_SECONDS = 25.0  # at 20 boxes a second: 500 boxes
ERROR_EVERY = 4  # rows of the file with planted errors

Record = dict[str, Any]
Place = tuple[int, str]  # row, field


def main() -> None:
    """Print the two tables and the comparison of findings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--episodes", type=int, default=2000, help="lines of the file (default: %(default)s)")
    parser.add_argument("--checked", type=int, default=400, help="lines to plant errors among (default: %(default)s)")
    parser.add_argument(
        "--repeats", type=int, default=21, help="turns of the start, a third for validate (default: 21)"
    )
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}; medians of {options.repeats} and of {max(1, options.repeats // 3)}\n")
    table_head("work", "against", "relative time", "limit", "seconds")
    start(options.repeats)
    with tempfile.TemporaryDirectory() as folder:
        finished(Path(folder), max(1, options.repeats // 3))
    with tempfile.TemporaryDirectory() as folder:
        validate(Path(folder) / "episodes.jsonl", options.episodes, max(1, options.repeats // 3))
        print(f"\n{compare_findings(Path(folder) / 'planted.jsonl', min(options.episodes, options.checked))}")


def start(repeats: int) -> None:
    """Print the time of the help."""
    base = 'python -c "import click"'
    timed = in_turns(
        {
            base: partial(process, PYTHON, "-c", "import click"),
            "socialcli --help": partial(process, SOCIALCLI, "--help"),
            "socialcli validate --help": partial(process, SOCIALCLI, "validate", "--help"),
        },
        repeats,
        warm_up=3,
    )
    for name, limit in (("socialcli --help", 3.0), ("socialcli validate --help", None)):
        seconds = timed[name].seconds
        row(f"`{name}`", f"`{base}`", f"{seconds / timed[base].seconds:.2f}", limit_cell(limit), f"{seconds:.3f}")


def finished(folder: Path, repeats: int) -> None:
    """Print the time of a run that is already finished. Raises SystemExit if it finds something to do."""
    note("writing the output of a run of 10,000 answers")
    words = finished_run(folder, 10_000)
    base = 'python -c "import pyarrow.parquet"'
    timed = in_turns(
        {
            base: partial(process, PYTHON, "-c", "import pyarrow.parquet"),
            "run": partial(nothing_to_do, words),
        },
        repeats,
        warm_up=2,
    )
    seconds = timed["run"].seconds
    ratio = f"{seconds / timed[base].seconds:.2f}"
    row("`socialcli run`, 10,000 answers, all done", f"`{base}`", ratio, limit_cell(3.0), f"{seconds:.3f}")


def finished_run(folder: Path, answers: int) -> list[str]:
    """Write a finished run over the sample's first episodes, repeated; returns its command."""
    episodes = folder / "episodes.jsonl"
    (folder / "videos").mkdir()
    sample = [json.loads(line) for line in (SAMPLE / "episodes.jsonl").read_text(encoding="utf-8").splitlines()]
    with episodes.open("w", encoding="utf-8") as file:
        asked = number = 0
        while asked < answers:
            record = sample[number % len(sample)]
            questions = [{**one, "id": f"{one['id']}-{number}"} for one in record["questions"]][: answers - asked]
            video = f"videos/{number}{Path(record['video']['path']).suffix}"
            shutil.copy(SAMPLE / record["video"]["path"], folder / video)
            record = {**record, "episode_id": f"{record['episode_id']}-{number}", "questions": questions}
            file.write(json.dumps({**record, "video": {**record["video"], "path": video}}) + "\n")
            asked, number = asked + len(questions), number + 1
    model = ["--model", "llava-next-video", "--checkpoint", str(SAMPLE / "checkpoints" / "llava-next-video")]
    words = [SOCIALCLI, "run", str(episodes), *model, "--task", "all", "--frames", "1", "-o", str(folder / "out")]
    subprocess.run([*words, "-q"], check=True, stdout=subprocess.DEVNULL)
    return words


def nothing_to_do(words: list[str]) -> None:
    """Repeat the command of a finished run."""
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    if "nothing to do" not in done.stderr:
        raise SystemExit(done.stderr)


def validate(path: Path, episodes: int, repeats: int) -> None:
    """Print the time to check a file. Raises SystemExit if a problem is found."""
    note(f"writing {episodes} episodes")
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(record)}\n" for record in records(episodes))
    timed = in_turns(
        {"loads": partial(process, PYTHON, "-c", LOADS, str(path)), "validate": partial(problems_in, path)}, repeats
    )
    if timed["validate"].result:
        raise SystemExit(f"validate found problems in a good file: {timed['validate'].result}")
    ratio, seconds = timed["validate"].seconds / timed["loads"].seconds, timed["validate"].seconds
    size = f"{episodes:,} episodes, {path.stat().st_size / 2**20:.0f} MiB"
    row(f"`socialcli validate`, {size}", "`json.loads`", f"{ratio:.2f}", limit_cell(6.0), f"{seconds:.2f}")


def process(*command: str) -> str:
    """Run a process; returns its output. Raises CalledProcessError if it fails."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def records(count: int) -> Iterator[Record]:
    """Good episodes."""
    for index in range(count):
        yield episode_record(f"episode-{index}", "clip.mp4", "mixed", 5, BOX_SECONDS)


def problems_in(path: Path) -> set[Place]:
    """The problems that `socialcli validate` finds, as rows and fields."""
    command = [SOCIALCLI, "validate", "--json", "--max-errors", "1000000", str(path)]
    output = subprocess.run(command, capture_output=True, text=True).stdout
    return {(problem["row"], problem["field"]) for problem in json.loads(output)["problems"]}


def compare_findings(path: Path, count: int) -> str:
    """Plant errors in a file, and report whether `validate` finds exactly what the schema alone finds."""
    note(f"comparing findings in {count} episodes")
    planted = list(with_errors(count))
    path.write_text("".join(f"{json.dumps(record)}\n" for record in planted), encoding="utf-8")
    validator = Draft202012Validator(json.loads(process(SOCIALCLI, "schema", "episode")))
    expected = {
        (number, field) for number, record in enumerate(planted, 1) for field in fields_wrong(validator, record)
    }
    found = problems_in(path)
    verdict = "the same as the schema alone" if found == expected else f"NOT the schema's: {sorted(found ^ expected)}"
    return f"Planted errors: {len(expected)} places in {count} episodes; `validate` finds {len(found)}, {verdict}."


def with_errors(count: int) -> Iterator[Record]:
    """Episodes, some with a planted error of each kind in turn."""
    for index, record in enumerate(records(count)):
        if index % ERROR_EVERY == 0:
            ERRORS[index // ERROR_EVERY % len(ERRORS)](record)
        yield record


def _set(*path: str | int, value: object) -> Callable[[Record], None]:
    """A planted error: a different value at a path."""

    def plant(record: Record) -> None:
        place: Any = record
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return plant


def _drop(*path: str | int) -> Callable[[Record], None]:
    """A planted error: a field that is missing."""

    def plant(record: Record) -> None:
        place: Any = record
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return plant


ERRORS: tuple[Callable[[Record], None], ...] = (
    _set("boxes", 250, "x0", value="12"),
    _set("boxes", 499, "time", value=-1),
    _set("boxes", 0, "confidence", value=0.9),
    _drop("boxes", 17, "speaker"),
    _set("boxes", 3, value=[1, 2, 3, 4]),
    _set("boxes", value=None),
    _set("schema_version", value="2.0"),
    _drop("speakers"),
    _set("speakers", 1, "id", value=""),
    _set("video", "width", value=0),
    _set("video", "fps", value=0),
    _set("video", "path", value=None),
    _drop("utterances", 2, "text"),
    _set("utterances", 0, "start", value=True),
    _set("questions", 0, "span", value=[1, 2, 3]),
    _set("questions", 1, "span", value=[0.5, 2]),
    _set("questions", 2, "candidates", value=["anna", "anna"]),
    _set("questions", 3, "task", value=7),
    _set("license", value="CC0"),
)


def fields_wrong(validator: Draft202012Validator, record: object) -> Iterator[str]:
    """The fields that violate the schema; a missing or unexpected field is named itself."""
    for error in validator.iter_errors(record):
        path: tuple[str | int, ...] = tuple(error.absolute_path)
        if error.validator == "required":
            yield from (field_path((*path, name)) for name in error.validator_value if name not in error.instance)
        elif error.validator == "additionalProperties":
            yield from (field_path((*path, name)) for name in error.instance if name not in error.schema["properties"])
        else:
            yield field_path(path)


if __name__ == "__main__":
    main()
