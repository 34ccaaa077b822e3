"""`socialcli convert tracks` over several videos: the files beside each are found by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..video.clips import write_video
from .sources import convert, converted, read, write

LINES = "1\n00:00:00,500 --> 00:00:01,500\n{}: did he see it?\n\n2\n00:00:01,500 --> 00:00:02,500\nno\n"
TURNS = "SPEAKER {0} 1 1.5 1.0 <NA> <NA> spk1 <NA> <NA>\n"
BOXES = "track,time,x0,y0,x1,y1\n3,1.0,2,4,11,15\n"
MOT = "1 3 3 5 9 11 1 -1 -1 -1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two recordings, each with a transcript and boxes, and one video without any of them."""
    place = tmp_path / "recordings"
    place.mkdir()
    for name in ("one", "two", "alone"):
        write_video(place / f"{name}.mp4", 30, rate=10)
    write(place / "one.srt", LINES.format("Anna"))
    write(place / "one.rttm", TURNS.format("one"))
    write(place / "one.csv", BOXES)
    write(place / "two.vtt", "WEBVTT\n\n00:00.500 --> 00:01.500\n<v Ben>no\n")
    write(place / "two.txt", MOT)
    write(place / "notes.txt", "buy milk")
    return place


def test_a_folder_becomes_one_file(folder: Path) -> None:
    episodes, account = converted(folder / "e.parquet", "tracks", folder)
    assert [one.episode_id for one in episodes] == ["one", "two"]
    assert [[line.speaker for line in one.utterances] for one in episodes] == [["Anna", "spk1"], ["Ben"]]
    assert [[(box.speaker, box.time) for box in one.boxes] for one in episodes] == [[("3", 1.0)], [("3", 0.0)]]
    assert account["notes"] == {"videos skipped because no transcript of the same name lies beside them": 1}
    assert account["found"]["episodes"] == 2


def test_what_is_read_and_what_is_missing_is_said(folder: Path) -> None:
    result = convert("tracks", folder, "-o", folder / "e.parquet")
    assert f"{folder / 'one.mp4'}: reads one.srt, one.rttm, one.csv" in result.stderr
    assert f"{folder / 'two.mp4'}: reads two.vtt, two.txt" in result.stderr
    assert f"{folder / 'alone.mp4'}: has no transcript beside it: alone.eaf, .textgrid, .srt" in result.stderr


def test_several_videos_are_those_of_a_folder(folder: Path) -> None:
    converted(folder / "a.jsonl", "tracks", folder, "--ask", "all")
    converted(folder / "b.jsonl", "tracks", folder / "one.mp4", folder / "two.mp4", "--ask", "all")
    assert (folder / "a.jsonl").read_bytes() == (folder / "b.jsonl").read_bytes()


def test_one_video_takes_the_files_beside_it_unless_a_transcript_is_named(folder: Path) -> None:
    (episode,), _ = converted(folder / "a.jsonl", "tracks", folder / "one.mp4")
    assert [line.speaker for line in episode.utterances] == ["Anna", "spk1"] and episode.boxes
    (episode,), _ = converted(folder / "b.jsonl", "tracks", folder / "one.mp4", "--boxes", folder / "two.txt")
    assert [box.time for box in episode.boxes] == [0.0]
    named = ("--subtitles", folder / "one.srt")
    (episode,), _ = converted(folder / "c.jsonl", "tracks", folder / "one.mp4", *named)
    assert [line.speaker for line in episode.utterances] == ["Anna", None] and not episode.boxes


def test_words_in_a_txt_file_are_no_boxes(folder: Path) -> None:
    write(folder / "two.txt", "no\n")  # whisper writes the transcript in all its formats
    write(folder / "two.json", {"segments": []})
    episodes, _ = converted(folder / "e.jsonl", "tracks", folder)
    assert len(episodes[1].utterances) == 1 and not episodes[1].boxes


