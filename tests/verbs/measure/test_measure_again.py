"""`socialcli measure`, run again: it resumes, does nothing, or measures what is new, and only that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from socialcli.alignment.head_stats import FigureSums
from socialcli.episodes.writing import EpisodeWriter
from socialcli.results.lock import locked
from socialcli.results.parts import PartWriter
from socialcli.verbs.measure import forward
from socialcli.verbs.measure.episode_sums import EpisodeSums

from ...conftest import SAMPLE
from ...results.samples import disk_of
from ..runs import FAMILY, Record, Run, assert_reported, command, small, write

KEPT = ["measured.parquet", "measured_inputs.json"]
FILES = ["attention.parquet", "heads.parquet", "heatmap.png", "measure.json", *KEPT, "shift.png"]
TABLES = ["attention.parquet", "heads.parquet", "measured.parquet", "heatmap.png", "shift.png"]


def measure(episodes: Path, *options: str, output: str = "out") -> Run:
    """Measure in a folder beside the episodes."""
    words = ["measure", str(episodes), "--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY)]
    words += ["--task", "all", "--frames", "1", "--media-root", str(SAMPLE)]
    return command(*words, "-o", str(episodes.parent / output), *options)


def manifest(done: Run) -> Record:
    found: Record = json.loads((done.output / "measure.json").read_text(encoding="utf-8"))
    return found


def assert_same(done: Run, other: Run) -> None:
    """The same figures, to the last bit, and the same files with the same pictures."""
    assert sorted(path.name for path in done.output.iterdir()) == sorted(path.name for path in other.output.iterdir())
    for name in TABLES:
        mine, theirs = done.output / name, other.output / name
        if name.endswith(".png"):
            assert mine.read_bytes() == theirs.read_bytes(), name
        else:
            assert pq.read_table(mine).equals(pq.read_table(theirs)), name
    for name in ("summary", "top_heads", "decoder"):
        assert manifest(done)[name] == manifest(other)[name]
    assert done.stdout == other.stdout


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three episodes of the sample, six questions."""
    return write(tmp_path / "episodes.jsonl", [small(0), small(1), small(2)])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that go through the model."""
    found: list[str] = []
    sums = forward.Measurer._sums

    def noted(self: forward.Measurer, batch: Sequence[Any]) -> FigureSums:
        found.extend(one.question.id for one in batch)
        return sums(self, batch)

    monkeypatch.setattr(forward.Measurer, "_sums", noted)
    return found


def ids(*lines: Record) -> list[str]:
    return [question["id"] for line in lines for question in line["questions"]]


def test_a_finished_measurement_is_left_as_it_is(file: Path, asked: list[str]) -> None:
    first = measure(file)
    before = {path.name: path.stat().st_mtime_ns for path in first.output.iterdir()}
    assert sorted(before) == FILES
    asked.clear()
    again = measure(file, "--batch-size", "1")
    assert again.code == 0 and "nothing to do: the measurement in" in again.stderr and "loading" not in again.stderr
    assert again.stdout == first.stdout and not asked
    assert before == {path.name: path.stat().st_mtime_ns for path in first.output.iterdir()}
    assert json.loads(measure(file, "--json").stdout)["summary"] == manifest(first)["summary"]


def test_pictures_in_another_format_are_drawn_and_nothing_is_measured(file: Path, asked: list[str]) -> None:
    measure(file)
    asked.clear()
    again = measure(file, "--figure-format", "pdf")
    names = {path.stem: path.suffix for path in again.output.iterdir()}
    assert again.code == 0 and not asked and names["heatmap"] == names["shift"] == ".pdf"
    assert not list(again.output.glob("*.png"))
    assert "nothing to do" in measure(file, "--figure-format", "pdf").stderr


def test_what_is_reported_of_versions_outlives_a_break(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert measure(file).code == 0
    (file.parent / "out" / "measured_inputs.json").unlink()
    path = file.parent / "out" / "measure.json"
    record_ = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record_, "versions": {**record_["versions"], "torch": "1.0"}}), encoding="utf-8")
    write(file, [small(0), small(1), small(3)])
    broken = broken_after(1, file, monkeypatch)
    assert broken.code == 130
    for done in (broken, measure(file)):
        assert [warning for warning in manifest(done)["warnings"] if "torch 1.0" in warning]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_more_episodes_are_measured_alone(suffix: str, tmp_path: Path, asked: list[str]) -> None:
    lines = [small(0), small(1), small(2)]
    lines[2]["utterances"][0]["text"] = "नमस्ते।"
    file = tmp_path / f"episodes{suffix}"
    for some in (lines[:2], [lines[0], lines[2], lines[1]]):
        with EpisodeWriter(file) as writer:
            for line in some:
                writer.write(line)
        asked.clear()
        done = measure(file)
        assert done.code == 0, done.stderr
    assert asked == ids(lines[2]) and manifest(done)["counts"]["kept"] == 4
    assert "4 questions are measured already" in done.stderr
    assert_same(done, measure(file, output="anew"))


def test_a_higher_limit_measures_the_episode_that_it_cuts_again(file: Path, asked: list[str]) -> None:
    assert measure(file, "--limit", "3").code == 0
    asked.clear()
    more = measure(file, "--limit", "5")
    assert asked == [*ids(small(1)), ids(small(2))[0]] and manifest(more)["counts"]["kept"] == 2
    assert_reported(measure(file, "--limit", "4"), 2, "limit: 5 there, 4 now")
    assert_same(more, measure(file, "--limit", "5", output="anew"))


def test_what_has_changed_is_measured_again_and_nothing_else(file: Path, asked: list[str]) -> None:
    measure(file)
    lines = [small(0), small(1), small(2)]
    lines[1]["boxes"] = lines[1]["boxes"][1:]
    asked.clear()
    done = measure(write(file, lines))
    assert asked == ids(lines[1])
    assert_same(done, measure(file, output="anew"))
    gone = measure(write(file, [lines[2]]))
    assert asked[2:] == ids(*lines) and manifest(gone)["counts"]["kept"] == 2  # of another folder
    assert_same(gone, measure(file, output="fresh"))


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--alpha", "2", "alpha: 1.0 there, 2.0 now"),
        ("--layers", "all", 'layers: "auto" there, "all" now'),
        ("--frames", "2", "frames: 1 there, 2 now"),
        ("--dtype", "float64", "dtype"),
    ],
)
def test_other_settings_are_refused(option: str, value: str, message: str, file: Path) -> None:
    first = measure(file)
    before = pq.read_table(first.output / "attention.parquet")
    refused = measure(file, option, value)
    assert refused.code == 2, refused.stderr
    if value != "float64":
        assert_reported(refused, 2, "holds a measurement with other settings", message, "--overwrite")
    assert pq.read_table(first.output / "attention.parquet").equals(before)


def broken_after(episodes: int, file: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> Run:
    """A measurement that is interrupted when so many episodes have been kept."""
    write_part, calls = PartWriter.write, 0

    def write_some(self: PartWriter[EpisodeSums], rows: Sequence[Sequence[EpisodeSums]]) -> None:
        nonlocal calls
        write_part(self, rows)
        calls += 1
        if calls == episodes:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(PartWriter, "write", write_some)
        return measure(file, *options)


@pytest.mark.parametrize("episodes", [1, 2])
def test_a_measurement_interrupted_and_resumed_has_the_same_figures(
    episodes: int, file: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = broken_after(episodes, file, monkeypatch)
    assert (broken.code, manifest(broken)["outcome"]) == (130, "interrupted")
    assert sorted(path.name for path in broken.output.iterdir()) == ["measure.json", "measured_parts"]
    again = measure(file)
    assert again.code == 0 and asked == ids(small(0), small(1), small(2))
    assert manifest(again)["counts"]["kept"] == 2 * episodes
    assert_same(again, measure(file, output="anew"))


def test_a_damaged_part_is_reported_and_measured_again(
    file: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = broken_after(2, file, monkeypatch)
    (part,) = (broken.output / "measured_parts").iterdir()
    part.write_bytes(part.read_bytes()[:-100])
    asked.clear()
    again = measure(file)
    assert "000001.parquet: cannot be read, so its episodes are computed again" in again.stderr
    assert again.code == 0 and asked == ids(small(0), small(1), small(2))


def test_what_was_measured_outlives_a_night_without_its_video(file: Path, asked: list[str]) -> None:
    first = measure(file)
    before = pq.read_table(first.output / "measured.parquet")
    lines = [small(0), small(1), small(2)]
    write(file, [lines[0], small(1, video={**lines[1]["video"], "path": "videos/nowhere.mp4"}), lines[2]])
    night = measure(file)
    assert night.code == 3 and sorted(path.name for path in night.output.iterdir()) == sorted(
        [*FILES, "measured_aside.parquet"]
    )
    write(file, lines)
    asked.clear()
    after = measure(file)
    assert after.code == 0 and not asked
    assert pq.read_table(after.output / "measured.parquet").equals(before)
    assert sorted(path.name for path in after.output.iterdir()) == FILES


def test_what_failed_is_kept_and_measured_again_when_wanted(file: Path, asked: list[str]) -> None:
    lines = [small(0), small(1, boxes=[]), small(2)]
    first = measure(write(file, lines))
    assert first.code == 3
    (first.output / "measured_inputs.json").unlink()
    asked.clear()
    again = measure(file)
    assert again.code == 3 and not asked and manifest(again)["counts"]["kept"] == 6
    assert manifest(again)["problems"] == manifest(first)["problems"]
    retried = measure(file, "--retry-failed")
    assert retried.code == 3 and manifest(retried)["counts"]["kept"] == 4
    assert_reported(measure(file, "--retry-failed", "--overwrite"), 2, "choose one")
    assert_reported(measure(file, "--retry-failed", output="none"), 2, "holds no measurement")


def test_two_at_once_and_a_full_disk(file: Path) -> None:
    folder = file.parent / "out"
    folder.mkdir()
    with locked(folder):
        assert_reported(measure(file), 5, "in use by process")
    with disk_of(9000):  # room for measure.json, not for a part
        full = measure(file)
    assert_reported(full, 1, "File too large")
    assert manifest(full)["outcome"] == "error"
    done = measure(file)
    assert done.code == 0 and sorted(path.name for path in done.output.iterdir()) == FILES


def test_a_folder_of_an_earlier_version_is_resumed(file: Path) -> None:
    first = measure(file)
    for name in KEPT:
        (first.output / name).unlink()
    again = measure(file)
    assert again.code == 0 and manifest(again)["counts"]["kept"] == 0
    assert sorted(path.name for path in again.output.iterdir()) == FILES
