"""predictions.parquet: its columns, how rows are written one by one, and how they are read.

`socialcli.jobs.rows` fills the columns; CONTRIBUTING.md says how to add one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.alignment.heads.selectors import DYNAMIC, FIXED
from socialcli.alignment.regions.sources import DEFAULT_SOURCE
from socialcli.alignment.steering.modes import SPEAKER
from socialcli.errors import InvalidInputError, NotFoundError
from socialcli.results.casting import cast_to_rows
from socialcli.results.columns import When, arrow_schema, as_record, check_values, column, from_record, table_row
from socialcli.results.tables import RowKind
from socialcli.settings.prompt import Inputs
from socialcli.tasks.names import BoxesAs, Context

Status = Literal["ok", "unparsed", "failed"]

ROWS_PER_GROUP = 256  # rows held in memory before they go to the file

ALIGNED = When("alignment", True)

STRENGTH = (
    *("alpha", "lambda_", "layers", "bias", "heads", "max_heads", "heads_by", "heads_seed", "steer", "balance"),
    *("regions", "region_share", "perturbation", "level", "perturbation_seed"),
)
"""The fields of a row that say how strongly, where, and by which annotation words were aligned."""

METHOD_VALUES: Mapping[str, str] = {
    "heads_by": DYNAMIC.name,
    "steer": SPEAKER.name,
    "regions": DEFAULT_SOURCE,
}
"""The method's own values in columns that came later than the method: see `implied_values`."""


