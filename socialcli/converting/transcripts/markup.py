"""Strip what is not words from a transcript's text: style tags, entities, invisible characters."""

from __future__ import annotations

import html
import re

from socialcli.words.scripts import INVISIBLE

_UNSEEN = re.compile(f"[{INVISIBLE}]")
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"  # shape the letters beside them
_EDGES = "".join(
    character
    for character in map(chr, range(0x10000))
    if character.isspace() or (_UNSEEN.match(character) and character not in _JOINERS)
)
TAG = re.compile(r"</?[A-Za-z][^<>\n]*>|<\d[\d:.]*>|</?[cv]>|\{\\[^{}\n]*\}")  # <i>, <c.loud>, <00:01.000>, {\an8}
_MARK = re.compile(r"[<&{\\]")  # a quick test: most rows have none
_BROKEN_LABEL = re.compile(r"\\N[ \t]*(?=[:：])")  # a line break of ASS between a label and its colon


def strip_markup(text: str) -> str:
    """A text without style tags, with entities decoded and ASS line breaks (`\\N`) as newlines."""
    if not _MARK.search(text):
        return text
    text = _BROKEN_LABEL.sub("", text).replace("\\N", "\n").replace("\\h", " ")
    return html.unescape(TAG.sub("", text))


def trimmed(text: str) -> str:
    """A text without spaces and invisible characters at its ends, except joiners."""
    return text.strip(_EDGES)
