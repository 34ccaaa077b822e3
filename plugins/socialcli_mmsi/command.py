"""`socialcli convert mmsi`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from socialcli.converting.conversion import Conversion, context_options, conversion_options
from socialcli.converting.units import source_size

from .options import KINDS, keypoint_options

if TYPE_CHECKING:
    from socialcli.episodes.records import Episode

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("mmsi", short_help="MMSI: whom players of a social game address, mean and mention.")
@conversion_options
@click.option("--transcripts", type=_FOLDER, required=True, help="The folder of anonymized transcripts.")
@click.option("--labeled", type=_FOLDER, required=True, help="The folder of labelled transcripts.")
@click.option("--meta", type=_FOLDER, required=True, help="The folder of the JSON files of the games.")
@click.option(
    "--split",
    type=click.Path(path_type=Path),
    required=True,
    help="The JSON file that names the games of train and test.",
)
@click.option("--keypoints", type=_FOLDER, help="The folder of .npy files; without it, there are no boxes.")
@click.option("--videos", type=_FOLDER, help="The folder of the games' videos.  [default: videos in the media root]")
@click.option(
    "--task",
    "tasks",
    type=click.Choice([*KINDS, "all"]),
    multiple=True,
    default=("all",),
    show_default=True,
    help="What is asked: STI is target, PCR coref, MPP mentioned. May be repeated.",
)
@context_options
@click.option("--dataset", metavar="NAME", help="What the episodes say they are from.  [default: mmsi or online-mmsi]")
@keypoint_options
def command(
    conversion: Conversion,
    transcripts: Path,
    labeled: Path,
    meta: Path,
    split: Path,
    keypoints: Path | None,
    videos: Path | None,
    tasks: Sequence[str],
    context: int,
    online: bool,
    dataset: str | None,
    size: tuple[int, int],
    box_unit: str,
    confidence: float,
    margin: float,
) -> None:
    """Turn the release of MMSI into episodes, one for each utterance that something is asked about.

    What is asked follows the rules of the release's own loader, and so does the context: N utterances before and after,
    shifted at the beginning and the end of a game. Boxes are the extent of each player's keypoints.

    Exit codes: 0 done, 2 usage, 4 a source that cannot be read (with --skip-bad, only where nothing is left of it).
    """
    from socialcli.converting.footage import Shelf

    from .games import Choices, Folders, episodes, read_games
    from .keypoints import Extents

    kinds = KINDS if "all" in tasks else tuple(kind for kind in KINDS if kind in tasks)
    name = dataset or ("online-mmsi" if online else "mmsi")
    choices = Choices(name, kinds, context, online, Extents(source_size(box_unit, size), confidence, margin))
    folders = Folders(transcripts, labeled, meta, keypoints)
    shelf = Shelf(videos or conversion.media_root / "videos", conversion.media_root, size)

    def found() -> Iterator[Episode]:
        for game in read_games(split, folders, choices, shelf.find, conversion.report):
            yield from episodes(game, choices, conversion.report)

    conversion.write(found())
