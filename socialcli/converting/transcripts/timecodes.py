"""The lines of times of subtitle files, in the ways that editors, translators and scripts write them."""

from __future__ import annotations

import html
import re
import unicodedata
from enum import Enum, auto
from functools import lru_cache

from socialcli.converting.transcripts.marks import TAG
from socialcli.words.scripts import seen

_TIME = r"[-−–]?\d{1,6}(?::\d{1,3}){1,3}(?:[.,;٫]\d{1,9})?(?![\d:])"
_ARROW = r"\s*[-–—−‒‐‑=~\s]*[>›»→⇒⟶➔➜]+\s*"  # -->, ->, --->, –>, -- >
_DASH = r"\s+[-–—−]+\s+|\s*-{2,}\s*"  # an arrow that lost its head: only between whole times
_OPEN, _CLOSE = r"[\s\[({<\"'*|]*", r"[\])}>\"'*|]*"
_PAIR = re.compile(rf"{_OPEN}({_TIME}){_CLOSE}({_ARROW}|{_DASH}){_OPEN}({_TIME}){_CLOSE}(.*)", re.DOTALL)
_BARE = re.compile(r"\d+:\d+$")  # 10:30, which may be the time of day
_SETTING = re.compile(
    r"(?:^|\s)\s*(?:(?:vertical|line|position|size|align|region)\s*:\s*\S+"
    r"|(?:[XY][12]|[ADLST])\s*:\s*-?\d\S*|[A-Za-z-]+:[-\d.,%]+)(?=\s|$)",
    re.IGNORECASE,
)
_ANY_ARROW = re.compile(r"^\W*\d\S*\s*-->")  # in the words of a cue, an arrow elsewhere is text
_WHOLE = r"\d+:\d+[:.,]\d+"  # a time of at least three parts, which words seldom hold
_TWO_WHOLE = re.compile(rf"{_WHOLE}\S*{_ARROW}\S*{_WHOLE}")
_LOOSE = (
    re.compile(r"-->"),
    re.compile(rf"^\W*\d\S*{_ARROW}"),
    re.compile(rf"{_TIME}\W*(?:{_ARROW}){_OPEN}[-−–]?\d"),
    re.compile(rf"^\W*{_WHOLE}\S*(?:\D+{_WHOLE}\S*)?\W*$"),
)
_LONGEST = 500  # characters of a row that are looked at: its beginning says what it is
_HINT = re.compile(r"[:：>＞→⇒⟶➔➜›»&]")  # no row of times has none of these: words are known fast
_SPREAD = re.compile(r"(?<=\d)\s*([:.,;])\s*(?=\d)")  # "00: 00: 03, 000", as machine translation leaves it


class Place(Enum):
    """Where a row stands: below the number of a cue, where times are due; first in its block; or among words."""

    DUE = auto()
    BLOCK = auto()
    WORDS = auto()


def read_times(row: str, short_fraction: bool) -> tuple[float, float] | None:
    """The two times of a row in seconds, below 0 where a minus stands before them; None where it has no two times.

    `short_fraction`: "1,5" ends in half a second, as in WebVTT; else in 5 milliseconds, as in SubRip. Words
    behind the times make the row unreadable, so that they are not lost; settings such as `align:start` do not.
    """
    found = _PAIR.fullmatch(_clean(row))
    if found is None or _unset(found[4]):
        return None
    if not re.search(_ARROW.strip(), found[2]) and (_BARE.match(found[1]) or _BARE.match(found[3])):
        return None
    start, end = _seconds(found[1], short_fraction), _seconds(found[3], short_fraction)
    return None if start is None or end is None else (start, end)


def words_behind_times(row: str) -> str:
    """What stands behind two times in a row and is no setting: words that slipped there; "" where nothing does."""
    found = _PAIR.fullmatch(_clean(row))
    return "" if found is None else _unset(found[4])


def looks_like_times(row: str, place: Place) -> bool:
    """Whether a row is meant as times, readable or not: more is where times are due than where a block begins.

    Among words, "10:30 -> 11:30" is no line of times, and neither is it at the beginning of a block.
    """
    if not _HINT.search(row):
        return False
    clean = _clean(row)
    if place is Place.WORDS:
        return bool(_ANY_ARROW.search(clean) or _TWO_WHOLE.search(clean))
    if place is Place.BLOCK and not ("-->" in clean or re.search(_WHOLE, clean)):
        return False
    return read_times(row, True) is not None or any(form.search(clean) for form in _LOOSE)


@lru_cache(maxsize=16)  # a row is looked at several times
def _clean(row: str) -> str:
    """A row as its writer saw it, full-width signs as plain ones."""
    text = unicodedata.normalize("NFKC", seen(html.unescape(html.unescape(TAG.sub("", row[:_LONGEST])))))
    return _SPREAD.sub(r"\1", " ".join(text.split()))


def _unset(rest: str) -> str:
    return _SETTING.sub("", rest).strip()


def _seconds(time: str, short_fraction: bool) -> float | None:
    """[hours:]minutes:seconds with or without a fraction, in seconds; None where a part is too large."""
    sign = -1 if time[0] in "-−–" else 1
    whole, *fractions = re.split(r"[.,;٫]", time.lstrip("-−–"))
    short_fraction = short_fraction or "." in time  # which SubRip does not write: a decimal number
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
