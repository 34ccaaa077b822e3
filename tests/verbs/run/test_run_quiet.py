"""`socialcli run` says what it has to say, and its libraries say nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ...conftest import SAMPLE
from ..runs import SAMPLE_FILE, shell_environment


@pytest.mark.parametrize("answer", ["score", "generate"])
def test_no_library_warns(tmp_path: Path, family: str, answer: str) -> None:
    """Every warning shown, by Python and by transformers, of a run without and with the alignment."""
    checkpoint = SAMPLE / "checkpoints" / family
    words = ["run", str(SAMPLE_FILE), "--model", family, "--checkpoint", str(checkpoint), "--task", "all"]
    words += ["--alignment", "both", "--answer", answer, "--frames", "2", "--limit", "2", "-o", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-W", "default", "-m", "socialcli", *words],
        env=shell_environment() | {"TRANSFORMERS_VERBOSITY": "warning"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        f"socialcli: loading {family} from {checkpoint}",
        f"socialcli: the results are in {tmp_path / 'out'}",
    ]
