"""Speaker labels in a transcript: "Anna: text", "[Anna]: text", ">> ANNA: text", "(Anna:)text"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise, zip_longest

from socialcli.converting.transcripts.markup import trimmed
from socialcli.words.boundaries import is_called, length_in_words
from socialcli.words.scripts import ALPHABET, INVISIBLE, script_of, seen
from socialcli.words.spelling import folded

COLONS = ":：﹕︰∶꞉"
_BLANK = rf"[\s{INVISIBLE}]"
_DASH = rf"[-–—‐‑‒]{_BLANK}*"  # "- Hello." begins another person's line in a cue of several
_CHEVRONS = rf"[>＞]{{2,}}{_BLANK}*"  # ">>" marks a change of speaker in captions
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
_LONGEST = 120  # characters before the colon
_LONGEST_NAME = 40  # characters
_MOST_PARTS = 3  # words of a name
_MOST_SAID = 5  # spoken words of a name; in scripts without spaces, two characters count as one


def names_by_spelling(names: Iterable[str]) -> dict[str, str]:
    """The names by their possible spellings: exact ones, which take precedence, and `folded` ones."""
    exact = {_written(name): name for name in names}
    backwards = [*reversed(exact.values())]
    bare = {folded(form): name for name in backwards for form in label_forms(name.rstrip(COLONS + " ")) if folded(form)}
    return bare | {folded(name): name for name in backwards} | exact


def parse_label(line: str, known: Mapping[str, str] | None = None, more: bool = False) -> tuple[str | None, str]:
    """The speaker from the label at the start of a line, None if there is no label, and the rest of the line.

    `known`: the possible names, from `names_by_spelling`, so that "Listen: no" is not said by somebody called Listen;
    names match with or without brackets. "[Anna]:" is always a label. If `known` is None, up to three words also count
    as a label if each begins like a name: with a capital, in scripts that have capitals, or after the first word with a
    digit. `more`: such a name may be the whole line, because its words are on the line below.
    """
    lead = _LEAD.match(line)
    words = trimmed(line[lead.end() :] if lead is not None else line)
    if known is not None:
        for label, rest in _labelled(words):
            meant = _known_name(label, known)
            if meant is not None:
                return meant, _rest(words, rest)
    square = _SQUARE.fullmatch(words)
    if square is not None and any(map(str.isalnum, square[1])):
        return _written(square[1]), trimmed(square[2])
    name, rest = (None, words) if known is not None else _named(words, more)
    return name, trimmed(rest)


def parse_voice(name: str, text: str, known: Mapping[str, str] | None = None) -> Iterator[tuple[str | None, str]]:
    """The speaker and words of a voice tag; nothing if there are no words. Drops a label that repeats the name."""
    meant = (None if known is None else _known_name(name, known)) or _written(name)
    own = {spelling: one for spelling, one in (known or {}).items() if one == meant} | names_by_spelling([meant])
    said = ((*parse_label(line, own), line) for line in text.split("\n"))
    words = " ".join(" ".join(rest if label in (None, meant) else line for label, rest, line in said).split())
    if words:
        yield meant, words


def turns(text: str, known: Mapping[str, str] | None = None) -> Iterator[tuple[str | None, str]]:
    """The speaker and words of each turn in a text of several lines, in order.

    A line without a name continues the turn above, unless it begins with a dash or ">>". Both may also occur within a
    line, a dash only before a label. A name may be on the line above its words. Turns without words are dropped.
    """
    speaker: str | None = None
    words: list[str] = []
    lines = [line for line in text.split("\n") if trimmed(line)]
    for line, below in zip_longest(lines, lines[1:], fillvalue=""):
        more = known is None and _continues(below)
        for place, piece in enumerate(_pieces(line, known)):
            name, rest = parse_label(piece, known, more)
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
    """A line, split where another speaker begins: at ">>", and, if it begins with a dash, at a dash before a label."""
    for piece in _CHANGE.split(line):
        lead = _LEAD.match(piece)
        inner = _DASH_WITHIN.finditer(piece, lead.end()) if lead and lead[1] else ()
        cuts = [mark.start() for mark in inner if parse_label(piece[mark.start() :], known)[0] is not None]
        yield from (piece[start:end] for start, end in pairwise([0, *cuts, len(piece)]))


def _continues(line: str) -> bool:
    """Whether a line continues the turn above: it has words and no new speaker."""
    lead = _LEAD.match(line)
    return bool(trimmed(line)) and not (lead and lead[1]) and parse_label(line)[0] is None


def _named(words: str, more: bool) -> tuple[str | None, str]:
    """The name before the words, None if there is none, and the rest. `more` as in `parse_label`."""
    found = _BRACKETED.match(words)
    if found is not None and _is_name(found[1]):
        return _written(found[1]), found[2]
    found = _PLAIN.match(words)
    if found is None:
        return None, words
    label, colon, rest = trimmed(found[1]), found[2], found[3]
    aside = _ASIDE.search(label)  # with a number it is part of the name, as in "Speaker (2)"
    label = label if aside is None or any(map(str.isdigit, aside[0])) else label[: aside.start()]
    # After letters of scripts with capitals, the colons of "://" and "10:30" end no label.
    parted = rest[:1].isspace() or colon != ":" or (bool(label) and script_of(label[-1]) != ALPHABET)
    if not _is_name(label) or not (more if not trimmed(rest) else parted):
        return None, words
    return _written(label), rest


def _is_name(text: str) -> bool:
    """Whether a text looks like a name or a program's label: "Anna", "राम", "Speaker 1", "SPEAKER_00"."""
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
    """The possible labels before words, with the rest: up to each colon, last colon first, or in brackets."""
    colons = [place for place, sign in enumerate(words[:_LONGEST]) if sign in COLONS]
    for place in reversed(colons):
        if not (words[:place][-1:].isdigit() and words[place + 1 : place + 2].isdigit()):  # 10:30
            yield words[:place], words[place + 1 :]
    found = _BRACKETS.match(words)
    inside = "" if found is None else next(group for group in found.groups() if group is not None)
    if found is not None and any(map(str.isalpha, inside)):  # "(1) first" enumerates and names no speaker
        yield inside.rstrip(COLONS + " "), words[found.end() :]


def _known_name(label: str, known: Mapping[str, str]) -> str | None:
    """The known name that a label stands for, None if there is none."""
    for form in dict.fromkeys(label_forms(label)):
        meant = known.get(_written(form)) or known.get(folded(form))
        if meant is not None:
            return meant
    return None


def label_forms(label: str) -> Iterator[str]:
    """A label as it is; without surrounding signs; without a leading time and brackets; without a final "(V.O.)"."""
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
    """The words after a label, without the closing Markdown of a label such as `**Anna:** hi`."""
    marks = re.match(r"[*_]+", words)
    return trimmed(trimmed(rest).removeprefix(marks[0]) if marks else rest)


def _written(label: str) -> str:
    """A label in normal form: composed accents, single spaces, no invisible characters."""
    return " ".join(unicodedata.normalize("NFC", seen(label)).split())
