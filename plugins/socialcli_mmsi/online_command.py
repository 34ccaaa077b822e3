"""`socialcli convert online-mmsi`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from socialcli.converting.conversion import Conversion, conversion_options
from socialcli.converting.units import source_size
from socialcli.errors import NotThereError

from .options import KINDS, keypoint_options

if TYPE_CHECKING:
    from socialcli.episodes.records import Episode

_FOLDER = click.Path(path_type=Path, file_okay=False)


class _ClipName(click.ParamType[re.Pattern[str]]):
    """A regular expression with the groups game and start, or game and end."""

    name = "regex"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> re.Pattern[str]:
        """Compile the expression."""
        if isinstance(value, re.Pattern):
            return value
        try:
            pattern = re.compile(str(value))
        except re.error as error:
            self.fail(f"{value!r} is no regular expression ({error}).", param, ctx)
        if "game" not in pattern.groupindex or not {"start", "end"} & set(pattern.groupindex):
            self.fail(f"{value!r} must have the group (?P<game>...), and (?P<start>...) or (?P<end>...).", param, ctx)
        return pattern


@click.command("online-mmsi", short_help="OnlineMMSI: MMSI with the past alone, as its own release has it.")
@conversion_options
@click.argument("folder", type=_FOLDER)
@click.option("--task", "kind", type=click.Choice(KINDS), required=True, help="What the folder's clips are asked.")
@click.option("--players", type=click.IntRange(2, 99), metavar="N", help="How many play.  [default: as the text says]")
@click.option("--keypoints", type=_FOLDER, help="The folder of MMSI's .npy files, for boxes.")
@click.option(
    "--clip-name",
    type=_ClipName(),
    default=r"(?P<game>.+)_(?P<start>\d+(?:\.\d+)?)_(?P<end>\d+(?:\.\d+)?)",
    show_default=True,
    help="What a clip's name says of the keypoints' game, and of the seconds where the clip starts or ends in it.",
)
@keypoint_options
def command(
    conversion: Conversion,
    folder: Path,
    kind: str,
    players: int | None,
    keypoints: Path | None,
    clip_name: re.Pattern[str],
    size: tuple[int, int],
    box_unit: str,
    confidence: float,
    margin: float,
) -> None:
    """Turn the release of OnlineMMSI into episodes, one for each row of FOLDER/train/metadata.csv and of test/.

    The clips show the past alone. Boxes and keypoints are drawn into them and stand in no file, so there is nothing to
    align to unless the keypoints of MMSI are joined with --keypoints.

    Exit codes: 0 done, 2 usage, 4 a source that cannot be read (with --skip-bad, only where nothing is left of it).
    """
    from .games import SPLITS
    from .keypoints import Extents
    from .online import read_rows
    from .online_clips import ClipMaker, Joined

    report = conversion.report
    extents = Extents(source_size(box_unit, size), confidence, margin)
    joined = None if keypoints is None else Joined(keypoints, clip_name, extents, report)
    maker = ClipMaker(kind, conversion.media_root, size, players, joined, report)
    files = {split: folder / split / "metadata.csv" for split in SPLITS}
    if not any(file.exists() for file in files.values()):
        raise NotThereError(f"{folder}: has neither {' nor '.join(f'{split}/metadata.csv' for split in SPLITS)}")
    if joined is None:
        report.warn("the release has no boxes, so nothing can be aligned; join MMSI's keypoints with --keypoints")

    def found() -> Iterator[Episode]:
        for split, file in files.items():
            if file.exists():
                with report.sparing():
                    for row in read_rows(file, report):
                        with report.sparing():
                            yield maker.episode(row, file, split)

    conversion.write(found())
