"""Cues: times in the ways that people and programs write them; a row that belongs nowhere is named."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest
import webvtt

from socialcli.converting.report import Report
from socialcli.converting.transcripts.cues import BEFORE, EARLY, Cue, read_cues
from socialcli.converting.transcripts.markup import strip_markup
from socialcli.converting.transcripts.subtitles import read_subtitles
from socialcli.converting.transcripts.timecodes import read_times
from socialcli.errors import InvalidInputError

from ..sources import convert, converted
from .test_subtitles import SRT, VTT

AROUND = {
    ".srt": "1\n00:00:01,000 --> 00:00:02,000\nfirst\n\n{}\n\n3\n00:00:05,000 --> 00:00:06,000\nthird\n",
    ".vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\nfirst\n\n{}\n\n00:05.000 --> 00:06.000\nthird\n",
}
FIRST, THIRD = (1.0, 2.0, "first"), (5.0, 6.0, "third")


def read(suffix: str, text: str, report: Report | None = None) -> list[tuple[float, float, str]]:
    cues = read_cues(Path(f"a{suffix}"), suffix, text, report or Report(False))
    return [(cue.start, cue.end, "\n".join(cue.rows)) for cue in cues]


@pytest.mark.parametrize(
    "row",
    [
        "00:00:03,000 --> 00:00:04,000",
        "00:00:03,000-->00:00:04,000",
        "00:00:03,000 -> 00:00:04,000",
        "00:00:03,000 ---> 00:00:04,000",
        "00:00:03,000 –> 00:00:04,000",
        "00:00:03,000 —> 00:00:04,000",
        "00:00:03,000 -- > 00:00:04,000",
        "00:00:03,000 → 00:00:04,000",
        "00:00:03,000 --&gt; 00:00:04,000",
        "00:00:03,000 - 00:00:04,000",
        "\u202a00:00:03,000 --> 00:00:04,000\u202c",
        "\u200b00:00:03,000 --> 00:00:04,000",
        "\ufeff00:00:03,000\u00a0-->\u00a000:00:04,000",
        "[00:00:03,000 --> 00:00:04,000]",
        "[00:00:03,000] --> [00:00:04,000]",
        "00:00:03.000 --> 00:00:04.000",
        "00:00:03:000 --> 00:00:04:000",
        "0:0:3,000 --> 0:0:4,000",
        "00:03,000 --> 00:04,000",
        "00:00:03 --> 00:00:04",
        "00:00:03.000000 --> 00:00:04.000000",
        "00: 00: 03, 000 -> 00: 00: 04, 000",
        "00:00:03,000 --> 00:00:04,000 X1:100 X2:200 Y1:10 Y2:20",
        "00:00:03.000 --> 00:00:04.000 align:start position:0% line:-1",
        "００：００：０３，０００　−−＞　００：００：０４，０００",
        "<b>00:00:03,000 --> 00:00:04,000</b>",
        "٠٠:٠٠:٠٣٫٠٠٠ --> ٠٠:٠٠:٠٤٫٠٠٠",
    ],
)
@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_times_are_read_as_they_are_written(row: str, suffix: str) -> None:
    assert read(suffix, AROUND[suffix].format(f"2\n{row}\nदूसरा")) == [FIRST, (3.0, 4.0, "दूसरा"), THIRD]
    assert read(suffix, AROUND[suffix].format(f"{row}\n第二")) == [FIRST, (3.0, 4.0, "第二"), THIRD]


@pytest.mark.parametrize(
    "row",
    [
        "-112:-7:-40,-860 --> -112:-7:-38,-100",
        "00:00:04,000 --> 00:00:03,000",
        "00:61:00,000 --> 00:62:00,000",
        "00:00:03:12 --> 00:00:04:05",  # frames
        "00:00:03,000 --> 00:00:04,000 Ben: glued",
        "00:00:03,000 --> 00:00:04,000 A: glued",  # A:10 would be a setting
        "00:00:03,000 00:00:04,000",
        "00:00:03,000 to 00:00:04,000",
        "00:00:03,000 -->",
        "--> 00:00:04,000",
        "00:00:03,000",
        "3000 --> 4000",
        "OO:OO:O3,OOO --> OO:OO:O4,OOO",
        "2 00:00:03,000 --> 00:00:04,000",
        "00:00:0३x,000 –> 00:00:04,000",
    ],
)
@pytest.mark.parametrize("number", ["2\n", ""])
@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_times_that_cannot_be_read_are_named_and_lost_with_their_words_alone(
    row: str, number: str, suffix: str
) -> None:
    text = AROUND[suffix].format(f"{number}{row}\nsecond")
    with pytest.raises(InvalidInputError) as caught:
        read(suffix, text)
    line = text.split("\n").index(row) + 1
    assert str(caught.value).startswith(f"a{suffix}:{line}:times: ")
    report = Report(skip_bad=True)
    assert read(suffix, text, report) == [FIRST, THIRD] and report.skipped == 1


@pytest.mark.parametrize("sign", ["-", "−"])
def test_a_cue_begins_at_0_at_the_earliest(sign: str) -> None:
    report = Report(False)
    early = f"{sign}00:00:03,000 --> 00:00:00,500\nearly\n\n"
    before = f"{sign}00:00:03,000 --> {sign}00:00:02,000\nbefore\n\n{sign}00:01,000 --> 00:00,000\nat 0"
    assert read(".srt", AROUND[".srt"].format(early + before), report)[1] == (0.0, 0.5, "early")
    assert report.counts == {EARLY: 1, BEFORE: 2}


@pytest.mark.parametrize(
    ("suffix", "text", "line"),
    [
        (".vtt", AROUND[".vtt"].format("lost"), 6),
        (".vtt", AROUND[".vtt"].format("00:03.000 --> 00:04.000\nsecond\n\nपीछे"), 9),
        (".vtt", AROUND[".vtt"].format("NOTE\n\nlost\nand lost"), 8),
        (".srt", "一个标题\n第二行\n\n" + AROUND[".srt"].format(""), 1),
    ],
)
def test_rows_that_belong_to_no_cue_are_named(suffix: str, text: str, line: int) -> None:
    with pytest.raises(InvalidInputError, match=f"^a{suffix}:{line}: is '.*', which belongs to no cue"):
        read(suffix, text)
    report = Report(skip_bad=True)
    assert [cue for cue in read(suffix, text, report) if cue[2] != "second"] == [FIRST, THIRD] and report.skipped == 1


def test_a_number_without_times_is_named() -> None:
    text = AROUND[".srt"].format("2\nsecond")
    with pytest.raises(InvalidInputError, match=r"^a.srt:6:times: is 'second'"):
        read(".srt", text)


@pytest.mark.parametrize(
    ("suffix", "block", "expected"),
    [
        (".vtt", "NOTE not said\n\nNOTE\nnor this\n\nSTYLE\n::cue {}\n\nREGION\nid:x", []),
        (".vtt", "2", []),
        (".vtt", "00:03.000 --> 00:04.000\na<00:00:03.500><c> b</c><00:00:03.750><c> c</c>", ["a b c"]),
        (".vtt", "a name\n00:03.000 --> 00:04.000\nb", ["b"]),
        (".vtt", "00:03.000 --> 00:04.000\n \nb\n \nc\n ", ["b\nc"]),  # blanks are padding
        (".vtt", "00:03.000 --> 00:04.000\n\nb", ["b"]),  # padding that an editor trimmed
        (".vtt", "00:03.000 --> 00:03.500\nlook --> there\n00:03.500 --> 00:04.000\nc", ["look --> there", "c"]),
        (".srt", "2\n\n00:00:03,000 --> 00:00:04,000\n\nb\n\nc", ["b\nc"]),  # blank rows everywhere
        (".srt", "2\n00:00:03,000 --> 00:00:04,000\nb\n\n2024\nwas good\n\n1999", ["b\n2024\nwas good\n1999"]),
        (".srt", "2\n00:00:03,000 --> 00:00:04,000\nat\n10:30 - 11:30", ["at\n10:30 - 11:30"]),
        (
            ".srt",
            "2\n00:00:03,000 --> 00:00:04,000\nfrom\n10:30 -> 11:30\n\n9:00 -> 9:30",
            ["from\n10:30 -> 11:30\n9:00 -> 9:30"],
        ),
        (".srt", "2", []),  # of a cue that was deleted
        (".srt", "２\n00:00:03,000 --> 00:00:04,000\nb", ["b"]),
        (".srt", "Cue 2\n00:00:03,000 --> 00:00:04,000\nb", ["b"]),
    ],
)
def test_every_other_row_has_its_place(suffix: str, block: str, expected: list[str]) -> None:
    found = read(suffix, AROUND[suffix].format(block))
    texts = [strip_markup(text) for _, _, text in found[1:-1]]
    assert found[0] == FIRST and found[-1] == THIRD and texts == expected


def test_no_blank_rows_and_doubled_ones_change_nothing() -> None:
    text = AROUND[".srt"].format("2\n00:00:03,000 -> 00:00:04,000\nb")
    expected = [FIRST, (3.0, 4.0, "b"), THIRD]
    assert read(".srt", text.replace("\n\n", "\n")) == read(".srt", text.replace("\n", "\n\n")) == expected
    web = AROUND[".vtt"].format("2\n00:03.000 --> 00:04.000\nb")
    assert read(".vtt", web.replace("\n\n", "\n \n")) == expected


def test_a_file_without_cues_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "a.vtt").write_text("WEBVTT\n\nNOTE nobody speaks\n")
    assert read_subtitles(tmp_path / "a.vtt", Report(False)) == []


@pytest.mark.parametrize("row", ["-" * 9000, "0:0" + " " * 9000, "<v " * 3000, "{\\" * 3000, "a:" * 3000, "[" * 9000])
def test_rows_of_any_length_are_read_at_once(row: str, tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text(AROUND[".srt"].format(f"{row}\n\n{row}"))
    started = process_time()
    assert len(read_subtitles(tmp_path / "a.srt", Report(True))) >= 2
    assert process_time() - started < 1


def test_webvtt_by_the_name_of_subrip() -> None:
    assert read(".srt", AROUND[".vtt"].format("")) == [FIRST, THIRD]


def test_short_fractions_are_those_of_their_format() -> None:
    assert read_times("00:00:03.5 --> 00:00:04.25", True) == (3.5, 4.25)
    assert read_times("00:00:03,5 --> 00:00:04,025", False) == (3.005, 4.025)


@pytest.mark.parametrize(("suffix", "text"), [(".srt", SRT), (".vtt", VTT)])
def test_webvtt_py_reads_the_published_files_the_same(suffix: str, text: str, tmp_path: Path) -> None:
    (tmp_path / f"a{suffix}").write_text(text, encoding="utf-8")
    read_file = webvtt.from_srt if suffix == ".srt" else webvtt.read
    expected = [
        (cue.start_time.in_milliseconds() / 1000, cue.end_time.in_milliseconds() / 1000, cue.raw_text)
        for cue in read_file(str(tmp_path / f"a{suffix}")).captions
    ]
    assert read(suffix, text) == expected


def test_a_cue_knows_its_line() -> None:
    cues = read_cues(Path("a.srt"), ".srt", AROUND[".srt"].format(""), Report(False))
    assert cues == [Cue(2, 1.0, 2.0, ["first"]), Cue(8, 5.0, 6.0, ["third"])]


@pytest.mark.parametrize(
    ("name", "start"),
    [
        *((f"a_{name}.srt", 3.0) for name in ("bidi", "bracket", "endash", "htmlarrow", "longarrow", "shortarrow")),
        ("a_zwsp.srt", 3.0),
        ("v_short.vtt", 3.0),
        ("a_neg.srt", 0.0),
        ("v_neg.vtt", 0.0),
    ],
)
def test_no_cue_of_the_field_is_lost(name: str, start: float, cases: Path) -> None:
    folder = cases / "cues-lost-silently"
    words = ("tracks", cases / "talk.mp4", "--media-root", cases, "--subtitles", folder / name)
    (episode,), _ = converted(folder / "out.jsonl", *words)
    said = sorted((one.start, one.end, one.speaker, one.text) for one in episode.utterances)
    assert (start, 4.0, "Ben", "second") in said and len(said) == 3


def test_times_that_no_one_can_mean_are_named(cases: Path) -> None:
    folder = cases / "cues-lost-silently"
    words = ("tracks", cases / "talk.mp4", "--media-root", cases, "--subtitles", folder / "a_autosubs.srt")
    result = convert(*words, "-o", folder / "out.jsonl")
    assert result.exit_code == 4 and "a_autosubs.srt:6:times: is '-112:-7:-40,-860" in result.stderr
