from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from socialcli.errors import InvalidInputError, Terminated, TooManyFailuresError
from socialcli.jobs.lifecycle import Ending, recorded


@dataclass(frozen=True)
class Folder:
    manifest: Path


@dataclass(frozen=True)
class Content:
    """The content of a manifest."""

    ending: Ending | None
    done: int

    def as_record(self) -> dict[str, Any]:
        if self.ending is None:
            return {"outcome": "running", "exit_code": None, "problems": [], "done": self.done}
        problems = list(self.ending.problems)
        return {
            "outcome": self.ending.outcome,
            "exit_code": self.ending.exit_code,
            "problems": problems,
            "done": self.done,
        }


@dataclass
class Status:
    """A job that counts what it has done."""

    done: int = 0
    failed: bool = False

    def manifest(self, ending: Ending | None) -> Content:
        return Content(ending, self.done)

    def too_many_failed(self) -> bool:
        return self.failed


def read(folder: Folder) -> tuple[str, int | None, int]:
    record = json.loads(folder.manifest.read_text(encoding="utf-8"))
    return record["outcome"], record["exit_code"], record["done"]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "out" / "run.json")


@pytest.fixture(autouse=True)
def _made(folder: Folder) -> None:
    folder.manifest.parent.mkdir()


@pytest.mark.parametrize(("failed", "ending"), [(False, ("done", 0)), (True, ("failures", 3))])
def test_the_manifest_follows_the_job_to_its_end(folder: Folder, failed: bool, ending: tuple[str, int]) -> None:
    status = Status()
    with recorded(folder, status) as record:
        assert read(folder) == ("running", None, 0)
        status.done = 1
        assert read(folder) == ("running", None, 0)
        record.update()
        assert read(folder) == ("running", None, 1)
        status.done, status.failed = 2, failed
    assert read(folder) == (*ending, 2)
    assert record.manifest.ending is not None and record.manifest.ending.outcome == ending[0]


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (KeyboardInterrupt(), ("interrupted", 130)),
        (Terminated(), ("interrupted", 143)),
        (TooManyFailuresError("2 failed"), ("stopped", 3)),
        (InvalidInputError("no row"), ("error", 4)),
        (RuntimeError("broken"), ("error", 1)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_ends_a_job_is_recorded_reported_and_raised(
    folder: Folder, error: BaseException, ending: tuple[str, int]
) -> None:
    status = Status()
    reported: list[Content] = []
    with pytest.raises(type(error)) as raised, recorded(folder, status, reported.append):
        status.done = 1
        raise error
    assert raised.value is error
    assert read(folder) == (*ending, 1)
    assert json.loads(folder.manifest.read_text())["problems"] == [str(error)] * bool(str(error))
    assert [one.as_record()["outcome"] for one in reported] == [ending[0]]


def test_a_job_that_does_not_start_reports_nothing(folder: Folder) -> None:
    folder.manifest.parent.rmdir()
    reported: list[Content] = []
    with pytest.raises(OSError, match=r"run\.json"), recorded(folder, Status(), reported.append):
        pytest.fail("the job began without a manifest")
    assert reported == []


def test_an_end_that_cannot_be_written_is_an_error(folder: Folder) -> None:
    with pytest.raises(OSError, match=r"run\.json"), recorded(folder, Status()):
        folder.manifest.unlink()
        folder.manifest.parent.rmdir()


def test_the_first_error_is_raised_where_it_cannot_be_recorded_or_reported(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    def closed(_: Content) -> None:
        raise BrokenPipeError

    with pytest.raises(InvalidInputError, match="no row"), recorded(folder, Status(), closed):
        folder.manifest.unlink()
        folder.manifest.parent.rmdir()
        raise InvalidInputError("no row")
    (message,) = caplog.messages
    assert message.startswith(f"{folder.manifest} still says that the job is running: it cannot be written (No such")
