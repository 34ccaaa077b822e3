"""`socialcli convert mmsi`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from socialcli.converting.conversion import Conversion
from socialcli.converting.options import context_options, conversion_options
from socialcli.converting.unit_checks import source_size

from .options import KINDS, keypoint_options

if TYPE_CHECKING:
    from socialcli.episodes.records import Episode

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("mmsi", short_help="MMSI: whom players of a social game address, mean and mention.")
@conversion_options
@click.option("--transcripts", type=_FOLDER, required=True, help="Folder of anonymized transcripts.")
@click.option("--labeled", type=_FOLDER, required=True, help="Folder of labelled transcripts.")
@click.option("--meta", type=_FOLDER, required=True, help="Folder of the games' JSON files.")
@click.option(
    "--split",
    type=click.Path(path_type=Path),
    required=True,
    help="JSON file that lists the games of train and test.",
)
@click.option("--keypoints", type=_FOLDER, help="Folder of .npy files; without it there are no boxes.")
@click.option("--videos", type=_FOLDER, help="Folder of the games' videos.  [default: videos in the media root]")
@click.option(
    "--task",
    "tasks",
    type=click.Choice([*KINDS, "all"]),
    multiple=True,
    default=("all",),
    show_default=True,
    help="Questions to include: STI is target, PCR coref, MPP mentioned. May be repeated.",
)
@context_options
@click.option("--dataset", metavar="NAME", help="Name of the data set in the episodes.  [default: mmsi or online-mmsi]")
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
    """Convert the release of MMSI to episodes, one for each utterance with a question.

    Questions and context follow the rules of the release's own loader: N utterances before and after, shifted at the
    beginning and the end of a game. Boxes are the extent of each player's keypoints.

    Exit codes: 0 done, 2 usage, 4 a source that cannot be read (with --skip-bad, only if nothing of it can be).
    """
    from socialcli.converting.clip_media import MediaFolder

    from .games import Choices, Folders, episodes, read_games
    from .keypoints import BoxRule

    kinds = KINDS if "all" in tasks else tuple(kind for kind in KINDS if kind in tasks)
    name = dataset or ("online-mmsi" if online else "mmsi")
    choices = Choices(name, kinds, context, online, BoxRule(source_size(box_unit, size), confidence, margin))
    folders = Folders(transcripts, labeled, meta, keypoints)
    media_folder = MediaFolder(videos or conversion.media_root / "videos", conversion.media_root, size)

    def found() -> Iterator[Episode]:
        for game in read_games(split, folders, choices, media_folder.find, conversion.report):
            yield from episodes(game, choices, conversion.report)

    conversion.write(found())
