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
    Measure("utterances_right", "share", _UTTERANCES, "the speaker is right: verbal attribution"),
    Measure("utterances_right_time", "rate", _SPEECH, "the same, weighted by the length of the utterances"),
    Measure("utterances_wrong", "share", _UTTERANCES, "the speaker is another one"),
    Measure("utterances_without_speaker", "share", _UTTERANCES, "the utterance is there, but has no speaker"),
    Measure("utterances_not_found", "share", _UTTERANCES, "less than half of the utterance is covered by words"),
    Measure("utterances_precision", "share", "utterances given a speaker", "the speaker is right, where there is one"),
    Measure(
        "utterances_placed",
        "share",
        "utterances with a box",
        "in the middle of the utterance, the box of its speaker overlaps enough (`--iou`) with that of the right "
        "person: the words meet the right region, whatever the ids",
    ),
    Measure("der", "rate", _SPEECH, "diarization error rate: the sum of the next three", most=inf),
    Measure("der_missed", "rate", _SPEECH, "missed speech: fewer people speak than in the reference"),
    Measure("der_false_alarm", "rate", _SPEECH, "false alarm: more people speak than in the reference", most=inf),
    Measure("der_confusion", "rate", _SPEECH, "speech of another speaker, or of an unknown one"),
    Measure("jer", "rate", "speakers", "Jaccard error rate: the mean error of a speaker"),
    Measure("boxes_right", "share", _BOXES, "the box of the right person overlaps enough: non-verbal attribution"),
    Measure(
        "boxes_centred",
        "share",
        _BOXES,
        "the right person has a box, and the centre of the smaller of both lies in the larger one: for faces against "
        "people",
    ),
    Measure("boxes_missing", "share", _BOXES, "the right person has no box"),
    Measure("boxes_identity", "share", "boxes found", "`boxes_right` among the boxes that overlap enough with any box"),
    Measure("mean_iou", "rate", "boxes of both", "mean intersection over union, where the right person has a box"),
    Measure(
        "mota",
        "rate",
        _BOXES,
        "multiple object tracking accuracy: 1 - (`mota_missed` + `mota_false` + `identity_switches`)",
        least=-inf,
    ),
    Measure("mota_missed", "share", _BOXES, "boxes of the reference that match no box"),
    Measure("mota_false", "rate", _BOXES, "boxes that match no box of the reference", most=inf),
    Measure("identity_switches", "rate", _BOXES, "changes of the person whose box matches"),
    Measure("idf1", "rate", "boxes (mean)", "IDF1: the F1 score of boxes that keep their identity"),
    Measure("people_missed", "share", "people", "people of the reference without a partner"),
    Measure("people_false", "share", "people there", "people of the other file without a partner"),
)

MEASURE_NAMES = tuple(one.name for one in MEASURES)

Amounts = Mapping[str, tuple[float, float]]
"""The amount and the total of each measure: they add up over episodes, and their ratio is the figure."""
