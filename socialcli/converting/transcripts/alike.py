"""Lines that begin as if they said who speaks, where nobody was found who does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from socialcli.converting.report import Report

ALIKE = "lines that begin like a label, and whose speaker is not known"
_MOST_EXAMPLES = 3
_FEWEST = 3  # lines that are many
_BEGINNING = re.compile(
    r"(\[[^\]\n]{1,40}\](?:\s*[:：])?|[(（][^)）\n]{1,40}[)）]\s*[:：]|[^\s:：][^:：\n]{0,39}[:：](?!//))(?=\s*\S)(?!(?<=\d:)\d)"
)
_MOST_WORDS = 4


def tell_unread_labels(path: Path, texts: Sequence[str], report: Report) -> None:
    """Count and, once in a conversion, name the beginnings that many lines without a speaker have in common.

    `texts` are the words of the lines of `path` whose speaker no label told. A beginning is `something:` or
    `[something]` before further words. It is told where it recurs, or where most of the lines have one.
    """
    found = [beginning for text in texts if (beginning := _beginning(text)) is not None]
    often = Counter(found)
    recurring = [beginning for beginning in found if often[beginning] > 1]
    told = found if 2 * len(found) > len(texts) else recurring
    if len(told) < _FEWEST:
        return
    if not report.counts[ALIKE]:
        examples = ", ".join(repr(one) for one, _ in Counter(told).most_common(_MOST_EXAMPLES))
        report.warn(
            f"{path}: {len(told)} lines begin like a label ({examples}), and nobody is known who says them; "
            f"if these are speakers, name them in the table of labels as they are written there"
        )
    report.count(ALIKE, len(told))


def _beginning(text: str) -> str | None:
    found = _BEGINNING.match(text)
    if found is None or len(found[1].split()) > _MOST_WORDS:
        return None
    return found[1]
