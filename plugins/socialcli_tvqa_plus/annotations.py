"""Read the annotations of the TVQA+ release: `tvqa_plus_train.json`, `tvqa_plus_val.json`.

Source: "TVQA+: Spatio-Temporal Grounding for Video Question Answering" (Lei et al., ACL 2020), https://tvqa.cs.unc.edu.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.converting.boxes import clip_box
from socialcli.converting.labels import known_name
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import is_number, read_json, required_field
from socialcli.converting.unit_checks import check_box_unit
from socialcli.episodes.checking.box_units import Edges
from socialcli.episodes.records import Box, Question

from .people import GROUPS, NAMELESS, People

FRAME_RATE = 3  # images per second of the release's frames; boxes count them from 1
SIZE = (640, 360)  # pixels of the frames that the boxes refer to
LAST_IMAGE = 100_000  # nine hours
ANSWERS = ("a0", "a1", "a2", "a3", "a4")


@dataclass(frozen=True, slots=True)
class AnnotatedQuestion:
    """A question of the release with its boxes, which still have the annotators' labels."""

    clip: str
    question: Question
    labelled: tuple[Mapping[str, Any], ...]
    unusable: int = 0  # boxes that were skipped


def read_annotations(path: Path, report: Report, source: tuple[int, int] = SIZE) -> dict[str, list[AnnotatedQuestion]]:
    """The questions of each clip, both in the order of the file. Unusable questions and boxes go to `report`.

    `source` is the size (width, height) of the pictures that the boxes refer to. Raises NotFoundError, and SourceError
    if the file as a whole cannot be used.
    """
    records = read_json(path)
    if not isinstance(records, list):
        raise SourceError(
            path, None, None, "is not a list of questions; name tvqa_plus_train.json or tvqa_plus_val.json"
        )
    clips: dict[str, list[AnnotatedQuestion]] = {}
    numbers: set[str] = set()
    for index, record in enumerate(records):
        with report.skipping_bad():
            asked = _annotated_question(record, path, f"[{index}]", report)
            if asked.question.id in numbers:
                raise SourceError(path, None, f"[{index}].qid", f"is {asked.question.id} again; give each its own id")
            numbers.add(asked.question.id)
            clips.setdefault(asked.clip, []).append(asked)
    boxes = [edges for clip in clips.values() for _, _, edges in _scaled(clip, source, source)]
    if not boxes and any(asked.unusable for clip in clips.values() for asked in clip):
        raise SourceError(path, None, "bbox", "holds no usable box; correct them")
    check_box_unit(path, boxes, source)
    return clips


def _annotated_question(record: object, path: Path, where: str, report: Report) -> AnnotatedQuestion:
    if not isinstance(record, Mapping):
        raise SourceError(path, None, where, f"is {record!r}, not a question; correct it")
    candidates = tuple(required_field(record, name, str, path, where).strip() for name in ANSWERS)
    if not all(candidates):
        empty = ANSWERS[candidates.index("")]
        raise SourceError(path, None, f"{where}.{empty}", "is empty; fill it in")
    clip, text = (required_field(record, name, str, path, where).strip() for name in ("vid_name", "q"))
    number = required_field(record, "qid", (int, str), path, where)
    if not (clip and text and str(number)):
        raise SourceError(path, None, where, "has an empty vid_name, qid or q; fill it in")
    place = _place(record, path, where)
    question = Question(
        id=str(number),
        task="videoqa",
        text=text,
        candidates=candidates,
        answer=None if place is None else candidates[place],
        answer_index=place,
    )
    boxes = required_field({"bbox": {}} | dict(record), "bbox", dict, path, where)
    if not all(isinstance(found, list) for found in boxes.values()):
        raise SourceError(path, None, f"{where}.bbox", "holds something other than lists of boxes; correct it")
    labelled = []
    for image, found in boxes.items():
        for place, box in enumerate(found):
            with report.skipping_bad():
                labelled.append(_checked_box(box, path, f"{where}.bbox.{image}[{place}]"))
    return AnnotatedQuestion(clip, question, tuple(labelled), sum(map(len, boxes.values())) - len(labelled))


def _place(record: Mapping[str, Any], path: Path, where: str) -> int | None:
    """The place of the gold answer; None if the release withholds it, as in its test split."""
    index = record.get("answer_idx")
    if index is None:
        return None
    if str(index) not in ("0", "1", "2", "3", "4"):
        raise SourceError(path, None, f"{where}.answer_idx", f"is {index!r}, not a number from 0 to 4; correct it")
    return int(index)


def _checked_box(box: object, path: Path, where: str) -> Mapping[str, Any]:
    if not isinstance(box, Mapping):
        raise SourceError(path, None, where, f"holds {box!r}, not a box; correct it")
    required_field(box, "label", str, path, where)
    if not 1 <= required_field(box, "img_id", int, path, where) <= LAST_IMAGE:
        raise SourceError(path, None, f"{where}.img_id", f"is {box['img_id']}; images are counted from 1")
    for edge in ("left", "top", "width", "height"):
        if not is_number(box.get(edge)):
            raise SourceError(
                path, None, f"{where}.{edge}", f"is {box.get(edge)!r}, not a number of pixels; correct it"
            )
    return box


def people_boxes(
    clip: Iterable[AnnotatedQuestion], people: People, size: tuple[int, int], source: tuple[int, int], report: Report
) -> list[Box]:
    """The boxes of people in a clip by time, from all its questions, in pixels of pictures of `size`.

    They refer to pictures of `source` (width, height). Each question was annotated separately, so a person can have
    several boxes at one moment: the first counts.
    """
    boxes: dict[tuple[float, str], Box] = {}
    for label, time, edges in _scaled(clip, size, source):
        name = people.who(label)
        if name is None:
            report.count(f"boxes dropped of {_kind(label)}")
        elif (time, name) in boxes:
            report.count("boxes dropped because the person has another one at that moment")
        else:
            if label != name:
                report.count(f"boxes of {name} labelled {label}")
            box = clip_box(name, time, edges, size, report)
            if box is not None:
                boxes[time, name] = box
    return [boxes[key] for key in sorted(boxes)]


def _scaled(
    clip: Iterable[AnnotatedQuestion], size: tuple[int, int], source: tuple[int, int]
) -> Iterator[tuple[str, float, Edges]]:
    """Label, seconds and edges of every box, scaled from pictures of `source` to pictures of `size`."""
    wide, high = size[0] / source[0], size[1] / source[1]
    for asked in clip:
        for box in asked.labelled:
            left, top = box["left"] * wide, box["top"] * high
            edges = (left, top, left + box["width"] * wide, top + box["height"] * high)
            yield box["label"], (box["img_id"] - 1) / FRAME_RATE, edges


def _kind(label: str) -> str:
    folded = label.casefold().strip()
    nameless = folded in NAMELESS or known_name(label) is None
    return "groups" if folded in GROUPS else "people without a name" if nameless else "things"
