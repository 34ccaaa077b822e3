"""`socialcli convert tracks`: a video of one's own, with subtitles, diarization, tracks and a table of who is who."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pympi
import pytest
from click.testing import CliRunner

from socialcli.cli import main
from socialcli.episodes.records import Episode, Speaker
from socialcli.video.sampling import sample_frames

from ..conftest import SAMPLE
from ..video.clips import numbers, write_slides, write_video
from .sources import convert, converted, write

SRT = """\
1
00:00:00,500 --> 00:00:01,500
Anna: Ben, did she take it?

2
00:00:01,500 --> 00:00:03,000
I did not, Anna.

3
00:00:03,000 --> 00:00:03,500
Listen: quiet!
"""
RTTM = """\
;; a comment
SPKR-INFO meeting 1 <NA> <NA> <NA> unknown spk2 <NA> <NA>
SPEAKER meeting 1 1.40 0.30 <NA> <NA> spk1 <NA> <NA>
SPEAKER meeting 1 1.60 1.10 <NA> <NA> spk2 <NA>
SPEAKER other 1 0.00 9.00 <NA> <NA> spk1 <NA> <NA>
"""
# https://motchallenge.net/instructions: the page's own lines, with frames 1 to 3
MOT = """\
1, 3, 794.27, 247.59, 71.245, 174.88, -1, -1, -1, -1
1, 6, 1648.1, 119.61, 66.504, 163.24, -1, -1, -1, -1
1, 8, 875.49, 399.98, 95.303, 233.93, -1, -1, -1, -1
2, 3, 795.27, 247.59, 71.245, 174.88, 0, -1, -1, -1
"""
SMALL = "1,3,2,2,9,9,1\n1,8,60,2,9,9,1\n2,3,3,2,9,9,1\n2,8,61,2,9,9,1\n"  # within the picture
LABELS = "label,speaker,name\nAnna,anna,Anna\nspk1,anna,\nspk2,ben,Ben\nBen,ben,\n3,anna,\n8,ben,\n"
CSV = "track,time,x0,y0,x1,y1\n3,0.5,1,2,11,22\n8,0.5,100,2,111,22\n3,2.5,-5,2,11,22\n8,2.5,900,2,911,22\n"


@pytest.fixture
def meeting(tmp_path: Path) -> Path:
    """A folder with a video of 4 seconds, 10 frames a second, and files beside it."""
    write_video(tmp_path / "meeting.mp4", 40, rate=10)
    for name, content in (("a.srt", SRT), ("a.rttm", RTTM), ("a.mot", MOT), ("labels.csv", LABELS), ("a.csv", CSV)):
        write(tmp_path / name, content)
    return tmp_path


def words(folder: Path, **files: str | None) -> list[object]:
    """The words that convert the folder's video with these files."""
    named = {"subtitles": "a.srt", "diarization": "a.rttm", "boxes": "a.csv", "labels": "labels.csv"} | files
    options = [word for name, file in named.items() if file for word in (f"--{name}", folder / file)]
    return ["tracks", folder / "meeting.mp4", *options]


def said(episode: Episode) -> list[tuple[str, str | None, float, float, str]]:
    return [(one.id, one.speaker, one.start, one.end, one.text) for one in episode.utterances]


def test_a_recording_becomes_one_episode(meeting: Path) -> None:
    (episode,), account = converted(meeting / "e.parquet", *words(meeting))
    assert (episode.episode_id, episode.dataset, episode.video.path) == ("meeting", "tracks", "meeting.mp4")
    assert episode.speakers == (Speaker("anna", "Anna"), Speaker("ben", "Ben"))
    assert said(episode) == [
        ("u1", "anna", 0.5, 1.5, "Ben, did she take it?"),
        ("u2", "ben", 1.5, 3.0, "I did not, Anna."),  # spk2 speaks 1.1 s of it, spk1 0.2 s
        ("u3", None, 3.0, 3.5, "Listen: quiet!"),
    ]
    assert [(box.speaker, box.time, box.x0, box.x1) for box in episode.boxes] == [
        ("anna", 0.5, 1, 11),
        ("ben", 0.5, 100, 111),
        ("anna", 2.5, 0, 11),  # cut at the edge; ben's lies outside
    ]
    assert account["notes"] == {
        "utterances whose speaker is unknown": 1,
        "boxes cut at the edge of the picture": 1,
        "boxes dropped that lie outside the picture or have no area": 1,
    }
    assert episode.questions == ()


