"""Read the release of OnlineMMSI: per split, a folder of clips with a metadata.csv (video_name, user, assistant).

Source: "Towards Online Multi-Modal Social Interaction Understanding" (Li et al., TMLR 2026),
https://github.com/Sampson-Lee/OnlineMMSI. `user` is the prompt of the paper's own models; its dialogue lines,
`[Player1]: words` or `Player1 (03:27): words`, are used, and the question is about the last one. `assistant` begins
with the answer.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import read_text
from socialcli.converting.transcripts.speaker_labels import COLONS
from socialcli.converting.utterances import speaking_time
from socialcli.words.scripts import INVISIBLE
from socialcli.words.spelling import find_words

COLUMNS = ("video_name", "user", "assistant")
LONGEST = 1 << 20  # characters of a cell
MOST_PLAYERS = 26  # candidates are lettered
_LINE = re.compile(
    rf"[\s{INVISIBLE}>＞*-]*[\[［]?Player ?(\d{{1,6}})[\]］]?[\s*]*"  # [Player1]
    rf"(?:[(（]\d+[{COLONS}]\d\d?[)）])?\s*[{COLONS}]\s*(\S.*)",  # (03:27): words
    re.IGNORECASE,
)
_ANSWER = re.compile(r"[\W_]*Player(\d{1,6})")
_MASK = re.compile(r"\[MASK\]|<mask>|\[\.\.\.\]|_{2,}", re.IGNORECASE)
_PRONOUNS = ("he", "his", "him", "she", "her")


@dataclass(frozen=True, slots=True)
class Row:
    """A question of the release: its clip, the dialogue up to it, and the player who is the answer."""

    number: int  # the line of metadata.csv where the row begins, from 1
    clip: str  # the release's path of the clip, relative to the folder of its split
    said: tuple[tuple[int, str], ...]  # the player's number and the words; the question is about the last
    answer: int

    @property
    def players(self) -> int:
        """The number of players, inferred from the numbers that the row mentions."""
        mentioned = (int(found) for _, words in self.said for found in re.findall(r"Player(\d{1,6})", words))
        return max(2, 1 + max([self.answer, *(player for player, _ in self.said), *mentioned]))


def read_rows(path: Path, report: Report) -> Iterator[Row]:
    """The rows of a metadata.csv. Rows that cannot be used go to `report` as problems.

    Raises NotFoundError and SourceError.
    """
    csv.field_size_limit(LONGEST)
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    begins = 1
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise SourceError(
                path, 1, None, f"has no column {' and no column '.join(missing)}; name the release's file"
            )
        begins = reader.line_num + 1
        for record in reader:
            with report.skipping_bad():
                yield _row(record, path, begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(
            path, begins, None, f"is not a row of a CSV file ({error}); download the file again"
        ) from error


def _row(record: Mapping[str, str | None], path: Path, number: int) -> Row:
    if None in record:  # csv's key for values beyond the header's; an unquoted comma shifts them
        message = "has more values than the header; quote values with commas, or download the file again"
        raise SourceError(path, number, None, message)
    texts = {name: (record.get(name) or "").strip() for name in COLUMNS}
    for name, text in texts.items():
        if not text:
            raise SourceError(path, number, name, "is empty; download the file again")
    found = [_LINE.fullmatch(line) for line in texts["user"].split("\n")]
    said = tuple((int(line[1]), line[2].strip()) for line in found if line)
    if not said:
        raise SourceError(path, number, "user", "has no line of a dialogue, such as '[Player1]: words'")
    answer = _ANSWER.match(texts["assistant"])
    if answer is None:
        raise SourceError(
            path, number, "assistant", f"is {texts['assistant'][:60]!r}, which does not begin with a player"
        )
    row = Row(number, texts["video_name"], said, int(answer[1]))
    if row.players > MOST_PLAYERS:
        raise SourceError(
            path, number, "user", f"names Player{row.players - 1}; a question can have at most {MOST_PLAYERS} players"
        )
    if PurePosixPath(row.clip).is_absolute() or ".." in PurePosixPath(row.clip).parts:
        raise SourceError(path, number, "video_name", f"is {row.clip!r}, but must be a file below its folder")
    return row


def question_span(words: str, kind: str, path: Path, number: int) -> tuple[int, int] | None:
    """The characters of an utterance that the question is about: its mask, or its only pronoun. None for STI."""
    if kind == "STI":
        return None
    masks = [found.span() for found in _MASK.finditer(words)]
    pronouns = list(find_words(words, _PRONOUNS)) if kind == "PCR" else []
    for spans in (masks, pronouns):
        if len(spans) == 1:
            return spans[0]
    what = "pronoun" if kind == "PCR" else "mention"
    raise SourceError(path, number, "user", f"does not say which {what} of {words[:60]!r} is meant; mark it as [MASK]")


def estimated_times(said: Sequence[tuple[int, str]], length: float | None) -> list[tuple[float, float]]:
    """Estimate the start and end of each utterance in seconds of a clip that ends with the last one.

    The release does not give them. Each utterance gets the time that its words take, one after another, backwards from
    the clip's end; all are shortened if the clip is too short.
    """
    needed = [max(1.0, speaking_time(words)) for _, words in said]
    end = sum(needed) if length is None else length
    share = min(1.0, end / sum(needed))
    times: list[tuple[float, float]] = []
    for seconds in reversed(needed):
        start = max(0.0, end - share * seconds)
        times.append((round(start, 3), round(end, 3)))
        end = start
    return times[::-1]
