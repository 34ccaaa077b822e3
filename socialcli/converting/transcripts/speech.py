"""Who says a line of a transcript: "Anna: text", "[Anna]: text", ">> ANNA: text", "(Anna:)text"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise, zip_longest

from socialcli.converting.transcripts.marks import trimmed
from socialcli.words.boundaries import is_called, length_in_words
from socialcli.words.scripts import ALPHABET, INVISIBLE, script_of, seen
from socialcli.words.spelling import folded

COLONS = ":：﹕︰∶꞉"
_BLANK = rf"[\s{INVISIBLE}]"
_DASH = rf"[-–—‐‑‒]{_BLANK}*"  # "- Hello." begins another person's line in a cue of several
_CHEVRONS = rf"[>＞]{{2,}}{_BLANK}*"  # ">>" is a change of speaker in captions
_LEAD = re.compile(rf"{_BLANK}*((?:{_DASH}|{_CHEVRONS})*)")
_CHANGE = re.compile(rf"(?:^|(?<={_BLANK}))[>＞]{{2,}}")
_DASH_WITHIN = re.compile(r"(?<=\s)[-–—](?=\s*\S)")  # "- Anna: No. - Ben: Yes."
_BRACKETED = re.compile(rf"[(（]([^()（）{COLONS}]{{1,60}})[{COLONS}]\s*[)）](.*)", re.DOTALL)  # (Anna:)text
_PLAIN = re.compile(rf"([^{COLONS}]{{1,60}})([{COLONS}])(.*)", re.DOTALL)  # Anna: text
_SQUARE = re.compile(rf"[\[［]([^\[\]［］{COLONS}]{{1,60}})[\]］]{_BLANK}*[{COLONS}](.*)", re.DOTALL)  # [Anna]: text
_BRACKETS = re.compile(r"\[([^\[\]]*)\]|［([^［］]*)］|【([^【】]*)】|\(((?:[^()]|\([^()]*\))*)\)|（([^（）]*)）")
_ORNAMENTS = "-–—‐‑‒>＞»•*_~♪|\"“”„«'"  # around a label; of Markdown, lists, quotes
_ASIDE = re.compile(r"\s*[\[(（][^\[\]()（）]*[\])）]$")  # ANNA (V.O.)
_CLOCK = re.compile(r"^[\[(（]?\d{1,3}(?::\d\d){1,2}(?:[.,]\d{1,3})?[\])）]?\s*")  # [00:12] Anna
_LONGEST = 120  # characters in front of the colon
_LONGEST_NAME = 40  # characters
_MOST_PARTS = 3  # words of a name
_MOST_SAID = 5  # words of it as they are said, of which two characters are one in scripts without blanks


def by_spelling(names: Iterable[str]) -> dict[str, str]:
    """The names by how they may be written: as they are, which goes before, and as `folded` has them."""
    exact = {_written(name): name for name in names}
    backwards = [*reversed(exact.values())]
    bare = {folded(form): name for name in backwards for form in label_forms(name.rstrip(COLONS + " ")) if folded(form)}
    return bare | {folded(name): name for name in backwards} | exact


def spoken(line: str, known: Mapping[str, str] | None = None, more: bool = False) -> tuple[str | None, str]:
    """Who says a line, by the label in front of it, and the rest; None where there is no label.

    `known`: the names that can stand there, from `by_spelling`, so that "Listen: no" is not said by somebody called
    Listen; they are compared as text, with or without brackets. "[Anna]:" is a label in any case. Else, where `known`
    is None, up to three words that begin as names do count as one: with capitals where the script has them, and behind
    the first also with digits. `more`: such a name may be all of the line, since its words are those of the line below.
    """
    lead = _LEAD.match(line)
    words = trimmed(line[lead.end() :] if lead is not None else line)
    if known is not None:
        for label, rest in _labelled(words):
            meant = _meant(label, known)
            if meant is not None:
                return meant, _rest(words, rest)
    square = _SQUARE.fullmatch(words)
    if square is not None and any(map(str.isalnum, square[1])):
        return _written(square[1]), trimmed(square[2])
    name, rest = (None, words) if known is not None else _named(words, more)
    return name, trimmed(rest)


def voiced(name: str, text: str, known: Mapping[str, str] | None = None) -> Iterator[tuple[str | None, str]]:
    """What somebody says whom a mark of voice names; nothing where there are no words. A label that repeats the name
    is none of them."""
    meant = (None if known is None else _meant(name, known)) or _written(name)
    own = {spelling: one for spelling, one in (known or {}).items() if one == meant} | by_spelling([meant])
    said = ((*spoken(line, own), line) for line in text.split("\n"))
    words = " ".join(" ".join(rest if label in (None, meant) else line for label, rest, line in said).split())
    if words:
        yield meant, words


def turns(text: str, known: Mapping[str, str] | None = None) -> Iterator[tuple[str | None, str]]:
    """The name and the words of everybody who speaks in a text of several lines, in order.

    A line without a name goes on with the words of the one above, unless it begins with a dash or ">>", which may also
    stand within a line, a dash in front of a label. A name may stand in a line above its words. Turns without words are
    left out.
    """
    speaker: str | None = None
    words: list[str] = []
    lines = [line for line in text.split("\n") if trimmed(line)]
    for line, below in zip_longest(lines, lines[1:], fillvalue=""):
        more = known is None and _goes_on(below)
        for place, piece in enumerate(_pieces(line, known)):
            name, rest = spoken(piece, known, more)
            lead = _LEAD.match(piece)
            changes = name is not None or place > 0 or bool(lead and lead[1])
            if words and changes:
                yield speaker, " ".join(words)
                words = []
            if changes:
                speaker = name
            words += [rest] if rest else []
    if words:
        yield speaker, " ".join(words)


def _pieces(line: str, known: Mapping[str, str] | None) -> Iterator[str]:
    """A line, cut where another speaker begins: at ">>", and where it begins with a dash at one before a label."""
    for piece in _CHANGE.split(line):
        lead = _LEAD.match(piece)
        inner = _DASH_WITHIN.finditer(piece, lead.end()) if lead and lead[1] else ()
        cuts = [mark.start() for mark in inner if spoken(piece[mark.start() :], known)[0] is not None]
        yield from (piece[start:end] for start, end in pairwise([0, *cuts, len(piece)]))


def _goes_on(line: str) -> bool:
    """Whether a line has words of the speaker above it: some, and no other speaker."""
    lead = _LEAD.match(line)
    return bool(trimmed(line)) and not (lead and lead[1]) and spoken(line)[0] is None


def _named(words: str, more: bool) -> tuple[str | None, str]:
    """The name that stands in front of words, and the rest; None where none does. `more` as in `spoken`."""
    found = _BRACKETED.match(words)
    if found is not None and _is_name(found[1]):
        return _written(found[1]), found[2]
    found = _PLAIN.match(words)
    if found is None:
        return None, words
    label, colon, rest = trimmed(found[1]), found[2], found[3]
    aside = _ASIDE.search(label)  # a number in it tells one from another, as in "Speaker (2)"
    label = label if aside is None or any(map(str.isdigit, aside[0])) else label[: aside.start()]
    # Behind letters of scripts with capitals, "://" and "10:30" are no label's colons.
    parted = rest[:1].isspace() or colon != ":" or (bool(label) and script_of(label[-1]) != ALPHABET)
    if not _is_name(label) or not (more if not trimmed(rest) else parted):
        return None, words
    return _written(label), rest


def _is_name(text: str) -> bool:
    """Whether a text is written as a name or a label of a program: "Anna", "राम", "Speaker 1", "SPEAKER_00"."""
    text = _written(text)
    words = text.split()
    letters = "".join(one for one in text if not one.isdecimal() and one != "_")
    return (
        1 <= len(words) <= _MOST_PARTS
        and len(text) <= _LONGEST_NAME
        and length_in_words(text) <= _MOST_SAID
        and is_called(letters)
        and words[0][0].isalpha()
        and all(word[0].isalnum() and word[0] == word[0].title() for word in words)
    )


def _labelled(words: str) -> Iterator[tuple[str, str]]:
    """What may be a label in front of words, with the rest: up to each colon, the last first, or in brackets."""
    colons = [place for place, sign in enumerate(words[:_LONGEST]) if sign in COLONS]
    for place in reversed(colons):
        if not (words[:place][-1:].isdigit() and words[place + 1 : place + 2].isdigit()):  # 10:30
            yield words[:place], words[place + 1 :]
    found = _BRACKETS.match(words)
    inside = "" if found is None else next(group for group in found.groups() if group is not None)
    if found is not None and any(map(str.isalpha, inside)):  # "(1) first" counts, and says nothing of who speaks
        yield inside.rstrip(COLONS + " "), words[found.end() :]


def _meant(label: str, known: Mapping[str, str]) -> str | None:
    """The known name that a label writes; None where it writes none."""
    for form in dict.fromkeys(label_forms(label)):
        meant = known.get(_written(form)) or known.get(folded(form))
        if meant is not None:
            return meant
    return None


def label_forms(label: str) -> Iterator[str]:
    """A label as it is, without signs around it, without a time before it and brackets, without a "(V.O.)" behind."""
    yield label
    bare = trimmed(trimmed(label).strip(_ORNAMENTS))
    yield bare
    timeless = _CLOCK.sub("", bare)
    found = _BRACKETS.fullmatch(timeless)
    if found is not None:
        timeless = next(group for group in found.groups() if group is not None).strip(_ORNAMENTS + " ")
    yield timeless
    yield _ASIDE.sub("", timeless)


def _rest(words: str, rest: str) -> str:
    """The words behind a label, without the end of the Markdown that it began with: `**Anna:** hi`."""
    marks = re.match(r"[*_]+", words)
    return trimmed(trimmed(rest).removeprefix(marks[0]) if marks else rest)


def _written(label: str) -> str:
    """A label as it is shown: accents in one form, one blank between words, none that nobody sees."""
    return " ".join(unicodedata.normalize("NFC", seen(label)).split())
