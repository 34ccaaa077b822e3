"""Captions that show a line again: each line is read once, and what somebody says twice stays twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from socialcli.converting.report import Report
from socialcli.converting.transcripts.cues import Cue
from socialcli.converting.transcripts.rollup import JOINED, merge_repeats

from ..sources import converted

Shown = tuple[float, float, str]


def joined(*shown: Shown) -> tuple[list[Shown], int]:
    """What is left of cues (start, end, rows), and how many lines were joined."""
    report = Report(False)
    cues = merge_repeats([Cue(1, start, end, text.split("\n")) for start, end, text in shown], report)
    return [(cue.start, cue.end, "\n".join(cue.rows)) for cue in cues], report.counts[JOINED]


def test_three_lines_that_roll() -> None:
    found = joined((1, 2, "a"), (2, 3, "a\nb"), (3, 4, "a\nb\nc"), (4, 5, "b\nc\nd"), (5, 6, "c\nd\ne"))
    assert found == ([(1, 2, "a"), (2, 3, "b"), (3, 4, "c"), (4, 5, "d"), (5, 6, "e")], 7)


def test_windows_that_overlap_in_time_and_are_out_of_order() -> None:
    found = joined((4, 6, "गया\nकौन"), (1, 3, "कहाँ"), (2, 4, "<i>कहाँ</i>\nघर"), (3, 5, "घर\nगया"))
    assert found == ([(1, 3, "कहाँ"), (2, 4, "घर"), (3, 5, "गया"), (4, 6, "कौन")], 3)


def test_a_line_that_flashes_is_shown_again() -> None:
    assert joined((1, 2, "你好"), (2, 2.01, "你好"), (3, 4, "再见")) == ([(1, 2, "你好"), (3, 4, "再见")], 1)


def test_a_line_behind_a_gap_is_said_again() -> None:
    found = joined((1, 2, "a"), (2, 3, "a\nno"), (3, 4, "no\nb"), (6, 7, "b"), (7, 8, "b\nc"))
    assert found == ([(1, 2, "a"), (2, 3, "no"), (3, 4, "b"), (6, 7, "b"), (7, 8, "c")], 3)


def test_a_line_that_is_said_twice_within_a_window_stays() -> None:
    found, _ = joined((1, 2, "no"), (2, 3, "no\nno"), (3, 4, "no\nno\nyes"))
    assert found == [(1, 2, "no"), (2, 3, "no"), (3, 4, "yes")]


@pytest.mark.parametrize(
    "shown",
    [
        ((1, 2, "No!"), (2, 3, "No!"), (3, 4, "Yes."), (4, 5, "No!")),
        ((1, 2, "No."), (2, 3, "No.\nPlease."), (3, 4, "Yes."), (4, 5, "So.")),
        ((1, 2, "No."), (2, 3, "No. Please."), (3, 4, "Yes."), (4, 5, "So."), (5, 6, "So?"), (6, 7, "Then no.")),
        ((1, 2, "<i>No</i>"), (2, 3, "No"), (3, 4, "so")),
        ((1, 2, "a"), (1, 2, "b"), (2, 3, "c")),
    ],
)
def test_ordinary_subtitles_stay_as_they_are(shown: tuple[Shown, ...]) -> None:
    assert joined(*shown) == (list(shown), 0)


def test_words_that_are_marked_one_after_the_other_are_said_once() -> None:
    """As `whisper --highlight_words True` writes it."""
    cues = ((1, 2, "<u>did</u> he"), (2, 2.5, "did he"), (2.5, 3, "did <u>he</u>"), (3, 4, "no"))
    assert joined(*cues) == ([(1, 3, "did <u>he</u>"), (3, 4, "no")], 2)


def test_lines_that_grow_are_said_once() -> None:
    cues = ((1, 2, "look"), (2, 3, "look at"), (3, 4, "look at him"), (4, 5, "who"), (5, 6, "who is"))
    assert joined(*cues) == ([(1, 4, "look at him"), (4, 6, "who is")], 3)


@pytest.mark.parametrize(
    "texts", [("你好", "你好我们", "你好我们走吧"), ("सी", "सी ता", "सी ता हाँ"), ("ดู", "ดูเขา", "ดูเขาสิ")]
)
def test_lines_grow_in_every_script(texts: tuple[str, ...]) -> None:
    cues = [(second, second + 1, text) for second, text in enumerate(texts, start=1)]
    assert joined(*cues) == ([(1, 4, texts[-1])], 2)


def test_a_word_that_goes_on_is_another_word() -> None:
    cues = ((1, 2, "no"), (2, 3, "nobody"), (3, 4, "राम"), (4, 5, "रामा"))
    assert joined(*cues) == (list(cues), 0)


@pytest.mark.parametrize(
    ("name", "expected", "count"),
    [
        ("yt.vtt", [(0.16, 3.43, "look at this cat"), (3.44, 5.75, "it runs away"), (5.76, 8.0, "did you see")], 4),
        ("ytsrt.srt", [(0.16, 3.43, "look at this cat"), (3.44, 5.75, "it runs away")], 3),
    ],
)
def test_the_automatic_captions_of_youtube(name: str, expected: list[Shown], count: int, cases: Path) -> None:
    folder = cases / "youtube-auto-vtt"
    words = ("tracks", cases / "talk.mp4", "--media-root", cases, "--subtitles", folder / name)
    (episode,), account = converted(folder / "out.jsonl", *words)
    assert [(round(one.start, 2), round(one.end, 2), one.text) for one in episode.utterances] == expected
    assert account["notes"][JOINED] == count
