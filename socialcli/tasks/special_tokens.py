"""Text of a transcript is data: nothing in it may act on the model as a special token."""

from __future__ import annotations

import re
import unicodedata

# The model families mark their special tokens with angle brackets around one word: <video>, <|im_end|>, <IMG_CONTEXT>,
# </s>, <0x0A>. The pattern is wider than any family's list, so that the prompt is the same text for all of them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TAG = re.compile(r"<([^<>\s]+)>")


def harmless(text: str) -> str:
    """`text` on one line, in Unicode's composed form, with look-alikes for the brackets of anything like a tag.

    `<video>` becomes `‹video›`: still readable, and no tokenizer's special token. The composed form (NFC) is what
    Qwen's tokenizer makes of it anyway; doing it first keeps character offsets true.
    """
    composed = " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())
    return _TAG.sub(r"‹\1›", composed)
