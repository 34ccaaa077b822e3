"""Which track shows whose voice: suggestions, the draft of a table of labels, and the sheet of tracks."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from socialcli_tracks.links import Link, presence, same_voices, suggest_links

from ..video.clips import write_video
from .sources import convert, converted, write

Spans = dict[str, list[tuple[float, float]]]


def suggested(voices: Spans, tracks: Spans) -> dict[str, str]:
    return {link.track: link.voice for link in suggest_links(voices, tracks) if link.suggested}


def test_a_track_that_is_alone_with_a_voice_shows_its_speaker() -> None:
    voices: Spans = {"a": [(0, 4), (8, 9)], "b": [(4, 8)]}
    tracks: Spans = {"3": [(0, 3.5)], "8": [(4, 8)], "9": [(8, 9.5)]}
    assert suggested(voices, tracks) == {"3": "a", "9": "a", "8": "b"}
    assert suggest_links(voices, tracks)[0] == Link("a", "3", 0.7, 3.5, True)
    assert suggest_links(voices, tracks)[0].reason == "alone on screen in 3.5 s of the speech"


def test_people_who_are_always_both_on_screen_are_not_told_apart() -> None:
    voices: Spans = {"a": [(0, 4)], "b": [(4, 8)]}
    assert suggested(voices, {"3": [(0, 8)], "8": [(0, 8)]}) == {}


def test_a_listener_on_screen_is_no_evidence_of_its_own() -> None:
    """Track 3 is alone with both voices about equally, or for too short a time."""
    voices: Spans = {"a": [(0, 4)], "b": [(4, 8)]}
    assert suggested(voices, {"3": [(1, 7)]}) == {}
    assert suggested(voices, {"3": [(1, 1.9)]}) == {}


def test_a_voice_over_others_is_not_alone() -> None:
    voices: Spans = {"a": [(0, 4)], "b": [(0, 4)]}
    assert suggested(voices, {"3": [(0, 4)]}) == {}


def test_the_only_track_there_during_most_of_a_voice() -> None:
    """Both voices speak together, so nobody is alone, but each time another track is there."""
    voices: Spans = {"a": [(0, 4)], "b": [(10, 14)], "crowd": [(0, 1.5), (2.5, 4), (10, 11.5), (12.5, 14)]}
    tracks: Spans = {"3": [(0, 1.5), (2.5, 4)], "8": [(10, 11.5), (12.5, 14)]}
    assert suggested({**voices, "crowd": []}, {"3": [(0, 3.9)], "8": [(10, 13.9)]}) == {"3": "a", "8": "b"}
    assert suggested(voices, tracks) == {}  # 75 % of the speech


def test_two_tracks_at_once_are_two_people() -> None:
    voices: Spans = {"a": [(0, 10)]}
    tracks: Spans = {"3": [(0, 4), (6, 7)], "8": [(5, 7)], "9": [(8, 10)]}
    assert suggested(voices, tracks) == {"3": "a", "9": "a"}  # 8 is with 3 for a second


def test_gaps_of_a_track_are_bridged() -> None:
    boxes = [("3", 0.0), ("3", 1.0), ("3", 2.0), ("3", 3.5), ("3", 4.0), ("8", 2.0)]
    assert presence(boxes) == {"3": [(0.0, 2.0), (3.5, 4.0)], "8": [(2.0, 2.0)]}


def test_a_diarized_voice_is_that_of_the_lines_it_speaks() -> None:
    turns: Spans = {"spk1": [(0, 4)], "spk2": [(4, 6), (9, 10)], "spk3": [(6, 9)]}
    lines: Spans = {"Anna": [(0, 3.8), (4, 4.1)], "Ben": [(4.1, 6)], "Carla": [(6, 7.5)], "Dora": [(7.5, 9)]}
    assert same_voices(turns, lines) == {"spk1": "Anna", "spk2": "Ben"}


SRT = "1\n00:00:00,000 --> 00:00:02,000\nhello\n\n2\n00:00:02,000 --> 00:00:04,000\nno, she did\n"
RTTM = "SPEAKER clip 1 0 2 <NA> <NA> spk1 <NA> <NA>\nSPEAKER clip 1 2 2 <NA> <NA> spk2 <NA> <NA>\n"
RED, BLUE = (220, 30, 30), (30, 30, 220)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A folder with a video of two people who are shown while they speak: 3 in red, 8 in blue."""

    def draw(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        picture = np.full((96, 128, 3), 128, dtype=np.uint8)
        picture[20:80, 40:70] = RED if number < 20 else BLUE
        return picture

    write_video(tmp_path / "clip.mp4", 40, rate=10, draw=draw)
    write(tmp_path / "clip.srt", SRT)
    write(tmp_path / "clip.rttm", RTTM)
    rows = "".join(f"{frame},{3 if frame < 20 else 8},40,20,70,80\n" for frame in range(40))
    write(tmp_path / "clip.csv", f"frame,id,x0,y0,x1,y1\n{rows}")
    return tmp_path


def test_the_draft_of_a_table_applies_as_it_is(clip: Path) -> None:
    draft = clip / "labels.csv"
    result = convert("tracks", clip / "clip.mp4", "--labels-template", draft, "-o", clip / "a.jsonl", "-q")
    assert result.exit_code == 0, result.stderr
    table = result.stdout.split("\n\n")[1].splitlines()
    assert table[0].split() == ["voice", "speech", "s", "track", "on", "screen", "alone", "s"]
    assert table[1].split() == ["spk1", "2.0", "3", "95.0%", "1.9", "suggested"]
    assert table[2].split() == ["spk2", "2.0", "8", "95.0%", "1.9", "suggested"]
    with draft.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["label"], row["speaker"], row["kind"], row["seconds"]) for row in rows] == [
        ("spk1", "spk1", "voice", "2.0"),
        ("spk2", "spk2", "voice", "2.0"),
        ("3", "spk1", "track", "1.9"),
        ("8", "spk2", "track", "1.9"),
    ]
    assert rows[2]["reason"] == "'spk1': alone on screen in 1.9 s of the speech"
    (episode,), account = converted(clip / "b.jsonl", "tracks", clip / "clip.mp4", "--labels", draft)
    assert [one.id for one in episode.speakers] == ["spk1", "spk2"] and account["coverage"]["near_box"] == 2


