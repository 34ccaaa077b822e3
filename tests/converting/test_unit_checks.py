"""Numbers in another unit than they are taken for: shares for pixels, milliseconds and frames for seconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from socialcli.cli import main
from socialcli.converting.report import SourceError
from socialcli.converting.unit_checks import SHARES, check_box_unit, check_seconds
from socialcli.episodes.checking.box_units import look_like_shares

from ..video.clips import write_video
from .mmsi import person, release, save
from .online_mmsi import DIALOGUE, film, folder
from .sources import convert, converted, read, write

SRT = "1\n00:00:01,000 --> 00:00:02,000\nAnna: no\n"
HINT = "they look like shares of the picture; read them as shares with --box-unit shares"
HALVES = "label,time,x0,y0,x1,y1\nAnna,1.0,0.05,0.1,0.45,0.95\nBen,1.0,0.55,0.1,0.95,1.02\n"
SIZES = "id,frame,left,top,width,height\n3,0,0,0,1,1\n3,25,0.25,0.25,0.5,0.5\n"
MOT = "1,3,0.1,0.2,0.3,0.7,0.9,-1,-1,-1\n2,3,0.10,0.2,0.3,0.7,0.9,-1,-1,-1\n"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A folder with a video of 6 seconds, 25 pictures a second, of 128x48, and a subtitle file beside it."""
    write_video(tmp_path / "clip.mp4", 150)
    write(tmp_path / "a.srt", SRT)
    return tmp_path


def tracks(folder: Path, *options: object) -> tuple[object, ...]:
    return ("tracks", folder / "clip.mp4", "--subtitles", folder / "a.srt", *options)


def validate(*files: object) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, files)])


def test_the_case_from_the_field(cases: Path) -> None:
    case = cases / "normalised-boxes"
    talk = ("tracks", cases / "talk.mp4", "--media-root", cases, "--subtitles", case / "n.srt", "--ask", "target")
    for name in ("n.csv", "normmot.txt"):
        result = convert(*talk, "--boxes", case / name, "-o", case / "new.jsonl")
        assert result.exit_code == 4 and HINT in result.stderr and name in result.stderr
        assert not (case / "new.jsonl").exists()
    episodes, _ = converted(
        case / "new.jsonl", *talk, "--media-root", cases, "--boxes", case / "n.csv", "--box-unit", "shares"
    )
    assert {(box.speaker, box.x0, box.y0, box.x1, box.y1) for one in episodes for box in one.boxes} == {
        ("Anna", 16, 18, 144, 171),
        ("Ben", 176, 18, 304, 171),
    }
    bad = validate(case / "out.jsonl")  # as it came out before
    assert bad.exit_code == 4 and "out.jsonl:1:boxes: all 10 lie within 1 x 1 pixel" in bad.stdout


@pytest.mark.parametrize(
    ("content", "edges"),
    [
        (HALVES, [(6.4, 4.8, 57.6, 45.6), (70.4, 4.8, 121.6, 48)]),  # one reaches beyond the picture
        (SIZES, [(0, 0, 128, 48), (32, 12, 96, 36)]),
        (MOT, [(12.8, 9.6, 51.2, 43.2)] * 2),  # nothing in it is counted from 1
    ],
)
def test_shares_of_the_picture_are_an_error_or_taken_as_such(content: str, edges: list[Any], clip: Path) -> None:
    words = tracks(clip, "--boxes", write(clip / "a.csv", content))
    result = convert(*words, "-o", clip / "e.jsonl")
    assert result.exit_code == 4 and f"{clip / 'a.csv'}: all boxes" in result.stderr and HINT in result.stderr
    assert convert(*words, "--skip-bad", "-o", clip / "e.jsonl").exit_code == 4
    (episode,), _ = converted(clip / "e.jsonl", *words, "--box-unit", "shares")
    assert [(box.x0, box.y0, box.x1, box.y1) for box in episode.boxes] == edges


