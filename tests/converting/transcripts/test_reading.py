"""Transcripts of speech recognizers, ELAN and Praat."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pympi
import pytest

from socialcli.converting.report import Report, SourceError
from socialcli.converting.transcripts.lines import Line
from socialcli.converting.transcripts.reading import read_transcript
from socialcli.converting.transcripts.tiers import DEPENDENT, POINTS, UNTIMED


def read(path: Path, report: Report | None = None, tiers: tuple[str, ...] = ()) -> list[Line]:
    return read_transcript(path, report or Report(skip_bad=False), tiers=tiers)


def recognized(folder: Path, *segments: Any) -> Path:
    file = folder / "talk.json"
    file.write_text(json.dumps({"segments": segments, "language": "en"}), encoding="utf-8")
    return file


def test_whisper_gives_lines_without_speakers(tmp_path: Path) -> None:
    file = recognized(
        tmp_path,
        {"id": 0, "start": 0.0, "end": 1.5, "text": " Did he take it?", "words": [{"word": " Did", "start": 0.0}]},
        {"id": 1, "start": 1.5, "end": 1.5, "text": "  "},
        {"id": 2, "start": 2, "end": 3, "text": "No."},
    )
    assert read(file) == [Line(0.0, 1.5, "Did he take it?"), Line(2.0, 3.0, "No.")]


def test_whisperx_gives_speakers_and_a_segment_of_two_is_split_at_the_change(tmp_path: Path) -> None:
    words = [
        {"word": "Anna,", "start": 0.1, "end": 0.4, "speaker": "S0"},
        {"word": "7?", "speaker": "S0"},  # whisperX does not align digits
        {"word": "Seven.", "start": 1.0, "end": 1.3, "speaker": "S1"},
    ]
    file = recognized(
        tmp_path,
        {"start": 0.1, "end": 1.4, "text": "Anna, 7? Seven.", "speaker": "S0", "words": words},
        {"start": 2.0, "end": 2.5, "text": "Yes.", "speaker": "S1", "words": [{"word": "Yes.", "start": 2.0}]},
    )
    assert read(file) == [
        Line(0.1, 0.4, "Anna, 7?", "S0"),
        Line(1.0, 1.3, "Seven.", "S1"),
        Line(2.0, 2.5, "Yes.", "S1"),
    ]


@pytest.mark.parametrize(
    ("segment", "parts"),
    [
        ({"start": 2.0, "end": 1.0, "text": "no"}, ["segments[0]", "two times in order"]),
        ({"end": 1.0, "text": "no"}, ["segments[0].start", "None"]),
        ({"start": 0.0, "end": 1.0, "text": 3}, ["segments[0].text", "str"]),
        ({"start": 0.0, "end": 1.0, "text": "no", "speaker": 3}, ["segments[0].speaker"]),
        ("no", ["segments[0]", "not an object"]),
    ],
)
def test_a_bad_segment_says_where_and_can_be_skipped(segment: Any, parts: list[str], tmp_path: Path) -> None:
    file = recognized(tmp_path, segment, {"start": 1.0, "end": 2.0, "text": "Fine."})
    with pytest.raises(SourceError) as raised:
        read(file)
    assert all(part in str(raised.value) for part in parts)
    report = Report(skip_bad=True)
    assert read(file, report) == [Line(1.0, 2.0, "Fine.")]
    assert report.skipped == 1


def test_other_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    file.write_text('{"transcription": []}', encoding="utf-8")
    with pytest.raises(SourceError, match="not the JSON of whisper"):
        read(file)


def elan(folder: Path) -> Path:
    """Two speakers, a gloss that depends on the words of one, and a tier of gestures."""
    made = pympi.Eaf(author="test")
    made.remove_tier("default")
    made.add_linguistic_type("gloss", constraints="Symbolic_Association")
    made.add_tier("A_words", part="Anna")
    made.add_tier("Ben")
    made.add_tier("A_gesture", part="Anna")
    made.add_tier("A_gloss", ling="gloss", parent="A_words")
    made.add_annotation("Ben", 2000, 3000, "I think\nso.")
    made.add_annotation("A_words", 500, 1500, "Did he take it?")
    made.add_ref_annotation("A_gloss", "A_words", 600, "did he take it")
    made.add_annotation("A_gesture", 700, 900, "points")
    made.add_annotation("Ben", 4000, 4500, " ")
    file = folder / "talk.eaf"
    made.to_file(str(file))
    return file


def test_tiers_of_elan_are_speakers_named_by_their_participants(tmp_path: Path) -> None:
    report = Report(skip_bad=False)
    assert read(elan(tmp_path), report) == [
        Line(0.5, 1.5, "Did he take it?", "Anna"),
        Line(0.7, 0.9, "points", "Anna"),
        Line(2.0, 3.0, "I think so.", "Ben"),
    ]
    assert report.counts[DEPENDENT] == 1


def test_named_tiers_alone_are_read(tmp_path: Path) -> None:
    report, file = Report(skip_bad=False), elan(tmp_path)
    assert [line.text for line in read(file, report, ("A_words", "Ben"))] == ["Did he take it?", "I think so."]
    assert not report.counts
    with pytest.raises(SourceError, match=r"no tier 'C'.*its tiers: A_words, Ben, A_gesture, A_gloss"):
        read(file, tiers=("Ben", "C"))


def test_annotations_without_times_are_left_out_and_counted(tmp_path: Path) -> None:
    file, report = elan(tmp_path), Report(skip_bad=False)
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(' TIME_VALUE="3000"', ""), encoding="utf-8")
    assert [line.text for line in read(file, report)] == ["Did he take it?", "points"]
    assert report.counts[UNTIMED] == 1


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
@pytest.mark.parametrize("mode", ["normal", "short"])
def test_interval_tiers_of_praat_are_speakers(codec: str, mode: str, tmp_path: Path) -> None:
    made = pympi.TextGrid(xmax=5.0, codec=codec)
    anna, marks = made.add_tier("Anna"), made.add_tier("marks", tier_type="TextTier")
    anna.add_interval(0.5, 1.5, "Où est-il ?")
    marks.add_point(1.0, "x")
    made.add_tier("Ben").add_interval(2.0, 3.25, "Là.")
    file = tmp_path / "talk.TextGrid"
    made.to_file(str(file), codec=codec, mode=mode)
    report = Report(skip_bad=False)
    assert read(file, report) == [Line(0.5, 1.5, "Où est-il ?", "Anna"), Line(2.0, 3.25, "Là.", "Ben")]
    assert report.counts[POINTS] == 1
    assert [line.speaker for line in read(file, tiers=("Ben",))] == ["Ben"]
    with pytest.raises(SourceError, match="no tier 'marks' with intervals"):
        read(file, tiers=("marks",))


@pytest.mark.parametrize("name", ["talk.eaf", "talk.TextGrid"])
def test_a_file_of_another_kind_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text("1\n00:00:01,000 --> 00:00:02,000\nNo.\n", encoding="utf-8")
    with pytest.raises(SourceError, match="cannot be read as"):
        read(file)


def test_names_say_the_format_and_subtitles_have_no_tiers(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"ends in \.srt, \.vtt, \.json, \.eaf or \.TextGrid"):
        read(tmp_path / "talk.txt")
    with pytest.raises(SourceError, match=r"--tier is for an \.eaf or \.TextGrid file"):
        read(tmp_path / "talk.srt", tiers=("Anna",))
