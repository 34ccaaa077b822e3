"""`socialcli convert tracks --boxes` with the files of Label Studio, CVAT and COCO."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..video.clips import write_video
from .sources import convert, converted, write
from .tracks.footage import saved
from .tracks.test_coco import annotation, coco
from .tracks.test_cvat import box, export, track
from .tracks.test_label_studio import keyframe, region, task

SRT = "1\n00:00:00,000 --> 00:00:00,400\nAnna: Ben?\n\n2\n00:00:00,400 --> 00:00:00,900\nBen: No.\n"
LABELS = "label,speaker,name\nAnna,anna,Anna\nBen,ben,Ben\n3,anna,\nr8,ben,\n8,ben,\n"


@pytest.fixture
def words(tmp_path: Path) -> list[object]:
    video = write_video(tmp_path / "talk.mp4", 40, rate=10)
    return ["tracks", video, "--subtitles", write(tmp_path / "a.srt", SRT)]


def drawn(folder: Path) -> dict[str, Path]:
    """The same two people in the first frames, in each format; of one, only a number is known."""
    spans = [(keyframe(1, x), keyframe(3, x, enabled=False)) for x in (10, 50)]
    regions = region("r3", *spans[0], labels=("Anna",)), region("r8", *spans[1], labels=("person",))
    tracks = track(3, box(0, 12, speaker="Anna"), box(1, 12)), track(8, box(0, 64))
    boxes = annotation(10, 3, category=3), annotation(11, 3, category=3), annotation(10, 8, left=64)
    value = coco(*boxes)
    value["categories"].append({"id": 3, "name": "Anna"})
    return {
        "label-studio": saved(folder, [task(*regions)], "ls.json"),
        "cvat": export(folder, *tracks),
        "coco": saved(folder, value, "coco.json"),
    }


@pytest.mark.parametrize("tool", ["label-studio", "cvat", "coco"])
def test_drawn_boxes_become_speakers(tool: str, words: list[object], tmp_path: Path) -> None:
    file = drawn(tmp_path)[tool]
    (episode,), _ = converted(tmp_path / "e.jsonl", *words, "--boxes", file)
    other = "r8" if tool == "label-studio" else "8"
    assert [one.id for one in episode.speakers] == ["Anna", "Ben", other]
    assert {box.speaker for box in episode.boxes if box.x0 < 50} == {"Anna"}
    labels = write(tmp_path / "labels.csv", LABELS)
    (episode,), account = converted(tmp_path / "f.jsonl", *words, "--boxes", file, "--labels", labels)
    assert {(box.speaker, box.x0 < 50) for box in episode.boxes} == {("anna", True), ("ben", False)}
    assert account["coverage"]["near_box"] == 2
    again = convert(*words, "--boxes", file, "--labels", labels, "-o", tmp_path / "g.jsonl", "-q")
    assert again.exit_code == 0 and (tmp_path / "g.jsonl").read_bytes() == (tmp_path / "f.jsonl").read_bytes()


def test_options_of_tables_are_refused(words: list[object], tmp_path: Path) -> None:
    for tool, file in drawn(tmp_path).items():
        result = convert(*words, "--boxes", file, "--columns", "time=t", "-o", tmp_path / "e.jsonl")
        assert result.exit_code == 2 and "annotation tool" in result.stderr
        result = convert(*words, "--boxes", file, "--box-unit", "shares", "-o", tmp_path / "e.jsonl")
        assert result.exit_code == (4 if tool == "coco" else 2), result.stderr  # COCO's boxes are not within 1 x 1


def test_shares_in_coco_are_read(words: list[object], tmp_path: Path) -> None:
    boxes = saved(tmp_path, coco(annotation(10, 3, bbox=[0.25, 0.5, 0.25, 0.5])))
    result = convert(*words, "--boxes", boxes, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and "--box-unit shares" in result.stderr
    (episode,), _ = converted(tmp_path / "e.jsonl", *words, "--boxes", boxes, "--box-unit", "shares")
    assert [(box.x0, box.y0, box.x1, box.y1) for box in episode.boxes] == [(32, 24, 64, 48)]


def test_the_sheet_tells_long_names_apart(words: list[object], tmp_path: Path) -> None:
    """Trackers number people; annotators name them, often alike up to the last letter."""
    pictures = []
    for name in ("Participant 1", "Participant 2"):
        boxes = export(tmp_path, track(0, box(0, 12, speaker=name)))
        sheet = tmp_path / f"{name}.png"
        converted(tmp_path / f"{name}.jsonl", *words, "--boxes", boxes, "--sheet", sheet)
        pictures.append(sheet.read_bytes())
    assert pictures[0] != pictures[1]
