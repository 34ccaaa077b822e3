"""Who says a line of a transcript that begins with a name: "Anna: text" and "(Anna:)text"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

_NAME = r"[^\W\d_][\w.'’ -]{0,39}?"
_BRACKETED = re.compile(rf"\(\s*({_NAME})\s*:\s*\)\s*(.*)", re.DOTALL)  # (Anna:)text
_PLAIN = re.compile(rf"({_NAME})\s*:\s+(.*)", re.DOTALL)  # Anna: text
_DASH = re.compile(r"^\s*[-–—]\s*")  # "- Hello." begins another person's line in a cue of several


def by_spelling(names: Iterable[str]) -> dict[str, str]:
    """The names by how they may be written: as they are, which goes before, and in any case."""
    exact = {name: name for name in names}
    return {name.casefold(): name for name in reversed(exact)} | exact


def spoken(line: str, known: Mapping[str, str] | None = None) -> tuple[str | None, str]:
    """The name in front of a line, and the rest; None where there is no name.

    `known`: the names that can stand there, from `by_spelling`, so that "Listen: no" is not said by somebody called
    Listen. Where it is None, up to three words that begin with capitals or, behind the first, digits count as a name.
    """
    line = _DASH.sub("", line).strip()
    found = _BRACKETED.match(line) or _PLAIN.match(line)
    if found is None:
        return None, line
    name, text = " ".join(found[1].split()), found[2].strip()
    if known is not None:
        meant = known.get(name) or known.get(name.casefold())
        return (meant, text) if meant is not None else (None, line)
    words = name.split()
    is_name = len(words) <= 3 and all(word[0].isupper() or word[0].isdigit() for word in words)
    return (name, text) if is_name else (None, line)


def turns(text: str, known: Mapping[str, str] | None = None) -> Iterator[tuple[str | None, str]]:
    """The name and the words of everybody who speaks in a text of several lines, in order.

    A line without a name goes on with the words of the one above, unless it begins with a dash. Turns without words are
    left out.
    """
    speaker: str | None = None
    words: list[str] = []
    for line in text.split("\n"):
        name, rest = spoken(line, known)
        if words and (name is not None or _DASH.match(line)):
            yield speaker, " ".join(words)
            words = []
        if name is not None or _DASH.match(line):
            speaker = name
        words += [rest] if rest else []
    if words:
        yield speaker, " ".join(words)
