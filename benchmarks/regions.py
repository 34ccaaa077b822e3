"""How well the regions that a model finds (`--regions model`) agree with annotated boxes.

    python benchmarks/regions.py EPISODES --model FAMILY --checkpoint DIR [--share 0.3,0.5] [--limit N] [--layers all]

For every clip and speaker, the words of the speaker as a question without a hidden name shows them; every temporal step
in which the speaker has a box. A table: for each share, the speaker's own box beside the boxes of the others.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from socialcli.alignment.plan import cover_speakers
from socialcli.alignment.regions.agreement import Agreement, agreement_by_step
from socialcli.alignment.regions.cells import most_attended
from socialcli.alignment.regions.sources import GroundingHeads
from socialcli.api import ask, load_model, open_clip
from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode
from socialcli.inference.regions.clip_regions import lines_by_speaker
from socialcli.models.contract import Adapter
from socialcli.plugins.registry import registry
from socialcli.text_table import laid_out

Found = Iterator[tuple[float, str, Agreement]]  # share, whose box, figures


def compared(model: Adapter, episode: Episode, folder: Path, shares: list[float], heads: GroundingHeads) -> Found:
    """The agreement of each speaker's region with every person's box in an episode."""
    clip = open_clip(model, episode, folder)
    tasks = registry().tasks()
    question = next(one for one in episode.questions if not tasks[one.task].item.masks_span)
    asked = ask(clip, question)
    grid, frames = asked.encoded.grid, clip.frames
    if grid is None or frames is None:
        raise ValueError("without video there are no regions")
    boxes = cover_speakers(episode.boxes, frames.times, grid)
    lines = [asked.prompt.text[start:end] for start, end in asked.prompt.spans]
    for speaker, said in lines_by_speaker(asked.prompt.utterances, lines).items():
        attention = clip.regions.attention(said, heads)
        for share in shares if attention is not None else ():
            region = most_attended(attention, grid, share)
            for person, box in boxes.items():
                whose = "own" if person == speaker else "others'"
                yield from ((share, whose, one) for one in agreement_by_step(attention, region, box, grid).values())


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("episodes", type=Path)
    options.add_argument("--model", required=True)
    options.add_argument("--checkpoint", required=True)
    options.add_argument("--share", default="0.5")
    options.add_argument("--layers", default="auto")
    options.add_argument("--lambda", dest="threshold", type=float, default=5e-5)
    options.add_argument("--limit", type=int)
    given = options.parse_args()
    model = load_model(given.model, given.checkpoint)
    heads = GroundingHeads(threshold=given.threshold, layers=given.layers)
    shares = [float(share) for share in given.share.split(",")]
    found: defaultdict[tuple[float, str], list[Agreement]] = defaultdict(list)
    for row in islice(read_episodes(given.episodes), given.limit):
        if row.episode is not None:
            for share, whose, one in compared(model, row.episode, given.episodes.parent, shares, heads):
                found[share, whose].append(one)
    lines = [["share", "box", "n", "inside", "IoU", "pointing", "area"]]
    for (share, whose), rows in sorted(found.items()):
        mean = Agreement.mean(rows)
        if mean is not None:
            figures = (mean.inside, mean.iou, mean.pointing, mean.area)
            lines.append([f"{share:g}", whose, str(len(rows)), *(f"{100 * one:.1f} %" for one in figures)])
    print(laid_out(lines, 2))


if __name__ == "__main__":
    main()
