"""`socialcli convert tracks`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from socialcli.converting.conversion import Conversion, context_options, conversion_options
from socialcli.converting.units import box_unit_option
from socialcli.options.values import FiniteRange

from .asking import TASKS

if TYPE_CHECKING:
    from socialcli.episodes.records import Episode

_FILE = click.Path(path_type=Path)


class _Asked(click.ParamType[tuple[str, ...]]):
    """Names of tasks with commas between."""

    name = "tasks"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Convert "target,coref" to ("target", "coref")."""
        names = tuple(dict.fromkeys(name.strip() for name in str(value).split(",") if name.strip()))
        names = TASKS if names == ("all",) else names
        unknown = [name for name in names if name not in TASKS]
        if unknown or not names:
            self.fail(f"{value!r} is not a list of {', '.join(TASKS)}, nor all.", param, ctx)
        return names


@click.command("tracks", short_help="A video of your own, with subtitles and tracked boxes.")
@conversion_options
@click.argument("video", type=_FILE)
@click.option("--subtitles", type=_FILE, required=True, help="What is said: a .srt or .vtt file.")
@click.option("--diarization", type=_FILE, help="Who speaks when, for lines that name nobody: an .rttm file.")
@click.option("--boxes", type=_FILE, help="Where people are: an MOT Challenge file, or a CSV file with a header.")
@box_unit_option
@click.option("--labels", type=_FILE, help="Who is meant: a CSV file with the columns label, speaker and name.")
@click.option("--fps", type=FiniteRange(min=0, min_open=True), help="Frames a second.  [default: as the video says]")
@click.option(
    "--ask",
    type=_Asked(),
    metavar="TASK,...",
    help=f"Ask about every utterance, without answers: {', '.join(TASKS)}, or all.  [default: ask nothing]",
)
@context_options
@click.option(
    "--dataset", metavar="NAME", default="tracks", show_default=True, help="What the episodes say they are from."
)
def command(
    conversion: Conversion,
    video: Path,
    subtitles: Path,
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
    """Turn a video with subtitles and tracked boxes into episodes: one, or with --ask one for each utterance.

    Labels in front of the words ("Anna: no", "[Anna]: no", "<v Anna>no") say who speaks, else the diarization by the
    longest overlap. --labels says which track, diarized speaker and name are one person; what it does not name is
    dropped and counted.

    Exit codes: 0 done, 2 usage, 4 a source that cannot be read (with --skip-bad, only where nothing is left of it).
    """
    from .reading import Sources, read_recording

    sources = Sources(video, subtitles, diarization, boxes, labels, fps, dataset, box_unit)
    recording = read_recording(sources, conversion.media_root, conversion.report)

    def found() -> Iterator[Episode]:
        if ask is None:
            yield recording.episode()
        else:
            yield from recording.episodes(ask, context, online, conversion.report)

    conversion.write(found())