def test_shares_in_tvqa_plus(tmp_path: Path) -> None:
    box = {"img_id": 1, "label": "Penny", "left": 0.25, "top": 0.5, "width": 0.5, "height": 0.25}
    answers = {f"a{index}": f"Answer {index}" for index in range(5)} | {"answer_idx": "0"}
    question = {"qid": 1, "q": "Who ?", "vid_name": "clip", "bbox": {"1": [box]}} | answers
    words = ("tvqa-plus", write(tmp_path / "val.json", [question]), "--frames", tmp_path)
    result = convert(*words, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and HINT in result.stderr
    (episode,), _ = converted(tmp_path / "e.jsonl", *words, "--box-unit", "shares")
    assert [(one.x0, one.y0, one.x1, one.y1) for one in episode.boxes] == [(160, 180, 480, 270)]


def test_shares_in_keypoints(tmp_path: Path) -> None:
    words = (*release(tmp_path), "--task", "STI", "--margin", "0")
    triangle = ((0.25, 0.25), (0.5, 0.25), (0.25, 0.5))
    save(tmp_path / "keypoints" / "vid1_Game1.npy", [[person(0, *triangle)] for _ in range(40)])
    result = convert(*words, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and HINT in result.stderr and "vid1_Game1.npy" in result.stderr
    save(tmp_path / "keypoints" / "vid2_Game3.npy", [])
    episodes, _ = converted(tmp_path / "e.jsonl", *words, "--box-unit", "shares")
    assert {(box.x0, box.y0, box.x1, box.y1) for one in episodes for box in one.boxes} == {(160, 90, 320, 180)}


def test_one_tiny_box_among_others_is_no_error(clip: Path) -> None:
    rows = "label,time,x0,y0,x1,y1\nAnna,1,0.1,0.1,0.9,0.9\nAnna,2,10,10,20,20\n"
    (episode,), _ = converted(clip / "e.jsonl", *tracks(clip, "--boxes", write(clip / "a.csv", rows)))
    assert len(episode.boxes) == 2


@pytest.mark.parametrize(
    "content",
    [
        "id,time,x0,y0,x1,y1\n3,1,20,10,600,400\n4,1,700,10,1300,400\n",
        "id;frame;left;top;width;height\n3;0;20;10;580;390\n4;0;5;5;9;9\n4;25;700;10;600;390\n",
        "1,3,21,11,580,390,1,-1,-1,-1\n1,4,701,11,599,389,1,-1,-1,-1\n",
    ],
)
def test_pixels_of_a_larger_picture_are_an_error(content: str, clip: Path) -> None:
    path = write(clip / "a.csv", content)
    result = convert(*tracks(clip, "--boxes", path), "-o", clip / "e.jsonl")
    assert result.exit_code == 4 and f"{path}: 2 of " in result.stderr
    assert "extend far beyond the picture of 128 x 48 pixels, up to 1300 and 40" in result.stderr


def test_boxes_a_little_beyond_the_picture_are_cut(clip: Path) -> None:
    rows = "id,time,x0,y0,x1,y1\n3,1,100,2,190,70\n3,2,-90,2,30,40\n4,1,10,2,900,40\n"
    (episode,), account = converted(clip / "e.jsonl", *tracks(clip, "--boxes", write(clip / "a.csv", rows)))
    assert len(episode.boxes) == 3 and account["notes"]["boxes cut at the edge of the picture"] == 3


def test_pixels_are_no_shares(clip: Path) -> None:
    rows = "label,time,x0,y0,x1,y1\nAnna,1,1,2,30,40\nAnna,2,10,10,20,20\n"
    words = tracks(clip, "--boxes", write(clip / "a.csv", rows), "--box-unit", "shares")
    result = convert(*words, "-o", clip / "e.jsonl")
    assert result.exit_code == 4 and "they look like pixels; omit --box-unit shares" in result.stderr


@pytest.mark.parametrize(
    ("boxes", "shares"),
    [
        ([], False),
        ([(0, 0, 0, 0)], False),  # no area, no unit
        ([(0, 0, 0, 0), (0.1, 0.1, 0.2, 0.2)], True),
        ([(-0.1, 0, 1.1, 1)], True),
        ([(0, 0, 1, 1), (0, 0, 2, 1)], False),
        ([(float("nan"), 0, 1, 1)], False),
    ],
)
def test_what_looks_like_shares(boxes: list[Any], shares: bool) -> None:
    assert look_like_shares(boxes) is shares
    check_box_unit(Path("a"), boxes, SHARES)
    if shares:
        with pytest.raises(SourceError):
            check_box_unit(Path("a"), boxes, (640, 360))


RTTM = "SPEAKER clip 1 {} {} <NA> <NA> A <NA> <NA>\n"


@pytest.mark.parametrize(
    ("option", "name", "content", "unit"),
    [
        ("--diarization", "a.rttm", RTTM.format(1000, 800) + RTTM.format(4000, 1500), "look like milliseconds"),
        ("--diarization", "a.rttm", RTTM.format(0, 800) + RTTM.format(4000.5, 1500), "look like milliseconds"),
        ("--diarization", "a.rttm", RTTM.format(100, 8) + RTTM.format(450, 8), "look like hundredths of a second"),
        ("--diarization", "a.rttm", RTTM.format(100.5, 8), "name the file for this video"),
        ("--subtitles", "b.vtt", "WEBVTT\n\n33:20.000 --> 50:00.000\nno\n", "look like milliseconds"),
        ("--subtitles", "b.srt", SRT.replace("00:00:0", "01:00:0"), "or count from elsewhere"),
        ("--boxes", "a.csv", "id;time;x0;y0;x1;y1\n1;2000;1;2;30;40\n1;5000;1;2;30;40\n", "look like milliseconds"),
    ],
)
def test_times_that_are_no_seconds(option: str, name: str, content: str, unit: str, clip: Path) -> None:
    words = tracks(clip, option, write(clip / name, content))
    result = convert(*words, "-o", clip / "e.jsonl")
    assert result.exit_code == 4 and f"{clip / name}: " in result.stderr and unit in result.stderr, result.stderr
    assert convert(*words, "--skip-bad", "-o", clip / "e.jsonl").exit_code == 4


def test_numbers_of_frames_in_a_column_of_seconds(clip: Path) -> None:
    rows = "".join(f"1,{frame},1,2,30,40\n" for frame in range(150))
    words = tracks(clip, "--boxes", write(clip / "a.csv", "id,time,x0,y0,x1,y1\n" + rows))
    result = convert(*words, "-o", clip / "e.jsonl")
    assert result.exit_code == 4 and "143 of 149 boxes begin after the video's end" in result.stderr
    assert "look like numbers of frames" in result.stderr


@pytest.mark.parametrize(
    ("times", "late"),
    [
        ([0.0, 1.5, 59.0], 0),
        ([1.0, 2.0, 700.0, 800.0], 2),  # half
        ([1.5, 70.0, 80.5, 3600.5], 3),  # of a longer recording
        ([], 0),
        ([0.0], 0),
    ],
)
def test_seconds_of_a_longer_recording_are_seconds(times: list[float], late: int) -> None:
    assert sum(time > 60 for time in times) == late
    check_seconds(Path("a"), "turns", times, 60.0, lambda: 1500)


def test_milliseconds_in_tvqa_plus(tmp_path: Path) -> None:
    answers = {f"a{index}": f"Answer {index}" for index in range(5)} | {"answer_idx": "0"}
    source = write(tmp_path / "val.json", [{"qid": 1, "q": "Who ?", "vid_name": "clip"} | answers])
    lines = {"clip": {"sub_text": "a <eos> b", "sub_time": [1200, 58000]}}
    words = ("tvqa-plus", source, "--frames", tmp_path, "--subtitles", write(tmp_path / "sub.json", lines))
    result = convert(*words, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and "clip.sub_time: reaches 58000" in result.stderr


def test_milliseconds_in_the_name_of_a_clip(tmp_path: Path) -> None:
    square = ((100.0, 50.0), (200.0, 50.0), (100.0, 250.0))
    save(tmp_path / "keypoints" / "vid1_Game1.npy", [[person(0, *square)] for _ in range(99)])
    film(tmp_path, "vid1_Game1_10000_14000.mp4")
    place = folder(tmp_path, [("vid1_Game1_10000_14000.mp4", DIALOGUE, "Player0")])
    words = ("online-mmsi", place, "--task", "STI", "--keypoints", tmp_path / "keypoints")
    result = convert(*words, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and "milliseconds or frames? name the clips with seconds" in result.stderr


def test_a_clip_after_the_keypoints_is_counted(tmp_path: Path) -> None:
    square = ((100.0, 50.0), (200.0, 50.0), (100.0, 250.0))
    save(tmp_path / "keypoints" / "g.npy", [[person(0, *square), person(3, *square)] for _ in range(99)])
    for name in ("g_10_14.mp4", "g_50_54.mp4"):
        film(tmp_path, name)
    rows = [("g_10_14.mp4", DIALOGUE, "Player0"), ("g_50_54.mp4", DIALOGUE, "Player0")]
    words = ("online-mmsi", folder(tmp_path, rows), "--task", "STI", "--keypoints", tmp_path / "keypoints")
    _, account = converted(tmp_path / "e.jsonl", *words)
    notes = account["notes"]
    assert notes["clips without boxes because they begin after the last step of their game's keypoints"] == 1
    assert notes["boxes dropped of people who do not play (--players, or as the text says)"] == 21
    place = folder(tmp_path, rows[1:])
    result = convert(*words[:1], place, *words[2:], "-o", tmp_path / "f.jsonl")
    assert result.exit_code == 4 and "all 1 boxes of the sources were dropped" in result.stderr


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("id,time,x0,y0,x1,y1\n1,1,130,2,180,40\n1,2,130,2,180,40\n", "2 boxes dropped that lie outside"),
        ("1,1,2,2,9,9,0\n", "1 boxes that the file itself ignores (confidence 0)"),
        ("id,frame,x0,y0,x1,y1\n1,200,1,2,30,40\n", "1 boxes dropped because they come after the video's end"),
        ("id,time,x0,y0,x1,y1\n-1,1,1,2,30,40\n", "1 boxes of the track '-1', which names nobody"),
        ("id,time,x0,y0,x1,y1\n1,1,1,2,x,40\n", "1 lines skipped"),
    ],
)
def test_a_file_of_which_no_box_is_left(content: str, why: str, clip: Path) -> None:
    words = tracks(clip, "--boxes", write(clip / "a.csv", content), "--skip-bad")
    result = convert(*words, "-o", clip / "e.jsonl")
    assert result.exit_code == 4 and f"{clip / 'a.csv'}: every box was dropped ({why}" in result.stderr


def test_keypoints_of_which_no_box_is_left(tmp_path: Path) -> None:
    words = (*release(tmp_path), "--task", "STI")
    for name in ("vid1_Game1", "vid2_Game3"):
        unsure = person(0, (1, 1), (20, 2), (3, 30), confidence=0.1)
        save(tmp_path / "keypoints" / f"{name}.npy", [[unsure] for _ in range(400)])
    result = convert(*words, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and "boxes of the sources were dropped" in result.stderr
    assert "fewer than 3 confident points" in result.stderr


def test_validate_finds_shares(clip: Path) -> None:
    rows = "label,time,x0,y0,x1,y1\nAnna,1,10,10,20,20\nAnna,1.5,10,10,20,20\nBen,4,10,10,20,20\n"
    write(clip / "a.srt", SRT + "\n2\n00:00:03,000 --> 00:00:05,000\nBen: yes\n")
    words = tracks(clip, "--boxes", write(clip / "a.csv", rows), "--ask", "mentioned,coref,target", "--context", "0")
    write(clip / "labels.csv", "label,speaker\nAnna,anna\nBen,ben\n")
    converted(clip / "e.jsonl", *words, "--labels", clip / "labels.csv")
    records = [json.loads(line) for line in (clip / "e.jsonl").read_text().splitlines()]
    assert [len(record["boxes"]) for record in records] == [2, 1]

    def shrunk(*places: int) -> Path:
        small = json.loads(json.dumps(records))
        for box in (box for place in places for box in small[place]["boxes"]):
            box |= {"x0": 0.1, "y0": 0.1, "x1": 0.5, "y1": 0.9}
        text = "".join(json.dumps(record) + "\n" for record in small)
        return write(clip / "f.jsonl", text)

    result = validate(shrunk(0))
    assert result.exit_code == 4 and "f.jsonl:1:boxes: all 2 lie within 1 x 1 pixel; if they are" in result.stdout
    assert len(read(clip / "f.jsonl")) == 1  # a run leaves such an episode out
    result = validate(shrunk(1))  # one box alone, in a file of others
    assert result.exit_code == 0
    write(clip / "f.jsonl", shrunk(1).read_text().splitlines(keepends=True)[1])
    result = validate(clip / "f.jsonl")
    assert result.exit_code == 4 and "f.jsonl:1:boxes: all 1 in the file lie within 1 x 1 pixel" in result.stdout
