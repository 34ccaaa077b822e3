"""Utterances around the one that a question is about, and end times for utterances that have only start times."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from socialcli.words.boundaries import length_in_words

SECONDS_PER_WORD = 0.4  # conversational English: about 150 words a minute


def context_window(index: int, total: int, length: int, online: bool = False) -> range:
    """The indices of the utterances to show with utterance `index` of `total`: `length` before it and after it.

    The window always has 2 * length + 1 utterances: at the beginning of the file it extends further forward, at the end
    further back, like the loader of "Modeling Multimodal Social Interactions" (CVPR 2024). `online`: nothing after it.
    """
    if online:
        return range(max(0, index - length), index + 1)
    beyond = max(0, length - (total - index) + 1)
    start = max(0, index - length - beyond)
    return range(start, min(total, start + 2 * length + 1))


def end_times(starts: Sequence[float], texts: Sequence[str], least: float) -> list[float]:
    """The end of each utterance in seconds: the start of the next one; for the last, the time that its words take.

    No utterance is shorter than `least` seconds, so they may overlap a little. `starts` must be in order.
    """
    ends = [max(following, start + least) for start, following in pairwise(starts)]
    if starts:
        ends.append(starts[-1] + max(least, speaking_time(texts[-1])))
    return ends


def speaking_time(text: str) -> float:
    """An estimate of the seconds it takes to say a text."""
    return SECONDS_PER_WORD * length_in_words(text)


def repair_order(times: Sequence[float]) -> list[float]:
    """`times` in order, with as few of them changed as possible.

    A time that is out of order takes the value of the last kept time before it, or of the first kept one.
    """
    kept = _longest_nondecreasing(times)
    repaired, latest = [], times[kept[0]] if kept else 0.0
    keeping = set(kept)
    for index, time in enumerate(times):
        latest = time if index in keeping else latest
        repaired.append(latest)
    return repaired


def _longest_nondecreasing(times: Sequence[float]) -> list[int]:
    """The indices of a longest non-decreasing subsequence of `times`, by patience sorting."""
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
