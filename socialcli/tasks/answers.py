"""Reading the answer out of generated text, strictly."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from socialcli.tasks.base import Candidate
from socialcli.tasks.prompt import LETTERS

# A capital letter that stands alone: "B", "B.", "(B)", "Answer: B", "A or B"; not that of "X-ray", "I'm", "U2", or of
# "not B". "A" and "I" are words as well, and then another word follows: "A man", "I think".
_LETTER = re.compile(
    r"(?<!\w)(?<!\w['’-])(?<![Nn]ot )"
    r"(?:[B-HJ-Z]|[AI](?![ \t]+(?!(?:and|or|nor|to|but|is|[A-Z])\b)\w))"
    r"(?!\w|['’-]\w)"
)
_SMALL_LETTER = re.compile(r"\W*[a-z]\W*")  # nothing but one letter: no word, so its case says nothing


@dataclass(frozen=True, slots=True)
class _Mention:
    """Characters [start, end) of the text that are the label of candidate `index`."""

    start: int
    end: int
    index: int

    def holds(self, start: int, end: int) -> bool:
        """Whether it is longer than the characters [start, end) and has them inside."""
        return self.start <= start and end <= self.end and end - start < self.end - self.start


def parse_answer(text: str, candidates: Sequence[Candidate]) -> int | None:
    """The index of the one candidate that `text` names by letter or, failing that, by its label; else None.

    Text that names no candidate, or several, or another letter, or a letter beside another one's label ("B. Speaker 3",
    where B is Speaker 2), is no answer: it is never guessed at.
    """
    text = unicodedata.normalize("NFC", text)
    if _SMALL_LETTER.fullmatch(text):
        text = text.upper()
    found = [mention for index, item in enumerate(candidates) for mention in _mentions(text, item.label, index)]
    mentions = [one for one in found if not any(other.holds(one.start, one.end) for other in found)]
    letters = [match for match in _LETTER.finditer(text) if not any(one.holds(*match.span()) for one in mentions)]
    if not letters:
        return _only({mention.index for mention in mentions})
    choice = _only({LETTERS.index(match[0]) for match in letters})
    beside = {one.index for one in mentions for match in letters if _touch(text, one, match)}
    if choice is None or choice >= len(candidates) or (beside and choice not in beside):
        return None
    return choice


def _mentions(text: str, label: str, index: int) -> Iterator[_Mention]:
    if not label:
        return
    # A label of one letter is looked for as a letter, lest it be found in every article.
    alone = len(label) == 1 and label.isalpha()
    pattern = _LETTER if alone else re.compile(rf"(?<!\w)(?<!\bnot ){re.escape(label)}(?!\w)", re.IGNORECASE)
    for match in pattern.finditer(text):
        if not alone or match[0] == label:
            yield _Mention(match.start(), match.end(), index)


def _touch(text: str, mention: _Mention, letter: re.Match[str]) -> bool:
    """Whether no word stands between a label and a letter."""
    between = text[min(mention.end, letter.end()) : max(mention.start, letter.start())]
    return re.search(r"\w", between) is None


def _only(choices: set[int]) -> int | None:
    return next(iter(choices)) if len(choices) == 1 else None
