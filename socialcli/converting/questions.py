"""Create questions without answers about the utterances of a recording."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from socialcli.episodes.records import Question, Utterance
from socialcli.words.spelling import find_words

TASKS = ("target", "coref", "mentioned")
_PRONOUNS = ("he", "his", "him", "himself", "she", "her", "hers", "herself")


def questions(
    utterance: Utterance, tasks: Collection[str], names: Collection[str], recording: str
) -> Iterator[Question]:
    """The questions of `tasks` about an utterance.

    `target` if the speaker is known; `coref` for every third-person pronoun; `mentioned` for every one of `names` that
    is not written in lower case in the text.
    """
    base = f"{recording}/{utterance.id}"
    if "target" in tasks and utterance.speaker is not None:
        yield Question(f"{base}/target", "target", utterance.id)
    if "coref" in tasks:
        for span in find_words(utterance.text, _PRONOUNS):
            yield Question(f"{base}/coref/{span[0]}", "coref", utterance.id, span)
    if "mentioned" in tasks:
        for span in find_words(utterance.text, [name for name in names if not name[:1].islower()]):
            if not utterance.text[span[0]].islower():
                yield Question(f"{base}/mentioned/{span[0]}", "mentioned", utterance.id, span)