def test_transcripts_of_recognizers_and_of_elan_take_the_place_of_subtitles(meeting: Path) -> None:
    words_of = '[{"start": 0.5, "end": 1.5, "text": " Ben?", "speaker": "spk1"}, {"start": 2, "end": 3, "text": "No."}]'
    write(meeting / "a.json", f'{{"segments": {words_of}}}')
    (episode,), _ = converted(meeting / "e.parquet", *words(meeting, subtitles="a.json"))
    assert said(episode) == [("u1", "anna", 0.5, 1.5, "Ben?"), ("u2", "ben", 2.0, 3.0, "No.")]  # the second by turns
    made = pympi.Eaf()
    made.remove_tier("default")
    for tier, start, text in (("Anna", 500, "Ben?"), ("Ben", 2000, "No."), ("gaze", 600, "left")):
        made.add_tier(tier)
        made.add_annotation(tier, start, start + 1000, text)
    made.to_file(str(meeting / "a.eaf"))
    tiers = ["--tier", "Anna", "--tier", "Ben"]
    (episode,), _ = converted(meeting / "f.parquet", *words(meeting, subtitles="a.eaf"), *tiers)
    assert said(episode) == [("u1", "anna", 0.5, 1.5, "Ben?"), ("u2", "ben", 2.0, 3.0, "No.")]


def test_every_utterance_is_asked_about(meeting: Path) -> None:
    episodes, _ = converted(meeting / "e.parquet", *words(meeting), "--ask", "all", "--context", "1")
    asked = [
        (question.id, question.task, question.utterance, question.span)
        for one in episodes
        for question in one.questions
    ]
    assert asked == [
        ("meeting/u1/target", "target", "u1", None),
        ("meeting/u1/coref/9", "coref", "u1", (9, 12)),
        ("meeting/u1/mentioned/0", "mentioned", "u1", (0, 3)),
        ("meeting/u2/target", "target", "u2", None),
        ("meeting/u2/mentioned/11", "mentioned", "u2", (11, 15)),
    ]
    assert all(question.answer is None for one in episodes for question in one.questions)
    assert [[item[0] for item in said(one)] for one in episodes] == [["u1", "u2", "u3"], ["u1", "u2", "u3"]]
    assert [(one.video.start, one.video.end) for one in episodes] == [(0.5, 3.5), (0.5, 3.5)]
    online, _ = converted(meeting / "f.parquet", *words(meeting), "--ask", "target", "--online")
    assert [[item[0] for item in said(one)] for one in online] == [["u1"], ["u1", "u2"]]
    assert [(one.video.end, len(one.boxes)) for one in online] == [(1.5, 2), (3.0, 3)]


def test_a_batch_over_a_raw_recording_runs(meeting: Path) -> None:
    converted(meeting / "e.parquet", *words(meeting), "--ask", "target,coref,mentioned")
    options = ("--model", "internvl3", "--checkpoint", SAMPLE / "checkpoints" / "internvl3", "--frames", 2)
    run = ("run", meeting / "e.parquet", *options, "--task", "all", "-o", meeting / "out", "-q")
    result = CliRunner().invoke(main, [str(word) for word in run])
    assert result.exit_code == 0, result.stderr
    rows = pq.read_table(meeting / "out" / "predictions.parquet").to_pylist()
    assert [(row["status"], row["correct"]) for row in rows] == [("ok", None)] * 5
    assert any(row["aligned_text_tokens"] for row in rows)


