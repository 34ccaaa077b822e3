"""What `socialcli measure` prints at its end: AttnMax and AttnMean of groups of heads, before and after the bias."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from socialcli.alignment.head_stats import TARGETS, HeadFigures, Table
from socialcli.alignment.layers import layers_text
from socialcli.verbs.measure.attention_table import number

TOP = 10  # heads
Place = tuple[int, int]  # (layer, head)

_HEAD = ("heads", "tokens", "before", "after", "before", "after", "active")
_WIDE_HEAD = ("", "", "AttnMax (x 1e-2)", "AttnMean (x 1e-4)", "")
_GAP = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """A group of heads and the tokens they attend to: the mean over the heads of each head's figures.

    Figures are shares of attention, 0 to 1; None where no prompt had such pairs.
    """

    group: str  # "all layers", "layers 10-19" or "top 10 heads"
    heads: int  # in the group
    tokens: str  # "own": those of the words' speaker; "other": those of the other speakers
    attn_max_before: float | None
    attn_max_after: float | None
    attn_mean_before: float | None
    attn_mean_after: float | None
    active: float  # mean share of the prompts in which a head was active

    def as_record(self) -> dict[str, Any]:
        """The row as JSON values."""
        return asdict(self)


def summarise(figures: HeadFigures, chosen: Sequence[int]) -> list[SummaryRow]:
    """The means over all heads, over those of the `chosen` layers and over the `TOP` ones, for own and other tokens."""
    everything = ~np.isnan(figures.attn_mean["before", "own"])
    if not everything.any():  # no prompt had words and tokens of the same speaker
        everything[:] = True
    in_range = np.zeros_like(everything)
    in_range[list(chosen)] = True
    top = np.zeros_like(everything)
    for place in top_heads(figures):
        top[place] = True
    groups = {
        "all layers": everything,
        f"layers {layers_text(chosen)}": in_range,
        f"top {int(top.sum())} heads": top,
    }
    return [_row(figures, name, mask, target) for name, mask in groups.items() if mask.any() for target in TARGETS]


def top_heads(figures: HeadFigures, count: int = TOP) -> list[Place]:
    """The heads, of all layers, whose words attend most to their speaker: by AttnMean before the bias, highest first.

    Fewer where the decoder has fewer, and none where no prompt had words and tokens of the same speaker.
    """
    mean = figures.attn_mean["before", "own"]
    order = np.argsort(-mean, axis=None, kind="stable")  # NaN, in layers without figures, comes last
    order = order[: min(count, int((~np.isnan(mean)).sum()))]
    return [(int(layer), int(head)) for layer, head in zip(*np.unravel_index(order, mean.shape), strict=True)]


def _row(figures: HeadFigures, group: str, mask: np.ndarray, target: str) -> SummaryRow:
    def mean(table: Table) -> float | None:
        return number(float(table[mask].mean()))

    return SummaryRow(
        group=group,
        heads=int(mask.sum()),
        tokens=target,
        attn_max_before=mean(figures.attn_max["before", target]),
        attn_max_after=mean(figures.attn_max["after", target]),
        attn_mean_before=mean(figures.attn_mean["before", target]),
        attn_mean_after=mean(figures.attn_mean["after", target]),
        active=float(figures.active[mask].mean()),
    )


def summary_lines(rows: Sequence[SummaryRow], episodes: int, prompts: int) -> str:
    """The table as text, in the units of the published one, and what it is a mean of; "-" for none."""
    if not rows:
        return "nothing was measured, so there are no figures to show"
    lines = [_HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join([_over(widths), *(_aligned(line, widths) for line in lines), "", *_explained(episodes, prompts)])


def _cells(row: SummaryRow) -> tuple[str, ...]:
    name = row.group if row.group.startswith("top") else f"{row.group} ({row.heads} heads)"
    return (
        name,
        row.tokens,
        _scaled(row.attn_max_before, 1e2),
        _scaled(row.attn_max_after, 1e2),
        _scaled(row.attn_mean_before, 1e4),
        _scaled(row.attn_mean_after, 1e4),
        f"{100 * row.active:.1f}%",
    )


def _scaled(value: float | None, factor: float) -> str:
    return "-" if value is None else f"{factor * value:.2f}"


def _over(widths: list[int]) -> str:
    """The line above the head, each of its texts over two columns; makes room where these are too narrow."""
    for first, text in ((2, _WIDE_HEAD[2]), (4, _WIDE_HEAD[3])):
        widths[first + 1] += max(0, len(text) - len(_GAP) - widths[first] - widths[first + 1])
    wide = [widths[0], widths[1], *(widths[first] + len(_GAP) + widths[first + 1] for first in (2, 4)), widths[6]]
    return _GAP.join(text.rjust(width) for text, width in zip(_WIDE_HEAD, wide, strict=True)).rstrip()


def _aligned(cells: Iterable[str], widths: Sequence[int]) -> str:
    padded = (
        cell.ljust(width) if place < 2 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return _GAP.join(padded).rstrip()


def _explained(episodes: int, prompts: int) -> Iterator[str]:
    many = f"{episodes} episode{'s'[: episodes != 1]} ({prompts} question{'s'[: prompts != 1]})"
    yield f"Mean over heads; of each head over {many}, weighted by rows (AttnMax) and by pairs (AttnMean)."
    yield "own: tokens of the words' speaker; other: of the other speakers in the same frames. before, after: the bias"
    yield "of the head's own layer. active: share of the questions in which a head was active."
