"""What the tests of sweeps share."""

from __future__ import annotations

from typing import IO, Any

import pytest
from matplotlib.figure import Figure


@pytest.fixture(autouse=True)
def empty_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the tests of resumed sweeps, leave pictures empty: drawing them takes longer than the questions.

    What they show is tested in test_sweep.py and test_plot.py.
    """
    if request.path.name == "test_sweep_again.py":
        monkeypatch.setattr(Figure, "savefig", _write_nothing)


def _write_nothing(_figure: Figure, file: IO[bytes], **_options: Any) -> None:
    file.write(b"")
