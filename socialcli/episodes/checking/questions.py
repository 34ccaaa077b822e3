"""Checks of a well-formed question.

Only the four built-in tasks have rules; what a plug-in's task needs is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from socialcli.episodes.checking.problems import Finding, shown
from socialcli.episodes.checking.scene import Item, Scene

MOST_CANDIDATES = 26  # one letter each; the schema sets the same limit for explicit candidates


@dataclass(frozen=True, slots=True)
class TaskRule:
    """What a task requires of its questions."""

    needs: tuple[str, ...]  # required fields
    among_speakers: bool  # the candidates are speakers of the episode; by default, derived from them
    needs_voice: bool = False  # the speaker of the utterance must be known, and is not a candidate


TASK_RULES: Mapping[str, TaskRule] = {
    "videoqa": TaskRule(needs=("text", "candidates"), among_speakers=False),
    "target": TaskRule(needs=("utterance",), among_speakers=True, needs_voice=True),
    "coref": TaskRule(needs=("utterance", "span"), among_speakers=True),
    "mentioned": TaskRule(needs=("utterance", "span"), among_speakers=True),
}

_NO_RULE = TaskRule(needs=(), among_speakers=False)


def question_findings(question: Item, scene: Scene) -> Iterator[Finding]:
    """All problems of a question except a repeated id."""
    rule = TASK_RULES.get(question["task"], _NO_RULE)
    for name in rule.needs:
        if question.get(name) is None:
            yield (name,), f"is missing, and a {question['task']} question needs it; add it"
    yield from _utterance_findings(question, scene, rule)
    yield from _span_findings(question, scene)
    yield from _candidate_findings(question, scene, rule)
    yield from _answer_findings(question, scene, rule)


def _utterance_findings(question: Item, scene: Scene, rule: TaskRule) -> Iterator[Finding]:
    name = question.get("utterance")
    if name is None:
        return
    if name not in scene.utterances:
        yield (
            ("utterance",),
            f"{shown(name)} is not an utterance of the episode; add the utterance or correct the id",
        )
    elif rule.needs_voice and scene.utterances[name].get("speaker") is None:
        problem = f"{shown(name)} has no speaker, and a {question['task']} question needs one"
        yield ("utterance",), f"{problem}; give the utterance its speaker"


def _span_findings(question: Item, scene: Scene) -> Iterator[Finding]:
    span, name = question.get("span"), question.get("utterance")
    if span is None:
        return
    if name is None:
        yield ("span",), "is given without an utterance; name the utterance whose characters it counts"
        return
    start, end = span
    length = len(scene.utterances[name]["text"]) if name in scene.utterances else None
    if start >= end:
        yield ("span",), f"is {shown(span)}, which is empty; the end is the position after the last character"
    elif length is not None and end > length:
        yield (
            ("span",),
            f"is {shown(span)}, but the utterance has {length} characters; count from 0, end exclusive",
        )


def _candidate_findings(question: Item, scene: Scene, rule: TaskRule) -> Iterator[Finding]:
    given = question.get("candidates")
    if given is not None:
        if rule.among_speakers:
            repeated = next((one for index, one in enumerate(given) if one in given[:index]), None)
            if repeated is not None:
                yield ("candidates",), f"holds {shown(repeated)} twice; keep one"
            for index, candidate in enumerate(given):
                if candidate not in scene.people:
                    problem = f"{shown(candidate)} is not a speaker of the episode"
                    yield ("candidates", index), f"{problem}; add the speaker or correct the id"
        return
    derived = _derived(question, scene, rule)
    if derived is not None and not derived:
        yield (
            ("candidates",),
            "are left out, and no speaker of the episode could be the answer; add the speakers",
        )
    if derived is not None and len(derived) > MOST_CANDIDATES:
        problem = f"are left out, and {len(derived)} speakers could be the answer"
        yield ("candidates",), f"{problem}; name at most {MOST_CANDIDATES} of them"


def _answer_findings(question: Item, scene: Scene, rule: TaskRule) -> Iterator[Finding]:
    answer, place = question.get("answer"), question.get("answer_index")
    if place is not None:
        yield from _place_findings(answer, place, question.get("candidates"))
        return
    candidates = question.get("candidates") or _derived(question, scene, rule)
    if answer is None or candidates is None:
        return
    matches = [str(index) for index, candidate in enumerate(candidates) if candidate == answer]
    if len(matches) > 1 and not rule.among_speakers:
        problem = f"{shown(answer)} equals each of the candidates {', '.join(matches)}, counted from 0"
        yield ("answer",), f"{problem}; say which is right with answer_index"
    if matches:
        return
    listed = ", ".join(shown(candidate) for candidate in candidates)
    yield (
        ("answer",),
        f"{shown(answer)} is not among the candidates ({listed}); write one of them, or leave it out",
    )


def _place_findings(answer: str | None, place: int, candidates: Sequence[str] | None) -> Iterator[Finding]:
    """The problems of an answer given by its place."""
    if candidates is None:
        yield ("answer_index",), "is given without the candidates that it counts; list them, or give only the answer"
    elif place >= len(candidates):
        yield (
            ("answer_index",),
            f"is {place}, and there are {len(candidates)} candidates, counted from 0; correct it",
        )
    elif answer is not None and candidates[int(place)] != answer:
        problem = f"is {place}, which is {shown(candidates[int(place)])}, but the answer is {shown(answer)}"
        yield ("answer_index",), f"{problem}; places are counted from 0; correct one of the two"


def _derived(question: Item, scene: Scene, rule: TaskRule) -> Sequence[str] | None:
    """The candidates that the task derives; None if they are not known here."""
    if not rule.among_speakers:
        return None
    voice = scene.utterances.get(question.get("utterance") or "", {}).get("speaker") if rule.needs_voice else None
    return [speaker for speaker in scene.speakers if speaker != voice]