@table_row
class Prediction:
    """One row: a question under one condition. What is not known is None, as most of a failed row is.

    Raises ValueError for a row that contradicts itself, which would be a bug of the caller's.
    """

    question_id: str = column("the question's id in the episodes file")
    episode_id: str = column("the id of its episode")
    dataset: str | None = column("the episode's dataset")
    split: str | None = column("the episode's split")
    task: str = column("the kind of question")
    model: str = column("the model's name, as `--model` takes it")
    checkpoint: str = column("the folder or hub id of the weights")
    adapter: str | None = column(
        "the folder of the LoRA adapter on top of them (`--adapter`); null without one", default=None
    )
    alignment: bool = column("whether multi-speaker attention alignment was on")
    alpha: float | None = column("strength of the bias; null where not aligned", exactly_if=ALIGNED, minimum=0)
    lambda_: float | None = column(
        "share of attention above which a head is active; null where not aligned", exactly_if=ALIGNED, minimum=0
    )
    layers: str | None = column(
        "aligned decoder layers, counted from 0: `10-19`, both included, or `3,7,11`, whatever `--layers` was; with "
        "`--heads` the first and the last one; null where not aligned",
        exactly_if=ALIGNED,
        pattern="^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$",
    )
    bias: str | None = column("name of the bias rule; null where not aligned", exactly_if=ALIGNED)
    heads: str | None = column(
        "hash of the fixed choice of heads (`--heads`), to which `lambda` does not apply; null where a selector chose "
        "them, and where not aligned",
        default=None,
        only_if=ALIGNED,
        pattern="^[0-9a-f]{16}$",
    )
    max_heads: int | None = column(
        "the most heads that can be active for a question (`--max-heads`); null without a limit, and where not aligned",
        default=None,
        later=True,
        only_if=ALIGNED,
        minimum=1,
    )
    heads_by: str | None = column(
        "head selector (`--heads-by`): what made heads active; null where not aligned. Aligned rows of earlier "
        "versions, which lack the column, count as `dynamic`, or `fixed` if they have `heads`",
        default=None,
        later=True,
        only_if=ALIGNED,
    )
    heads_seed: int | None = column(
        "seed of the choice of heads (`--heads-seed`), with `random`; else null",
        default=None,
        later=True,
        only_if=ALIGNED,
        minimum=0,
    )
    steer: str | None = column(
        "steering mode (`--steer`): what was biased towards what; null where not aligned. Aligned rows of earlier "
        "versions, which lack the column, count as `speaker`",
        default=None,
        later=True,
        only_if=ALIGNED,
    )
    balance: float | None = column(
        "weight of the people who could be meant (`--balance`), for modes that have one; else null",
        default=None,
        later=True,
        only_if=ALIGNED,
        minimum=0,
        maximum=1,
    )
    regions: str | None = column(
        "where speakers are taken to be (`--regions`): `boxes`, `model`, `people` or `none`; null where not aligned. "
        "Aligned rows of earlier versions, which lack the column, count as `boxes`",
        default=None,
        later=True,
        only_if=ALIGNED,
    )
    region_share: float | None = column(
        "share of a frame's attention that a speaker's region holds (`--region-share`), with `model`; else null",
        default=None,
        later=True,
        only_if=ALIGNED,
        minimum=0,
        maximum=1,
    )
    perturbation: str | None = column(
        "kind of error in the annotation that the words were aligned by (`socialcli stress`); null for the annotation "
        "as it is, and where not aligned. `utterances` and the columns on boxes describe the annotation as it is",
        default=None,
        later=True,
        only_if=ALIGNED,
    )
    level: float | None = column(
        "size of the error, in the unit of its kind; null without one", default=None, later=True, only_if=ALIGNED
    )
    perturbation_seed: int | None = column(
        "seed of the error (`--seed`); null without one", default=None, later=True, only_if=ALIGNED
    )
    inputs: Inputs = column("model inputs: `L` (text), `VL` (text and video), `VLB` (text, video and boxes)")
    candidates: tuple[str, ...] | None = column(
        "ids of the candidates in the order of their letters; null where the question failed before they were known",
        default=None,
    )
    order: int | None = column(
        "number of the order of the candidates (`--permute`), 0 being the given one; null without `--permute`",
        default=None,
        later=True,
        minimum=0,
    )
    scores: tuple[float, ...] | None = column(
        "log-probability of each candidate (natural logarithm), normalised over the candidates; null without scores",
        default=None,
    )
    prediction: str | None = column(
        "the candidate that the model chose; null unless `status` is `ok`",
        default=None,
        exactly_if=When("status", "ok"),
    )
    prediction_index: int | None = column(
        "its place in `candidates`, counted from 0; null without a prediction, and in rows of earlier versions",
        default=None,
        later=True,
        minimum=0,
    )
    answer: str | None = column("the gold answer; null for an unlabelled question")
    answer_index: int | None = column(
        "its place in `candidates`, counted from 0; null where the question is unlabelled or failed before its "
        "candidates were known, and in rows of earlier versions",
        default=None,
        later=True,
        minimum=0,
    )
    correct: bool | None = column(
        "whether the prediction is the gold answer, compared by place: of two candidates with the same text only one "
        "is right; false for a failed or unparsed question, null for an unlabelled one",
        init=False,
        exactly_if=When("answer"),
    )
    raw_text: str | None = column("the model's output text, with `--answer generate`", default=None)
    status: Status = column(
        "`ok`: there is a prediction; `unparsed`: the text names no candidate, or several; `failed`: see `error`"
    )
    error: str | None = column(
        "why the question failed: the kind of error, a colon, the message; null unless `status` is `failed`",
        default=None,
        exactly_if=When("status", "failed"),
    )
    prompt_tokens: int | None = column("length of the model's input, visual tokens included", default=None, minimum=0)
    visual_tokens: int | None = column(
        "visual tokens among them, or the keys of cross-attention that show a cell", default=None, minimum=0
    )
    aligned_text_tokens: int | None = column(
        "text tokens that the steering mode may bias; with `speaker`, those of utterances whose speaker is known, "
        "or with `--regions people` of all; 0 where not aligned",
        default=None,
        minimum=0,
    )
    box_tokens: int | None = column(
        "visual tokens in some speaker's region (`regions`; in a box where not aligned), whatever the steering mode",
        default=None,
        minimum=0,
    )
    active_heads: float | None = column(
        "share (0 to 1) of the heads of the aligned layers that were active; null where not aligned",
        default=None,
        only_if=ALIGNED,
        minimum=0,
        maximum=1,
    )
    active_head_count: int | None = column(
        "number of active heads; null where not aligned", default=None, later=True, only_if=ALIGNED, minimum=0
    )
    negative_bias: float | None = column(
        "share (0 to 1) of the biased rows, one per word and active head, whose bias is below 0, so that attention is "
        "taken away from the speaker's region; null without such rows, and where not aligned",
        default=None,
        later=True,
        only_if=ALIGNED,
        minimum=0,
        maximum=1,
    )
    seconds: float | None = column(
        "time spent on the row; time shared by several rows is divided among them", default=None, minimum=0
    )
    frame_times: tuple[float, ...] | None = column(
        "presentation time of each sampled frame, in seconds on the video's clock", default=None
    )
    distinct_frames: int | None = column(
        "different pictures among the sampled frames: fewer than `--frames` in a shorter clip", default=None, minimum=0
    )
    boxes_unseen: int | None = column(
        "speakers' boxes in the sampled frames that lie outside the part that the model sees", default=None, minimum=0
    )
    utterances: int | None = column(
        "utterances in the prompt, whoever speaks; null without video", default=None, later=True, minimum=0
    )
    covered_utterances: int | None = column(
        "those among them with at least one visual token in the region of their speaker; 0: nothing was aligned, and "
        "`active_heads` is 0; null without video",
        default=None,
        later=True,
        minimum=0,
    )
    context: Context = column("`full`, or `past`: no word and no frame after the end of the utterance in question")
    boxes_as: BoxesAs = column("how boxes were shown to the model, apart from the alignment: `none`, `text`, `overlay`")
    answer_mode: str = column(
        "how the answer was made: `score` (candidates ranked), `generate` (text parsed), or a mode of a plug-in"
    )
    key: str = column(
        "hash of everything that the answer depends on: episode, question, media, checkpoint, LoRA adapter and whether "
        "it is merged, version of the model's plug-in, prompt, settings",
        minLength=1,
    )

    def __post_init__(self) -> None:
        """Set `correct`, and what earlier versions left out; refuse a row that no reader could make sense of."""
        for name, place in (("prediction", self.prediction_index), ("answer", self.answer_index)):
            if place is not None and (self.candidates or ())[place : place + 1] != (getattr(self, name),):
                raise ValueError(f"{self.question_id}: {name}_index is not the place of the {name} in the candidates")
        if self.scores is not None and not self._scored():
            raise ValueError(f"{self.question_id}: scores must be finite, one for each candidate")
        for name, value in implied_values(self.heads).items() if self.alignment else ():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)  # the only way to set a field of a frozen dataclass
        correct = is_correct(self.prediction, self.prediction_index, self.answer, self.answer_index)
        object.__setattr__(self, "correct", correct)
        check_values(self, self.question_id)

    def _scored(self) -> bool:
        scores = self.scores or ()
        return len(scores) == len(self.candidates or ()) and all(map(math.isfinite, scores))


