"""Recognize the time lines of subtitle files in all the ways that editors, translators and scripts write them."""

from __future__ import annotations

import html
import re
import unicodedata
from enum import Enum, auto
from functools import lru_cache

from socialcli.converting.transcripts.markup import TAG
from socialcli.words.scripts import seen

_TIME = r"[-−–]?\d{1,6}(?::\d{1,3}){1,3}(?:[.,;٫]\d{1,9})?(?![\d:])"
_ARROW = r"\s*[-–—−‒‐‑=~\s]*[>›»→⇒⟶➔➜]+\s*"  # -->, ->, --->, –>, -- >
_DASH = r"\s+[-–—−]+\s+|\s*-{2,}\s*"  # an arrow without its head: only between whole times
_OPEN, _CLOSE = r"[\s\[({<\"'*|]*", r"[\])}>\"'*|]*"
_PAIR = re.compile(rf"{_OPEN}({_TIME}){_CLOSE}({_ARROW}|{_DASH}){_OPEN}({_TIME}){_CLOSE}(.*)", re.DOTALL)
_BARE = re.compile(r"\d+:\d+$")  # 10:30 may be a time of day
_SETTING = re.compile(
    r"(?:^|\s)\s*(?:(?:vertical|line|position|size|align|region)\s*:\s*\S+"
    r"|(?:[XY][12]|[ADLST])\s*:\s*-?\d\S*|[A-Za-z-]+:[-\d.,%]+)(?=\s|$)",
    re.IGNORECASE,
)
_ANY_ARROW = re.compile(r"^\W*\d\S*\s*-->")  # within a cue's words, an arrow elsewhere is text
_WHOLE = r"\d+:\d+[:.,]\d+"  # a time of at least three parts, rare in words
_TWO_WHOLE = re.compile(rf"{_WHOLE}\S*{_ARROW}\S*{_WHOLE}")
_LOOSE = (
    re.compile(r"-->"),
    re.compile(rf"^\W*\d\S*{_ARROW}"),
    re.compile(rf"{_TIME}\W*(?:{_ARROW}){_OPEN}[-−–]?\d"),
    re.compile(rf"^\W*{_WHOLE}\S*(?:\D+{_WHOLE}\S*)?\W*$"),
)
_LONGEST = 500  # characters of a row that are examined; its beginning is enough
_HINT = re.compile(r"[:：>＞→⇒⟶➔➜›»&]")  # no row of times has none of these: words are known fast
_SPREAD = re.compile(r"(?<=\d)\s*([:.,;])\s*(?=\d)")  # "00: 00: 03, 000", as machine translation leaves it


class Place(Enum):
    """A row's place: below a cue number, where times are due; first in its block; or among words."""

    DUE = auto()
    BLOCK = auto()
    WORDS = auto()


def read_times(row: str, short_fraction: bool) -> tuple[float, float] | None:
    """The two times of a row in seconds, negative after a minus sign; None if the row has no two times.

    `short_fraction`: "1,5" means 1.5 seconds, as in WebVTT; otherwise 1.005, as in SubRip. Words after the times make
    the row unreadable, so that they are not lost; settings such as `align:start` do not.
    """
    found = _PAIR.fullmatch(_clean(row))
    if found is None or _unset(found[4]):
        return None
    if not re.search(_ARROW.strip(), found[2]) and (_BARE.match(found[1]) or _BARE.match(found[3])):
        return None
    start, end = _seconds(found[1], short_fraction), _seconds(found[3], short_fraction)
    return None if start is None or end is None else (start, end)


def words_behind_times(row: str) -> str:
    """Words after the two times of a row that are not settings; "" if there are none."""
    found = _PAIR.fullmatch(_clean(row))
    return "" if found is None else _unset(found[4])


def looks_like_times(row: str, place: Place) -> bool:
    """Whether a row is meant as times, readable or not. More rows qualify where times are due than at a block's start.

    Among words and at the start of a block, "10:30 -> 11:30" is not a line of times.
    """
    if not _HINT.search(row):
        return False
    clean = _clean(row)
    if place is Place.WORDS:
        return bool(_ANY_ARROW.search(clean) or _TWO_WHOLE.search(clean))
    if place is Place.BLOCK and not ("-->" in clean or re.search(_WHOLE, clean)):
        return False
    return read_times(row, True) is not None or any(form.search(clean) for form in _LOOSE)


@lru_cache(maxsize=16)  # a row is examined several times
def _clean(row: str) -> str:
    """A row as displayed, with full-width signs as plain ones."""
    text = unicodedata.normalize("NFKC", seen(html.unescape(html.unescape(TAG.sub("", row[:_LONGEST])))))
    return _SPREAD.sub(r"\1", " ".join(text.split()))


def _unset(rest: str) -> str:
    return _SETTING.sub("", rest).strip()


def _seconds(time: str, short_fraction: bool) -> float | None:
    """[hours:]minutes:seconds, with or without a fraction, in seconds; None if a part is too large."""
    sign = -1 if time[0] in "-−–" else 1
    whole, *fractions = re.split(r"[.,;٫]", time.lstrip("-−–"))
    short_fraction = short_fraction or "." in time  # SubRip writes no point: this is a decimal number
    parts = whole.split(":")
    if not fractions and len(parts) > 2 and len(parts[-1]) == 3:  # 00:00:03:000
        fractions = [parts.pop()]
    if len(parts) > 3 or any(len(part) > 2 for part in parts[-2:]):
        return None
    hours, minutes, seconds = (0, 0, 0, *map(int, parts))[-3:]
    if seconds > 59 or (len(parts) == 3 and minutes > 59):
        return None
    fraction = fractions[0] if fractions else "0"
    fraction = fraction.ljust(3, "0") if short_fraction else fraction.rjust(3, "0")
    milliseconds = int(fraction) / float(10 ** (len(fraction) - 3))
    return sign * (((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds) / 1000
