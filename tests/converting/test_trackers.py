"""Boxes in the forms that trackers write: lines of numbers, tables with a header, folders of labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ..video.clips import write_video
from .sources import convert, converted, write

SRT = "1\n00:00:00,500 --> 00:00:02,500\nhello there\n"
ROWS = ((0, 3, (2, 4, 11, 15)), (0, 8, (60, 4, 69, 15)), (5, 3, (4, 4, 13, 15)))  # frame from 0, track, edges
SEEN = [("3", 0.0, 2, 4, 11, 15), ("8", 0.0, 60, 4, 69, 15), ("3", 0.5, 4, 4, 13, 15)]

Edges = Sequence[int]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A folder with a video of 4 seconds, 10 pictures a second, of 128x48, and subtitles that name nobody."""
    write_video(tmp_path / "clip.mp4", 40, rate=10)
    write(tmp_path / "a.srt", SRT)
    return tmp_path


def words(folder: Path, boxes: Path, *options: str) -> tuple[object, ...]:
    return ("tracks", folder / "clip.mp4", "--subtitles", folder / "a.srt", "--boxes", boxes, *options)


def seen(folder: Path, boxes: Path, *options: str) -> list[tuple[str, float, float, float, float, float]]:
    """The boxes that a conversion leaves."""
    (episode,), _ = converted(folder / "e.jsonl", *words(folder, boxes, *options))
    return [(box.speaker, box.time, box.x0, box.y0, box.x1, box.y1) for box in episode.boxes]


def refusal(folder: Path, boxes: Path, *options: str) -> str:
    """The message with which the boxes are refused."""
    result = convert(*words(folder, boxes, *options), "-o", folder / "e.jsonl")
    assert result.exit_code in (2, 4) and not (folder / "e.jsonl").exists(), result.stdout
    return result.stderr


def size(edges: Edges) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = edges
    return x0, y0, x1 - x0, y1 - y0


def bytetrack(frame: int, track: int, edges: Edges) -> str:
    """As its demo writes: frames from 0."""
    return f"{frame},{track},{','.join(f'{one:.2f}' for one in size(edges))},0.91,-1,-1,-1"


def boxmot(frame: int, track: int, edges: Edges) -> str:
    """As its MOT sink writes: frames from 1, and here pixels, too."""
    left, top, wide, high = map(float, size(edges))
    return f"{frame + 1},{track},{left + 1},{top + 1},{wide},{high},0.93,0,-1"


def yolov5_deepsort(frame: int, track: int, edges: Edges) -> str:
    """As its `--save-txt` writes: ten numbers, each with a blank behind it."""
    left, top, wide, high = size(edges)
    return ("%g " * 10) % (frame + 1, track, left + 1, top + 1, wide, high, -1, -1, -1, 0)


@pytest.mark.parametrize("line", [bytetrack, boxmot, yolov5_deepsort])
@pytest.mark.parametrize("separator", [",", "\t", ";", ", "])
def test_lines_of_trackers(line: object, separator: str, clip: Path) -> None:
    assert callable(line)
    text = "".join(line(*row) + "\n" for row in ROWS)
    if line is not yolov5_deepsort:
        text = text.replace(",", separator)
    assert seen(clip, write(clip / "tracks.txt", text)) == SEEN


def test_frame_0_is_counted_in_the_summary_and_can_be_stated(clip: Path) -> None:
    path = write(clip / "tracks.txt", "".join(bytetrack(*row) + "\n" for row in ROWS))
    _, account = converted(clip / "e.jsonl", *words(clip, path))
    assert account["notes"]["boxes of frames counted from 0, because frame 0 occurs"] == 3
    _, account = converted(clip / "e.jsonl", *words(clip, path, "--first-frame", "0", "--overwrite"))
    assert account["notes"] == {"utterances whose speaker is unknown": 1}
    (clip / "e.jsonl").unlink()
    assert f"{path}:1:frame: is 0; frames are counted from 1" in refusal(clip, path, "--first-frame", "1")
    later = write(clip / "later.txt", "".join(bytetrack(*row) + "\n" for row in ROWS[2:]))
    assert seen(clip, later, "--first-frame", "0") == SEEN[2:]
    (clip / "e.jsonl").unlink()
    assert seen(clip, later) == [("3", 0.4, 3, 3, 12, 14)]  # nothing says that it counts from 0


