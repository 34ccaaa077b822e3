"""Reading the answer out of generated text, strictly."""

from __future__ import annotations

import re
from collections.abc import Sequence

from socialcli.tasks.base import Candidate
from socialcli.tasks.prompt import LETTERS

# A letter that stands alone: "B", "B.", "(B)", "B: Speaker 2", "Answer: B". Not the article in "A man".
_ALONE = re.compile(r"\(([A-Z])\)|(?<![\w'’])([A-Z])(?=[.):,]|\s*$)")


def parse_answer(text: str, candidates: Sequence[Candidate]) -> int | None:
    """The index of the one candidate that `text` names by letter or, failing that, by its label; else None.

    Text that names no candidate, or several, is no answer: it is never guessed at.
    """
    letters = LETTERS[: len(candidates)]
    lettered = {letter for match in _ALONE.finditer(text.strip()) if (letter := match[1] or match[2])}
    if lettered:
        return letters.index(min(lettered)) if len(lettered) == 1 and lettered <= set(letters) else None
    named = [index for index, item in enumerate(candidates) if _names(text, item.label)]
    return named[0] if len(named) == 1 else None


def _names(text: str, label: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(label)}(?!\w)", text, re.IGNORECASE) is not None
