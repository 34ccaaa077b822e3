"""A row of several questions teaches what a row of each of them teaches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from socialcli.alignment.attention import Alignment
from socialcli.episodes.records import Question
from socialcli.errors import AnnotationError
from socialcli.inference.clip import Clip
from socialcli.verbs.train.learning.rows import TRUNK, TrainingBatch, alike, lesson
from socialcli.verbs.train.learning.step import token_losses
from socialcli.verbs.train.learning.validation import judge
from tests.conftest import sample_episodes, tiny_model
from tests.verbs.train.lessons import TASKS, found, furthest, loss_and_gradient, options, rows_of, singly


def shared(family: str) -> Any:
    """Questions of three tasks on one clip with one transcript."""
    del family
    return next(one for one in found(sample_episodes()[0]) if len(one.questions) > 2)


@pytest.mark.parametrize("alignment", [None, Alignment(), Alignment(layers="all")], ids=["plain", "aligned", "all"])
def test_a_shared_row_gives_the_loss_and_the_gradient_of_separate_rows(model: Any, alignment: Alignment | None) -> None:
    exercise = shared("")
    (together,) = rows_of(model, [exercise])
    apart = rows_of(model, singly(exercise))
    assert together.ids.size < sum(row.ids.size for row in apart)
    loss, gradient = loss_and_gradient(model, [[together]], alignment)
    expected_loss, expected = loss_and_gradient(model, [[row] for row in apart], alignment)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert furthest(expected, gradient) < 1e-3


def test_rows_of_unequal_length_go_together(model: Any) -> None:
    exercise = shared("")
    rows = [*rows_of(model, [exercise]), *rows_of(model, singly(exercise))]
    assert len({row.ids.size for row in rows}) > 1
    loss, gradient = loss_and_gradient(model, [rows], Alignment())
    expected_loss, expected = loss_and_gradient(model, [[row] for row in rows], Alignment())
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert furthest(expected, gradient) < 1e-3


def test_the_loss_is_that_of_transformers_on_the_answers_tokens(model: Any) -> None:
    """transformers' own `labels` are the reference: the mean cross-entropy of the labelled tokens."""
    exercise = singly(shared(""))[0]
    (row,) = rows_of(model, [exercise])
    labels = np.full(row.ids.size + 1, -100)
    labels[row.places + 1] = row.tokens
    inputs = dict(TrainingBatch.of([row], model.device).inputs)
    inputs["input_ids"] = torch.from_numpy(np.append(row.ids, row.tokens[-1]))[None]
    inputs["position_ids"] = torch.cat([row.positions, row.positions[..., -1:] + 1], dim=-1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    expected = model.model(**inputs, labels=torch.from_numpy(labels)[None]).loss.item()
    batch = TrainingBatch.of([row], model.device)
    assert float((token_losses(model, batch) * batch.weights).sum()) == pytest.approx(expected, rel=1e-5)


def test_the_answer_is_a_letter_and_the_end(model: Any) -> None:
    exercise = singly(shared(""))[0]
    (row,) = rows_of(model, [exercise])
    assert row.tokens[-1] in model.end_ids
    assert model.decode(row.tokens[:-1].tolist()).strip() in {"A", "B", "C", "D", "E"}


def test_branches_see_the_trunk_and_themselves_alone(model: Any) -> None:
    (row,) = rows_of(model, [shared("")])
    mask = TrainingBatch.of([row], model.device).inputs["attention_mask"][0, 0].numpy()
    for place in (0, int(row.places[0]), int(row.places[-1]), row.ids.size - 1):
        own = (row.branch == TRUNK) | (row.branch == row.branch[place])
        assert (mask[place] == own & (np.arange(row.ids.size) <= place)).all()


def test_a_row_of_one_question_needs_no_mask_of_its_own(model: Any) -> None:
    rows = rows_of(model, singly(shared("")))
    mask = TrainingBatch.of(rows, model.device).inputs["attention_mask"]
    assert mask.dim() == 2 and bool(mask.all())


def test_rows_without_video_share_their_transcript_too(model: Any) -> None:
    exercise = max(found(sample_episodes()[0], with_video=False), key=lambda one: len(one.questions))
    together = rows_of(model, [exercise], with_video=False)
    apart = rows_of(model, singly(exercise), with_video=False)
    loss, _ = loss_and_gradient(model, [together], None)
    expected, _ = loss_and_gradient(model, [apart], None)
    assert loss == pytest.approx(expected, rel=1e-5)


def test_clips_of_other_shapes_go_apart() -> None:
    model = tiny_model("llava-next-video")
    exercise = shared("")
    rows = [*rows_of(model, [exercise]), *rows_of(model, [exercise], frames=3), *rows_of(model, [exercise])]
    assert [[row.ids.size for row in group] for group in alike(rows)] == [
        [rows[0].ids.size, rows[2].ids.size],
        [rows[1].ids.size],
    ]


def test_an_answer_that_is_no_candidate_is_reported() -> None:
    model, episode = tiny_model("llava-next-video"), sample_episodes()[0]
    clip = Clip(model, episode, options())
    question = replace(episode.questions[0], answer="nobody at all")
    asked = clip.ask(question, TASKS[question.task])
    with pytest.raises(AnnotationError, match="'nobody at all' is none of the candidates"):
        lesson(asked)


def test_of_equal_candidates_the_one_at_the_answers_place_is_learnt(model: Any) -> None:
    episode = sample_episodes()[0]
    candidates = ("茶", "茶", "水", "茶")
    for place, letter in ((0, "A"), (1, "B"), (3, "D")):
        asked = Question("q", "videoqa", text="?", candidates=candidates, answer="茶", answer_index=place)
        clip = Clip(model, episode, options())
        learnt = lesson(clip.ask(asked, TASKS["videoqa"]))
        assert model.decode(learnt.answer[:-1].tolist()).strip() == letter


def test_a_choice_among_equal_candidates_is_judged_by_its_place() -> None:
    model, episode = tiny_model("llava-next-video"), sample_episodes()[0]
    same = Question("q", "videoqa", text="?", candidates=("茶", "茶", "茶"), answer="茶")
    right = []
    for place in range(3):
        (score,) = judge(model, [(episode, [replace(same, answer_index=place)])], TASKS, options(), None)
        right.append(score.right)
    assert sorted(right) == [0, 0, 1]
