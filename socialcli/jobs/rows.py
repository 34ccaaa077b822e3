"""(torch) From the results of a question, or its failure, to its rows in predictions.parquet; the key of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from socialcli.alignment.attention import Alignment
from socialcli.alignment.heads.selectors import FIXED
from socialcli.alignment.layers import DecoderLayers, layers_text
from socialcli.alignment.steering.modes import METHOD, Steering
from socialcli.episodes.reading import BadQuestion, EpisodeRow
from socialcli.episodes.records import Episode, Question
from socialcli.errors import AnnotationError, QuestionError
from socialcli.inference.answer_modes import AlignedPrompt, Answer
from socialcli.inference.answers import QuestionResult
from socialcli.inference.clip import ClipQuestion
from socialcli.models.contract import InputChoices
from socialcli.results.columns import columns_of
from socialcli.results.keys import answer_key, episode_digest, heads_digest, question_digest
from socialcli.results.manifest import ModelIdentity
from socialcli.results.predictions import STRENGTH, Prediction, implied_values
from socialcli.settings.run import RunSettings
from socialcli.tasks.base import Task
from socialcli.tasks.orders import GIVEN, CandidateOrder
from socialcli.tasks.prompt import build_prompt

_LATER = frozenset(one.attribute for one in columns_of(Prediction) if one.later)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMaker:
    """Makes the rows of one run."""

    settings: RunSettings
    model: ModelIdentity
    tasks: Mapping[str, Task]
    conditions: Sequence[Alignment | None]  # that every question has a row under; None: plain
    choices: InputChoices  # how the model's input is made, where its family leaves a choice
    decoder: DecoderLayers  # of the model: they decide which layers "auto" and "all" are

    def keys(
        self,
        episode: Episode,
        media: str | None,
        question: Question,
        orders: Sequence[CandidateOrder] = (GIVEN,),
    ) -> list[list[str]]:
        """The keys of a question's rows, by order of its candidates and condition, known before it is asked.

        `media` is the hash of its clip. The keys cover the whole prompt except its text about boxes in the frames,
        which follows from episode, clip and settings.
        """
        parts = {
            "episode": episode_digest(episode),
            "question": question_digest(question),
            "media": media,
            "prompt": self._prompt(episode, question),
        }
        return [
            [self._key(self._columns(alignment), parts | _key_part(order)) for alignment in self.conditions]
            for order in orders
        ]

    def _prompt(self, episode: Episode, question: Question) -> str | None:
        try:
            return build_prompt(self.tasks[question.task], episode, question, None, self.settings.prompt.context).text
        except QuestionError:
            return None  # preparing the question meets the same error

    def answered(self, result: QuestionResult) -> Prediction:
        """The row of a question that was put to the model, or failed before."""
        prepared, alignment = result.question, self.conditions[result.condition]
        episode, question = prepared.episode, prepared.question
        return Prediction(
            question_id=question.id,
            episode_id=episode.episode_id,
            dataset=episode.dataset,
            split=episode.split,
            task=question.task,
            answer=question.answer,
            checkpoint=self.model.checkpoint,
            adapter=self.model.adapter,
            **self._columns(alignment),
            order=self._number(prepared.order.number),
            **_answer_columns(result),
            seconds=result.seconds,
            **_clip_columns(result, alignment),
            key=prepared.missing[result.condition] if prepared.missing is not None else "",
        )

    def refused(self, row: EpisodeRow, bad: BadQuestion) -> list[Prediction]:
        """The rows of a question with an error in the episodes file. Without an id, it is called by its place there."""
        record = row.record or {}
        place = f"{row.source_name}:{row.row}"
        return [
            Prediction(
                question_id=bad.id or place,
                episode_id=_text(record.get("episode_id")) or place,
                dataset=_text(record.get("dataset")),
                split=_text(record.get("split")),
                task=bad.task or "unknown",
                answer=bad.answer,
                checkpoint=self.model.checkpoint,
                adapter=self.model.adapter,
                **columns,
                order=self._number(order.number),
                status="failed",
                error=AnnotationError(bad.message).record,
                key=self._key(columns, {"question": bad.id, "problem": bad.message, **_key_part(order)}),
            )
            for order in map(CandidateOrder, range(self.settings.prompt.permute or 1))
            for columns in map(self._columns, self.conditions)
        ]

    def numbered(self, row: Prediction, order: int) -> Prediction:
        """An earlier row with the number of its order, which it lacks if it was made without `--permute`."""
        number = self._number(order)
        return row if row.order == number else replace(row, order=number)

    def _number(self, order: int) -> int | None:
        return None if self.settings.prompt.permute is None else order

    def _columns(self, alignment: Alignment | None) -> dict[str, Any]:
        """The columns that say how a question was asked."""
        settings = self.settings
        return {
            "model": settings.model.name,
            "alignment": alignment is not None,
            **self._strength(alignment),
            "inputs": settings.prompt.inputs,
            "context": settings.prompt.context,
            "boxes_as": settings.prompt.boxes_as,
            "answer_mode": settings.prompt.answer,
        }

    def _strength(self, alignment: Alignment | None) -> dict[str, Any]:
        if alignment is None:
            return dict.fromkeys(STRENGTH)
        layers = alignment.layers_of(self.decoder)
        selector, steering, error = alignment.selector, alignment.steering, alignment.steering.perturbation
        return {
            "alpha": alignment.alpha,
            "lambda_": alignment.threshold,
            "layers": layers_text(layers if alignment.heads is None else range(layers[0], layers[-1] + 1)),
            "bias": alignment.rule.name,
            "heads": None if alignment.heads is None else heads_digest(alignment.heads),
            "max_heads": alignment.max_heads,
            "heads_by": selector.name if alignment.heads is None else FIXED.name,
            "heads_seed": alignment.seed if selector.seeded else None,
            "steer": steering.mode.name,
            "balance": steering.balance if steering.mode.balances else None,
            "regions": steering.regions.source,
            "region_share": steering.regions.share,
            "perturbation": None if error is None else error.kind,
            "level": None if error is None else error.level,
            "perturbation_seed": None if error is None else error.seed,
        }

    def _key(self, condition: Mapping[str, object], parts: Mapping[str, object]) -> str:
        """The key of a row. A checkpoint counts by its content: the same one in another folder answers the same.

        So does a LoRA adapter; whether it is merged decides how its sums are rounded. Settings that came later change
        no key where they are what earlier versions did.
        """
        settings, model = self.settings, self.model
        others = {
            "adapter": model.adapter_version,
            "checkpoint": model.checkpoint_sha256 or model.checkpoint,
            "dtype": model.dtype,
            "frames": settings.prompt.frames,
            **self.choices.key_parts,
            "box_gap": settings.prompt.box_gap,
        }
        if model.adapter is not None:
            others |= {"lora": model.adapter_sha256 or model.adapter, "merged": model.merged}
        return answer_key({**_explicit(condition), **others, **parts})


def _explicit(condition: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that a key contains: not those that came later, where they have the value of all rows before them."""
    implied = implied_values(condition["heads"])
    return {
        name: value
        for name, value in condition.items()
        if name not in _LATER or (value is not None and value != implied.get(name))
    }