def test_mot_files_count_from_1_in_everything(meeting: Path) -> None:
    write_video(meeting / "meeting.mp4", 40, rate=10, draw=lambda _: np.zeros((1080, 1920, 3), dtype=np.uint8))
    (meeting / "a.mot").write_bytes(MOT.replace("\n", "\r\n").encode("utf-8-sig"))
    (episode,), account = converted(meeting / "e.parquet", *words(meeting, boxes="a.mot"))
    found = [(box.speaker, box.time, box.x0, box.y0, box.x1, box.y1) for box in episode.boxes]
    assert found == [
        ("anna", 0.0, 793.27, 246.59, 864.515, 421.47),
        ("ben", 0.0, 874.49, 398.98, 969.793, 632.91),
    ]
    assert account["notes"]["boxes of the track '6', which --labels does not list"] == 1
    assert account["notes"]["boxes that the file itself ignores (confidence 0)"] == 1


def test_frames_go_with_the_rate(meeting: Path) -> None:
    write(meeting / "a.csv", "id;frame;left;top;width;height\n3;5;1;2;10;20\n8;15;1;2;10;20\n")
    (episode,), _ = converted(meeting / "e.parquet", *words(meeting))
    assert [(box.speaker, box.time) for box in episode.boxes] == [("anna", 0.5), ("ben", 1.5)]
    (episode,), _ = converted(meeting / "f.parquet", *words(meeting), "--fps", "5")
    assert [(box.speaker, box.time, box.x1) for box in episode.boxes] == [("anna", 1.0, 11), ("ben", 3.0, 11)]


def test_without_a_table_every_label_is_somebody(meeting: Path) -> None:
    write(meeting / "a.csv", "speaker,time,x0,y0,x1,y1\nAnna,0.5,1,2,11,22\n")
    (episode,), _ = converted(meeting / "e.parquet", *words(meeting, labels=None))
    assert [one.id for one in episode.speakers] == ["Anna", "spk2", "Listen"]
    assert said(episode)[2] == ("u3", "Listen", 3.0, 3.5, "quiet!")  # nothing says that nobody is called so


def test_subtitles_alone_will_do(meeting: Path) -> None:
    (episode,), _ = converted(meeting / "e.parquet", *words(meeting, labels=None, boxes=None, diarization=None))
    assert [one.speaker for one in episode.utterances] == ["Anna", None, "Listen"]


def test_what_lies_after_the_video_is_cut(meeting: Path) -> None:
    late = SRT + "\n4\n00:00:03,600 --> 00:00:09,000\nAnna: still\n\n5\n00:00:09,000 --> 00:00:10,000\nAnna: late\n"
    write(meeting / "a.srt", late)
    (episode,), account = converted(meeting / "e.parquet", *words(meeting))
    assert said(episode)[-1] == ("u4", "anna", 3.6, 4.0, "still")
    assert account["notes"]["utterances dropped because they begin after the video's end"] == 1
    assert account["notes"]["utterances cut at the video's end"] == 1


