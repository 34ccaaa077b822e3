"""`socialcli convert online-mmsi`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from socialcli.converting.conversion import Conversion
from socialcli.converting.options import conversion_options
from socialcli.converting.unit_checks import source_size
from socialcli.errors import NotFoundError

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
            self.fail(f"{value!r} is not a regular expression ({error}).", param, ctx)
        if "game" not in pattern.groupindex or not {"start", "end"} & set(pattern.groupindex):
            self.fail(f"{value!r} must have the group (?P<game>...), and (?P<start>...) or (?P<end>...).", param, ctx)
        return pattern


@click.command("online-mmsi", short_help="OnlineMMSI: MMSI from the past only, from its own release.")
@conversion_options
@click.argument("folder", type=_FOLDER)
@click.option("--task", "kind", type=click.Choice(KINDS), required=True, help="Kind of the folder's questions.")
@click.option(
    "--players", type=click.IntRange(2, 99), metavar="N", help="Number of players.  [default: as the text says]"
)
@click.option("--keypoints", type=_FOLDER, help="Folder of MMSI's .npy files, for boxes.")
@click.option(
    "--clip-name",
    type=_ClipName(),
    default=r"(?P<game>.+)_(?P<start>\d+(?:\.\d+)?)_(?P<end>\d+(?:\.\d+)?)",
    show_default=True,
    help="Pattern of clip names: the keypoints' game, and the seconds where the clip starts or ends in it.",
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
    """Convert the release of OnlineMMSI to episodes, one for each row of FOLDER/train/metadata.csv and of test/.

    The clips show only the past. Their boxes and keypoints are drawn into the pictures and are in no file, so nothing
    can be aligned unless MMSI's keypoints are added with --keypoints.

    Exit codes: 0 done, 2 usage, 4 a source that cannot be read (with --skip-bad, only if nothing of it can be).
    """
    from .games import SPLITS
    from .keypoints import BoxRule
    from .online import read_rows
    from .online_clips import ClipMaker, GameKeypoints

    report = conversion.report
    box_rule = BoxRule(source_size(box_unit, size), confidence, margin)
    games = None if keypoints is None else GameKeypoints(keypoints, clip_name, box_rule, report)
    maker = ClipMaker(kind, conversion.media_root, size, players, games, report)
    files = {split: folder / split / "metadata.csv" for split in SPLITS}
    if not any(file.exists() for file in files.values()):
        raise NotFoundError(f"{folder}: has neither {' nor '.join(f'{split}/metadata.csv' for split in SPLITS)}")
    if games is None:
        report.warn("the release has no boxes, so nothing can be aligned; add MMSI's keypoints with --keypoints")

    def found() -> Iterator[Episode]:
        for split, file in files.items():
            if file.exists():
                with report.skipping_bad():
                    for row in read_rows(file, report):
                        with report.skipping_bad():
                            yield maker.episode(row, file, split)

    conversion.write(found())
