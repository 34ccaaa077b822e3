"""What stands in a transcript's text beside its words: style marks, entities, characters that nobody sees."""

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
_MARK = re.compile(r"[<&{\\]")  # most rows have none
_BROKEN_LABEL = re.compile(r"\\N[ \t]*(?=[:：])")  # a line break of ASS between a label and its colon


def unmarked(text: str) -> str:
    """A text without marks of style, with entities as characters and line breaks of ASS (`\\N`) as such."""
    if not _MARK.search(text):
        return text
    text = _BROKEN_LABEL.sub("", text).replace("\\N", "\n").replace("\\h", " ")
    return html.unescape(TAG.sub("", text))


def trimmed(text: str) -> str:
    """A text without blanks and unseen characters at its ends, but for joiners."""
    return text.strip(_EDGES)
