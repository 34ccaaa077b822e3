"""The folder of `socialcli measure`, and measure.json in it: what was measured, with what, and how it ended.

measure.json is written when a measurement starts (outcome "running") and again when it ends, whole each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from socialcli.files import write_json
from socialcli.results.folder import KeepingFolder
from socialcli.results.manifest import Manifest
from socialcli.settings.run import RunSettings
from socialcli.verbs.measure.settings import SETTINGS
from socialcli.verbs.measure.summary import Place, SummaryRow

MEASURE_VERSION = "1.0"

# Of measure.json. What is not a measurement's own means what it means in run.json.
FIELDS = (
    *("measure_version", "outcome", "exit_code", "started", "finished", "seconds", "command", "settings", "model"),
    *("input_sha256", "decoder", "counts", "coverage", "summary", "top_heads"),
    *("problems", "warnings", "versions", "platform"),
)


@dataclass(frozen=True, slots=True)
class MeasureFolder(KeepingFolder):
    """The folder of `socialcli measure`. It may be that of a run: no name is the same in both."""

    @property
    def kind(self) -> str:
        """A measurement."""
        return "measurement"

    @property
    def rows(self) -> Path:
        """A row per episode, from which all else is made: see `socialcli.verbs.measure.episode_sums`."""
        return self.path / "measured.parquet"

    @property
    def set_aside(self) -> Path:
        """Rows of episodes that could be measured before, and now cannot."""
        return self.path / "measured_aside.parquet"

    @property
    def parts(self) -> Path:
        """Rows of a measurement that has not ended: see `socialcli.results.parts`."""
        return self.path / "measured_parts"

    @property
    def inputs(self) -> Path:
        """What the figures were made from: see `socialcli.results.inputs`."""
        return self.path / "measured_inputs.json"

    @property
    def attention(self) -> Path:
        """A row per episode, layer and head: see `socialcli.verbs.measure.attention_table`."""
        return self.path / "attention.parquet"

    @property
    def heads(self) -> Path:
        """How often each head was active: see `socialcli.results.heads`."""
        return self.path / "heads.parquet"

    @property
    def manifest(self) -> Path:
        """What was measured and how it ended."""
        return self.path / "measure.json"

    @property
    def heatmap(self) -> Path:
        """The figures of every head as maps: see `socialcli.verbs.measure.heatmap`."""
        return self.figure("heatmap")

    @property
    def shift(self) -> Path:
        """The figures of every head before against after: see `socialcli.verbs.measure.shift`."""
        return self.figure("shift")

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        kept = self.rows, self.set_aside, self.inputs, *self.part_files()
        return self.attention, self.heads, self.manifest, *self.figures("heatmap", "shift"), *kept

    @property
    def results(self) -> list[Path]:
        """Those that a measurement leaves at its end, as far as they are there, but for measure.json."""
        named = self.attention, self.heads, self.heatmap, self.shift, self.rows
        return [path for path in named if path.exists()]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureCounts:
    """How much there was, and what became of it."""

    episodes: int = 0  # with questions of the tasks
    episodes_measured: int = 0  # by at least one question
    questions: int = 0
    questions_measured: int = 0
    questions_failed: int = 0
    unreadable: int = 0  # rows of the episodes file that gave no question at all
    kept: int = 0  # of the questions, those that an earlier measurement in the folder has come to an end with


@dataclass(frozen=True, slots=True)
class Decoder:
    """The size of the model's text decoder, and the layers that take part in the alignment."""

    layers: int
    heads: int  # of a layer
    aligned: str  # "10-19"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The content of measure.json; docs/measure.md explains every field."""

    manifest: Manifest  # what a measurement has in common with a run; its counts are not used
    decoder: Decoder
    counts: MeasureCounts = MeasureCounts()
    summary: Sequence[SummaryRow] = ()
    top_heads: Sequence[Place] = ()

    def as_record(self) -> dict[str, Any]:
        """The content as JSON values."""
        own = {
            "measure_version": MEASURE_VERSION,
            "settings": measure_settings(self.manifest.settings),
            "decoder": asdict(self.decoder),
            "counts": asdict(self.counts),
            "summary": [row.as_record() for row in self.summary],
            "top_heads": [list(place) for place in self.top_heads],
        }
        record = {**self.manifest.as_record(), **own}
        return {name: record[name] for name in FIELDS}


def measurement_in(record: Mapping[str, Any], manifest: Manifest) -> Measurement | None:
    """The measurement that a measure.json tells of, whose `manifest` is read already; None where it cannot be read."""
    try:
        return Measurement(
            manifest=manifest,
            decoder=Decoder(**record["decoder"]),
            counts=MeasureCounts(**record["counts"]),
            summary=[SummaryRow(**row) for row in record["summary"]],
            top_heads=[(layer, head) for layer, head in record["top_heads"]],
        )
    except (KeyError, TypeError, ValueError):
        return None


def measure_settings(settings: RunSettings) -> dict[str, Any]:
    """Those settings that a measurement has, as JSON values under the names of the options."""
    record = settings.as_record()
    return {name: record[name] for name in SETTINGS}


def write_measurement(path: Path, measurement: Measurement) -> None:
    """Write measure.json, whole or not at all. Raises OSError where it cannot be written."""
    write_json(path, measurement.as_record())
