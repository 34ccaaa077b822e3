"""Tables that other programs wrote: how many fields they have, what names nobody, and which ids are one."""

from __future__ import annotations

from pathlib import Path

import pytest

from socialcli.converting.diarization import Diarization, Turn, read_turns
from socialcli.converting.report import Report, SourceError
from socialcli.episodes.records import Episode

from ..video.clips import write_video
from .online_mmsi import DIALOGUE
from .sources import convert, converted, write

SRT = "1\n00:00:00,500 --> 00:00:02,500\nhello there\n"
BOXES = "track_id,frame,left,top,width,height\n"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A folder with a video of 4 seconds, 10 pictures a second, of 128x48, and subtitles that name nobody."""
    write_video(tmp_path / "clip.mp4", 40, rate=10)
    write(tmp_path / "a.srt", SRT)
    return tmp_path


def tracks(folder: Path, *options: object) -> tuple[object, ...]:
    return ("tracks", folder / "clip.mp4", "--subtitles", folder / "a.srt", *options)


def assert_refused(folder: Path, option: str, path: Path, message: str) -> None:
    """The recording cannot be converted with this file, and the message begins with its place."""
    result = convert(*tracks(folder, option, path), "-o", folder / "e.jsonl")
    assert result.exit_code == 4 and f"{path}{message}" in result.stderr, result.stderr


def speakers(episode: Episode) -> list[str | None]:
    return [one.speaker for one in episode.utterances]


def test_the_rttm_cases_from_the_field(cases: Path) -> None:
    case = cases / "rttm-blanks"
    talk = ("tracks", cases / "talk.mp4", "--media-root", cases, "--subtitles", case / "p.srt")
    for name in ("file.rttm", "name.rttm"):
        result = convert(*talk, "--diarization", case / name, "-o", case / "e.jsonl")
        assert (
            result.exit_code == 4 and f"{case / name}:1: has 11 fields, but an RTTM line has 9 or 10" in result.stderr
        )


def test_the_id_cases_from_the_field(cases: Path) -> None:
    case = cases / "float-track-ids"
    talk = ("tracks", cases / "talk.mp4", "--media-root", cases, "--subtitles", case / "fid.srt")
    labelled = (*talk, "--labels", case / "fid.csv")
    (table,), _ = converted(case / "a.jsonl", *labelled, "--boxes", case / "fid_boxes.csv")
    (mot,), _ = converted(case / "b.jsonl", *labelled, "--boxes", case / "fid_mot.txt")
    for episode in (table, mot):
        assert [(box.speaker, box.time) for box in episode.boxes] == [("anna", 0.0), ("anna", 1.0)]
    (episode,), account = converted(case / "c.jsonl", *talk, "--boxes", case / "nanrow.csv", "--skip-bad")
    assert [one.id for one in episode.speakers] == ["5"] and account["skipped"] == 2


def rttm(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("SPEAKER my little clip 1 0.5 1 <NA> <NA> A <NA> <NA>", "has 12 fields"),
        ("SPEAKER clip 1 0.5 1 <NA> <NA> Anna Maria <NA>", "has fields in the wrong places"),  # 10, one too few
        ("SPEAKER my clip 1 0.5 1 <NA> <NA> A <NA>", "has fields in the wrong places"),
        ("SPEAKER my clip 1 0.5 1 <NA> <NA> A", "has fields in the wrong places"),  # 9
        ("SPEAKER clip 1 0.5 1 <NA> <NA> A", "has 8 fields"),
        ("SPEAKER clip 1 0.5 1 <NA> <NA> Speaker 2 <NA>", "has '2' instead of a confidence"),
        ("SPEAKERS clip 1 0.5 1 <NA> <NA> A <NA> <NA>", "begins with 'SPEAKERS', which is not an RTTM type"),
    ],
)
def test_shifted_fields_of_rttm_are_an_error(line: str, message: str, tmp_path: Path) -> None:
    right = "SPEAKER clip 1 2 1 <NA> <NA> B <NA> <NA>"
    path = write(tmp_path / "a.rttm", rttm(right, "", line))
    with pytest.raises(SourceError, match=rf"a\.rttm:3: {message}"):
        read_turns(path, "clip", Report(False))
    report = Report(True)
    assert read_turns(path, "clip", report) == [Turn(2, 3, "B")] and report.skipped == 1


def test_rttm_as_it_should_be(tmp_path: Path) -> None:
    lines = rttm(
        ";; SPEAKER of a comment",
        "  ;; another",
        "",
        "SPKR-INFO clip 1 <NA> <NA> <NA> adult_male A <NA> <NA>",
        "LEXEME clip 1 0.5 0.2 well lex A 0.9 <NA>",
        "SPEAKER clip 1 0.5 1 <NA> <NA> A <NA>",
        "SPEAKER clip 1 1.5 1 <NA> <NA> B 0.87 0.5",
        "SPEAKER\tclip\t1\t2.5\t1\t<NA>\t<NA>\tAnna  Maria\t<NA>\t<NA>",
        "SPEAKER clip 1 3.5 1 <NA> <NA> 7.0 <NA> <NA>",
    )
    report = Report(False)
    turns = read_turns(write(tmp_path / "a.rttm", lines), "clip", report)
    assert turns == [Turn(0.5, 1.5, "A"), Turn(1.5, 2.5, "B"), Turn(2.5, 3.5, "Anna Maria"), Turn(3.5, 4.5, "7")]
    assert report.counts == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,3,2,2,9,9,1,-1,-1,-1,0,0\n", ":1: has 12 fields, but a line of an MOT file has at most 10"),
        ("1,3,2,2,9,9,1,-1,-1,-1\n2,3,2,2,9,9,1,-1,-1\n", ":2: has 9 fields, but the lines above have 10"),
        ("1,3,2,2,9,9,1\n2,3,2,2,9\n", ":2: is not frame, id, left, top, width, height"),
        ("1,nan,2,2,9,9,1\n", ":1:id: is 'nan', which means missing"),
        ("1,,2,2,9,9,1\n", ":1:id: is '', which means missing"),
        ("id,time,x0,y0,x1,y1\n3,1,2,3,9,9,0.5\n", ":2: has 7 values, but the header has 6"),
        ("id,time,x0,y0,x1,y1\n3,1,2,3,9\n", ":2: has 5 values, but the header has 6"),
        ("id;time;x0;y0;x1;y1\n<NA>;1;2;3;9;9\n", ":2:id: is '<NA>', which means missing"),
        (
            "1;3;2,5;2,5;9,0;9,0\n",
            ":1: is not frame, id, left, top, width, height as numbers, with points for decimals",
        ),
        ("id,frame,x0,y0,x1,y1\n3,0.5,2,3,9,9\n", ":2:frame: is 0.5, not a whole number"),
        ("id\ttime\tx0\ty0\tx1\ty1\n3\tNone\t2\t3\t9\t9\n", ":2:time: is 'None', which means missing"),
    ],
)
def test_shifted_and_missing_fields_of_boxes_are_an_error(content: str, message: str, clip: Path) -> None:
    assert_refused(clip, "--boxes", write(clip / "a.txt", content), message)


@pytest.mark.parametrize("fields", [6, 7, 9, 10])
def test_mot_files_of_every_length(fields: int, clip: Path) -> None:
    line = ",".join(["1", "3", "2", "2", "9", "9", "1", "-1", "-1", "-1"][:fields])
    (episode,), _ = converted(clip / "e.jsonl", *tracks(clip, "--boxes", write(clip / "a.txt", f"{line}\n{line},\n")))
    assert [box.speaker for box in episode.boxes] == ["3"]


def test_a_row_of_onlinemmsi_with_too_many_values(tmp_path: Path) -> None:
    """A comma that no quotes hold shifts what comes after it."""
    header = "video_name,user,assistant\n"
    path = write(tmp_path / "train" / "metadata.csv", f'{header}a.mp4,"{DIALOGUE}",Player0,because\n')
    result = convert("online-mmsi", tmp_path, "--task", "STI", "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and f"{path}:2: has more values than the header" in result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("label,speaker\nnan,anna\n", ":2:label: is 'nan', which means missing"),
        ("label,speaker\n3,<NA>\n", ":2:speaker: is '<NA>', which means missing"),
        ("label,speaker\n3,unknown\n", ":2:speaker: is 'unknown', which names nobody"),
        ("label,speaker\n3,anna\n3.0,ben\n", ":3:label: '3' is 'anna' above"),
        ("label,speaker,name\n3,anna,Anna\n5,anna,Anne\n", ":3:name: is 'Anne', but 'anna' is named 'Anna' above"),
        ("label,speaker,name\n3,anna,Anna, the tall one\n", ":2: has 4 values, but the header has 3"),
    ],
)
def test_labels_that_name_nobody_are_an_error(content: str, message: str, clip: Path) -> None:
    assert_refused(clip, "--labels", write(clip / "labels.csv", content), message)


@pytest.mark.parametrize("marker", ["<NA>", "UNKNOWN", "nan", "-1"])
def test_a_turn_of_nobody_is_no_speaker(marker: str, clip: Path) -> None:
    turns = rttm(f"SPEAKER clip 1 0.5 1.5 <NA> <NA> {marker} <NA> <NA>", "SPEAKER clip 1 2.0 0.5 <NA> <NA> A <NA> <NA>")
    (episode,), account = converted(
        clip / "e.jsonl", *tracks(clip, "--diarization", write(clip / "a.rttm", turns), "--ask", "coref")[:-2]
    )
    assert speakers(episode) == [None] and episode.speakers == ()
    assert account["notes"] == {
        f"utterances of '{marker}', which names nobody": 1,
        "utterances whose speaker is unknown": 1,
    }


@pytest.mark.parametrize("cue", ["UNKNAME: hi", "Unknown: hi", "<v Unknown speaker>hi", "(Unknown:)hi"])
def test_a_marker_in_front_of_a_line_leaves_it_to_the_diarization(cue: str, clip: Path) -> None:
    write(clip / "a.vtt", f"WEBVTT\n\n00:00.500 --> 00:02.500\n{cue}\n")
    words = ("tracks", clip / "clip.mp4", "--subtitles", clip / "a.vtt")
    (episode,), account = converted(clip / "e.jsonl", *words)
    assert speakers(episode) == [None] and account["notes"] == {"utterances whose speaker is unknown": 1}
    turns = write(clip / "a.rttm", "SPEAKER clip 1 0.5 1.5 <NA> <NA> A <NA> <NA>\n")
    (episode,), _ = converted(clip / "f.jsonl", *words, "--diarization", turns)
    assert [(one.speaker, one.text) for one in episode.utterances] == [("A", "hi")]


def test_boxes_of_nobody_are_dropped_and_counted(clip: Path) -> None:
    rows = "unknown,1,2,3,9,9\nAnna,2,2,3,9,9\n-1.0,1,2,3,9,9\n"
    path = write(clip / "a.csv", BOXES + rows)
    (episode,), account = converted(clip / "e.jsonl", *tracks(clip, "--boxes", path))
    assert [box.speaker for box in episode.boxes] == ["Anna"] and [one.id for one in episode.speakers] == ["Anna"]
    assert account["notes"]["boxes of the track 'unknown', which names nobody"] == 1
    assert account["notes"]["boxes of the track '-1', which names nobody"] == 1


def test_the_table_may_say_whom_a_marker_means(clip: Path) -> None:
    table = write(clip / "labels.csv", "label,speaker,name\nunknown,guest,NaN\n-1,anna,Anna\n")
    path = write(clip / "a.csv", BOXES + "unknown,1,2,3,9,9\n-1.0,1,2,3,9,9\n")
    (episode,), _ = converted(clip / "e.jsonl", *tracks(clip, "--boxes", path, "--labels", table))
    assert [box.speaker for box in episode.boxes] == ["anna", "guest"]
    assert [(one.id, one.name) for one in episode.speakers] == [("guest", None), ("anna", "Anna")]


@pytest.mark.parametrize(
    ("label", "table", "boxes"),
    [
        ("5", "5.0", BOXES + "5,0,2,3,9,9\n"),
        ("5.0", "5", BOXES + "5.000000000000000000e+00,0,2,3,9,9\n"),
        ("5.0", "5.0", "1,5,3,4,9,9,1\n"),
        ("5", "5.00", "1,5.0,3,4,9,9,1\n"),
        ("Zoe\u0308", "Zo\u00eb", BOXES + "Zoe\u0308,0,2,3,9,9\n"),
        ("007", "007", BOXES + "007,0,2,3,9,9\n7,0,20,3,9,9\n"),  # zeros in front are part of an id
    ],
)
def test_one_id_in_every_file(label: str, table: str, boxes: str, clip: Path) -> None:
    options = (
        *("--labels", write(clip / "labels.csv", f"label,speaker\n{table},anna\n")),
        *("--boxes", write(clip / "a.txt", boxes)),
        *("--diarization", write(clip / "a.rttm", f"SPEAKER clip 1 0.5 1 <NA> <NA> {label} <NA> <NA>\n")),
    )
    (episode,), _ = converted(clip / "e.jsonl", *tracks(clip, *options))
    assert [(box.speaker, box.x0) for box in episode.boxes] == [("anna", 2)] and speakers(episode) == ["anna"]


def test_turns_of_one_speaker_count_once_where_they_overlap_or_touch() -> None:
    overlapping = [Turn(0, 1.2, "A"), Turn(0.2, 1.2, "A"), Turn(0.4, 1.0, "A"), Turn(1.2, 3.0, "B")]
    assert Diarization(overlapping).speaker(0, 3) == "B"  # 1.8 s; A's 1.2 s are 2.8 s where they are added
    touching = [Turn(0, 0.5, "A"), Turn(0.5, 1.0, "A"), Turn(0.9, 1.5, "A"), Turn(1.5, 2.9, "B")]
    assert Diarization(touching).speaker(0, 3) == "A"  # 1.5 s, 1.4 s
    apart = [Turn(0, 0.5, "A"), Turn(2, 3, "A"), Turn(0.5, 1.9, "B")]
    assert Diarization(apart).speaker(0, 3) == "A"
    sums = [Turn(0, 0.1, "B"), Turn(0.2, 0.4, "B"), Turn(1.0, 1.3, "A")]
    assert 0.1 + 0.2 > 0.3 and Diarization(sums).speaker(0, 2) == "A"  # equal, but for rounding: the first by name


def test_two_labels_of_one_person_are_one_speaker(clip: Path) -> None:
    turns = rttm(
        "SPEAKER clip 1 0.5 0.6 <NA> <NA> s1 <NA> <NA>",
        "SPEAKER clip 1 1.0 0.6 <NA> <NA> s2 <NA> <NA>",
        "SPEAKER clip 1 1.6 0.9 <NA> <NA> s3 <NA> <NA>",
    )
    options = ("--diarization", write(clip / "a.rttm", turns), "--labels", clip / "labels.csv")
    write(clip / "labels.csv", "label,speaker\ns1,anna\ns2,anna\ns3,ben\n")
    (episode,), _ = converted(clip / "e.jsonl", *tracks(clip, *options))
    assert speakers(episode) == ["anna"]  # 1.1 s, of which no label has more than 0.6 s
    write(clip / "labels.csv", "label,speaker\ns1,anna\ns2,cleo\ns3,ben\n")
    (episode,), _ = converted(clip / "f.jsonl", *tracks(clip, *options))
    assert speakers(episode) == ["ben"]


@pytest.mark.parametrize(
    "table",
    [
        "label;speaker;name;;\n3;anna;Anna;;\n",  # as a spreadsheet leaves it
        "track_id,speaker,name\n3.0,anna,Anna\n7,anna,Anna\n8,anna,\n",
        ",label,speaker,name,\n0,3,anna,Anna,x\n",
    ],
)
def test_tables_of_labels_as_programs_leave_them(table: str, clip: Path) -> None:
    boxes = write(clip / "b.csv", "label,time,x0,y0,x1,y1\n3,1,2,3,9,9\n")
    words = tracks(clip, "--boxes", boxes, "--labels", write(clip / "labels.csv", table))
    (episode,), _ = converted(clip / "e.jsonl", *words)
    assert [(one.id, one.name) for one in episode.speakers] == [("anna", "Anna")]
    assert [box.speaker for box in episode.boxes] == ["anna"]
