"""Subtitles: the formats' own published examples, and what files in the wild do."""

from __future__ import annotations

from pathlib import Path

import pytest

from socialcli.converting.report import Report
from socialcli.converting.transcripts.lines import Line
from socialcli.converting.transcripts.speaker_labels import names_by_spelling, parse_label
from socialcli.converting.transcripts.subtitles import read_subtitles
from socialcli.errors import InvalidInputError, NotFoundError

# https://www.matroska.org/technical/subtitles.html, "SRT Subtitles", and the same times elsewhere
SRT = """\
1
00:02:17,440 --> 00:02:20,375
Senator, we're making
our final approach into Coruscant.

2
00:02:20,476 --> 00:02:22,501
Very good, Lieutenant.
"""
# https://www.w3.org/TR/webvtt1/, sections 1.1 to 1.6, example by example
VTT = """\
WEBVTT - Translation of that film I like

NOTE
This translation was done by Kyle so that some
friends can watch it with their parents.

STYLE
::cue(v[voice="Esme"]) { color: cyan }

REGION
id:fred
width:40%

1
00:02:15.000 --> 00:02:20.000
- Ta en kopp varmt te.
- Det är inte varmt.

00:11.000 --> 00:13.000 vertical:rl
<v Roger Bingham>We are in New York City

00:13.000 --> 00:16.000
<v.loud Neil deGrasse Tyson>Oh, <i.foreignphrase><lang en>wow</lang></i> &amp; so

test
00:00.000 --> 00:02.000
<v Esme>It's a blue apple tree!
<v Mary>No way!

NOTE check the next cue

00:17.500 --> 00:18.500
[Laughter]
"""


def lines(path: Path, content: str | bytes, skip: bool = False) -> list[Line]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_subtitles(path, Report(skip))


def test_the_published_srt(tmp_path: Path) -> None:
    assert lines(tmp_path / "a.srt", SRT) == [
        Line(137.44, 140.375, "Senator, we're making our final approach into Coruscant."),
        Line(140.476, 142.501, "Very good, Lieutenant."),
    ]


def test_the_published_vtt(tmp_path: Path) -> None:
    assert lines(tmp_path / "a.vtt", VTT) == [
        Line(0.0, 2.0, "It's a blue apple tree!", "Esme"),
        Line(0.0, 2.0, "No way!", "Mary"),
        Line(11.0, 13.0, "We are in New York City", "Roger Bingham"),
        Line(13.0, 16.0, "Oh, wow & so", "Neil deGrasse Tyson"),
        Line(17.5, 18.5, "[Laughter]"),
        Line(135.0, 140.0, "Ta en kopp varmt te."),
        Line(135.0, 140.0, "Det är inte varmt."),
    ]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(("suffix", "text"), [(".srt", SRT), (".vtt", VTT)])
def test_marks_and_ends_of_lines_change_nothing(
    suffix: str, text: str, encoding: str, ending: str, tmp_path: Path
) -> None:
    plain = lines(tmp_path / f"a{suffix}", text)
    assert lines(tmp_path / f"b{suffix}", text.replace("\n", ending).encode(encoding)) == plain


def test_latin_1_bytes_are_read_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nDét är “varmt”\n"
    assert lines(tmp_path / "a.srt", text.encode("cp1252")) == [Line(1.0, 2.0, "Dét är “varmt”")]
    assert "a.srt: is not UTF-8 and is read as Windows-1252" in caplog.text


def test_hours_over_99(tmp_path: Path) -> None:
    assert lines(tmp_path / "a.srt", "1\n100:00:01,500 --> 123:59:59,999\nlong\n") == [
        Line(360001.5, 446399.999, "long")
    ]
    assert lines(tmp_path / "a.vtt", "WEBVTT\n\n100:00:01.500 --> 100:00:02.000\nlong\n") == [
        Line(360001.5, 360002.0, "long")
    ]


def test_overlapping_cues_and_cues_out_of_order_keep_their_times(tmp_path: Path) -> None:
    text = "1\n00:00:05,000 --> 00:00:09,000\nb\n\n2\n00:00:01,000 --> 00:00:06,000\na\n"
    assert lines(tmp_path / "a.srt", text) == [Line(1.0, 6.0, "a"), Line(5.0, 9.0, "b")]