def test_a_json_file_is_what_it_holds(folder: Path) -> None:
    """A COCO file beside subtitles has boxes; beside other boxes, the JSON of a recognizer has words."""
    image = {"id": 1, "file_name": "one/000001.jpg", "width": 128, "height": 48, "frame_id": 0}
    box = {"id": 1, "image_id": 1, "category_id": 1, "track_id": 5, "bbox": [2, 4, 9, 11]}
    coco = {"images": [image], "annotations": [box], "categories": [{"id": 1, "name": "person"}]}
    write(folder / "one.json", coco)
    (folder / "two.vtt").unlink()
    write(folder / "two.json", {"segments": [{"start": 0.5, "end": 1.0, "text": "no", "speaker": "Ben"}]})
    result = convert("tracks", folder, "-o", folder / "e.jsonl")
    assert result.exit_code == 0, result.stderr
    assert "reads one.srt, one.rttm, one.json" in result.stderr and "reads two.json, two.txt" in result.stderr
    first, second = read(folder / "e.jsonl")
    assert [box.speaker for box in first.boxes] == ["5"] and [box.speaker for box in second.boxes] == ["3"]
    write(folder / "two.json", "{")
    result = convert("tracks", folder, "-o", folder / "f.jsonl")
    assert result.exit_code == 4 and f"{folder / 'two.json'}:1: is not JSON" in result.stderr


def test_a_recording_that_cannot_be_read_stops_or_is_skipped(folder: Path) -> None:
    write(folder / "one.csv", "who,when\n3,1\n")
    result = convert("tracks", folder, "-o", folder / "e.jsonl")
    assert result.exit_code == 4 and f"{folder / 'one.csv'}:1: has no column for the track" in result.stderr
    assert not (folder / "e.jsonl").exists()
    (episode,), account = converted(folder / "e.jsonl", "tracks", folder, "--skip-bad")
    assert episode.episode_id == "two" and account["skipped"] == 1
    (folder / "two.mp4").write_bytes(b"no video")
    result = convert("tracks", folder, "-o", folder / "f.jsonl", "--skip-bad")
    assert result.exit_code == 4 and "the sources yielded no episode" in result.stderr


def test_places_that_cannot_be_converted(folder: Path, tmp_path: Path) -> None:
    def refusal(*words: object) -> str:
        result = convert("tracks", *words, "-o", tmp_path / "e.jsonl")
        assert result.exit_code == 2, result.stderr
        return result.stderr

    assert "name its transcript with --subtitles" in refusal(folder / "alone.mp4")
    assert "name the files of one video" in refusal(folder, "--subtitles", folder / "one.srt")
    assert "there is no such video file" in refusal(folder / "three.mp4")
    (tmp_path / "empty").mkdir()
    assert "has no video, a file that ends in one of .mp4" in refusal(tmp_path / "empty")
    write_video(tmp_path / "one.mp4", 3)
    assert "are both the recording 'one'" in refusal(folder, tmp_path / "one.mp4")


def test_labels_of_one_recording(folder: Path) -> None:
    """Track 3 is somebody else in each recording; a row without a recording counts in all."""
    rows = "recording,label,speaker\none,3,anna\ntwo,3,ben\n,Anna,anna\n,Ben,ben\n,spk1,\none,spk1,anna\n"
    table = write(folder / "labels.csv", rows)
    first, second = converted(folder / "e.jsonl", "tracks", folder, "--labels", table)[0]
    assert [box.speaker for box in first.boxes] == ["anna"] and [box.speaker for box in second.boxes] == ["ben"]
    assert [one.id for one in first.speakers] == ["anna", "ben"]
    assert [line.speaker for line in first.utterances] == ["anna", "anna"]
    _, account = converted(folder / "f.jsonl", "tracks", folder, "--labels", table)
    assert account["notes"]["rows of --labels without a speaker"] == 1
    write(table, "recording,label,speaker\none,3,anna\none,3,ben\n")
    result = convert("tracks", folder, "--labels", table, "-o", folder / "g.jsonl")
    assert result.exit_code == 4 and f"{table}:3:label: '3' is 'anna' above" in result.stderr