def table(names: str, *, first: int = 0, centre: bool = False, extent: bool = False) -> str:
    """A table whose columns are the track, the frame, four numbers of the box, and a confidence."""
    lines = [names]
    for frame, track, edges in ROWS:
        left, top, wide, high = size(edges)
        box: tuple[float, ...] = edges
        if centre or extent:
            box = (left + wide / 2, top + high / 2, wide, high) if centre else (left, top, wide, high)
        lines.append(",".join(map(str, (track, frame + first, *box, 0.9))))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "names",
    [
        "track_id,frame,x1,y1,x2,y2,conf",
        "Track ID,Frame,X1,Y1,X2,Y2,Conf",
        "id,frame_idx,bbox_x1,bbox_y1,bbox_x2,bbox_y2,score",
        "object_id,frame_number,xmin,ymin,xmax,ymax,confidence",
        "identity,frame_id,xtl,ytl,xbr,ybr,conf",
        "speaker,frame,left,top,right,bottom,score",
    ],
)
def test_headers_of_edges(names: str, clip: Path) -> None:
    assert seen(clip, write(clip / "a.csv", table(names))) == SEEN


@pytest.mark.parametrize(
    "names",
    ["track,frame,left,top,w,h,conf", "tracker_id,frame,bb_left,bb_top,bb_width,bb_height,conf"],
)
def test_headers_of_corner_and_size(names: str, clip: Path) -> None:
    assert seen(clip, write(clip / "a.csv", table(names, extent=True))) == SEEN


@pytest.mark.parametrize("names", ["id,frame,cx,cy,w,h,conf", "id,frame,x_center,y_center,width,height,conf"])
def test_headers_of_centre_and_size(names: str, clip: Path) -> None:
    assert seen(clip, write(clip / "a.csv", table(names, centre=True))) == SEEN


def test_the_table_of_supervision(clip: Path) -> None:
    """As its CSVSink writes with `custom_data={"frame_number": ...}`."""
    rows = [f"{x0}.0,{y0}.0,{x1}.0,{y1}.0,0,0.91,{track},person,{frame}" for frame, track, (x0, y0, x1, y1) in ROWS]
    header = "x_min,y_min,x_max,y_max,class_id,confidence,tracker_id,class_name,frame_number"
    assert seen(clip, write(clip / "a.csv", "\r\n".join([header, *rows, ""]))) == SEEN


@pytest.mark.parametrize(
    ("names", "columns", "options"),
    [
        ("who,n,x,y,w,h,conf", "track=who,frame=n,left=x,top=y", {"extent": True}),
        ("who,n,x,y,w,h,conf", "track=who,frame=n,cx=x,cy=y", {"centre": True}),
        ("Who Is It,n,a,b,c,d,time", "label=who is it,frame=n,x0=a,y0=b,right=c,bottom=d", {}),
    ],
)
def test_columns_of_any_name(names: str, columns: str, options: dict[str, bool], clip: Path) -> None:
    path = write(clip / "a.csv", table(names, **options))
    assert seen(clip, path, "--columns", columns) == SEEN


