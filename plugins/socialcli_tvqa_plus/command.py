"""`socialcli convert tvqa-plus`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from socialcli.converting.conversion import Conversion
from socialcli.converting.options import conversion_options
from socialcli.converting.unit_checks import box_unit_option, source_size
from socialcli.errors import UsageError

if TYPE_CHECKING:
    from socialcli.episodes.records import Episode

SPLITS = {"train": "train", "val": "validation", "valid": "validation", "test": "test"}
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("tvqa-plus", short_help="TVQA+: multiple-choice questions about clips of a television series.")
@conversion_options
@click.argument("annotations", type=click.Path(path_type=Path))
@click.option(
    "--subtitles", type=click.Path(path_type=Path), help="tvqa_plus_subtitles.json, or a folder of .srt files."
)
@click.option("--frames", type=_FOLDER, help="Folder with a folder of images for each clip, 3 per second.")
@click.option("--videos", type=_FOLDER, help="Folder of the clips' video files, instead of --frames.")
@click.option(
    "--split",
    metavar="NAME",
    help="Split of the questions.  [default: from the file's name: train, validation, test]",
)
@click.option(
    "--person",
    "persons",
    multiple=True,
    metavar="NAME",
    help="Treat boxes with this label as a person, too. May be repeated.",
)
@box_unit_option
def command(
    conversion: Conversion,
    annotations: Path,
    subtitles: Path | None,
    frames: Path | None,
    videos: Path | None,
    split: str | None,
    persons: Sequence[str],
    box_unit: str,
) -> None:
    """Convert the annotations of TVQA+ (tvqa_plus_train.json or tvqa_plus_val.json) to episodes, one for each clip.

    The people of the series become speakers, however a box's label spells them; boxes of things, groups and people
    without a name are dropped and counted. Speakers of lines come from the subtitles, if these name them. The pictures
    may still be missing.

    Exit codes: 0 done, 2 usage, 4 a source that cannot be read (with --skip-bad, only if nothing of it can be).
    """
    from socialcli.converting.clip_media import MediaFolder

    from .annotations import FRAME_RATE, SIZE, read_annotations
    from .clips import ClipMaker
    from .subtitles import Subtitles

    pictures = frames or videos
    if pictures is None or (frames and videos):
        raise UsageError("name the folder where the pictures are or will be: --frames DIR or --videos DIR")
    report = conversion.report
    rate = FRAME_RATE if frames else None
    media_folder = MediaFolder(pictures, conversion.media_root, SIZE, rate)
    source = source_size(box_unit, SIZE)
    asked = read_annotations(annotations, report, source)
    maker = ClipMaker(
        media_folder, Subtitles(subtitles, report), rate, split or _split(annotations), persons, report, source
    )

    def episodes() -> Iterator[Episode]:
        for clip in asked:
            with report.skipping_bad():
                yield maker.episode(clip, asked[clip])

    conversion.write(episodes())


def _split(annotations: Path) -> str | None:
    """The split in a file's name, such as validation for tvqa_plus_val.json."""
    words = annotations.stem.casefold().split("_")
    return next((SPLITS[word] for word in words if word in SPLITS), None)
