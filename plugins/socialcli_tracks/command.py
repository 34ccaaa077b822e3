"""`socialcli convert tracks`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from socialcli.converting.conversion import Conversion
from socialcli.converting.options import context_options, conversion_options
from socialcli.converting.unit_checks import box_unit_option
from socialcli.options.values import FiniteRange

from .columns import ColumnNames
from .questions import TASKS

if TYPE_CHECKING:
    from socialcli.episodes.records import Episode

_FILE = click.Path(path_type=Path)


class _TaskNames(click.ParamType[tuple[str, ...]]):
    """Names of tasks, separated by commas."""

    name = "tasks"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Convert "target,coref" to ("target", "coref")."""
        names = tuple(dict.fromkeys(name.strip() for name in str(value).split(",") if name.strip()))
        names = TASKS if names == ("all",) else names
        unknown = [name for name in names if name not in TASKS]
        if unknown or not names:
            self.fail(f"{value!r} is not a list of {', '.join(TASKS)}, nor all.", param, ctx)
        return names


@click.command("tracks", short_help="Your own video with subtitles and tracked boxes.")
@conversion_options
@click.argument("video", type=_FILE)
@click.option(
    "--subtitles",
    type=_FILE,
    required=True,
    help="Transcript: a .srt, .vtt, .eaf (ELAN) or .TextGrid (Praat) file, or the .json of whisper or whisperX.",
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
    help="Boxes of people: a file in the form of the MOT Challenge, a CSV file with a header, or the folder of label "
    "files that `yolo track save_txt=True` writes.",
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
@click.option("--labels", type=_FILE, help="Who each label is: a CSV file with the columns label, speaker and name.")
@click.option("--fps", type=FiniteRange(min=0, min_open=True), help="Frames per second.  [default: as the video says]")
@click.option(
    "--ask",
    type=_TaskNames(),
    metavar="TASK,...",
    help=f"Add questions, without answers, about every utterance: {', '.join(TASKS)}, or all.  [default: none]",
)
@context_options
@click.option(
    "--dataset", metavar="NAME", default="tracks", show_default=True, help="Name of the data set in the episodes."
)
def command(
    conversion: Conversion,
    video: Path,
    subtitles: Path,
    tiers: tuple[str, ...],
    diarization: Path | None,
    boxes: Path | None,
    box_unit: str,
    columns: Mapping[str, str] | None,
    first_frame: str,
    labels: Path | None,
    fps: float | None,
    ask: Sequence[str] | None,
    context: int,
    online: bool,
    dataset: str,
) -> None:
    """Convert a video with subtitles and tracked boxes to episodes: one, or with --ask one for each utterance.

    The speaker of a line comes from a label before its words ("Anna: no", "[Anna]: no", "<v Anna>no"), from its tier in
    an ELAN or Praat file, from whisperX, or else from the diarization with the longest overlap. --labels says which
    track, diarized speaker and name are the same person; labels that it does not list are dropped and counted.

    Exit codes: 0 done, 2 usage, 4 a source that cannot be read (with --skip-bad, only if nothing of it can be).
    """
    from .boxes import BoxSource
    from .sources import Sources, read_recording

    box_source = None if boxes is None else BoxSource(boxes, box_unit, columns or {})
    first = None if first_frame == "auto" else int(first_frame)
    sources = Sources(video, subtitles, diarization, box_source, labels, fps, first, dataset, tiers)
    recording = read_recording(sources, conversion.media_root, conversion.report)

    def found() -> Iterator[Episode]:
        if ask is None:
            yield recording.episode()
        else:
            yield from recording.episodes(ask, context, online, conversion.report)

    conversion.write(found())