def test_marks_of_style_are_no_words(tmp_path: Path) -> None:
    text = '1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<font color="#fff">a <b>b</b></font> 1 < 2 &lt;c&gt;\n'
    assert [line.text for line in lines(tmp_path / "a.srt", text)] == ["a b 1 < 2 <c>"]


def test_an_arrow_in_the_words_and_numbers_that_are_missing(tmp_path: Path) -> None:
    text = "00:00:01,000 --> 00:00:02,000\nlook --> there\n\n2 \n00:00:03,000 --> 00:00:04,000\nb\n"
    assert lines(tmp_path / "a.srt", text) == [Line(1.0, 2.0, "look --> there"), Line(3.0, 4.0, "b")]


def test_a_voice_ends_with_its_tag(tmp_path: Path) -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Bob>yo</v>\nAnna: hey\n"
    assert lines(tmp_path / "a.vtt", text) == [Line(1.0, 2.0, "yo", "Bob"), Line(1.0, 2.0, "hey", "Anna")]


def test_a_cue_without_words_is_no_line(tmp_path: Path) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n\n2\n00:00:03,000 --> 00:00:04,000\nb\n"
    assert lines(tmp_path / "a.srt", text) == [Line(3.0, 4.0, "b")]


BROKEN = [
    (".srt", "1\n00:00:0x --> 00:00:02,000\na\n\n2\n00:00:03,000 --> 00:00:04,000\nb\n", ":2:times: is '00:00:0x -->"),
    (".srt", "1\n00:00:05,000 --> 00:00:02,000\na\n\n2\n00:00:03,000 --> 00:00:04,000\nb\n", ":2:times: is '00:00:05"),
    (".srt", "1\n00:00:03,000 --> 00:00:04,000\nb\n\n2\nno times\na\n", ":6:times: is 'no times'"),
    (
        ".vtt",
        "WEBVTT\n\n00:01.000 --> 0:62.0\na\n\n00:03.000 --> 00:04.000\nb\n",
        ":3:times: is '00:01.000 --> 0:6",
    ),
]


@pytest.mark.parametrize(("suffix", "text", "message"), BROKEN)
def test_a_cue_that_cannot_be_read_is_named_and_can_be_skipped(
    suffix: str, text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    with pytest.raises(InvalidInputError) as caught:
        lines(path, text)
    assert f"{path}{message}" in str(caught.value)
    path.write_text(text)
    report = Report(skip_bad=True)
    assert read_subtitles(path, report) == [Line(3.0, 4.0, "b")]
    assert report.skipped == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.srt", "hello"), ("a.vtt", "hello"), ("a.srt", ""), ("a.vtt", b"\xff\xfe\x00"), ("a.txt", SRT)],
)
def test_what_is_no_subtitle_file_is_refused(name: str, content: str | bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=name):
        lines(tmp_path / name, content)
    with pytest.raises(NotFoundError):
        read_subtitles(tmp_path / "b.srt", Report(False))


@pytest.mark.parametrize(
    ("line", "known", "expected"),
    [
        ("Anna: no", None, ("Anna", "no")),
        ("Anna : no", None, ("Anna", "no")),
        ("(Anna:)no", None, ("Anna", "no")),
        ("- Anna: no", None, ("Anna", "no")),
        ("Dr. Anna Karenina: no", None, ("Dr. Anna Karenina", "no")),
        ("O'Brien: no", None, ("O'Brien", "no")),
        ("Élodie: non", None, ("Élodie", "non")),
        ("Speaker 1: hi", None, ("Speaker 1", "hi")),
        ("i mean this: no", None, (None, "i mean this: no")),
        ("at 12:30 sharp", None, (None, "at 12:30 sharp")),
        ("see http://a.b/c", None, (None, "see http://a.b/c")),
        ("Listen: no", ["Anna"], (None, "Listen: no")),
        ("ANNA: no", ["Anna"], ("Anna", "no")),
        ("spk 1: no", ["SPK 1"], ("SPK 1", "no")),
        ("no", None, (None, "no")),
    ],
)
def test_who_says_a_line(line: str, known: list[str] | None, expected: tuple[str | None, str]) -> None:
    assert parse_label(line, None if known is None else names_by_spelling(known)) == expected
