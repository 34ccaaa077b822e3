"""Which utterances stand around the one that is asked about, and when utterances end that have only a beginning."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from socialcli.words.boundaries import length_in_words

SECONDS_A_WORD = 0.4  # conversational English: about 150 words a minute


def context(index: int, total: int, length: int, online: bool = False) -> range:
    """The utterances to show with utterance `index` of `total`: `length` before and after it, and itself.

    The window is 2 * length + 1 long: at the beginning of the file it reaches further forward, and at its end further
    back, as the loader of "Modeling Multimodal Social Interactions" (CVPR 2024) has it. `online`: nothing after it.
    """
    if online:
        return range(max(0, index - length), index + 1)
    beyond = max(0, length - (total - index) + 1)
    start = max(0, index - length - beyond)
    return range(start, min(total, start + 2 * length + 1))


def endings(starts: Sequence[float], texts: Sequence[str], least: float) -> list[float]:
    """When each utterance ends, in seconds: as the next one begins, and the last after the time that its words take.

    No utterance is shorter than `least` seconds, so that they may overlap a little. `starts` must be in order.
    """
    ends = [max(following, start + least) for start, following in pairwise(starts)]
    if starts:
        ends.append(starts[-1] + max(least, speaking_time(texts[-1])))
    return ends


def speaking_time(text: str) -> float:
    """About how many seconds it takes to say a text, whose marks may stand as words of their own."""
    return SECONDS_A_WORD * length_in_words(text)


def in_order(times: Sequence[float]) -> list[float]:
    """`times` with those that break the order moved between their neighbours: as few as possible are touched.

    A time that is out of order takes the one before it in the list that is kept, or the first kept one.
    """
    kept = _longest_rising(times)
    repaired, latest = [], times[kept[0]] if kept else 0.0
    keeping = set(kept)
    for index, time in enumerate(times):
        latest = time if index in keeping else latest
        repaired.append(latest)
    return repaired


def _longest_rising(times: Sequence[float]) -> list[int]:
    """The indices of a longest run of `times` that never falls, by patience sorting."""
    tops: list[float] = []
    places: list[int] = []
    before: list[int | None] = []
    for index, time in enumerate(times):
        pile = bisect_right(tops, time)
        before.append(places[pile - 1] if pile else None)
        tops[pile : pile + 1] = [time]
        places[pile : pile + 1] = [index]
    chain: list[int] = []
    last = places[-1] if places else None
    while last is not None:
        chain.append(last)
        last = before[last]
    return chain[::-1]
