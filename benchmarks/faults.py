"""Check what a run or sweep leaves after being killed, terminated, out of disk space, locked out, or started twice.

    python benchmarks/faults.py --kills 100
    python benchmarks/faults.py --kills 3 --terminations 2 --pairs 2     # to try the script
    python benchmarks/faults.py --command sweep --kills 20

A run over the sample's world is interrupted at random moments and resumed until it ends, over and over. Then its folder
is compared with that of an uninterrupted run: every question once, in order, the same scores to 1e-6, no answer of an
existing part computed again, and no extra files. Exits with 1 if anything differs.

The full disk and the folder that turns read-only are real: a separate tmpfs, which requires root.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from _timing import note, table_head
from _timing import row as table_row

SAMPLE = Path(__file__).parents[1] / "sample_data"
MODEL = "llava-next-video"
FILES = {"accuracy.parquet", "inputs.json", "predictions.parquet"}  # and the manifest, of the command's name
TOLERANCE = 1e-6  # of a log-probability
SMALL_DISK = 48  # KiB: room for a part or two, not for all

Row = dict[str, Any]


@dataclass
class Outcome:
    """The result of a campaign."""

    interrupted: int = 0
    finished: int = 0
    parts: int = 0  # that existed when a run resumed
    found: list[str] = field(default_factory=list)  # the differences


def main() -> None:
    """Run the campaigns and print their results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--command", choices=("run", "sweep"), default="run", help="(default: %(default)s)")
    parser.add_argument("--kills", type=int, default=100, help="interruptions by SIGKILL (default: %(default)s)")
    parser.add_argument("--terminations", type=int, default=20, help="interruptions by SIGTERM (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=20, help="runs started twice at once (default: %(default)s)")
    parser.add_argument("--task", default="all", help="tasks to ask (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="random seed of the moments (default: %(default)s)")
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        work = Work(Path(name), options.command, options.task)
        note(f"an uninterrupted run takes {work.seconds:.1f} s for {len(work.rows)} rows")
        campaigns = {
            f"SIGKILL, {options.kills} times": lambda: work.interrupted(signal.SIGKILL, options.kills, moments),
            f"SIGTERM, {options.terminations} times": lambda: work.interrupted(
                signal.SIGTERM, options.terminations, moments
            ),
            "a truncated part": work.cut_short,
            "a full disk": work.full_disk,
            "a folder that turns read-only": work.read_only,
            f"two at once, {options.pairs} times": lambda: work.at_once(options.pairs),
        }
        table_head("fault", "interrupted", "finished", "existing parts", "differences")
        differences = 0
        for fault, campaign in campaigns.items():
            outcome = campaign()
            differences += len(outcome.found)
            cells = (str(outcome.interrupted), str(outcome.finished), str(outcome.parts))
            table_row(fault, *cells, "; ".join(outcome.found) or "none")
    sys.exit(1 if differences else 0)


class Work:
    """The uninterrupted run, and the ways to disturb one."""

    def __init__(self, folder: Path, command: str, task: str) -> None:
        """Run once without interruption."""
        self._folder = folder
        self._command = command
        self._manifest = f"{command}.json"
        self._task = task
        started = time.monotonic()
        self._finish(folder / "undisturbed")
        self.seconds = time.monotonic() - started
        self.rows = rows_of(folder / "undisturbed" / "predictions.parquet")

    def interrupted(self, number: int, times: int, moments: random.Random) -> Outcome:
        """Interrupt runs by a signal, at moments from before the first import to after the end."""
        outcome, turn = Outcome(), 0
        while outcome.interrupted < times:
            turn += 1
            self._until_it_ends(self._folder / f"{number}-{turn}", number, times, moments, outcome)
            note(f"{outcome.interrupted} of {times} interrupted, {outcome.finished} ended")
        return outcome

    def _until_it_ends(self, output: Path, number: int, times: int, moments: random.Random, outcome: Outcome) -> None:
        known: dict[str, Row] = {}
        while True:
            kept = self._kept(output, known, outcome)
            process = self._start(output)
            if outcome.interrupted < times:
                time.sleep(moments.uniform(0, 1.2 * self.seconds))
                if process.poll() is None:
                    process.send_signal(number)
            _, said = process.communicate()
            if process.returncode in (0, 3):
                outcome.finished += 1
                outcome.found += [
                    f"{output.name}: {one}" for one in (*self.differences(output), *self._again(output, kept))
                ]
                shutil.rmtree(output)
                return
            outcome.interrupted += 1
            if process.returncode not in (-number, 128 + number) or "Traceback" in said:
                outcome.found.append(f"{output.name}: ended with {process.returncode}: {said[-300:]}")
                return

    def _kept(self, output: Path, known: dict[str, Row], outcome: Outcome) -> Mapping[str, Row]:
        """The rows in the folder, all of which must be unchanged at the end."""
        parts = sorted(output.glob("parts/[0-9]*.parquet"))
        outcome.parts += len(parts)
        for file in (*parts, *output.glob("predictions.parquet")):
            for row in rows_of(file):
                known.setdefault(row["key"], row)
        return known

    def _again(self, output: Path, kept: Mapping[str, Row]) -> Iterator[str]:
        """The answers that were computed again although they were in a part: their time differs."""
        for row in rows_of(output / "predictions.parquet"):
            if row["key"] in kept and row["seconds"] != kept[row["key"]]["seconds"]:
                yield f"{row['question_id']} was computed again"

    def differences(self, output: Path) -> Iterator[str]:
        """The differences between a folder and that of the uninterrupted run."""
        found = {path.name for path in output.iterdir()}
        if found != (files := {*FILES, self._manifest}):
            yield f"files {sorted(found ^ files)}"
        rows = rows_of(output / "predictions.parquet")
        if [row["key"] for row in rows] != [row["key"] for row in self.rows]:
            yield "other rows"
            return
        for row, expected in zip(rows, self.rows, strict=True):
            if not same(row, expected):
                yield f"{row['question_id']}: {row['scores']} instead of {expected['scores']}"

    def cut_short(self) -> Outcome:
        """Truncate a part; its answers must be computed again, with a message."""
        outcome, output = Outcome(interrupted=1), self._folder / "cut"
        parts = self._with_parts(output)
        outcome.parts = len(parts)
        parts[0].write_bytes(parts[0].read_bytes()[: parts[0].stat().st_size // 2])
        said = self._finish(output)
        outcome.finished = 1
        if "cannot be read, so its answers are computed again" not in said:
            outcome.found.append("nothing was said of the part")
        outcome.found += self.differences(output)
        return outcome

    def full_disk(self) -> Outcome:
        """Let a run fill a small disk; with more space it must resume."""
        outcome = Outcome()
        with small_disk(self._folder / "disk") as mounted:
            if not mounted:
                return Outcome(found=[]) if os.geteuid() else Outcome(found=["no tmpfs could be mounted"])
            output = self._folder / "disk" / "out"
            code, said = self._ended(self._start(output))
            outcome.interrupted = 1
            if code != 1 or "No space left" not in said or "Traceback" in said:
                outcome.found.append(f"ended with {code}: {said[-300:]}")
            kept = dict(self._kept(output, {}, outcome))
            mount("-o", "remount,size=64m", str(self._folder / "disk"))
            self._finish(output)
            outcome.finished = 1
            outcome.found += [*self.differences(output), *self._again(output, kept)]
        return outcome

    def read_only(self) -> Outcome:
        """Make the folder read-only during a run; once writable again, the run must resume."""
        outcome = Outcome()
        with small_disk(self._folder / "disk", size="64m") as mounted:
            if not mounted:
                return Outcome(found=[]) if os.geteuid() else Outcome(found=["no tmpfs could be mounted"])
            output = self._folder / "disk" / "out"
            process = self._start(output)
            while not list(output.glob("parts/[0-9]*.parquet")) and process.poll() is None:
                time.sleep(0.02)
            # A remount is refused while a file is open for writing; a read-only bind mount is not.
            mount("--bind", str(output), str(output))
            mount("-o", "remount,ro,bind", str(output))
            code, said = self._ended(process)
            outcome.interrupted = 1
            if code == 0 or "Traceback" in said:
                outcome.found.append(f"ended with {code}: {said[-300:]}")
            subprocess.run(["umount", str(output)], check=True)
            kept = dict(self._kept(output, {}, outcome))
            self._finish(output)
            outcome.finished = 1
            outcome.found += [*self.differences(output), *self._again(output, kept)]
        return outcome

    def at_once(self, times: int) -> Outcome:
        """Start two runs on one folder: one must work, the other must exit with 5."""
        outcome = Outcome()
        for turn in range(times):
            output = self._folder / f"twice-{turn}"
            ended = sorted(self._ended(one)[0] for one in [self._start(output), self._start(output)])
            outcome.interrupted += ended.count(5)
            outcome.finished += ended.count(0)
            if ended != [0, 5]:
                outcome.found.append(f"ended with {ended}")
            outcome.found += self.differences(output)
            shutil.rmtree(output)
        return outcome

    def _with_parts(self, output: Path) -> list[Path]:
        """A folder as a killed run leaves it, with everything in two parts."""
        output.mkdir()
        (output / "parts").mkdir()
        text = (self._folder / "undisturbed" / self._manifest).read_text()
        (output / self._manifest).write_text(text.replace('"done"', '"running"'))
        table: pa.Table = pq.read_table(self._folder / "undisturbed" / "predictions.parquet")
        half = next(index for index, row in enumerate(self.rows) if row["episode_id"] != self.rows[0]["episode_id"])
        parts = [output / "parts" / "000001.parquet", output / "parts" / "000002.parquet"]
        for part, rows in zip(parts, (table.slice(0, half), table.slice(half)), strict=True):
            pq.write_table(rows, part)
        return parts

    def _finish(self, output: Path) -> str:
        code, said = self._ended(self._start(output))
        if code != 0:
            raise SystemExit(f"the uninterrupted run ended with {code}: {said}")
        return said

    def _ended(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        _, said = process.communicate()
        return process.returncode, said

    def _start(self, output: Path) -> subprocess.Popen[str]:
        checkpoint = SAMPLE / "trained" / MODEL
        words = [*(self._command, SAMPLE / "world" / "episodes.parquet", "--model", MODEL, "--checkpoint", checkpoint)]
        words += ["--task", self._task, "--alpha", 1, "-o", output]
        return subprocess.Popen(
            [sys.executable, "-m", "socialcli", *map(str, words)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )


def rows_of(path: Path) -> list[Row]:
    """The rows of a predictions file."""
    return pq.read_table(path).to_pylist()


def same(row: Row, other: Row) -> bool:
    """Whether two rows are equal except for their time."""
    scores = zip(row["scores"] or (), other["scores"] or (), strict=True)
    near = all(abs(one - two) <= TOLERANCE for one, two in scores)
    return near and {**row, "scores": 0, "seconds": 0} == {**other, "scores": 0, "seconds": 0}


@contextmanager
def small_disk(place: Path, size: str = f"{SMALL_DISK}k") -> Iterator[bool]:
    """A tmpfs at `place`; False without permission to mount one."""
    place.mkdir(exist_ok=True)
    mounted = mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--recursive", str(place)], check=True)


def mount(*words: str) -> bool:
    """Whether mount(8) succeeded."""
    try:
        return subprocess.run(["mount", *words], stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    main()
