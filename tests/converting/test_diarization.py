"""RTTM files: the published example, and who speaks longest."""

from __future__ import annotations

from pathlib import Path

import pytest

from socialcli.converting.diarization import Diarization, Turn, read_turns
from socialcli.converting.report import Report

# https://github.com/nryant/dscore#rttm, which NIST's own example follows
EXAMPLE = """\
SPEAKER CMU_20020319-1400_d01_NONE 1 130.430000 2.350 <NA> <NA> juliet <NA> <NA>
SPEAKER CMU_20020319-1400_d01_NONE 1 157.610000 3.060 <NA> <NA> tbc <NA> <NA>
SPEAKER CMU_20020319-1400_d01_NONE 1 130.490000 0.450 <NA> <NA> chek <NA> <NA>
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_published_example(ending: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.rttm"
    path.write_bytes((";; é\n" + EXAMPLE).replace("\n", ending).encode(encoding))
    turns = read_turns(path, "another", Report(False))  # the only recording, whatever the video is called
    assert turns == [
        Turn(130.43, pytest.approx(132.78), "juliet"),
        Turn(130.49, pytest.approx(130.94), "chek"),
        Turn(157.61, pytest.approx(160.67), "tbc"),
    ]


@pytest.mark.parametrize(
    ("start", "end", "speaker"),
    [
        (130.0, 131.0, "juliet"),
        (130.9, 131.0, "juliet"),
        (0.0, 200.0, "tbc"),
        (140.0, 150.0, None),
        (132.78, 140, None),
    ],
)
def test_who_speaks_longest(start: float, end: float, speaker: str | None, tmp_path: Path) -> None:
    path = tmp_path / "a.rttm"
    path.write_text(EXAMPLE)
    assert Diarization(read_turns(path, "a", Report(False))).speaker(start, end) == speaker


def test_turns_of_one_speaker_add_up_and_of_equals_the_first_by_name_counts() -> None:
    diarization = Diarization([Turn(0, 1, "b"), Turn(0, 3, "a"), Turn(2, 4, "b"), Turn(5, 6, "d"), Turn(5, 6, "c")])
    assert diarization.speaker(0, 4) == "a"  # 3 s each
    assert diarization.speaker(0.5, 4) == "a" and diarization.speaker(1.5, 4) == "b"
    assert diarization.speaker(5, 6) == "c"
