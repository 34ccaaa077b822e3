"""The figures of agreement: each a count of a total, or a sum over one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Literal


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure. A "share" counts some of a total; a "rate" is any other ratio."""

    name: str
    kind: Literal["share", "rate"]
    unit: str  # what the total counts
    meaning: str  # Markdown, without a full stop
    least: float = 0.0  # the limits of its value, and of its interval
    most: float = 1.0


_UTTERANCES = "utterances"
_BOXES = "boxes"
_SPEECH = "seconds of speech"

MEASURES: tuple[Measure, ...] = (
    Measure("utterances_right", "share", _UTTERANCES, "the speaker is the right one: verbal attribution"),
    Measure("utterances_right_time", "rate", _SPEECH, "the same, weighted by the length of the utterances"),
    Measure("utterances_wrong", "share", _UTTERANCES, "the speaker is another one"),
    Measure("utterances_without_speaker", "share", _UTTERANCES, "the utterance is there, but has no speaker"),
    Measure("utterances_not_found", "share", _UTTERANCES, "words there cover less than half of the utterance"),
    Measure(
        "utterances_precision",
        "share",
        "utterances given a speaker",
        "of the utterances that are given a speaker, those with the right one",
    ),
    Measure(
        "utterances_placed",
        "share",
        "utterances with a box",
        "the speaker whom the utterance is given has, in its middle, a box that overlaps enough with the right "
        "person's: the words go with the right region, whatever the speakers are called",
    ),
    Measure("der", "rate", _SPEECH, "diarization error rate: the sum of the next three", most=inf),
    Measure("der_missed", "rate", _SPEECH, "missed speech"),
    Measure("der_false_alarm", "rate", _SPEECH, "speech by more people than speak in the reference", most=inf),
    Measure("der_confusion", "rate", _SPEECH, "speech given to another speaker, or to none"),
    Measure("jer", "rate", "speakers", "Jaccard error rate: the mean error of a speaker"),
    Measure("boxes_right", "share", _BOXES, "the right person's box overlaps enough (`--iou`): non-verbal attribution"),
    Measure(
        "boxes_centred",
        "share",
        _BOXES,
        "the right person has a box, and the centre of the smaller box lies in the larger one: faces against people",
    ),
    Measure("boxes_missing", "share", _BOXES, "the right person has no box"),
    Measure(
        "boxes_identity",
        "share",
        "boxes found",
        "of the boxes that overlap enough with a box of anybody, those that overlap enough with the right person's",
    ),
    Measure("mean_iou", "rate", "boxes of both", "mean intersection over union, where the right person has a box"),
    Measure("mota", "rate", _BOXES, "1 - (missed + false boxes + identity switches) / boxes (CLEAR MOT)", least=-inf),
    Measure("mota_missed", "share", _BOXES, "boxes to which no box corresponds, of whomever"),
    Measure("mota_false", "rate", _BOXES, "boxes there that correspond to none of the reference", most=inf),
    Measure("identity_switches", "rate", _BOXES, "a person's box becomes another person's"),
    Measure("idf1", "rate", "boxes (mean)", "F1 of the boxes that keep their identity (IDF1)"),
    Measure("people_missed", "share", "people", "nobody in the other annotation is this person"),
    Measure("people_false", "share", "people there", "people of the other annotation whom the reference has not"),
)

MEASURE_NAMES = tuple(one.name for one in MEASURES)

Amounts = Mapping[str, tuple[float, float]]
"""The amount and the total of each measure: they add up over episodes, and their ratio is the figure."""
