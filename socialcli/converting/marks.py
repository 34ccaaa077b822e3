"""What stands in a transcript's text beside its words: style marks, entities, characters that nobody sees."""

from __future__ import annotations

import html
import re

# Soft hyphen, zero-width blanks and joiners, direction marks, byte order marks: editors and chats leave them anywhere.
INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe0e\ufe0f\ufeff"
_UNSEEN = re.compile(f"[{INVISIBLE}]")
_EDGE = INVISIBLE.replace("\u200b-\u200f", "\u200b\u200e\u200f").replace("\ufe0e\ufe0f", "")  # joiners shape letters
_EDGES = re.compile(rf"^[\s{_EDGE}]+|[\s{_EDGE}]+$")
TAG = re.compile(r"</?[A-Za-z][^>\n]*>|<\d[\d:.]*>|</?[cv]>|\{\\[^}\n]*\}")  # <i>, <c.loud>, <00:01.000>, {\an8}
_BROKEN_LABEL = re.compile(r"[ \t]*\\N[ \t]*(?=[:：])")  # a line break of ASS between a label and its colon
_BREAK = re.compile(r"[ \t]*\\N[ \t]*")


def plain(text: str) -> str:
    """A text without marks of style, with entities as characters and line breaks of ASS (`\\N`) as such."""
    text = _BREAK.sub("\n", _BROKEN_LABEL.sub("", text)).replace("\\h", " ")
    return html.unescape(TAG.sub("", text))


def seen(text: str) -> str:
    """A text without characters that nobody sees, anywhere in it: to compare, not to show."""
    return _UNSEEN.sub("", text)


def trimmed(text: str) -> str:
    """A text without blanks and unseen characters at its ends; joiners, which shape letters, stay."""
    return _EDGES.sub("", text)