def test_a_recording_of_slides_ends_when_its_container_says(meeting: Path) -> None:
    write_slides(meeting / "meeting.mp4", [0, 4000, 9000], 10_000)
    write(meeting / "a.srt", "1\n00:00:09,500 --> 00:00:12,000\nAnna: he is still here\n")
    (episode,), account = converted(meeting / "e.parquet", *words(meeting, diarization=None), "--ask", "coref")
    assert said(episode) == [("u1", "anna", 9.5, 10.0, "he is still here")]
    assert account["notes"]["utterances cut at the video's end"] == 1
    assert numbers(sample_frames(meeting / "meeting.mp4", 2, episode.video.start, episode.video.end)) == [2, 2]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.rttm", RTTM + "SPEAKER meeting 1 x 1 <NA> <NA> spk1 <NA> <NA>\n", ":6:onset and duration: are 'x' and '1'"),
        ("a.rttm", RTTM + "SPEAKER meeting 1 1 -1 <NA> <NA> spk1 <NA> <NA>\n", ":6:onset and duration: must not"),
        ("a.rttm", RTTM + "SPEAKER meeting 1 1 1\n", ":6: has 5 fields"),
        ("a.csv", CSV + "3,soon,1,2,3,4\n", ":6:time: is 'soon', not a number"),
        ("a.csv", CSV + ",1,1,2,3,4\n", ":6:track: is empty"),
        ("a.csv", CSV + "3,nan,1,2,3,4\n", ":6:time: is 'nan'"),
        ("a.csv", SMALL + "3,3,1,x,1,1\n", ":5: is not frame, id, left, top, width, height"),
        ("a.csv", SMALL + "-1,3,1,1,1,1,1\n", ":5:frame: is -1; frames are counted from 0"),
        ("a.srt", SRT + "\n4\n00:00:03 --> soon\nx\n", ":14:times: is"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_can_be_skipped(
    name: str, content: str, message: str, meeting: Path
) -> None:
    write(meeting / name, content)
    result = convert(*words(meeting), "-o", meeting / "e.jsonl")
    assert result.exit_code == 4 and f"{meeting / name}{message}" in result.stderr
    _, account = converted(meeting / "e.jsonl", *words(meeting), "--skip-bad")
    assert account["skipped"] == 1


@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("labels.csv", "label,speaker\n3,anna\n3,ben\n", 4, ":3:label: '3' is 'anna' above"),
        ("labels.csv", "track,who\n3,anna\n", 4, ":1: has no column speaker"),
        ("labels.csv", "", 4, ":1: has no header"),
        ("a.csv", "track,x0,y0,x1,y1\n3,1,2,3,4\n", 4, ":1: has no column for the frame (or the time in seconds)"),
        ("a.csv", "track,time,x0,y0\n3,1,2,3\n", 4, ":1: has no column for the left and right edge, the upper and"),
        ("a.csv", "track,time,x0,y0,x1,y1\n3,1,2\n", 4, ":2: has 3 values, but the header has 6"),
        ("a.csv", "track,time,x0,y0,x1,y1\n3,-1,1,2,3,4\n", 4, ":2:time: is -1, before the video begins"),
        ("a.rttm", RTTM.replace("meeting", "third"), 4, ": holds other, third, but not meeting"),
    ],
)
def test_files_of_another_form_are_named(name: str, content: str, code: int, message: str, meeting: Path) -> None:
    write(meeting / name, content)
    result = convert(*words(meeting), "-o", meeting / "e.jsonl")
    assert (result.exit_code, f"{meeting / name}{message}" in result.stderr) == (code, True), result.stderr


def test_the_video_must_be_there(meeting: Path) -> None:
    (meeting / "meeting.mp4").unlink()
    result = convert(*words(meeting), "-o", meeting / "e.jsonl")
    assert result.exit_code == 2 and "there is no such video file" in result.stderr
    result = convert(*words(meeting), "--ask", "who", "-o", meeting / "e.jsonl")
    assert result.exit_code == 2 and "is not a list of target, coref, mentioned" in result.stderr


def test_the_same_bytes_twice(meeting: Path) -> None:
    for name in ("a", "b"):
        converted(meeting / f"{name}.parquet", *words(meeting), "--ask", "all")
    assert (meeting / "a.parquet").read_bytes() == (meeting / "b.parquet").read_bytes()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_marks_ends_of_lines_and_encodings_change_nothing(encoding: str, meeting: Path) -> None:
    write(meeting / "labels.csv", LABELS.replace("Ben", "Bén"))
    write(meeting / "a.srt", SRT.replace("Ben", "Bén"))
    plain, _ = converted(meeting / "e.parquet", *words(meeting), "--ask", "all")
    for name in ("a.srt", "a.rttm", "a.csv", "labels.csv"):
        text = (meeting / name).read_text(encoding="utf-8")
        (meeting / name).write_bytes(text.replace("\n", "\r\n").encode(encoding))
    again, _ = converted(meeting / "f.parquet", *words(meeting), "--ask", "all")
    assert again == plain and any(question.span == (0, 3) for one in plain for question in one.questions)


