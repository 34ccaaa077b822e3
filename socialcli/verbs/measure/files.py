"""The folder of `socialcli measure`, and its measure.json: what was measured, with what, and how it ended.

measure.json is written atomically when a measurement starts (outcome "running"), as it proceeds, and when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from socialcli.results.folder import ResumableFolder
from socialcli.results.manifest import Manifest
from socialcli.settings.run import RunSettings
from socialcli.verbs.measure.settings import SETTINGS
from socialcli.verbs.measure.summary import Place, SummaryRow

MEASURE_VERSION = "1.0"

# The fields of measure.json; those that run.json has too mean the same.
FIELDS = (
    *("measure_version", "outcome", "exit_code", "started", "finished", "seconds", "command", "settings", "model"),
    *("input_sha256", "decoder", "counts", "coverage", "summary", "top_heads"),
    *("problems", "warnings", "versions", "platform"),
)


@dataclass(frozen=True, slots=True)
class MeasureFolder(ResumableFolder):
    """The folder of `socialcli measure`. It may be a run's too: they share no file name."""

    @property
    def kind(self) -> str:
        """The word for it."""
        return "measurement"

    @property
    def rows(self) -> Path:
        """A row per episode; all other files are made from it: see `socialcli.verbs.measure.episode_sums`."""
        return self.path / "measured.parquet"

    @property
    def set_aside(self) -> Path:
        """Rows of episodes that were measured before, and fail now."""
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
        """measure.json: see `Measurement`."""
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
        """The existing files that a finished measurement leaves, without measure.json."""
        named = self.attention, self.heads, self.heatmap, self.shift, self.rows
        return [path for path in named if path.exists()]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureCounts:
    """The counts of measure.json."""

    episodes: int = 0  # with questions of the tasks
    episodes_measured: int = 0  # with at least one measured question
    questions: int = 0
    questions_measured: int = 0
    questions_failed: int = 0
    unreadable: int = 0  # rows of the episodes file without a single question
    kept: int = 0  # of the questions, those reused from an earlier measurement in the folder


@dataclass(frozen=True, slots=True)
class Decoder:
    """The size of the model's text decoder, and the layers that are aligned."""

    layers: int
    heads: int  # of a layer
    aligned: str  # "10-19"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The content of measure.json; docs/measure.md explains every field."""

    manifest: Manifest  # the part that run.json has too; its counts are not used
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
    """The content of a measure.json whose `manifest` part is read already; None if it cannot be read."""
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
    """The settings of a measurement as JSON values, by the names of the options."""
    record = settings.as_record()
    return {name: record[name] for name in SETTINGS}
