"""What tasks on multi-party dialogue share: they ask about one utterance, and the answer is a speaker."""

from __future__ import annotations

from socialcli.episodes.records import Episode, Question, Utterance
from socialcli.errors import AnnotationError
from socialcli.tasks.base import Candidate
from socialcli.tasks.special_tokens import harmless

MASK = "[...]"  # replaces a hidden name


def speaker_candidates(
    episode: Episode, question: Question, labels: dict[str, str], without: str | None = None
) -> tuple[Candidate, ...]:
    """The speakers that the question lists as candidates, or all of the episode's except `without`."""
    ids = question.candidates or tuple(speaker.id for speaker in episode.speakers if speaker.id != without)
    unknown = [speaker for speaker in ids if speaker not in labels]
    if unknown:
        raise AnnotationError(f"candidate {unknown[0]!r} is not a speaker of the episode")
    if not ids:
        raise AnnotationError("the episode has nobody else who could be the answer")
    return tuple(Candidate(speaker, labels[speaker]) for speaker in ids)


def asked_utterance(episode: Episode, question: Question) -> Utterance:
    """The utterance in question. AnnotationError if the question names none or one that does not exist."""
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
    """`text`, made harmless, with its characters [start, end) inserted into `pattern` (at "{}", if it has one)."""
    start, end = span
    return harmless(text[:start] + pattern.format(text[start:end]) + text[end:])


def quoted(line: Utterance, span: tuple[int, int] | None = None, pattern: str = "{}") -> str:
    """The utterance's words in quotation marks, with the characters of `span` inserted into `pattern`."""
    return f'"{spliced(line.text, span, pattern) if span else harmless(line.text)}"'


def who(line: Utterance, labels: dict[str, str]) -> str:
    """The label of the utterance's speaker."""
    return labels[line.speaker] if line.speaker is not None else "somebody"
