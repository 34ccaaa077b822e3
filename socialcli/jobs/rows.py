"""From what became of a question to its row in predictions.parquet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from socialcli.episodes.reading import BadQuestion, EpisodeRow
from socialcli.episodes.records import Episode, Question
from socialcli.errors import AnnotationError, ModelError, QuestionError
from socialcli.models.contract import InputChoices
from socialcli.results.keys import answer_key, episode_digest, heads_digest, question_digest
from socialcli.results.manifest import ModelIdentity
from socialcli.results.predictions import Prediction
from socialcli.settings.run import RunSettings
from socialcli.tasks.base import Task
from socialcli.tasks.prompt import build_prompt

if TYPE_CHECKING:
    from socialcli.alignment.attention import Alignment
    from socialcli.inference.answering import Outcome
    from socialcli.inference.answers import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMaker:
    """Makes the rows of one run."""

    settings: RunSettings
    model: ModelIdentity
    tasks: Mapping[str, Task]
    choices: InputChoices  # what the settings of the model's input came to
    decoder_layers: int  # of the model: what "auto" is a third of

    def keys(
        self, episode: Episode, media: str | None, question: Question, conditions: Iterable[Alignment | None]
    ) -> list[str]:
        """The keys of the rows that a question is to have, which is known before it is asked.

        `media` is the hash of its clip. Of the prompt they hold all but what it tells of boxes in the frames, which
        follows from episode, clip and settings.
        """
        parts = {
            "episode": episode_digest(episode),
            "question": question_digest(question),
            "media": media,
            "prompt": self._prompt(episode, question),
        }
        return [self._key(self._condition(alignment), parts) for alignment in conditions]

    def _prompt(self, episode: Episode, question: Question) -> str | None:
        try:
            return build_prompt(self.tasks[question.task], episode, question, None, self.settings.prompt.context).text
        except QuestionError:
            return None  # to ask it meets the same error

    def answered(self, episode: Episode, outcome: Outcome, key: str) -> Prediction:
        """The row of a question that was put to the model, or should have been."""
        question = outcome.question
        condition = self._condition(outcome.alignment)
        return Prediction(
            question_id=question.id,
            episode_id=episode.episode_id,
            dataset=episode.dataset,
            split=episode.split,
            task=question.task,
            answer=question.answer,
            checkpoint=self.model.checkpoint,
            adapter=self.model.adapter,
            **condition,
            **_result(outcome),
            **_sizes(outcome),
            key=key,
        )

    def refused(self, row: EpisodeRow, bad: BadQuestion, alignment: Alignment | None) -> Prediction:
        """The row of a question that the episodes file gets wrong. Where it has no name, its place is its name."""
        record = row.record or {}
        condition = self._condition(alignment)
        place = f"{row.source_name}:{row.row}"
        return Prediction(
            question_id=bad.id or place,
            episode_id=_text(record.get("episode_id")) or place,
            dataset=_text(record.get("dataset")),
            split=_text(record.get("split")),
            task=bad.task or "unknown",
            answer=bad.answer,
            checkpoint=self.model.checkpoint,
            adapter=self.model.adapter,
            **condition,
            status="failed",
            error=AnnotationError(bad.message).record,
            key=self._key(condition, {"question": bad.id, "problem": bad.message}),
        )

    def _condition(self, alignment: Alignment | None) -> dict[str, Any]:
        """The columns that say how the question was asked."""
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
            return dict.fromkeys(("alpha", "lambda_", "layers", "bias", "heads", "max_heads"))
        layers = alignment.layers_of(self.decoder_layers)
        return {
            "alpha": alignment.alpha,
            "lambda_": alignment.threshold,
            "layers": f"{layers[0]}-{layers[-1]}",
            "bias": alignment.rule.name,
            "heads": None if alignment.heads is None else heads_digest(alignment.heads),
            "max_heads": alignment.max_heads,
        }

    def _key(self, condition: Mapping[str, object], parts: Mapping[str, object]) -> str:
        """The key of a row. A checkpoint counts by its content: the same one in another folder answers the same.

        So does a LoRA adapter; whether it is merged decides how its sums are rounded. A limit on heads that is not set
        changes no key.
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
        limited = {name: value for name, value in condition.items() if name != "max_heads" or value is not None}
        return answer_key({**limited, **others, **parts})


def _result(outcome: Outcome) -> dict[str, Any]:
    answer, asked = outcome.answer, outcome.asked
    candidates = tuple(candidate.id for candidate in asked.prompt.candidates) if asked else None
    place = None if candidates is None else outcome.question.place_of_answer(candidates)
    lettered = {"candidates": candidates, "answer_index": place}
    if answer is None:
        error = outcome.error or ModelError("the model gave no answer")
        return {"status": "failed", "error": error.record, **lettered}
    chosen = candidates[answer.choice] if candidates and answer.choice is not None else None
    return {
        "status": "unparsed" if chosen is None else "ok",
        **lettered,
        "scores": answer.scores,
        "prediction": chosen,
        "prediction_index": answer.choice if chosen is not None else None,
        "raw_text": answer.text,
        **_aligned(answer),
    }


def _aligned(answer: Answer) -> dict[str, Any]:
    done = answer.aligned
    if done is None:
        return {}
    return {
        "active_heads": done.active_share,
        "active_head_count": done.active_heads,
        "negative_bias": done.negative_share,
    }


def _sizes(outcome: Outcome) -> dict[str, Any]:
    asked, frames = outcome.asked, outcome.frames
    sizes: dict[str, Any] = {"seconds": outcome.seconds}
    if frames is not None:
        sizes |= {"frame_times": frames.times, "distinct_frames": frames.distinct}
    if asked is not None:
        grid, plan = asked.encoded.grid, asked.plan
        sizes |= {
            "prompt_tokens": asked.encoded.length,
            "visual_tokens": grid.tokens.size if grid else 0,
            "aligned_text_tokens": plan.rows.size if plan and outcome.alignment else 0,
            "box_tokens": plan.columns.size if plan else 0,
            "boxes_unseen": plan.boxes_unseen if plan else None,
            "utterances": plan.utterances if plan else None,
            "covered_utterances": plan.covered if plan else None,
        }
    return sizes


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
