"""`socialcli convert tracks`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from socialcli.converting.conversion import Conversion
from socialcli.converting.options import context_options, conversion_options
from socialcli.converting.unit_checks import box_unit_option
from socialcli.options.values import FiniteRange

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
@click.option("--boxes", type=_FILE, help="Boxes of people: an MOT Challenge file, or a CSV file with a header.")
@box_unit_option
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
    from .sources import Sources, read_recording

    sources = Sources(video, subtitles, diarization, boxes, labels, fps, dataset, box_unit, tiers)
    recording = read_recording(sources, conversion.media_root, conversion.report)

    def found() -> Iterator[Episode]:
        if ask is None:
            yield recording.episode()
        else:
            yield from recording.episodes(ask, context, online, conversion.report)

    conversion.write(found())
