"""predictions.parquet: what a row is, how rows are written as they come, and how they are read again."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.errors import InvalidInputError, NotThereError
from socialcli.results.casting import fitted
from socialcli.results.tables import RowKind

Status = Literal["ok", "unparsed", "failed"]

ROWS_PER_GROUP = 256  # rows held in memory before they go to the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One row: a question under one condition. docs/output.md explains every column.

    What is not known is None, as most of a failed row is. `correct` is derived and not a field. Raises
    ValueError for a row that contradicts itself, which would be a bug of the caller's.
    """

    question_id: str
    episode_id: str
    dataset: str | None
    split: str | None
    task: str
    model: str
    checkpoint: str
    adapter: str | None = None  # the folder of the LoRA adapter; None: there is none
    alignment: bool
    alpha: float | None  # this and the next three: None where not aligned
    lambda_: float | None
    layers: str | None  # first and last layer, "10-19"
    bias: str | None
    heads: str | None = None  # hash of a fixed choice of heads; None: chosen for every question, or not aligned
    max_heads: int | None = None  # the most heads that are active for a question; None: as many as pass lambda
    inputs: str
    candidates: tuple[str, ...] | None = None  # ids, in the order they were lettered
    scores: tuple[float, ...] | None = None  # log-probabilities over the candidates
    prediction: str | None = None  # the id of a candidate
    prediction_index: int | None = None  # its place among the candidates, from 0
    answer: str | None  # None: unlabelled
    answer_index: int | None = None  # its place; None also where no candidate is the answer, or the candidates unknown
    raw_text: str | None = None
    status: Status
    error: str | None = None
    prompt_tokens: int | None = None
    visual_tokens: int | None = None
    aligned_text_tokens: int | None = None
    box_tokens: int | None = None
    active_heads: float | None = None  # share of the heads in the layers that take part, 0 to 1
    active_head_count: int | None = None
    negative_bias: float | None = None  # share of the biased rows, over the active heads, whose bias is below 0
    seconds: float | None = None
    frame_times: tuple[float, ...] | None = None  # seconds on the video's clock
    distinct_frames: int | None = None
    boxes_unseen: int | None = None
    utterances: int | None = None  # in the prompt; this and the next: None without video
    covered_utterances: int | None = None  # that reach a visual token of their speaker
    context: str
    boxes_as: str
    answer_mode: str
    key: str

    def __post_init__(self) -> None:
        """Refuse what no reader of the table could make sense of."""
        if (self.status == "ok") != (self.prediction is not None):
            raise ValueError(f"{self.question_id}: a row has a prediction if, and only if, its status is ok")
        if (self.status == "failed") != (self.error is not None):
            raise ValueError(f"{self.question_id}: a row has an error if, and only if, its status is failed")
        strength = (self.alpha, self.lambda_, self.layers, self.bias)
        if any((value is not None) != self.alignment for value in strength):
            raise ValueError(f"{self.question_id}: alpha, lambda, layers and bias are set just where aligned")
        for name, place in (("prediction", self.prediction_index), ("answer", self.answer_index)):
            if place is not None and (self.candidates or ())[place : place + 1] != (getattr(self, name),):
                raise ValueError(f"{self.question_id}: {name}_index is not the place of the {name} in the candidates")
        if self.scores is None:
            return
        if len(self.scores) != len(self.candidates or ()) or not all(map(math.isfinite, self.scores)):
            raise ValueError(f"{self.question_id}: scores must be finite, one for each candidate")

    @property
    def correct(self) -> bool | None:
        """Whether the prediction is the answer; None for an unlabelled question, False for a failed one."""
        return is_correct(self.prediction, self.prediction_index, self.answer, self.answer_index)


def is_correct(
    prediction: str | None, prediction_index: int | None, answer: str | None, answer_index: int | None
) -> bool | None:
    """Whether a prediction is the answer, by place; None where there is no answer.

    By text where one of the places is not known, as in rows of earlier versions, whose candidates all differ.
    """
    if answer is None:
        return None
    if prediction_index is None or answer_index is None:
        return prediction == answer
    return prediction_index == answer_index


