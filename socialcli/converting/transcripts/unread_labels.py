"""Warn about lines that seem to begin with a speaker label that was not recognized."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from socialcli.converting.report import Report

UNREAD = "lines that begin like a label but have no known speaker"
_MOST_EXAMPLES = 3
_FEWEST = 3  # lines worth a warning
_BEGINNING = re.compile(
    r"(\[[^\]\n]{1,40}\](?:\s*[:：])?|[(（][^)）\n]{1,40}[)）]\s*[:：]|[^\s:：][^:：\n]{0,39}[:：](?!//))(?=\s*\S)(?!(?<=\d:)\d)"
)
_MOST_WORDS = 4


def warn_unread_labels(path: Path, texts: Sequence[str], report: Report) -> None:
    """Count the beginnings that many lines without a speaker share; warn about them once per conversion.

    `texts` are the lines of `path` without a speaker. A beginning is `something:` or `[something]` before more words.
    It counts if it recurs, or if most of the lines have one.
    """
    found = [beginning for text in texts if (beginning := _beginning(text)) is not None]
    often = Counter(found)
    recurring = [beginning for beginning in found if often[beginning] > 1]
    counted = found if 2 * len(found) > len(texts) else recurring
    if len(counted) < _FEWEST:
        return
    if not report.counts[UNREAD]:
        examples = ", ".join(repr(one) for one, _ in Counter(counted).most_common(_MOST_EXAMPLES))
        report.warn(
            f"{path}: {len(counted)} lines begin like a label ({examples}) but have no known speaker; "
            f"if these are speakers, add them to the table of labels, spelled as in the file"
        )
    report.count(UNREAD, len(counted))


def _beginning(text: str) -> str | None:
    found = _BEGINNING.match(text)
    if found is None or len(found[1].split()) > _MOST_WORDS:
        return None
    return found[1]
