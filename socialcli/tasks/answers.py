"""Parses generated text into a candidate, strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from socialcli.tasks.base import Candidate
from socialcli.tasks.negation import is_denied
from socialcli.tasks.prompt import LETTERS
from socialcli.words.boundaries import has_letter, joined, stands_alone
from socialcli.words.scripts import ALPHABET, is_dense, is_letter, script_of
from socialcli.words.spelling import phrase_pattern, plain

_CAPITAL = re.compile(r"[A-Z]")
_NEXT_WORD = re.compile(r"[ \t]+(\S)")
_BEHIND_LETTER = frozenset({"and", "or", "nor", "to", "but", "is"})  # "A and B", "A is right"
# What makes a word of a letter in Chinese and Japanese: blood type B, Mr B, grade B.
_COMPOUND = re.compile(r"[ ]?(?:型|级|級|君|さん|ちゃん|くん|座|股|班|组|組|队|隊)")


@dataclass(frozen=True, slots=True)
class _Mention:
    """The label of candidate `index` at characters [start, end) of the text; `denied` as in "not the label"."""

    start: int
    end: int
    index: int
    denied: bool

    def holds(self, start: int, end: int) -> bool:
        """Whether it contains the characters [start, end) and is longer."""
        return self.start <= start and end <= self.end and end - start < self.end - self.start


def parse_answer(text: str, candidates: Sequence[Candidate]) -> int | None:
    """The index of the one candidate that `text` names by letter or, failing that, by its label; else None.

    Text that names no candidate, several, a letter without candidate, or a letter beside another candidate's label
    ("B. Speaker 3", where B is Speaker 2) yields None, never a guess. Where one label contains another, the longest
    counts.
    """
    text = _with_capital(plain(text).text)
    found = [mention for index, item in enumerate(candidates) for mention in _mentions(text, item.label, index)]
    mentions = [one for one in found if not one.denied and not any(other.holds(one.start, one.end) for other in found)]
    letters = [
        match
        for match in _letters(text)
        if not any(one.holds(*match.span()) for one in found) and not _begins_word(text, match, len(candidates))
    ]
    if not letters:
        return _only({mention.index for mention in mentions})
    choice = _only({LETTERS.index(match[0]) for match in letters})
    beside = {one.index for one in mentions for match in letters if _touch(text, one, match)}
    if choice is None or choice >= len(candidates) or (beside and choice not in beside):
        return None
    return choice


def _with_capital(text: str) -> str:
    """`text` in capitals if a small letter is all that it has of an alphabet: such a letter is in no word."""
    alphabetic = [character for character in text if script_of(character) == ALPHABET and is_letter(character)]
    return text.upper() if len(alphabetic) == 1 and "a" <= alphabetic[0] <= "z" else text


def _letters(text: str) -> Iterator[re.Match[str]]:
    """Capital letters that stand alone: "B", "(B)", "A or B", "选B"; not "X-ray", "I'm", "U2", "A man", "not B"."""
    for match in _CAPITAL.finditer(text):
        start, end = match.span()
        if not stands_alone(text, start, end) or is_denied(text, start, end) or _COMPOUND.match(text, end):
            continue
        if _in_contraction(text, start, end) or (match[0] in "AI" and _is_article(text, end)):
            continue
        yield match


def _is_article(text: str, end: int) -> bool:
    """Whether the "A" or "I" before `end` is the English word, which another word follows: "A man", "I think"."""
    following = _NEXT_WORD.match(text, end)
    if following is None or not is_letter(following[1]) or script_of(following[1]) != ALPHABET:
        return False
    stop = following.start(1) + 1
    while joined(text, stop):
        stop += 1
    word = text[following.start(1) : stop]
    return word not in _BEHIND_LETTER and _CAPITAL.fullmatch(word) is None


def _in_contraction(text: str, start: int, end: int) -> bool:
    """Whether an apostrophe or a hyphen joins the letter to a word: "I'm", "l'A"."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return (len(before) == 2 and before[1] in "'-" and _joins_words(before[0])) or (
        len(after) == 2 and after[0] in "'-" and _joins_words(after[1])
    )


def _joins_words(character: str) -> bool:
    return is_letter(character) and not is_dense(character)


def _begins_word(text: str, match: re.Match[str], count: int) -> bool:
    """Whether a letter without candidate begins a word such as T恤 or Xレイ."""
    following = text[match.end() : match.end() + 1]
    return LETTERS.index(match[0]) >= count and following != "" and is_dense(following)


def _mentions(text: str, label: str, index: int) -> Iterator[_Mention]:
    # Search a one-letter label as a letter: as a word, "A" would match every article.
    pattern = phrase_pattern(label)
    if len(label) == 1 and script_of(label) == ALPHABET and label.isalpha():
        for match in _letters(text):
            if match[0] == label:
                yield _Mention(match.start(), match.end(), index, denied=False)
        return
    place = 0
    while pattern is not None and (found := pattern.search(text, place)):
        start, end = found.span()
        if _begins(text, start) and not joined(text, end):
            yield _Mention(start, end, index, is_denied(text, start, end))
        place = start + 1


def _begins(text: str, start: int) -> bool:
    """Whether a label can begin here: at the start of a word, or after a letter and a hyphen ("B-Speaker 2")."""
    behind_letter = start > 1 and text[start - 1] == "-" and "A" <= text[start - 2] <= "Z"
    return not joined(text, start) or (behind_letter and not joined(text, start - 2))


def _touch(text: str, mention: _Mention, letter: re.Match[str]) -> bool:
    """Whether no word stands between a label and a letter."""
    return not has_letter(text[min(mention.end, letter.end()) : max(mention.start, letter.start())])


def _only(choices: set[int]) -> int | None:
    return next(iter(choices)) if len(choices) == 1 else None
