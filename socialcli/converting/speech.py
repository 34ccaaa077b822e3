"""Who says a line of a transcript that begins with a name: "Anna: text" and "(Anna:)text"."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_NAME = r"[^\W\d_][\w.'’ -]{0,39}?"
_BRACKETED = re.compile(rf"\(\s*({_NAME})\s*:\s*\)\s*(.*)", re.DOTALL)  # (Anna:)text
_PLAIN = re.compile(rf"({_NAME})\s*:\s+(.*)", re.DOTALL)  # Anna: text
_DASH = re.compile(r"^\s*[-–—]\s*")  # "- Hello." begins another person's line in a cue of several


def spoken(line: str, known: Collection[str] | None = None) -> tuple[str | None, str]:
    """The name in front of a line, and the rest; None where there is no name.

    `known`: the names that can stand there, in any case, so that "Listen: no" is not said by somebody called Listen.
    Where it is None, up to three words that begin with capitals count as a name.
    """
    line = _DASH.sub("", line).strip()
    found = _BRACKETED.match(line) or _PLAIN.match(line)
    if found is None:
        return None, line
    name, text = " ".join(found[1].split()), found[2].strip()
    if known is not None:
        folded = {one.casefold(): one for one in known}
        return (folded[name.casefold()], text) if name.casefold() in folded else (None, line)
    words = name.split()
    return (name, text) if len(words) <= 3 and all(word[0].isupper() for word in words) else (None, line)


def turns(text: str, known: Collection[str] | None = None) -> Iterator[tuple[str | None, str]]:
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