def test_ids_of_any_length_are_somebody(meeting: Path) -> None:
    write(meeting / "a.mot", "1,1234567,2,2,9,9,1\n1,1234568,2,2,9,9,1\n1,0.5,2,2,9,9,1\n")
    (episode,), account = converted(meeting / "e.parquet", *words(meeting, labels=None, boxes="a.mot"))
    assert [box.speaker for box in episode.boxes] == ["0.5", "1234567", "1234568"]
    assert account["found"]["boxes"] == 3


def test_a_frame_is_shown_when_the_video_says(meeting: Path) -> None:
    """Frames that come at odd times; and what comes after the last one is counted."""
    write_video(meeting / "meeting.mp4", 4, milliseconds=[0, 100, 2000, 4000])
    write(meeting / "a.csv", "id,frame,x0,y0,x1,y1\n3,2,1,2,3,4\n3,3,1,2,3,4\n3,4,1,2,3,4\n")
    (episode,), account = converted(meeting / "e.parquet", *words(meeting))
    assert [box.time for box in episode.boxes] == [2.0, 4.0]
    assert account["notes"]["boxes dropped because they come after the video's end"] == 1


def test_an_empty_field_is_no_field(meeting: Path) -> None:
    write(meeting / "a.mot", '1,3,,20,30,40,50,1\n1,"3,2,2,9,9,1\n1,3,2,2,9,9,1,\n')
    (episode,), account = converted(meeting / "e.parquet", *words(meeting, boxes="a.mot"), "--skip-bad")
    assert [(box.x0, box.x1) for box in episode.boxes] == [(1, 10)] and account["skipped"] == 2


def test_what_nobody_or_too_many_could_answer_is_not_asked(meeting: Path) -> None:
    tracks = "".join(f"{number},0.5,1,2,3,4\n" for number in range(30))
    write(meeting / "a.csv", "id,time,x0,y0,x1,y1\n" + tracks)
    write(meeting / "a.srt", SRT + "\n4\n00:00:03,500 --> 00:00:03,900\n- Anna: hi\n- Ben: ho\n")
    command = words(meeting, labels=None, diarization=None)
    episodes, account = converted(meeting / "e.parquet", *command, "--ask", "target", "--context", "1")
    assert [question.utterance for one in episodes for question in one.questions] == ["u3", "u4", "u5"]
    left_out = "questions of target dropped because they have {} candidates instead of 1 to 26"
    assert account["notes"][left_out.format(31)] == 1  # of u1: the thirty, and whoever is called Listen
    result = convert(*command, "--ask", "target", "--context", "0", "-o", meeting / "f.parquet")
    assert result.exit_code == 4 and f"3 {left_out.format(0)}" in result.stderr and "no episode" not in result.stdout


def test_cues_without_length_and_speech_that_overlaps(meeting: Path) -> None:
    cues = "1\n00:00:00,500 --> 00:00:03,500\nAnna: I see him\n\n2\n00:00:01,000 --> 00:00:01,000\nBen: no\n"
    write(meeting / "a.srt", cues)
    (first, second), _ = converted(meeting / "e.parquet", *words(meeting), "--ask", "target", "--online")
    assert said(first) == [("u1", "anna", 0.5, 3.5, "I see him")]
    assert said(second) == [("u1", "anna", 0.5, 1.1, "I see him"), ("u2", "ben", 1.0, 1.1, "no")]
    assert (second.video.start, second.video.end) == (0.5, 1.1)


def test_names_of_any_script_are_asked_about(meeting: Path) -> None:
    write(meeting / "labels.csv", "label,speaker,name\nAnna,anna,Anna\nx,ming,小明\ny,jr,J.R.\n")
    write(meeting / "a.srt", "1\n00:00:00,500 --> 00:00:01,500\nAnna: 小明, ask J.R. and annabel\n")
    (episode,), _ = converted(
        meeting / "e.parquet", *words(meeting, diarization=None, boxes=None), "--ask", "mentioned"
    )
    text = episode.utterances[0].text
    assert [text[slice(*(question.span or ()))] for question in episode.questions] == ["小明", "J.R."]