_COLUMNS: list[pa.Field[Any]] = [
    pa.field("question_id", pa.string(), nullable=False),
    pa.field("episode_id", pa.string(), nullable=False),
    pa.field("dataset", pa.string()),
    pa.field("split", pa.string()),
    pa.field("task", pa.string(), nullable=False),
    pa.field("model", pa.string(), nullable=False),
    pa.field("checkpoint", pa.string(), nullable=False),
    pa.field("adapter", pa.string()),
    pa.field("alignment", pa.bool_(), nullable=False),
    pa.field("alpha", pa.float64()),
    pa.field("lambda", pa.float64()),
    pa.field("layers", pa.string()),
    pa.field("bias", pa.string()),
    pa.field("heads", pa.string()),
    pa.field("max_heads", pa.int32()),
    pa.field("inputs", pa.string(), nullable=False),
    pa.field("candidates", pa.list_(pa.string())),
    pa.field("scores", pa.list_(pa.float64())),
    pa.field("prediction", pa.string()),
    pa.field("prediction_index", pa.int32()),
    pa.field("answer", pa.string()),
    pa.field("answer_index", pa.int32()),
    pa.field("correct", pa.bool_()),
    pa.field("raw_text", pa.string()),
    pa.field("status", pa.string(), nullable=False),
    pa.field("error", pa.string()),
    pa.field("prompt_tokens", pa.int32()),
    pa.field("visual_tokens", pa.int32()),
    pa.field("aligned_text_tokens", pa.int32()),
    pa.field("box_tokens", pa.int32()),
    pa.field("active_heads", pa.float64()),
    pa.field("active_head_count", pa.int32()),
    pa.field("negative_bias", pa.float64()),
    pa.field("seconds", pa.float64()),
    pa.field("frame_times", pa.list_(pa.float64())),
    pa.field("distinct_frames", pa.int32()),
    pa.field("boxes_unseen", pa.int32()),
    pa.field("utterances", pa.int32()),
    pa.field("covered_utterances", pa.int32()),
    pa.field("context", pa.string(), nullable=False),
    pa.field("boxes_as", pa.string(), nullable=False),
    pa.field("answer_mode", pa.string(), nullable=False),
    pa.field("key", pa.string(), nullable=False),
]
PREDICTION_ARROW_SCHEMA: pa.Schema = pa.schema(_COLUMNS)
_LATER = frozenset((  # columns that older files do not have
    *("max_heads", "active_head_count", "negative_bias"),
    *("prediction_index", "answer_index", "utterances", "covered_utterances"),
))  # fmt: skip


def as_record(prediction: Prediction) -> dict[str, Any]:
    """The row as JSON values in the order of the columns; schemas/prediction.schema.json describes it."""
    values = {field.name.rstrip("_"): getattr(prediction, field.name) for field in dataclasses.fields(prediction)}
    values["correct"] = prediction.correct
    return {name: storable(values[name]) for name in PREDICTION_ARROW_SCHEMA.names}


def from_record(record: Mapping[str, Any]) -> Prediction:
    """The row that a record of a predictions file stands for. Raises TypeError or ValueError where it is none."""
    values: dict[str, Any] = {}
    for name, value in record.items():
        if name != "correct":
            values["lambda_" if name == "lambda" else name] = tuple(value) if isinstance(value, list) else value
    return Prediction(**values)


def storable(value: Any) -> Any:
    """Turn tuples into lists, and half a surrogate pair into its escape, `\\ud800`.

    JSON input can hold such a half, and a file's name too; Parquet cannot.
    """
    if isinstance(value, tuple):
        return [storable(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def of_this_version(table: pa.Table) -> pa.Table:
    """Predictions with the columns of `PREDICTION_ARROW_SCHEMA`, whichever version or tool has written them.

    Columns that came later are null where they are missing, and unknown ones are left out. Raises ValueError (of which
    Arrow's errors are) for a table that lacks others, or whose values do not fit.
    """
    lacking = [item for item in PREDICTION_ARROW_SCHEMA if item.name not in table.column_names]
    if missing := [item.name for item in lacking if item.name not in _LATER]:
        raise ValueError(f"columns are missing: {', '.join(missing)}")
    for item in lacking:
        table = table.append_column(item, pa.nulls(table.num_rows, item.type))
    return fitted(table, PREDICTION_ARROW_SCHEMA)


def has_failed(table: pa.Table) -> list[bool]:
    """Of each row of a table of predictions, whether it failed."""
    return [status == "failed" for status in table["status"].to_pylist()]


PREDICTIONS: RowKind[Prediction] = RowKind(
    "answers", PREDICTION_ARROW_SCHEMA, as_record, from_record, of_this_version, has_failed, ROWS_PER_GROUP
)


def read_predictions(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a predictions file, in order, a few hundred in memory at a time.

    Files that other tools have written again are fine as long as the columns of `PREDICTION_ARROW_SCHEMA` are
    there; those that came after the first version may be missing, and are null. Raises NotThereError where there is no
    such file, and InvalidInputError where it is not a table of predictions.
    """
    if not path.is_file():
        raise NotThereError(f"{path}: there is no such file; name the predictions.parquet of a run")
    try:
        with pq.ParquetFile(path) as file:
            of_this_version(file.schema_arrow.empty_table())
            known = [name for name in PREDICTION_ARROW_SCHEMA.names if name in file.schema_arrow.names]
            for batch in file.iter_batches(ROWS_PER_GROUP, columns=known):
                yield from of_this_version(pa.Table.from_batches([batch])).to_pylist()
    except (pa.ArrowException, ValueError, OSError) as error:
        raise InvalidInputError(f"{path}: cannot be read as predictions of a run: {error}") from error
