"""The four tasks: their candidates, their sentences, and what they cannot do without."""

from __future__ import annotations

import pytest

from socialcli.episodes.records import Episode, Question, Speaker
from socialcli.errors import AnnotationError
from socialcli.plugins.builtin import socialcli_tasks
from socialcli.tasks.labels import speaker_labels
from tests.tasks.samples import SPEAKERS, episode, question, said

TASKS = {task.name: task for task in socialcli_tasks()}
LABELS = speaker_labels(SPEAKERS, named=False)


def candidate_ids(query: Question, about: Episode | None = None) -> list[str]:
    about = about or episode()
    labels = speaker_labels(about.speakers, named=False)
    found = TASKS[query.task].candidates(about, query, labels)
    if query.task != "videoqa":
        assert [one.label for one in found] == [labels[one.id] for one in found]
    return [one.id for one in found]


def sentence(query: Question, about: Episode | None = None) -> str:
    return TASKS[query.task].sentence(about or episode(), query, LABELS)


def test_there_are_the_four_tasks_of_the_method() -> None:
    assert sorted(TASKS) == ["coref", "mentioned", "target", "videoqa"]
    assert [name for name, task in TASKS.items() if task.masks_span] == ["mentioned"]
    assert [name for name, task in TASKS.items() if task.named] == ["videoqa"]


def test_an_addressee_is_anybody_but_the_one_who_speaks() -> None:
    assert candidate_ids(question("target", utterance="u2")) == ["ben", "cleo"]
    assert candidate_ids(question("target", utterance="u1")) == ["ana", "cleo"]


def test_where_nobody_knows_who_speaks_everybody_may_be_addressed() -> None:
    assert candidate_ids(question("target", utterance="u3")) == ["ana", "ben", "cleo"]


@pytest.mark.parametrize("task", ["coref", "mentioned"])
def test_a_pronoun_or_a_name_may_mean_every_speaker(task: str) -> None:
    assert candidate_ids(question(task, utterance="u2", span=(4, 7))) == ["ana", "ben", "cleo"]


@pytest.mark.parametrize("task", ["target", "coref", "mentioned"])
def test_a_questions_own_candidates_keep_their_order(task: str) -> None:
    query = question(task, utterance="u2", span=(4, 7), candidates=("cleo", "ana"))
    assert candidate_ids(query) == ["cleo", "ana"]


def test_answers_are_shown_as_they_are_and_speakers_by_their_label() -> None:
    query = question("videoqa", text="Who?", candidates=("ana", "The <video>\nitself", "nobody"))
    found = TASKS["videoqa"].candidates(episode(), query, {"ana": "Ana"})
    assert [(one.id, one.label) for one in found] == [
        ("ana", "Ana"),
        ("The <video>\nitself", "The ‹video› itself"),
        ("nobody", "nobody"),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (question("target", utterance="u3"), 'Whom does somebody address with "Who did?"?'),
        (
            question("coref", utterance="u3", span=(0, 3)),
            'Whom does "Who" mean when somebody says "*Who* did?"?',
        ),
        (
            question("mentioned", utterance="u3", span=(4, 7)),
            'Who is [...] when somebody says "Who [...]?"?',
        ),
    ],
)
def test_an_unknown_speaker_is_somebody(query: Question, expected: str) -> None:
    assert sentence(query) == expected


def test_a_quoted_pronoun_is_harmless_too() -> None:
    about = said("<video> it")
    assert (
        sentence(question("coref", utterance="u1", span=(0, 7)), about)
        == 'Whom does "‹video›" mean when Speaker 1 says "*‹video›* it"?'
    )


@pytest.mark.parametrize("task", ["target", "coref", "mentioned"])
def test_a_question_on_a_missing_line_is_an_error(task: str) -> None:
    for utterance in (None, "u9"):
        with pytest.raises(AnnotationError, match=f"a '{task}' question needs an utterance of the episode"):
            sentence(question(task, utterance=utterance, span=(0, 1)))
    with pytest.raises(AnnotationError, match="needs an utterance"):
        candidate_ids(question("target"))


@pytest.mark.parametrize("task", ["coref", "mentioned"])
def test_a_question_on_a_word_needs_its_span(task: str) -> None:
    with pytest.raises(AnnotationError, match=f"a '{task}' question needs the span"):
        sentence(question(task, utterance="u2"))


def test_a_candidate_who_is_no_speaker_is_an_error() -> None:
    with pytest.raises(AnnotationError, match="candidate 'dan' is not a speaker of the episode"):
        candidate_ids(question("target", utterance="u2", candidates=("ben", "dan")))


def test_somebody_alone_addresses_nobody() -> None:
    alone = episode(speakers=(Speaker("ana"),))
    with pytest.raises(AnnotationError, match="the episode has nobody else"):
        candidate_ids(question("target", utterance="u2"), alone)


def test_a_question_on_the_clip_needs_its_text_and_its_answers() -> None:
    with pytest.raises(AnnotationError, match="needs its candidates"):
        candidate_ids(question("videoqa", text="Who?"))
    with pytest.raises(AnnotationError, match="needs its text"):
        sentence(question("videoqa", candidates=("a", "b")))
