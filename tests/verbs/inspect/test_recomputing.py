"""What `inspect --json` prints is enough to work the plan out again, with a geometry written from the definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FAMILIES

from .samples import of_every_episode, printed

Record = dict[str, Any]
CASES = [(family, ()) for family in FAMILIES] + [
    ("llava-next-video", ("--frame-fit", "crop")),
    ("llava-next-video", ("--frame-fit", "stretch")),
    ("qwen2.5-vl", ("--frames", "5", "--context", "past")),
]
ROUNDING = 1e-9


def box_at(annotated: list[Record], time: float, gap: float) -> list[float] | None:
    """A speaker's box at a moment: interpolated between neighbours that are near each other, else the nearest one."""
    corners = [[box[edge] for edge in ("x0", "y0", "x1", "y1")] for box in annotated]
    for box, there in zip(annotated, corners, strict=True):
        if box["time"] == time:
            return there
    before = max((i for i, box in enumerate(annotated) if box["time"] < time), default=None)
    after = min((i for i, box in enumerate(annotated) if box["time"] > time), default=None)
    if before is not None and after is not None:
        start, end = annotated[before]["time"], annotated[after]["time"]
        if end - start <= gap:
            weight = (time - start) / (end - start)
            return [a + weight * (b - a) for a, b in zip(corners[before], corners[after], strict=True)]
    near = [i for i in (before, after) if i is not None and abs(annotated[i]["time"] - time) <= gap]
    return corners[min(near, key=lambda i: abs(annotated[i]["time"] - time))] if near else None


def intersection(one: list[float], other: list[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def area(one: list[float]) -> float:
    return (one[2] - one[0]) * (one[3] - one[1])


def covered_tokens(box: list[float], cells: list[list[list[float]]], tokens: list[list[int]]) -> list[int]:
    """Cells of which at least half lies in the box; where there is none, the first that holds its centre."""
    flat = [(cell, tokens[row][column]) for row, line in enumerate(cells) for column, cell in enumerate(line)]
    halves = [token for cell, token in flat if intersection(box, cell) >= area(cell) * (0.5 - ROUNDING)]
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    centre = [token for cell, token in flat if cell[0] <= x <= cell[2] and cell[1] <= y <= cell[3]]
    return sorted(halves or centre[:1])


def boxes_again(record: Record) -> list[Record]:
    grid = record["grid"]
    window = [grid["cells"][0][0][0], grid["cells"][0][0][1], grid["cells"][-1][-1][2], grid["cells"][-1][-1][3]]
    found = []
    for speaker in record["speakers"]:
        track = [box for box in record["annotated_boxes"] if box["speaker"] == speaker["id"]]
        track.sort(key=lambda box: box["time"])
        for frame in record["frames"]:
            if (box := box_at(track, frame["time"], record["box_gap"])) is not None:
                (step,) = [step for step, frames in enumerate(grid["frames"]) if frame["index"] in frames]
                tokens = covered_tokens(box, grid["cells"], grid["tokens"][step])
                seen = intersection(box, window) / area(box)
                found.append(
                    {"speaker": speaker["id"], "frame": frame["index"], "box": box, "seen": seen, "tokens": tokens}
                )
    return found


def frames_again(record: Record, line: Record) -> list[int]:
    """F(u): frames within the utterance, else the nearest one."""
    inside = [f["index"] for f in record["frames"] if line["start"] <= f["time"] <= line["end"]]
    distance = {f["index"]: max(line["start"] - f["time"], f["time"] - line["end"]) for f in record["frames"]}
    return inside or [min(distance, key=lambda index: distance[index])]


def plan_again(record: Record, boxes: list[Record]) -> Record:
    merged = {frame: frames for frames in record["grid"]["frames"] for frame in frames}
    pairs = []
    for line in record["utterances"]:
        shown = {other for frame in frames_again(record, line) for other in merged[frame]}
        own = [box["tokens"] for box in boxes if box["speaker"] == line["speaker"] and box["frame"] in shown]
        pairs.append(sorted({token for tokens in own for token in tokens}))
    return {
        "rows": sorted(
            {token for line in record["utterances"] if line["speaker"] is not None for token in line["tokens"]}
        ),
        "columns": sorted({token for box in boxes for token in box["tokens"]}),
        "pairs": pairs,
    }


def assert_follows(record: Record) -> None:
    boxes = boxes_again(record)
    assert [box["tokens"] for box in boxes] == [box["tokens"] for box in record["boxes"]]
    for again, box in zip(boxes, record["boxes"], strict=True):
        assert (again["speaker"], again["frame"]) == (box["speaker"], box["frame"])
        assert again["box"] == pytest.approx(box["box"])
        assert again["seen"] == pytest.approx(box["seen"])
    unseen = [{"speaker": box["speaker"], "frame": box["frame"]} for box in boxes if not box["tokens"]]
    assert record["boxes_without_tokens"] == unseen
    assert [frames_again(record, line) for line in record["utterances"]] == [
        line["frames"] for line in record["utterances"]
    ]
    assert plan_again(record, boxes) == record["plan"]


@pytest.mark.parametrize(("family", "arguments"), CASES)
def test_coverage_and_plan_follow_from_the_printed_numbers(family: str, arguments: tuple[str, ...]) -> None:
    records = of_every_episode(family, *arguments)
    assert len(records) > 10
    for record in records:
        assert_follows(record)
        assert record["plan"]["rows"] and record["plan"]["columns"]
        assert any(record["plan"]["pairs"])


def test_a_crop_leaves_boxes_without_tokens_and_says_which() -> None:
    lost = [record["boxes_without_tokens"] for record in of_every_episode("llava-next-video", "--frame-fit", "crop")]
    assert any(lost)
    assert not any(record["boxes_without_tokens"] for record in of_every_episode("llava-next-video"))


def test_the_same_on_real_footage(family: str, real_footage: Path) -> None:
    for record in printed(real_footage, family):
        assert_follows(record)