def _key_part(order: CandidateOrder) -> dict[str, Any]:
    """What the key of a row contains of the order: nothing of the given one, which was all there was before."""
    return {"order": [order.number, order.places]} if order.number else {}


def _answer_columns(result: QuestionResult) -> dict[str, Any]:
    """The columns that hold the answer, or the error."""
    question, answer = result.question, result.answer
    candidates = place = None
    if isinstance(question, ClipQuestion):
        candidates = tuple(candidate.id for candidate in question.prompt.candidates)
        place = question.prompt.gold
    lettered = {"candidates": candidates, "answer_index": place}
    if isinstance(answer, QuestionError):
        return {"status": "failed", "error": answer.record, **lettered}
    chosen = candidates[answer.choice] if candidates and answer.choice is not None else None
    return {
        "status": "unparsed" if chosen is None else "ok",
        **lettered,
        "scores": answer.scores,
        "prediction": chosen,
        "prediction_index": answer.choice if chosen is not None else None,
        "raw_text": answer.text,
        **_alignment_columns(answer.aligned),
    }


def _alignment_columns(done: AlignedPrompt | None) -> dict[str, Any]:
    """The columns that hold what the alignment did."""
    if done is None:
        return {}
    return {
        "active_heads": done.active_share,
        "active_head_count": done.active_heads,
        "negative_bias": done.negative_share,
    }


def _clip_columns(result: QuestionResult, alignment: Alignment | None) -> dict[str, Any]:
    """The columns that describe the frames and the prompt, as far as they exist."""
    prepared = result.question
    frames = prepared.frames
    columns: dict[str, Any] = {}
    if frames is not None:
        columns |= {"frame_times": frames.times, "distinct_frames": frames.distinct}
    if isinstance(prepared, ClipQuestion):
        grid = prepared.encoded.grid
        columns |= {"prompt_tokens": prepared.encoded.length, "visual_tokens": grid.shown.size if grid else 0}
        columns |= _plan_columns(prepared, alignment, result.answer)
    return columns


def _plan_columns(asked: ClipQuestion, alignment: Alignment | None, answer: Answer | QuestionError) -> dict[str, Any]:
    """The columns that describe the regions, and the plan, as far as they could be found."""
    steering = METHOD if alignment is None else alignment.steering
    if steering.regions.by_model and isinstance(answer, QuestionError):
        return {}  # perhaps the error is that the model could not find them
    steered = None if alignment is None else asked.plan_under(steering)
    plan = asked.plan_under(Steering(regions=steering.regions))  # whatever the mode, without an annotation error
    boxes = asked.plan
    return {
        "aligned_text_tokens": steered.rows.size if steered else 0,
        "box_tokens": plan.columns.size if plan else 0,
        "boxes_unseen": boxes.boxes_unseen if boxes else None,
        "utterances": plan.utterances if plan else None,
        "covered_utterances": plan.covered if plan else None,
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