def test_a_draft_keeps_what_a_table_says(clip: Path) -> None:
    table = write(clip / "labels.csv", "label,speaker,name\nspk1,anna,Anna\n8,anna,\n")
    draft = clip / "draft.csv"
    converted(clip / "a.jsonl", "tracks", clip / "clip.mp4", "--labels", table, "--labels-template", draft)
    lines = draft.read_text(encoding="utf-8").splitlines()
    assert lines[1:3] == ["spk1,anna,Anna,voice,2.0,", "spk2,spk2,,voice,2.0,"]
    assert lines[3] == "3,anna,Anna,track,1.9,'spk1': alone on screen in 1.9 s of the speech"
    assert lines[4] == "8,anna,Anna,track,1.9,"


def test_tracks_without_a_suggestion_are_left_to_the_user(clip: Path) -> None:
    rows = "".join(f"{frame},{track},40,20,70,80\n" for frame in range(40) for track in (3, 8))
    write(clip / "clip.csv", f"frame,id,x0,y0,x1,y1\n{rows}")
    draft = clip / "labels.csv"
    converted(clip / "a.jsonl", "tracks", clip / "clip.mp4", "--labels-template", draft)
    assert draft.read_text(encoding="utf-8").splitlines()[3:] == ["3,,,track,3.9,", "8,,,track,3.9,"]
    command = ("tracks", clip / "clip.mp4", "--labels", draft)
    result = convert(*command, "-o", clip / "b.jsonl")
    assert result.exit_code == 4 and "which --labels does not list); correct the file or --labels" in result.stderr
    write(draft, draft.read_text(encoding="utf-8").replace("3,,", "3,spk1,"))
    (episode,), account = converted(clip / "b.jsonl", *command)
    assert {box.speaker for box in episode.boxes} == {"spk1"}
    assert account["notes"]["rows of --labels without a speaker"] == 1


@pytest.mark.parametrize(("voice", "warned"), [("3", True), ("Anna", False)])
def test_a_voice_and_a_track_of_one_label_are_one_row(voice: str, warned: bool, clip: Path) -> None:
    write(clip / "clip.rttm", RTTM.replace("spk1", voice))
    write(clip / "clip.csv", (clip / "clip.csv").read_text().replace(",3,", f",{voice},"))
    command = ("tracks", clip / "clip.mp4", "--labels-template", clip / "draft.csv", "-o", clip / "a.jsonl")
    result = convert(*command)
    assert (f"clip: voices and tracks share the labels {voice}, so --labels takes" in result.stderr) == warned
    rows = (clip / "draft.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == [voice, "spk2", "8"]
    assert rows[1].endswith("voice,2.0,also the label of a track")


def test_the_drafts_of_several_recordings_are_one_table(clip: Path) -> None:
    folder = clip / "more"
    folder.mkdir()
    for name in ("one", "two"):
        for path in clip.glob("clip.*"):
            (folder / path.name.replace("clip", name)).write_bytes(path.read_bytes())
    draft, sheet = clip / "labels.csv", clip / "sheet.png"
    command = ("tracks", folder, "--labels-template", draft, "--sheet", sheet, "--media-root", clip)
    converted(clip / "a.jsonl", *command)
    lines = draft.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("recording,label,speaker") and len(lines) == 9
    assert lines[7].startswith("two,3,spk1,")
    assert [path.name for path in sorted(clip.glob("*.png"))] == ["sheet-one.png", "sheet-two.png"]


def test_the_sheet_shows_who_a_track_is(clip: Path) -> None:
    sheet = clip / "sheet.png"
    converted(clip / "a.jsonl", "tracks", clip / "clip.mp4", "--sheet", sheet)
    with Image.open(sheet) as picture:
        pixels = np.asarray(picture.convert("RGB"), dtype=int)
    red, blue = (np.abs(pixels - color).sum(axis=2) < 90 for color in (RED, BLUE))
    rows_of_red, rows_of_blue = (np.flatnonzero(one.any(axis=1)) for one in (red, blue))
    assert rows_of_red.max() < rows_of_blue.min()  # one row of crops below the other
    crops = np.flatnonzero(np.diff(red.any(axis=0).astype(int)) == 1)
    assert len(crops) == 6 and red.sum() > 6 * 2000
    result = convert("tracks", clip / "clip.mp4", "--sheet", clip / "sheet.jpg", "-o", clip / "c.jsonl")
    assert result.exit_code == 2 and "sheet.jpg: name a file that ends in .png" in result.stderr
    plain = ("tracks", clip / "clip.mp4", "--subtitles", clip / "clip.srt", "--sheet", clip / "none.png")
    result = convert(*plain, "-o", clip / "c.jsonl")
    assert "clip.mp4: has no boxes, so --sheet draws nothing" in result.stderr and not (clip / "none.png").exists()
    first = sheet.read_bytes()
    converted(clip / "b.jsonl", "tracks", clip / "clip.mp4", "--sheet", clip / "again.png")
    assert (clip / "again.png").read_bytes() == first
