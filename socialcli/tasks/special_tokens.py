"""Keeps text of a transcript from becoming a special token of the model."""

from __future__ import annotations

import re
import unicodedata

# The model families mark their special tokens with angle brackets around one word: <video>, <|im_end|>, <IMG_CONTEXT>,
# </s>, <0x0A>. The pattern covers more than any family's list, so that the prompt is the same for all of them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TAG = re.compile(r"<([^<>\s]+)>")


def harmless(text: str) -> str:
    """`text` on one line, in Unicode's composed form, with look-alikes for the brackets of anything like a tag.

    `<video>` becomes `‹video›`: readable, and no tokenizer's special token. Qwen's tokenizer composes text (NFC)
    itself; composing it here keeps character offsets right.
    """
    composed = " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())
    return _TAG.sub(r"‹\1›", composed)