def test_frames_of_a_table_count_from_1_where_it_is_said(clip: Path) -> None:
    path = write(clip / "a.csv", table("id,frame,x0,y0,x1,y1,conf", first=1))
    assert seen(clip, path, "--first-frame", "1") == SEEN
    (clip / "e.jsonl").unlink()
    write(path, table("id,frame,x0,y0,x1,y1,conf"))
    assert f"{path}:2:frame: is 0, but frames count from 1" in refusal(clip, path, "--first-frame", "1")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            "who,n,x0,y0,x1,y1,conf",
            "has no column for the track, the frame (or the time in seconds); its columns are who, n, x0, y0, x1, y1, "
            "conf; known of them: x0 (x0), y0 (y0), x1 (x1), y1 (y1); name them with --columns track=NAME,frame=NAME",
        ),
        ("id,frame,x,y,w,h,conf", "add --columns left=x,top=y if x and y are a corner, or --columns cx=x,cy=y if"),
        ("who,frame,x,y,w,h,conf", "add --columns track=NAME,left=x,top=y if x and y are a corner, or"),
        ("id,frame,x0,y0,b,c,conf", "name them with --columns x1=NAME,y1=NAME"),
        ("id,frame,a,b,w,h,conf", "name them with --columns x0=NAME,y0=NAME"),
    ],
)
def test_an_unknown_header_says_what_would_do(names: str, message: str, clip: Path) -> None:
    path = write(clip / "a.csv", table(names))
    found = refusal(clip, path)
    assert f"{path}:1: has no column for" in found and message in found


def test_columns_that_cannot_be(clip: Path) -> None:
    path = write(clip / "a.csv", table("id,frame,x0,y0,x1,y1,conf"))
    assert f"{path}:1: has no column 't', which --columns names" in refusal(clip, path, "--columns", "time=t")
    assert "'when=t' is not FIELD=COLUMN" in refusal(clip, path, "--columns", "when=t")
    assert "names a second column" in refusal(clip, path, "--columns", "x0=a,left=b")
    lines = write(clip / "a.txt", "".join(bytetrack(*row) + "\n" for row in ROWS))
    assert "has no header, so --columns names nothing" in refusal(clip, lines, "--columns", "time=t")


def labels(folder: Path, *, confidence: bool = False, ids: bool = True, name: str = "clip") -> Path:
    """The files that `yolo track save_txt=True` writes for a picture of 128x48."""
    lines: dict[int, str] = {}
    for frame, track, edges in ROWS:
        left, top, wide, high = size(edges)
        line: tuple[float, ...] = (0, (left + wide / 2) / 128, (top + high / 2) / 48, wide / 128, high / 48)
        line += (0.91,) * confidence + (track,) * ids
        lines[frame] = lines.get(frame, "") + ("%g " * len(line)).rstrip() % line + "\n"
    for frame, text in lines.items():
        write(folder / f"{name}_{frame + 1}.txt", text)
    return folder


@pytest.mark.parametrize("confidence", [False, True])
def test_the_label_folder_of_ultralytics(confidence: bool, clip: Path) -> None:
    folder = labels(clip / "labels", confidence=confidence)
    labels(folder, name="other")
    (folder / "notes.txt").write_text("not a label")
    extra = "0 0.5 0.5 0.1 0.2" + " 0.4" * confidence + "\n"  # a box that no track has taken yet
    path = folder / "clip_1.txt"
    path.write_text(path.read_text() + extra)
    found = seen(clip, folder)
    assert [one[:2] for one in found] == [one[:2] for one in SEEN]
    assert np.allclose([one[2:] for one in found], [one[2:] for one in SEEN], atol=0.01)


def test_labels_that_cannot_be_tracks(clip: Path) -> None:
    folder = labels(clip / "plain", ids=False)
    assert f"{folder}: has boxes without the ids of tracks" in refusal(clip, folder)
    assert "has boxes without the ids" in refusal(clip, labels(clip / "scores", ids=False, confidence=True))
    assert "has no files NAME_FRAME.txt" in refusal(clip, clip)
    two = labels(labels(clip / "two", name="a"), name="b")
    assert f"{two}: holds labels of a, b, but not of clip" in refusal(clip, two)
    one = folder / "clip_1.txt"
    assert f"{one}:1: has a class, centre and size in shares, the labels of YOLO for one" in refusal(clip, one)
    one.write_text("0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8\n")
    assert f"{one}:1: has 9 fields instead of 5 to 7" in refusal(clip, folder)
