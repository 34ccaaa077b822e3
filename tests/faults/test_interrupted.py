"""Runs killed, terminated, short of disk or started twice: the campaign of `benchmarks/faults.py`, a short one."""

from __future__ import annotations

import subprocess
import sys

from ..conftest import ROOT
from ..verbs.runs import shell_environment

SCRIPT = ROOT / "benchmarks" / "faults.py"


def test_whatever_breaks_a_run_off_the_rest_is_done_by_the_same_command() -> None:
    words = [*("--kills", "3", "--terminations", "1", "--pairs", "1", "--task", "videoqa", "--seed", "2")]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words], env=shell_environment(), capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split("|") for line in done.stdout.splitlines() if line.startswith("| ")][2:]
    table = {cells[1].strip(): [cell.strip() for cell in cells[2:-1]] for cells in lines}
    assert table["SIGKILL, 3 times"][0] == "3" and table["SIGTERM, 1 times"][0] == "1"
    assert table["two at once, 1 times"][:2] == ["1", "1"]
    assert {cells[3] for cells in table.values()} == {"none"}
