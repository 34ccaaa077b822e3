"""`socialcli synth`: draw a social world as video and episodes, with known answers."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from socialcli.options.config import config_option
from socialcli.options.listing import print_table
from socialcli.options.results import ResultPath, json_option, overwrite_option
from socialcli.options.values import FiniteRange, Size
from socialcli.options.verbosity import logging_options
from socialcli.synth.settings import HARMS

if TYPE_CHECKING:
    from socialcli.synth.settings import Audio
    from socialcli.synth.synthesis import Counts

_TASKS = ("videoqa", "target", "coref", "mentioned")


class _People(click.ParamType[tuple[int, int]]):
    """A number of people, or a range such as 3-5."""

    name = "people"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Convert "4" to (4, 4) and "3-5" to (3, 5)."""
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", str(value).strip())
        low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 2 <= low <= high <= 8:
            self.fail(f"{value!r} is not a number from 2 to 8, nor a range such as 3-5.", param, ctx)
        return low, high


class _Splits(click.ParamType[tuple[tuple[str, float], ...]]):
    """Names of splits with their shares."""

    name = "splits"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[tuple[str, float], ...]:
        """Convert "train=0.9,test=0.1" to (("train", 0.9), ("test", 0.1))."""
        pairs = [part.strip().partition("=") for part in str(value).split(",")]
        try:
            splits = tuple((name.strip(), float(share)) for name, _, share in pairs)
        except ValueError:
            splits = ()
        names = [name for name, _ in splits]
        if not splits or not all(names) or len(set(names)) < len(names):
            self.fail(f"{value!r} is not a list of names with shares, such as train=0.9,test=0.1.", param, ctx)
        if not all(share > 0 for _, share in splits) or not math.isclose(sum(share for _, share in splits), 1):
            self.fail(f"{value!r}: the shares must be above 0 and add up to 1.", param, ctx)
        return splits


@click.command("synth", short_help="Draw a social world as video and episodes, to learn from.")
@config_option
@click.option(
    "-o",
    "--output",
    type=ResultPath("episodes.parquet"),
    required=True,
    help="Output folder for episodes.parquet and videos/; created if missing.",
)
@overwrite_option("the folder's episodes")
@click.option(
    "--episodes",
    type=click.IntRange(1, 1_000_000),
    default=100,
    show_default=True,
    metavar="N",
    help="Number of episodes; the first ones are the same for any N.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Random seed; the same seed gives the same episodes and frames.",
)
@click.option(
    "--people",
    type=_People(),
    default="4",
    show_default=True,
    metavar="N|N-M",
    help="Speakers per episode, 2 to 8; drawn uniformly from a range.",
)
@click.option(
    "--turns", type=click.IntRange(1, 4), default=1, show_default=True, metavar="N", help="Utterances per speaker."
)
@click.option(
    "--distractors",
    type=click.IntRange(0, 4),
    default=0,
    show_default=True,
    metavar="N",
    help="Additional people who never speak and have no boxes.",
)
@click.option(
    "--frames",
    type=click.IntRange(2, 10_000),
    default=16,
    show_default=True,
    metavar="N",
    help="Frames per clip, divided equally among the utterances; with --audio, clips last as long as the speech.",
)
@click.option(
    "--fps", type=click.IntRange(1, 60), metavar="N", help="Frames per second.  [default: 4; 25 with --audio]"
)
@click.option(
    "--size",
    type=Size(64, 4096, even=True),
    metavar="WxH",
    help="Width and height in pixels.  [default: 336x336; 672x672 with --audio]",
)
@click.option(
    "--audio",
    type=click.Choice(["voice", "espeak"]),
    is_flag=False,
    flag_value="voice",
    metavar="[voice|espeak]",
    help="Let people speak, each in a voice of their own, with lips that move: by the built-in synthesizer, or by "
    "espeak-ng if it is installed. Writes transcripts/ and truth/, too.",
)
@click.option(
    "--shots",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    metavar="N",
    help="Cut each clip into N shots of all people, a few or one; needs --audio.",
)
@click.option(
    "--listeners-move",
    type=FiniteRange(0, 1),
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="Probability that a listener chews or smiles during an utterance; needs --audio.",
)
@click.option(
    "--box-jitter",
    type=FiniteRange(min=0),
    default=0.0,
    show_default=True,
    metavar="PX",
    help="Move each edge of a box at random by up to PX pixels.",
)
@click.option(
    "--missing-boxes",
    type=FiniteRange(0, 1),
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="Drop this share of the boxes at random.",
)
@click.option(
    "--harm",
    type=click.Choice([*HARMS, "all"]),
    multiple=True,
    help="Draw scenes where the alignment has no business, one kind per episode in turns. May be repeated.",
)
@click.option(
    "--splits",
    type=_Splits(),
    default="train=0.8,validation=0.1,test=0.1",
    show_default=True,
    metavar="NAME=SHARE,...",
    help="Splits and their shares of the episodes.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of drawing processes; the result does not depend on it.  [default: the number of cores]",
)
@json_option
@logging_options
def command(
    output: Path,
    overwrite: bool,
    episodes: int,
    seed: int,
    workers: int | None,
    as_json: bool,
    harm: tuple[str, ...],
    audio: Audio | None,
    **world: Any,
) -> None:
    """Draw a social world as video and episodes, with questions of all four tasks and their answers.

    People in a room point at each other all the time. The transcript calls them Speaker 1, Speaker 2 and so on. Only
    the boxes say which is which, so a model without boxes can do no better than chance.

    With --harm the questions are about things, the background, bystanders or somebody off screen, or people stand
    close together; each kind is a dataset of its own, harm-KIND, so that `accuracy` and `compare` have a row for each.

    With --audio people speak and can be recognized by their lips and voices, as in a recording; --shots cuts it.

    Exit codes: 0 done, 2 usage, 130 interrupted, 143 terminated; the last two leave no episodes file.
    """
    from socialcli.jobs.progress import counted
    from socialcli.synth.settings import AUDIO_DEFAULTS, SynthSettings
    from socialcli.synth.synthesis import SynthRequest, synthesize, usable_cores

    kinds = HARMS if "all" in harm else tuple(dict.fromkeys(harm))
    defaults = AUDIO_DEFAULTS if audio else {}
    given = {name: value for name, value in world.items() if value is not None}
    request = SynthRequest(
        SynthSettings(**{**defaults, **given}, harm=kinds, audio=audio),
        output,
        episodes,
        seed,
        workers or usable_cores(),
        overwrite,
    )
    counts = synthesize(request, progress=lambda made: counted(made, "synth", "episodes", total=episodes))
    rows = [_row(name, counts) for name, _ in request.settings.splits]
    if as_json:
        click.echo(json.dumps({"output": str(output), "splits": rows}, ensure_ascii=False))
    else:
        print_table(list(rows[0]), [[str(cell) for cell in row.values()] for row in rows])


def _row(split: str, counts: Counts) -> dict[str, Any]:
    """The number of episodes of a split, and of questions of each task."""
    return {"split": split, "episodes": counts[split, ""], **{task: counts[split, task] for task in _TASKS}}