@pytest.mark.parametrize(
    ("names", "line", "found"),
    [
        (["Anna"], "Annabel and Anna-Maria know Anna's hat", [(28, 32)]),
        (["Anna"], "ANNA\u2019S, anna, Anna", [(0, 4), (14, 18)]),
        (["小明", "राम"], "你好小明, रामा राम। राम", [(2, 4), (11, 14), (16, 19)]),
        (["O\u2019Brien", "Brien"], "ask O'Brien", [(4, 11)]),
        (["Zo\u00eb", "Zo"], "Zoe\u0308 left", [(0, 4)]),
        (["アンナ", "민수"], "アンナさん、アンナベルさん、민수가 김민수를", [(0, 3), (14, 16)]),
        (["สมชาย"], "เขาชื่อสมชายครับ", [(7, 12)]),
        (["Ali", "l'Anna"], "Ali'nin, _Ali_, Alina", [(0, 3), (10, 13)]),
    ],
)
def test_names_are_found_as_whole_words_of_every_script(
    meeting: Path, names: list[str], line: str, found: list[tuple[int, int]]
) -> None:
    rows = "".join(f"l{number},s{number},{name}\n" for number, name in enumerate(names, start=1))
    write(meeting / "labels.csv", f"label,speaker,name\n{rows}")
    write(meeting / "a.srt", f"1\n00:00:00,500 --> 00:00:01,500\n- {line}\n")
    episodes, _ = converted(meeting / "e.parquet", *words(meeting, diarization=None, boxes=None), "--ask", "mentioned")
    asked = [question for one in episodes for question in one.questions]
    text = episodes[0].utterances[0].text
    assert [(text[slice(*(one.span or ()))], one.span) for one in asked] == [(line[slice(*at)], at) for at in found]


def test_labels_of_every_script_that_are_words_are_names(meeting: Path) -> None:
    write(meeting / "labels.csv", "label,speaker\nराम,r\nO'Brien,o\nSPEAKER_00,s\n")
    write(meeting / "a.srt", "1\n00:00:00,500 --> 00:00:01,500\n- राम saw O'Brien\n")
    (episode,), _ = converted(
        meeting / "e.parquet", *words(meeting, diarization=None, boxes=None), "--ask", "mentioned"
    )
    assert [question.span for question in episode.questions] == [(0, 3), (8, 15)]


def test_pronouns_are_whole_words(meeting: Path) -> None:
    write(meeting / "a.srt", "1\n00:00:00,500 --> 00:00:01,500\nAnna: _She_'s here, he\u0301 and he-men, 问HE去哪\n")
    (episode,), _ = converted(meeting / "e.parquet", *words(meeting), "--ask", "coref")
    text = episode.utterances[0].text
    assert [text[slice(*(question.span or ()))] for question in episode.questions] == ["She", "HE"]


@pytest.mark.parametrize("rate", ["nan", "inf", "0", "-1"])
def test_a_rate_is_a_number(rate: str, meeting: Path) -> None:
    result = convert(*words(meeting), f"--fps={rate}", "-o", meeting / "e.parquet")
    assert result.exit_code == 2 and "--fps" in result.stderr


def test_a_diarization_must_be_one(meeting: Path) -> None:
    result = convert(*words(meeting, diarization="a.srt"), "-o", meeting / "e.parquet")
    assert result.exit_code == 4 and "a.srt: has no line that begins with SPEAKER" in result.stderr


def test_a_settings_file_gives_the_options(meeting: Path) -> None:
    settings = write(
        meeting / "s.toml", f'[mmsi]\ntask = ["STI"]\n[tracks]\nsubtitles = "{meeting / "a.srt"}"\nask = "target"\n'
    )
    episodes, _ = converted(meeting / "e.parquet", "tracks", "--config", settings, meeting / "meeting.mp4")
    assert [question.id for one in episodes for question in one.questions] == ["meeting/u1/target", "meeting/u3/target"]
