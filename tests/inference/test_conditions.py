"""What conditions, questions and clips share runs once, and changes no answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from socialcli.alignment.attention import Alignment
from socialcli.alignment.bias import PROBABILITY
from socialcli.alignment.plan import cover_speakers
from socialcli.alignment.steering.modes import BOTH_WAYS, Steering
from socialcli.api import ask, open_clip
from socialcli.inference.answer_modes import GENERATE, SCORE, Answer, AnswerMode
from socialcli.inference.answers import answer_batch
from socialcli.inference.attention_pass import observe
from socialcli.inference.batching import BatchLimit, batches, transcript_end
from socialcli.inference.clip import Clip, ClipQuestion
from socialcli.inference.clip_view import AskOptions, known_until
from socialcli.inference.conditions import common_length, continue_under
from socialcli.perturbation.kinds import KINDS
from socialcli.perturbation.perturbation import Perturbation, perturbed
from socialcli.plugins.registry import registry
from socialcli.tasks.orders import OrderChoice
from tests.conftest import SAMPLE, sample_episodes

CONDITIONS = (
    None,
    Alignment(),
    Alignment(alpha=2.0, layers="0-1"),
    Alignment(layers="2-3"),
    Alignment(alpha=0.5),
    Alignment(rule=PROBABILITY, layers="all"),
    Alignment(heads=frozenset({(1, 0), (3, 2)})),
    Alignment(heads=frozenset()),
    Alignment(max_heads=3),
    Alignment(layers="all", max_heads=1),
)


def prompts_of(model: Any, episode: int, task: str | None = None, **options: Any) -> list[ClipQuestion]:
    clip = open_clip(model, sample_episodes()[episode], SAMPLE, **options)
    questions = [question for question in clip.episode.questions if task in (None, question.task)]
    asked = [ask(clip, question) for question in questions]
    assert len({one.prefix for one in asked}) == 1  # it runs now, not among the forwards that a test counts
    return asked


def alone(model: Any, prompts: Sequence[ClipQuestion], condition: Alignment | None, mode: AnswerMode = SCORE) -> Any:
    """The answers to prompts that go through the model one by one."""
    return [answer_batch(model, [prompt], [condition], mode)[0][0] for prompt in prompts]


def largest_difference(left: Sequence[Answer], right: Sequence[Answer]) -> float:
    return max(np.abs(np.subtract(a.scores, b.scores)).max() for a, b in zip(left, right, strict=True))


@contextmanager
def tokens_run(model: Any, layer: int) -> Iterator[list[int]]:
    """The tokens that each forward runs through the attention of a decoder layer."""
    seen: list[int] = []

    def count(_module: Any, _inputs: Any, keywords: dict[str, Any], _output: Any) -> None:
        batch, length, _ = keywords["hidden_states"].shape
        seen.append(batch * length)

    handle = model.layers[layer].register_forward_hook(count, with_kwargs=True)
    try:
        yield seen
    finally:
        handle.remove()


def test_together_the_conditions_answer_as_each_does_alone(model: Any) -> None:
    prompts = prompts_of(model, 0)[:3]
    together = answer_batch(model, prompts, CONDITIONS, SCORE)
    for condition, answers in zip(CONDITIONS, together, strict=True):
        expected = alone(model, prompts, condition)
        assert largest_difference(answers, expected) < 1e-5
        assert [answer.aligned for answer in answers] == [answer.aligned for answer in expected]
    assert largest_difference(together[0], together[1]) > 1e-3


def test_together_the_conditions_generate_what_each_does_alone(model: Any) -> None:
    prompts, conditions = prompts_of(model, 0)[:2], (*CONDITIONS[1:4], *CONDITIONS[-2:])
    together = answer_batch(model, prompts, conditions, GENERATE)
    for condition, answers in zip(conditions, together, strict=True):
        assert [answer.text for answer in answers] == [one.text for one in alone(model, prompts, condition, GENERATE)]


def test_layers_below_the_first_aligned_one_run_once(model: Any) -> None:
    prompts = prompts_of(model, 0)[:1]
    conditions = [None, Alignment(layers="2-3"), Alignment(layers="2-3", alpha=2.0), Alignment(layers="1-1")]
    calls = []
    for layer in range(len(model.layers)):
        with tokens_run(model, layer) as seen:
            list(continue_under(model, prompts, conditions))
        calls.append(len(seen))
    assert calls == [1, 2, 4, 4]


@pytest.mark.parametrize("mode", [SCORE, GENERATE])
def test_the_condition_that_the_others_start_from_may_have_a_limit(model: Any, mode: AnswerMode) -> None:
    prompts = prompts_of(model, 0)[:2]
    conditions = [Alignment(max_heads=1, layers="2-3"), Alignment(layers="0-1"), Alignment(max_heads=2, layers="1-3")]
    for condition, answers in zip(conditions, answer_batch(model, prompts, conditions, mode), strict=True):
        expected = alone(model, prompts, condition, mode)
        assert [answer.aligned for answer in answers] == [answer.aligned for answer in expected]
        if mode is GENERATE:
            assert [answer.text for answer in answers] == [answer.text for answer in expected]
        else:
            assert largest_difference(answers, expected) < 1e-5


@pytest.mark.parametrize("most", [1, 2, 5])
def test_a_limit_keeps_the_active_heads_of_the_largest_means(model: Any, most: int) -> None:
    for prompt in prompts_of(model, 0)[:3]:
        report = observe(model, [prompt], Alignment(layers="1-3"))
        means = {
            (layer, head): float(done.means[0, head])
            for layer, done in report.layers.items()
            for head in range(done.means.shape[1])
            if done.active[0, head]
        }
        assert len(means) > most
        largest = frozenset(sorted(means, key=means.__getitem__, reverse=True)[:most])
        (capped,) = alone(model, [prompt], Alignment(layers="1-3", max_heads=most))
        (chosen,) = alone(model, [prompt], Alignment(heads=largest))
        assert capped.aligned.active_heads == most
        assert largest_difference([capped], [chosen]) < 1e-6
        assert largest_difference([capped], alone(model, [prompt], Alignment(layers="1-3"))) > 1e-4


def test_a_limit_that_no_prompt_reaches_changes_nothing_and_runs_nothing_twice(model: Any) -> None:
    prompts = prompts_of(model, 0)[:1]
    calls = []
    for most in (None, 8, 7):
        with tokens_run(model, 1) as seen, tokens_run(model, 0) as below:
            ((answer,),) = answer_batch(model, prompts, [Alignment(max_heads=most)], SCORE)
        calls.append((len(below), len(seen), answer.aligned.active_heads))
    assert calls == [(1, 1, 8), (1, 1, 8), (1, 2, 7)]
    unlimited, limited = (alone(model, prompts, Alignment(max_heads=most)) for most in (None, 8))
    assert unlimited == limited


def test_no_head_at_all_is_the_plain_model(model: Any) -> None:
    prompts = prompts_of(model, 0)[:2]
    none = alone(model, prompts, Alignment(max_heads=0))
    assert largest_difference(none, alone(model, prompts, None)) == 0
    assert {(answer.aligned.active_share, answer.aligned.negative_share) for answer in none} == {(0.0, None)}


def test_a_condition_that_has_nothing_to_align_costs_no_layer(model: Any) -> None:
    prompts = prompts_of(model, 0, with_video=False)[:1]
    with tokens_run(model, 3) as seen:
        plain, aligned = answer_batch(model, prompts, [None, Alignment()], SCORE)
    assert len(seen) == 1
    assert [answer.scores for answer in plain] == [answer.scores for answer in aligned]


def test_another_way_to_the_same_plans_runs_once(model: Any) -> None:
    speaker = Alignment(layers="2-3")
    same = replace(speaker, steering=Steering(BOTH_WAYS, balance=0.0))
    other = replace(speaker, steering=Steering(BOTH_WAYS, balance=0.5))
    prompts = prompts_of(model, 0, "target")
    with tokens_run(model, 3) as alone:
        apart = [
            answers for condition in (speaker, other) for answers in answer_batch(model, prompts, [condition], SCORE)
        ]
    with tokens_run(model, 3) as seen:
        first, second, third = answer_batch(model, prompts, [speaker, same, other], SCORE)
    assert (first, third) == (apart[0], apart[1])
    assert second == first
    assert len(seen) == len(alone)


def test_a_transcript_that_questions_share_runs_once(model: Any) -> None:
    prompts = next(
        found for index in range(len(sample_episodes())) if len(found := prompts_of(model, index, "videoqa")) > 1
    )
    common, start = common_length(prompts), prompts[0].prefix.length
    assert start + 16 < common < min(prompt.encoded.length for prompt in prompts)
    rests = [prompt.encoded.length - common for prompt in prompts]
    with tokens_run(model, 0) as seen:
        together = answer_batch(model, prompts, [None, Alignment()], SCORE)
    assert seen == [common - start, max(rests) * len(prompts)]
    for condition, answers in zip([None, Alignment()], together, strict=True):
        assert largest_difference(answers, alone(model, prompts, condition)) < 1e-5


def test_orders_of_the_candidates_share_all_words_before_these(model: Any) -> None:
    """They are prompts on one clip that differ in their options alone: one batch, whose common words run once."""
    clip = open_clip(model, sample_episodes()[0], SAMPLE)
    question = next(one for one in clip.episode.questions if one.task == "videoqa")
    task = registry().task("videoqa").item
    prompts = [clip.ask(question, task, order) for order in OrderChoice(4).orders(task, clip.episode, question)]
    assert len(prompts) == 4 and [*batches(prompts, model, BatchLimit())] == [prompts]
    common, start = common_length(prompts), prompts[0].prefix.length
    assert transcript_end(prompts[0].encoded) < common  # and the question's own words
    rests = [prompt.encoded.length - common for prompt in prompts]
    with tokens_run(model, 0) as seen:
        together = answer_batch(model, prompts, [None, Alignment()], SCORE)
    assert seen == [common - start, max(rests) * len(prompts)]
    for condition, answers in zip([None, Alignment()], together, strict=True):
        assert largest_difference(answers, alone(model, prompts, condition)) < 1e-5


def test_transcripts_that_are_aligned_differently_are_not_shared(model: Any) -> None:
    masked = prompts_of(model, 0, "mentioned")
    other = prompts_of(model, 0, "videoqa")
    prompts = [*masked[:1], *other[:1]]
    assert prompts[0].plan is not None and prompts[1].plan is not None
    assert not np.array_equal(prompts[0].plan.rows, prompts[1].plan.rows)
    assert common_length(prompts) == 0


def test_questions_on_several_clips_are_answered_as_alone(model: Any) -> None:
    found: dict[int, list[ClipQuestion]] = {}
    for index in range(len(sample_episodes())):
        for prompt in prompts_of(model, index)[:1]:
            found.setdefault(prompt.prefix.length, []).append(prompt)
    prompts = max(found.values(), key=len)[:4]
    assert len({id(prompt.prefix) for prompt in prompts}) > 2
    for condition in (None, Alignment()):
        (together,) = answer_batch(model, prompts, [condition], SCORE)
        assert largest_difference(together, alone(model, prompts, condition)) < 1e-5


def test_the_layers_are_whole_again_after_an_error(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = prompts_of(model, 0)[:1]
    before = alone(model, prompts, None)
    # transformers leaves hooks of its own where attentions were once asked for
    own = [("forward" in vars(layer), len(layer._forward_hooks)) for layer in model.decoder_layers[:3]]

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    states = continue_under(model, prompts, [None, Alignment(layers="2-3")])
    next(states)
    with monkeypatch.context() as patched:
        patched.setattr(model.decoder_layers[3], "forward", fail)
        with pytest.raises(ZeroDivisionError):
            next(states)
    assert [("forward" in vars(layer), len(layer._forward_hooks)) for layer in model.decoder_layers[:3]] == own
    assert alone(model, prompts, None) == before


@pytest.mark.parametrize("most", [2, 7, 64])
def test_annotation_errors_run_side_by_side_and_answer_as_alone(model: Any, most: int) -> None:
    prompts = prompts_of(model, 0)
    errors = [Perturbation(kind.name, level) for kind in KINDS for level in kind.levels]
    conditions = [
        *(None, Alignment()),
        *(Alignment(max_heads=limit, steering=Steering(perturbation=one)) for one in errors for limit in (None, 2)),
    ]
    together = answer_batch(model, prompts, conditions, SCORE, most)
    alone = answer_batch(model, prompts, conditions, SCORE)
    assert together[:2] == alone[:2]  # bit for bit: they run by themselves
    assert max(map(largest_difference, together, alone)) < 1e-5
    assert [[one.aligned for one in answers] for answers in together] == [
        [one.aligned for one in answers] for answers in alone
    ]
    assert len({answers[0].scores for answers in alone}) > len(conditions) / 3


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_an_annotation_error_is_that_of_the_whole_episode_though_a_question_sees_a_part(model: Any, kind: str) -> None:
    episode, options = sample_episodes()[0], AskOptions(media_root=SAMPLE, context="past", frames=2)
    until = episode.utterances[1].end
    error, clip = Perturbation(kind, 0.5), Clip(model, episode, options, until=until)
    question = next(one for one in episode.questions if one.utterance == episode.utterances[1].id)
    asked = clip.ask(question, registry().task(question.task).item)
    seen = clip.steered(asked, Steering(perturbation=error))
    assert seen is not None
    expected = known_until(perturbed(episode, error), until)
    shown = cover_speakers(expected.boxes, seen.times, seen.grid, options.box_gap)
    assert {name: list(map(list, one.tokens)) for name, one in seen.regions.items()} == {
        name: list(map(list, one.tokens)) for name, one in shown.items()
    }
    speakers = {line.id: line.speaker for line in expected.utterances}
    assert [line.speaker for line in seen.utterances] == [speakers[line.id] for line in seen.utterances]