def implied_values(heads: str | None) -> Mapping[str, str]:
    """What aligned rows are that do not say it, as those of earlier versions, by column; `heads` as in the row.

    A row with a fixed choice of heads was made with the selector `fixed`.
    """
    return METHOD_VALUES if heads is None else {**METHOD_VALUES, "heads_by": FIXED.name}


def is_correct(
    prediction: str | None, prediction_index: int | None, answer: str | None, answer_index: int | None
) -> bool | None:
    """Whether a prediction is the gold answer, compared by place; None without a gold answer.

    Compared by text where a place is not known, as in rows of earlier versions, whose candidates all differ.
    """
    if answer is None:
        return None
    if prediction_index is None or answer_index is None:
        return prediction == answer
    return prediction_index == answer_index


PREDICTION_ARROW_SCHEMA = arrow_schema(Prediction)


def has_failed(table: pa.Table) -> list[bool]:
    """Whether each row of a table of predictions failed."""
    return [status == "failed" for status in table["status"].to_pylist()]


PREDICTIONS: RowKind[Prediction] = RowKind(
    what="answers",
    columns=Prediction,
    as_record=as_record,
    from_record=partial(from_record, Prediction),
    failed=has_failed,
    group=ROWS_PER_GROUP,
)


def read_predictions(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a predictions file, in order, a few hundred in memory at a time.

    Files that other tools have rewritten are read too. Columns that are `later` may be missing: aligned rows then have
    their `implied_values`, and all else is null. Raises NotFoundError where there is no such file, and
    InvalidInputError where it is not a table of predictions.
    """
    if not path.is_file():
        raise NotFoundError(f"{path}: there is no such file; name the predictions.parquet of a run")
    try:
        with pq.ParquetFile(path) as file:
            cast_to_rows(file.schema_arrow.empty_table(), Prediction)
            known = [name for name in PREDICTION_ARROW_SCHEMA.names if name in file.schema_arrow.names]
            for batch in file.iter_batches(ROWS_PER_GROUP, columns=known):
                yield from map(_completed, cast_to_rows(pa.Table.from_batches([batch]), Prediction).to_pylist())
    except (pa.ArrowException, ValueError, OSError) as error:
        raise InvalidInputError(f"{path}: cannot be read as predictions of a run: {error}") from error


def _completed(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the values that it implies."""
    implied = implied_values(row["heads"]) if row["alignment"] else {}
    return row | {name: value for name, value in implied.items() if row[name] is None}
