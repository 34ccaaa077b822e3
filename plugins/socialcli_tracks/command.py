"""`socialcli convert tracks`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from socialcli.converting.conversion import Conversion
from socialcli.converting.options import TaskNames, context_options, conversion_options
from socialcli.converting.questions import TASKS
from socialcli.converting.unit_checks import box_unit_option
from socialcli.errors import UsageError
from socialcli.options.values import FiniteRange

from .columns import ColumnNames

if TYPE_CHECKING:
    from socialcli.converting.report import Report

    from .sources import Sources

_FILE = click.Path(path_type=Path)


@click.command("tracks", short_help="Your own videos with subtitles and tracked boxes.")
@conversion_options
@click.argument("videos", type=_FILE, nargs=-1, required=True, metavar="VIDEO...")
@click.option(
    "--subtitles",
    type=_FILE,
    help="Transcript: a .srt, .vtt, .eaf (ELAN) or .TextGrid (Praat) file, or the .json of whisper or whisperX.  "
    "[default: all files are those with the video's name beside it]",
)
@click.option(
    "--tier",
    "tiers",
    multiple=True,
    metavar="NAME",
    help="Read this tier of an ELAN or Praat file. May be repeated.  [default: all, without dependent ones]",
)
@click.option("--diarization", type=_FILE, help="Speakers by time, for lines without a name: an .rttm file.")
@click.option(
    "--boxes",
    type=_FILE,
    help="Boxes of people: a file in the form of the MOT Challenge, a CSV file with a header, a file of CVAT (for "
    "video 1.1), Label Studio or COCO, or the folder of label files that `yolo track save_txt=True` writes.",
)
@box_unit_option
@click.option(
    "--columns",
    type=ColumnNames(),
    metavar="FIELD=COLUMN,...",
    help="Columns of a CSV file of boxes: track, time or frame; x0, x1, width or cx; y0, y1, height or cy.  [default: "
    "the names that common trackers use]",
)
@click.option(
    "--first-frame",
    type=click.Choice(("auto", "0", "1")),
    default="auto",
    show_default=True,
    help="Number of the first frame in the file of boxes. auto: 0 in a CSV file; else 0 if frame 0 occurs, else 1.",
)
@click.option(
    "--labels",
    type=_FILE,
    help="Who each label is: a CSV file with the columns label, speaker and, optionally, name and recording.",
)
@click.option(
    "--labels-template",
    type=_FILE,
    metavar="FILE.csv",
    help="Write all labels to a table for --labels, with suggestions of who is who to check, and print these.",
)
@click.option(
    "--sheet",
    type=_FILE,
    metavar="FILE.png",
    help="Draw the tracks of the boxes, each with its id and pictures over time; of several videos, to FILE-VIDEO.png.",
)
@click.option("--fps", type=FiniteRange(min=0, min_open=True), help="Frames per second.  [default: as the video says]")
@click.option(
    "--ask",
    type=TaskNames(),
    metavar="TASK,...",
    help=f"Add questions, without answers, about every utterance: {', '.join(TASKS)}, or all.  [default: none]",
)
@click.option(
    "--answers",
    type=_FILE,
    metavar="FILE.csv",
    help="Answers to the questions of --ask: a CSV file with the columns question and answer, a speaker's id or name.",
)
@click.option(
    "--answers-template",
    type=_FILE,
    metavar="FILE.csv",
    help="Write the questions of --ask and their candidates to a table for --answers, whose last column is to fill in.",
)
@context_options
@click.option(
    "--dataset", metavar="NAME", default="tracks", show_default=True, help="Name of the data set in the episodes."
)
def command(
    conversion: Conversion,
    videos: tuple[Path, ...],
    subtitles: Path | None,
    tiers: tuple[str, ...],
    diarization: Path | None,
    boxes: Path | None,
    box_unit: str,
    columns: Mapping[str, str] | None,
    first_frame: str,
    labels: Path | None,
    fps: float | None,
    ask: Sequence[str] | None,
    answers: Path | None,
    context: int,
    online: bool,
    dataset: str,
    **aids: Path | None,
) -> None:
    """Convert videos with subtitles and tracked boxes to episodes: one for each video, or with --ask one for each
    utterance.

    VIDEO is a file or a folder of videos. Without --subtitles, the files of a video are those of its name beside it:
    talk.srt (.vtt, .eaf, .TextGrid, .json), talk.rttm, talk.csv (.mot, .txt, .xml, .json) of talk.mp4.

    The speaker of a line comes from a label before its words ("Anna: no", "[Anna]: no", "<v Anna>no"), from its tier in
    an ELAN or Praat file, from whisperX, or else from the diarization with the longest overlap. --labels says which
    track, diarized speaker and name are the same person; labels that it does not list are dropped and counted.

    Exit codes: 0 done, 2 usage, 4 a source that cannot be read (with --skip-bad, only if nothing of it can be).
    """
    from .labels import read_labels
    from .sources import Reading
    from .work import Aids, Asking, RecordingConverter

    wanted = Aids(**aids)
    wanted.check(conversion.overwrite)
    if ask is None and (answers is not None or wanted.answers_template is not None):
        raise UsageError("--answers and --answers-template are about the questions of --ask; add it")
    named = _Named(subtitles, diarization, boxes, box_unit, columns or {})
    several = len(videos) > 1 or videos[0].is_dir()
    sources = _several(videos, named, conversion.report) if several else [_alone(videos[0], named, conversion.report)]
    table = None if labels is None else read_labels(labels, conversion.report)
    first = None if first_frame == "auto" else int(first_frame)
    reading = Reading(dataset, table, fps, first, tiers)
    RecordingConverter(conversion, reading, Asking(ask, context, online, answers), wanted).convert(sources, several)


@dataclass(frozen=True, slots=True)
class _Named:
    """The files that the command line names, and how boxes are written."""

    subtitles: Path | None
    diarization: Path | None
    boxes: Path | None
    box_unit: str
    columns: Mapping[str, str]


def _several(videos: Sequence[Path], named: _Named, report: Report) -> Iterable[Sources]:
    """The files of several videos, which lie beside them. Raises UsageError if the command line names some."""
    from .companions import all_sources, find_videos

    if named.subtitles or named.diarization or named.boxes:
        raise UsageError(
            "--subtitles, --diarization and --boxes name the files of one video; for several, give the files the names "
            "of the videos, such as talk.srt beside talk.mp4"
        )
    return all_sources(find_videos(videos), named.box_unit, named.columns, report)


def _alone(video: Path, named: _Named, report: Report) -> Sources:
    """The files of one video: those that are named or, without --subtitles, also those beside it."""
    from .boxes import BoxSource
    from .companions import all_sources, expected, find_videos
    from .sources import Sources

    boxes = None if named.boxes is None else BoxSource(named.boxes, named.box_unit, named.columns)
    if named.subtitles is not None:
        return Sources(video, named.subtitles, named.diarization, boxes)
    found = next(iter(all_sources(find_videos([video]), named.box_unit, named.columns, report)), None)
    if found is None:
        raise UsageError(f"{video}: name its transcript with --subtitles, or put one beside it: {expected(video)}")
    return replace(found, diarization=named.diarization or found.diarization, boxes=boxes or found.boxes)
