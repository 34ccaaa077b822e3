"""What `inspect --json` prints is enough to work the plan out again, with a geometry written from the definitions."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from tests.conftest import FAMILIES, SAMPLE

from .samples import checkpoint, of_every_episode, printed

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
        "biases": [
            {"part": f"utterance {line['id']}", "tokens": line["tokens"], "weight": 1.0, "columns": own}
            for line, own in zip(record["utterances"], pairs, strict=True)
            if own
        ],
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


def of_two_episodes(family: str, mode: str) -> list[Record]:
    """All questions of two episodes, one of them with names, under a steering mode."""
    chosen = ("--episode", "kitchen-keys", "--episode", "gallery-paintings", "--frames", "3")
    return printed(SAMPLE / "episodes.jsonl", family, *chosen, "--steer", mode, "--balance", "0.25")


def question_of(record: Record) -> Record:
    lines = (SAMPLE / "episodes.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [question for line in lines for question in json.loads(line)["questions"]]
    return next(one for one in questions if one["id"] == record["question_id"])


def labels_behind(record: Record, family: str) -> list[tuple[str, list[int]]]:
    """Each label behind the transcript, as a whole word, with its tokens, read off the tokens' own spelling."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint(family))
    spelt = {"Ġ": " ", "▁": " ", "Ċ": "\n", "<0x0A>": "\n"}
    text, places = "", []
    for place, piece in enumerate(tokenizer.convert_ids_to_tokens(record["token_ids"])):
        for sign, plain in spelt.items():
            piece = piece.replace(sign, plain)
        text, places = text + piece, places + [place] * len(piece)
    labels = [speaker["label"] for speaker in record["speakers"]]
    start = text.index("\nQuestion: ")
    found = [word for label in labels for word in re.finditer(rf"\b{re.escape(label)}\b", text) if word.start() > start]
    return [(word[0], sorted({places[at] for at in range(*word.span())})) for word in found]


def weights_again(record: Record, family: str, balance: float) -> dict[tuple[int, int], float]:
    """The weight of each token and visual token under `both-ways`, by the definitions of docs/steering.md."""
    boxes, utterance = boxes_again(record), question_of(record).get("utterance")
    merged = {frame: frames for frames in record["grid"]["frames"] for frame in frames}
    ids = {speaker["label"]: speaker["id"] for speaker in record["speakers"]}
    options = [line[3:] for line in record["prompt"].split("\nQuestion: ")[1].splitlines() if line[1:3] == ". "]
    candidates = {ids[option] for option in options if option in ids}

    def region(speaker: str, frames: list[int]) -> set[int]:
        shown = {other for frame in frames for other in merged[frame]}
        own = [box["tokens"] for box in boxes if box["speaker"] == speaker and box["frame"] in shown]
        return {token for tokens in own for token in tokens}

    found: dict[tuple[int, int], float] = {}

    def add(tokens: list[int], cells: set[int], weight: float) -> None:
        for key in product(tokens, cells):
            found[key] = found.get(key, 0.0) + weight

    in_question = [frame["index"] for frame in record["frames"]]
    for line in record["utterances"]:
        if line["speaker"] is not None:
            add(line["tokens"], region(line["speaker"], line["frames"]), 1 - balance * (line["id"] == utterance))
        if line["id"] == utterance:
            in_question = line["frames"]
            add(line["tokens"], set().union(*(region(one, in_question) for one in candidates)), balance)
    for label, tokens in labels_behind(record, family):
        if ids[label] in candidates:
            add(tokens, region(ids[label], in_question), balance)
    return {key: weight for key, weight in found.items() if weight}


def test_the_biases_of_both_ways_follow_from_prompt_boxes_and_frames(family: str) -> None:
    balance, checked = 0.25, set()
    for record in of_two_episodes(family, "both-ways"):
        biases = [
            (key, one["weight"]) for one in record["plan"]["biases"] for key in product(one["tokens"], one["columns"])
        ]
        assert len(dict(biases)) == len(biases)
        assert dict(biases) == pytest.approx(weights_again(record, family, balance))
        checked |= {(record["task"], round(weight, 6)) for _, weight in biases}
    assert {("target", 0.25), ("target", 0.75), ("target", 1.0), ("coref", 0.25), ("videoqa", 1.0)} <= checked
    assert ("coref", 0.75) not in checked  # there, the speaker may be meant, and keeps the whole weight


def test_the_biases_of_gaze_follow_from_boxes_and_frames(family: str) -> None:
    steered = 0
    for record in of_two_episodes(family, "gaze"):
        asked = [line for line in record["utterances"] if line["id"] == question_of(record).get("utterance")]
        people, frames = ({asked[0]["speaker"]}, asked[0]["frames"]) if asked else (set(), [])
        if not asked:
            question = record["prompt"].split("\nQuestion: ")[1].split("\n")[0]
            people = {one["id"] for one in record["speakers"] if re.search(rf"\b{one['label']}\b", question)}
            frames = [frame["index"] for frame in record["frames"]]
        merged = {frame: other for other in record["grid"]["frames"] for frame in other}
        shown = {other for frame in frames for other in merged[frame]}
        own = [box["tokens"] for box in boxes_again(record) if box["speaker"] in people and box["frame"] in shown]
        region = {token for tokens in own for token in tokens}
        every = {token for step in record["grid"]["tokens"] for row in step for token in row if token >= 0}
        weights = {one["weight"]: set(one["columns"]) for one in record["plan"]["biases"]}
        assert weights == ({1.0: region, -1.0: every - region} if region else {})
        assert all(one["tokens"] == [len(record["token_ids"]) - 1] for one in record["plan"]["biases"])
        steered += bool(region)
    assert steered > 5
