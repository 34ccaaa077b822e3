"""Who speaks: labels in front of lines, in the ways of transcribers, captioners and chats, and in several scripts."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from socialcli.converting.report import Report
from socialcli.converting.transcripts.lines import Line
from socialcli.converting.transcripts.speaker_labels import names_by_spelling, parse_label, turns
from socialcli.converting.transcripts.subtitles import read_subtitles
from socialcli.episodes.records import Episode

from ...video.clips import write_video
from ..sources import converted, write

TABLE = names_by_spelling(
    [
        "Anna",
        "Ben",
        "SPEAKER_00",
        "Speaker #1",
        "José",
        "小明",
        "राम",
        "سارة",
        "1",
        "Dr. No",
        "[Host]",
        "O'Brien",
        "Q: A",
        "Işıl",
        "김철수",
        "アンナ",
    ]
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Anna: hi", ("Anna", "hi")),
        ("ANNA:hi", ("Anna", "hi")),
        ("[SPEAKER_00]: hi", ("SPEAKER_00", "hi")),  # WhisperX
        ("[speaker_00] hi", ("SPEAKER_00", "hi")),
        ("(Anna): hi", ("Anna", "hi")),
        ("(Anna:) hi", ("Anna", "hi")),
        ("Host: hi", ("[Host]", "hi")),
        ("[HOST] hi", ("[Host]", "hi")),
        ("Speaker #1: hi", ("Speaker #1", "hi")),
        ("1: hi", ("1", "hi")),
        ("Dr. No: hi", ("Dr. No", "hi")),
        ("O’Brien: hi", ("O'Brien", "hi")),
        ("Q: A: hi", ("Q: A", "hi")),
        ("Anna: Ben: hi", ("Anna", "Ben: hi")),
        ("ANNA (V.O.): hi", ("Anna", "hi")),
        ("Anna [on the phone]: hi", ("Anna", "hi")),
        (">> ANNA: hi", ("Anna", "hi")),
        (">>>Anna: hi", ("Anna", "hi")),
        ("- Anna : hi", ("Anna", "hi")),
        ("– Anna\u00a0: hi", ("Anna", "hi")),
        ("**Anna:** hi", ("Anna", "hi")),
        ("[00:12] Anna: hi", ("Anna", "hi")),
        ("\u202aAnna\u202c: hi\u200f", ("Anna", "hi")),
        ("\ufeffAn\u200bna: hi", ("Anna", "hi")),
        ("ＡＮＮＡ：hi", ("Anna", "hi")),
        ("小明：你好", ("小明", "你好")),
        ("【小明】你好", ("小明", "你好")),
        ("(小明)：你好", ("小明", "你好")),
        ("राम: सीता कहाँ है", ("राम", "सीता कहाँ है")),
        ("سارة: مرحبا", ("سارة", "مرحبا")),
        ("\u200fسارة : مرحبا", ("سارة", "مرحبا")),
        (unicodedata.normalize("NFD", "José: sí"), ("José", unicodedata.normalize("NFD", "sí"))),
        ("JOSÉ: sí", ("José", "sí")),
        ("IŞIL: evet", ("Işıl", "evet")),
        (unicodedata.normalize("NFD", "김철수") + ": 네", ("김철수", "네")),  # as macOS writes Hangul
        ("ｱﾝﾅ：はい", ("アンナ", "はい")),
        (">> [Anna]: hi", ("Anna", "hi")),
        ("-[ANNA] hi", ("Anna", "hi")),
    ],
)
def test_a_label_of_the_table_is_found_as_text(line: str, expected: tuple[str, str]) -> None:
    assert parse_label(line, TABLE) == expected


@pytest.mark.parametrize(
    "line",
    [
        "Listen: no",
        "He said: go",
        "1:30 we left",
        "At 10:30 Anna: hi",
        "see http://a.b/c",
        "Anna said: go",
        "Annabel: hi",
        "Anna",
        "[Laughter] hi",
        "(1) first",
        "[1] as said there",
        "»Anna« he said",
        "(Annabel) hi",
        "राम की: सीता",
        "小明说：好",
    ],
)
def test_what_is_no_label_of_the_table_stays_words(line: str) -> None:
    assert parse_label(line, TABLE) == (None, line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[SPEAKER_00]: hi", ("SPEAKER_00", "hi")),
        ("[speaker 1]: hi", ("speaker 1", "hi")),
        ("[राम]：hi", ("राम", "hi")),
        (">> ANNA: hi", ("ANNA", "hi")),
        (">>Carla: hi", ("Carla", "hi")),
        (unicodedata.normalize("NFD", "José: sí"), ("José", unicodedata.normalize("NFD", "sí"))),
        (">> he said: go", (None, "he said: go")),
        (">> gone", (None, "gone")),
        ("[Laughter]", (None, "[Laughter]")),
        ("[Anna] hi", (None, "[Anna] hi")),
        ("[00:12]: hi", (None, "[00:12]: hi")),
        ("At 10:30 we left", (None, "At 10:30 we left")),
        ("He said that: go", (None, "He said that: go")),
        ("小明：你好", ("小明", "你好")),
        ("小红:她在哪里", ("小红", "她在哪里")),
        ("राम: सीता कहाँ है", ("राम", "सीता कहाँ है")),
        ("राम कुमार शर्मा: हाँ", ("राम कुमार शर्मा", "हाँ")),
        ("สมหญิง: ดีค่ะ", ("สมหญิง", "ดีค่ะ")),
        ("น้ำ: ไปไหน", ("น้ำ", "ไปไหน")),
        ("アレクサンドラ：やあ", ("アレクサンドラ", "やあ")),
        ("민수: 뭐", ("민수", "뭐")),
        ("مُحَمَّد: نعم", ("مُحَمَّد", "نعم")),
        ("\u202bأحمد: مرحبا\u202c", ("أحمد", "مرحبا")),
        ("ანა: კი", ("ანა", "კი")),  # letters with capitals that no name begins with
        ("ＡＮＮＡ：hi", ("ＡＮＮＡ", "hi")),
        ("（太郎：）はい", ("太郎", "はい")),
        ("Ａｎｎａ　Ｓｍｉｔｈ：はい", ("Ａｎｎａ Ｓｍｉｔｈ", "はい")),
        ("昨天我在街上看见他的时候他说：你好", (None, "昨天我在街上看见他的时候他说：你好")),
        ("वह कल घर आया और बोला: हाँ", (None, "वह कल घर आया और बोला: हाँ")),
        ("ANNA (V.O.): hi", ("ANNA", "hi")),
        ("Anna Smith (she/her): hi", ("Anna Smith", "hi")),
        ("Speaker (2): hi", (None, "Speaker (2): hi")),
        ("Http://a.b", (None, "Http://a.b")),
        ("Anna:", (None, "Anna:")),
    ],
)
def test_without_a_table_only_usual_forms_are_labels(line: str, expected: tuple[str | None, str]) -> None:
    assert parse_label(line) == expected


def test_brackets_with_a_colon_are_a_label_that_the_table_lacks() -> None:
    assert parse_label("[SPEAKER_07]: hi", TABLE) == ("SPEAKER_07", "hi")


def test_of_labels_that_differ_in_case_the_exact_one_is_meant() -> None:
    table = names_by_spelling(["anna", "ANNA"])
    assert [parse_label(f"{label}: x", table)[0] for label in ("ANNA", "anna", "Anna")] == ["ANNA", "anna", "anna"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">> Where?\n>> Gone.", [(None, "Where?"), (None, "Gone.")]),
        ("away >> did you >> BEN: no", [(None, "away"), (None, "did you"), ("Ben", "no")]),
        ("Anna: yes\nof course\n>> no", [("Anna", "yes of course"), (None, "no")]),
        (">>\nAnna: a\n>>\nb", [("Anna", "a"), (None, "b")]),
        ("[Anna]\nhello", [("Anna", "hello")]),
        ("小明：你好\n>> राम: नमस्ते", [("小明", "你好"), ("राम", "नमस्ते")]),
    ],
)
def test_chevrons_change_the_speaker_and_are_no_word(text: str, expected: list[tuple[str | None, str]]) -> None:
    assert list(turns(text, TABLE)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ANNA:\nWhere is he?", [("ANNA", "Where is he?")]),
        ("- सीता:\n  हाँ\n- राम:\n  नहीं", [("सीता", "हाँ"), ("राम", "नहीं")]),
        ("太郎：\nやあ\n\n", [("太郎", "やあ")]),
        ("Anna:\nBen: no", [(None, "Anna:"), ("Ben", "no")]),  # nothing is lost
        ("Listen:\n- no", [(None, "Listen:"), (None, "no")]),
        ("Listen:", [(None, "Listen:")]),
    ],
)
def test_without_a_table_a_name_may_stand_above_its_words(text: str, expected: list[tuple[str | None, str]]) -> None:
    assert list(turns(text)) == expected


@pytest.mark.parametrize(
    ("text", "table", "expected"),
    [
        ("- ANNA: No. - BEN: Yes.", False, [("ANNA", "No."), ("BEN", "Yes.")]),
        ("- Anna: No. – Ben: Yes - or no.", True, [("Anna", "No."), ("Ben", "Yes - or no.")]),
        ("–राम: हाँ –小明：你好", True, [("राम", "हाँ"), ("小明", "你好")]),
        ("- No. - Listen: yes", True, [(None, "No. - Listen: yes")]),
        ("Anna: No - Ben: that is his name", True, [("Anna", "No - Ben: that is his name")]),
    ],
)
def test_a_line_that_begins_with_a_dash_may_hold_several_speakers(
    text: str, table: bool, expected: list[tuple[str | None, str]]
) -> None:
    assert list(turns(text, TABLE if table else None)) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("<b>Anna:</b> hi", [("Anna", "hi")]),
        ("{\\an8}<i>[Anna]</i> hi", [("Anna", "hi")]),
        ("Anna\\N: hi", [("Anna", "hi")]),
        ("Anna: hi\\NBen: ho", [("Anna", "hi"), ("Ben", "ho")]),
        ("&gt;&gt; BEN: hi", [("Ben", "hi")]),
        ("<v ANNA>hi", [("Anna", "hi")]),
        ("<v Anna>Anna: hi\nthere</v>\nBen: ho", [("Anna", "hi there"), ("Ben", "ho")]),
        ("<v Anna>Ben: that is his name", [("Anna", "Ben: that is his name")]),
        ("<v Carl>hi", [("Carl", "hi")]),
    ],
)
def test_marks_around_a_label_are_no_part_of_it(words: str, expected: list[tuple[str, str]], tmp_path: Path) -> None:
    path = write(tmp_path / "a.srt", f"1\n00:00:01,000 --> 00:00:02,000\n{words}\n")
    assert read_subtitles(path, Report(False), TABLE) == [Line(1.0, 2.0, text, name) for name, text in expected]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ('<font color="#fff">Where?</font>\n<font color="#FFFF00">Gone.</font>', [(None, "Where?"), (None, "Gone.")]),
        ("<font color=yellow>Anna: a</font>\n<font color='cyan'>b</font>", [("Anna", "a"), (None, "b")]),
        ("<c.yellow>राम: हाँ</c>\n<c.yellow>नहीं</c>\n<c.cyan>小明：好</c>", [("राम", "हाँ नहीं"), ("小明", "好")]),
        ('<font color="#fff">Anna: a</font>\n<font color="#ff0">no</font> b', [("Anna", "a no b")]),  # one word of it
        ("<c.colorE5>Anna: a</c>\n<c.colorCC>b</c><c.colorE5> c</c>", [("Anna", "a b c")]),  # YouTube's doubts
        ('<font color="#fff">Anna: a</font>\nb', [("Anna", "a b")]),
    ],
)
def test_a_row_in_another_colour_is_said_by_another(
    words: str, expected: list[tuple[str | None, str]], tmp_path: Path
) -> None:
    path = write(tmp_path / "a.srt", f"1\n00:00:01,000 --> 00:00:02,000\n{words}\n")
    assert read_subtitles(path, Report(False), TABLE) == [Line(1.0, 2.0, text, name) for name, text in expected]


def cues(*texts: str) -> str:
    """A cue of half a second for each text."""
    return "".join(
        f"{number}\n00:00:0{number // 2},{500 * (number % 2):03d} --> 00:00:0{(number + 1) // 2},"
        f"{500 * ((number + 1) % 2):03d}\n{text}\n\n"
        for number, text in enumerate(texts, start=1)
    )


@pytest.mark.parametrize(
    ("texts", "count"),
    [
        (("O’Brien - a: hi", "P1: hi", "P1: you", "P2: yes"), 4),
        (("[S1] hi", "[S1] there", "no", "no", "[S2] yes", "[S2] no", "so", "so"), 4),
        (("रवि: a", "रवि: b", "रवि: c"), 3),
        (("गीता：a", "b", "c"), 0),
        (("At 10:30 we left", "At 10:30 we left", "At 10:30 we left"), 0),
        (("[Music]", "[Music]", "[Music]"), 0),
    ],
)
def test_lines_that_begin_alike_are_reported_where_nobody_was_found(
    texts: tuple[str, ...], count: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report = Report(False)
    read_subtitles(write(tmp_path / "a.srt", cues(*texts)), report, TABLE)
    assert report.counts["lines that begin like a label but have no known speaker"] == count
    assert (f"a.srt: {count} lines begin like a label" in caplog.text) == bool(count)


def video(folder: Path) -> Path:
    write_video(folder / "talk.mp4", 40, rate=10)
    return folder / "talk.mp4"


def said(episode: Episode) -> list[tuple[str | None, str]]:
    return [(one.speaker, one.text) for one in episode.utterances]


def test_names_and_ids_of_the_table_say_who_speaks(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.csv", "label,speaker,name\nspk1,s1,Zoë\nspk2,s2,राम\nspk3,s3,Kim\nspk4,s4,Kim\n")
    subtitles = write(tmp_path / "a.srt", cues("ZOË: a", "राम：b", "S3: c", "Kim: d", "spk4: e"))
    words = ("tracks", video(tmp_path), "--subtitles", subtitles, "--labels", labels)
    (episode,), _ = converted(tmp_path / "e.parquet", *words)
    assert said(episode) == [("s1", "a"), ("s2", "b"), ("s3", "c"), (None, "Kim: d"), ("s4", "e")]


def test_a_diarization_leaves_no_label_in_the_words(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.csv", "label,speaker\nAnna,anna\nspk2,ben\nBen,ben\n")
    rttm = write(tmp_path / "a.rttm", "SPEAKER talk 1 0 4 <NA> <NA> spk2 <NA> <NA>\n")
    subtitles = write(tmp_path / "a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n[ANNA] hi\n>> BEN: ho\n>> so\n")
    words = ("tracks", video(tmp_path), "--subtitles", subtitles, "--labels", labels, "--diarization", rttm)
    (episode,), _ = converted(tmp_path / "e.parquet", *words)
    assert said(episode) == [("anna", "hi"), ("ben", "ho"), ("ben", "so")]


def test_the_labels_of_whisperx(cases: Path) -> None:
    folder = cases / "whisperx-brackets"
    words = ("tracks", cases / "talk.mp4", "--media-root", cases, "--subtitles", folder / "wx.srt")
    expected = [("anna", "Did he take it?"), ("ben", "I think so.")]
    labelled = (*words, "--labels", folder / "wx.csv")
    for options in (labelled, (*labelled, "--diarization", folder / "wxd.rttm")):
        (episode,), account = converted(folder / "out.jsonl", *options, "--overwrite")
        assert said(episode) == expected and account["notes"] == {}
    (episode,), _ = converted(folder / "out.jsonl", *words, "--overwrite")
    assert [speaker for speaker, _ in said(episode)] == ["SPEAKER_00", "SPEAKER_01"]


def test_the_chevrons_of_captions(cases: Path) -> None:
    folder = cases / "chevrons"
    words = ("tracks", cases / "talk.mp4", "--media-root", cases, "--subtitles", folder / "s1.vtt")
    (episode,), _ = converted(folder / "out.jsonl", *words, "--labels", folder / "labels.csv")
    assert said(episode) == [("anna", "Where is he?"), ("ben", "Gone."), ("carla", "Who?")]


@pytest.mark.parametrize(
    ("name", "speakers"),
    [
        ("names", "anna maria None annab s1 anna anna anna u3 anna one anna"),
        ("zh", "ming hong ming"),
        ("hi", "ram sita"),
        ("nfd", "jose zoe"),
    ],
)
def test_names_in_the_table_are_found(name: str, speakers: str, cases: Path) -> None:
    folder = cases / "names-in-table-not-found"
    words = ("tracks", cases / "talk.mp4", "--media-root", cases, "--subtitles", folder / f"{name}.srt")
    (episode,), _ = converted(folder / "out.jsonl", *words, "--labels", folder / f"{name}.csv")
    assert " ".join(str(one.speaker) for one in episode.utterances) == speakers
    assert not any(":" in one.text or "：" in one.text for one in episode.utterances if one.speaker)
