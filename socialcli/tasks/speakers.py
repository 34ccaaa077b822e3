"""What the tasks of multi-party dialogue share: they ask about one utterance, and a speaker is the answer."""

from __future__ import annotations

from socialcli.episodes.records import Episode, Question, Utterance
from socialcli.errors import AnnotationError
from socialcli.tasks.base import Candidate
from socialcli.tasks.special_tokens import harmless

MASK = "[...]"  # stands for a hidden name


def speaker_candidates(
    episode: Episode, question: Question, labels: dict[str, str], without: str | None = None
) -> tuple[Candidate, ...]:
    """The speakers that the question names as candidates, or all of the episode's but `without`."""
    ids = question.candidates or tuple(speaker.id for speaker in episode.speakers if speaker.id != without)
    unknown = [speaker for speaker in ids if speaker not in labels]
    if unknown:
        raise AnnotationError(f"candidate {unknown[0]!r} is not a speaker of the episode")
    if not ids:
        raise AnnotationError("there is nobody else in the episode who could be the answer")
    return tuple(Candidate(speaker, labels[speaker]) for speaker in ids)


def asked_utterance(episode: Episode, question: Question) -> Utterance:
    """The utterance in question. AnnotationError if the question names none, or one that is not there."""
    for utterance in episode.utterances:
        if utterance.id == question.utterance:
            return utterance
    raise AnnotationError(f"a {question.task!r} question needs an utterance of the episode, not {question.utterance!r}")


def asked_span(question: Question) -> tuple[int, int]:
    """The characters in question. AnnotationError if the question marks none."""
    if question.span is None:
        raise AnnotationError(f"a {question.task!r} question needs the span of the characters it asks about")
    return question.span


def spliced(text: str, span: tuple[int, int], pattern: str) -> str:
    """`text`, made harmless, with its characters [start, end) put into `pattern` (at "{}", if it has one)."""
    start, end = span
    return harmless(text[:start] + pattern.format(text[start:end]) + text[end:])


def quoted(line: Utterance, span: tuple[int, int] | None = None, pattern: str = "{}") -> str:
    """The utterance's words in quotation marks, with the characters of `span` put into `pattern`."""
    return f'"{spliced(line.text, span, pattern) if span else harmless(line.text)}"'


def who(line: Utterance, labels: dict[str, str]) -> str:
    """What the one who says the utterance is called."""
    return labels[line.speaker] if line.speaker is not None else "somebody"
