"""Boxes brought into the picture: they are rounded first, so that one without an area costs only itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from socialcli.converting.boxes import CUT, OUTSIDE, clip_box
from socialcli.converting.report import Report
from socialcli.episodes.records import Box

from ..video.clips import write_video
from .mmsi import person, release, save
from .sources import converted, write

SIZE = (128, 48)
SRT = "1\n00:00:00,500 --> 00:00:02,500\nhello there\n"


def test_the_case_from_the_field(cases: Path) -> None:
    case = cases / "box-rounded-away"
    words = ("tracks", cases / "talk.mp4", "--media-root", cases, "--subtitles", case / "p2.srt")
    (episode,), account = converted(case / "e.jsonl", *words, "--boxes", case / "edge1.csv")
    assert [(box.x0, box.y0, box.x1, box.y1) for box in episode.boxes] == [(10, 20, 60, 100)]
    assert account["notes"][OUTSIDE] == 1 and account["skipped"] == 0


@pytest.mark.parametrize(
    ("edges", "kept", "counts"),
    [
        ((1.0004, 2, 3.0006, 4), (1, 2, 3.001, 4), {}),
        ((127.9997, 2, 140, 4), None, {OUTSIDE: 1}),
        ((1, 2, 1.0004, 4), None, {OUTSIDE: 1}),  # inside, and no wider than nothing
        ((1, -5, 3, 0.0004), None, {OUTSIDE: 1}),
        ((-0.0004, 0, 3, 48.0004), (0, 0, 3, 48), {}),  # nothing of it is cut
        ((-0.001, 0, 3, 48), (0, 0, 3, 48), {CUT: 1}),
        ((3, 2, 1, 4), None, {OUTSIDE: 1}),
        ((float("-inf"), 0, float("inf"), 4), (0, 0, 128, 4), {CUT: 1}),
    ],
)
def test_what_is_left_of_a_box(edges: Any, kept: Any, counts: dict[str, int]) -> None:
    report = Report(False)
    assert clip_box("a", 1.0, edges, SIZE, report) == (None if kept is None else Box("a", 1.0, *kept))
    assert report.counts == counts and (report.boxes_read, report.boxes_kept) == (1, int(kept is not None))


def test_an_edge_at_the_border_is_0_and_not_minus_0() -> None:
    box = clip_box("a", 1.0, (-0.0001, -0.0, 3, 4), SIZE, Report(False))
    assert box is not None and "-" not in f"{box.x0} {box.y0}"


def test_every_box_that_is_kept_has_an_area() -> None:
    chance = np.random.default_rng(0)
    report = Report(False)
    places = chance.choice([0, 1e-4, 4e-4, 6e-4, 1e-3], (2000, 4)) + chance.choice([-1, 0, 47, 48, 128], (2000, 4))
    for edges in places.tolist():
        box = clip_box("a", 0.0, tuple(edges), SIZE, report)
        assert box is None or (0 <= box.x0 < box.x1 <= 128 and 0 <= box.y0 < box.y1 <= 48)
    assert report.boxes_kept and report.counts[OUTSIDE] + report.boxes_kept == 2000


def test_a_sliver_costs_one_box_in_an_mot_file(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 40, rate=10)
    lines = write(tmp_path / "a.txt", "1,3,2,2,9,9,1\n2,3,128.9997,2,9,9,1\n3,3,2,2,9,0.0003,1\n")
    words = ("tracks", tmp_path / "clip.mp4", "--subtitles", write(tmp_path / "a.srt", SRT), "--boxes", lines)
    (episode,), account = converted(tmp_path / "e.jsonl", *words)
    assert len(episode.boxes) == 1 and account["notes"][OUTSIDE] == 2


def test_a_sliver_costs_one_box_in_tvqa_plus(tmp_path: Path) -> None:
    edges = {"left": 10, "top": 10, "width": 90, "height": 90}
    sliver = {**edges, "left": 639.9998, "img_id": 4, "label": "Penny"}
    boxes = {"1": [{"img_id": 1, "label": "Penny", **edges}], "4": [sliver]}
    answers = {f"a{index}": f"Answer {index}" for index in range(5)} | {"answer_idx": "0"}
    question = {"qid": 1, "q": "Who ?", "vid_name": "clip", "bbox": boxes} | answers
    words = ("tvqa-plus", write(tmp_path / "val.json", [question]), "--frames", tmp_path)
    (episode,), account = converted(tmp_path / "e.jsonl", *words)
    assert [box.time for box in episode.boxes] == [0.0] and account["notes"][OUTSIDE] == 1


def test_a_sliver_costs_one_box_of_keypoints(tmp_path: Path) -> None:
    words = (*release(tmp_path), "--task", "STI", "--margin", "0")
    triangle, edge = ((100.0, 50.0), (200.0, 50.0), (100.0, 250.0)), ((639.9998, 50.0), (650.0, 50.0), (650.0, 90.0))
    steps = [[person(0, *triangle), person(1, *edge)] for _ in range(200)]
    save(tmp_path / "keypoints" / "vid1_Game1.npy", steps)
    episodes, account = converted(tmp_path / "e.jsonl", *words)
    assert {box.speaker for box in episodes[0].boxes} == {"Player0"} and account["notes"][OUTSIDE]


def test_a_person_who_cannot_be_read_costs_one_box(tmp_path: Path) -> None:
    words = (*release(tmp_path), "--task", "STI")
    triangle = ((100.0, 50.0), (200.0, 50.0), (100.0, 250.0))
    bad = [{"idx": 1.5, "keypoints": person(1, *triangle)["keypoints"]}, {"idx": 1, "keypoints": [1.0]}, {"idx": 1}]
    save(tmp_path / "keypoints" / "vid1_Game1.npy", [[person(0, *triangle), *bad]] * 12 + [[]] * 100)
    episodes, account = converted(tmp_path / "e.jsonl", *words, "--skip-bad", "--context", "5")
    assert [box.time for box in episodes[0].boxes] == [2.0, 2.2]
    assert account["skipped"] == 36 and len(episodes) > 3  # the game is there
