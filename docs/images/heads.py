"""Draws heads.png and heads-accuracy.png, the pictures in docs/heads.md, from the folders that its commands write.

    python docs/images/heads.py WORK

heads.png shows which heads of a model each selector makes active; heads-accuracy.png accuracy against their number.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from socialcli import ask, load_model, open_clip, read_episodes
from socialcli.alignment.attention import Alignment
from socialcli.alignment.heads.selectors import ALL, RANDOM, TOP
from socialcli.alignment.hooks import layers_of
from socialcli.inference.attention_pass import observe
from socialcli.inference.clip import ClipQuestion
from socialcli.models.contract import Adapter
from socialcli.plots.canvas import BLUE, GREY, ORANGE, RED, picture
from socialcli.results.heads import read_heads

HERE = Path(__file__).parent
TRAINED = HERE.parents[1] / "sample_data" / "trained"
MODELS = {"llava-next-video": "LLaVA-NeXT-Video", "qwen2.5-vl": "Qwen2.5-VL", "internvl3": "InternVL3"}
SHOWN, QUESTIONS, LIMIT = "qwen2.5-vl", 40, 4
COUNTS, SEEDS = (1, 2, 4, 8), (0, 1, 2)

Share = npt.NDArray[np.float64]  # (layers, heads), the share of questions in which a head is active


def questions_of(model: Adapter, world: Path) -> list[ClipQuestion]:
    """The first questions of the world."""
    found: list[ClipQuestion] = []
    for row in read_episodes(world / "episodes.parquet"):
        if row.episode is not None and len(found) < QUESTIONS:
            clip = open_clip(model, row.episode, world)
            found += [ask(clip, question) for question in row.episode.questions]
    return found[:QUESTIONS]


def share_of(model: Adapter, asked: Sequence[ClipQuestion], settings: Alignment) -> Share:
    """In which share of the questions each head is active."""
    counts = np.zeros((len(model.layers), model.model.config.get_text_config().num_attention_heads))
    for one in asked:
        report = observe(model, [one], settings)
        chosen = report.chosen(settings.selector, settings.max_heads)
        for layer, done in report.layers.items():
            counts[layer] += (done.active if chosen is None else chosen[layer])[0].numpy()
    return counts / len(asked)


def draw_active(path: Path, shares: Mapping[str, Share], aligned: Sequence[int]) -> None:
    """A map of the heads for each selector; the aligned layers are framed."""
    from matplotlib.patches import Rectangle

    title = f"Active heads, by layer and head: {MODELS[SHOWN]}, {QUESTIONS} questions; framed: the aligned layers"
    with picture(path, title, 15, 5) as figure:
        panels = figure.subplots(1, len(shares), sharey=True)
        for axes, (name, share) in zip(panels, shares.items(), strict=True):
            image = axes.imshow(share, vmin=0, vmax=1, cmap="viridis", aspect="auto", interpolation="nearest")
            axes.set(title=name, xlabel="head", xticks=range(share.shape[1]), yticks=range(share.shape[0]))
            corner, height = (-0.5, aligned[0] - 0.5), aligned[-1] - aligned[0] + 1
            frame = Rectangle(corner, share.shape[1], height, fill=False, edgecolor=RED, linewidth=2, clip_on=False)
            axes.add_patch(frame)
        panels[0].set_ylabel("layer")
        figure.colorbar(image, ax=panels, label="share of questions", shrink=0.8)


def accuracy(folder: Path, aligned: bool = True) -> tuple[float, float]:
    """The accuracy in per cent of a run's condition, and its mean number of active heads."""
    columns = ["answer", "prediction", "alignment", "active_head_count"]
    table = pq.read_table(folder / "predictions.parquet", columns=columns)
    rows = [row for row in table.to_pylist() if row["alignment"] == aligned]
    right = np.mean([row["answer"] == row["prediction"] for row in rows])
    return 100 * float(right), float(np.mean([row["active_head_count"] or 0 for row in rows]))


def draw_accuracy(path: Path, runs: Path) -> None:
    """Accuracy against the number of active heads, a panel for each model."""
    with picture(path, "Accuracy against the number of active heads: 1,280 questions nobody saw", 15, 4.6) as figure:
        for axes, (name, shown) in zip(figure.subplots(1, len(MODELS), sharey=True), MODELS.items(), strict=True):
            folder = runs / name
            limited = [accuracy(folder / f"dynamic-{count}") for count in (*COUNTS, 12, 16)]
            scores, heads = zip(*sorted([*limited, accuracy(folder / "dynamic")], key=lambda one: one[1]), strict=True)
            axes.plot(heads, scores, "o-", color=BLUE, label="dynamic, with --max-heads")
            for seed in SEEDS:
                drawn = [accuracy(folder / f"random-{count}-{seed}")[0] for count in COUNTS]
                axes.plot(
                    COUNTS, drawn, "^--", color=ORANGE, alpha=0.8, label="random, three seeds" if seed == 0 else None
                )
            axes.axhline(accuracy(folder / "dynamic", aligned=False)[0], color=GREY, label="the plain model")
            axes.set(title=shown, xlabel="active heads", xscale="log", xticks=[1, 2, 4, 8, 16])
            axes.set_xticklabels(["1", "2", "4", "8", "16"])
            axes.minorticks_off()
            axes.grid(True, alpha=0.3)
        figure.axes[0].set_ylabel("accuracy (%)")
        figure.axes[0].set_ylim(0, 100)
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)


def main() -> None:
    """Draw both pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path, help="the folder with world77, ranked and runs")
    work = parser.parse_args().work
    draw_accuracy(HERE / "heads-accuracy.png", work / "runs")
    model = load_model(SHOWN, str(TRAINED / SHOWN))
    asked = questions_of(model, work / "world77")
    ranked = work / "ranked" / SHOWN / "heads.parquet"
    settings = {
        "dynamic": Alignment(),
        f"dynamic, K {LIMIT}": Alignment(max_heads=LIMIT),
        f"top, K {LIMIT}": Alignment(selector=TOP, max_heads=LIMIT),
        f"fixed by share, K {LIMIT}": Alignment(heads=read_heads(ranked, limit=LIMIT).heads),
        f"fixed by gaze, K {LIMIT}": Alignment(heads=read_heads(ranked, limit=LIMIT, rank="gaze").heads),
        f"random, K {LIMIT}, seed 0": Alignment(selector=RANDOM, max_heads=LIMIT),
        "all": Alignment(selector=ALL),
    }
    shares = {name: share_of(model, asked, one) for name, one in settings.items()}
    draw_active(HERE / "heads.png", shares, layers_of(model).choose("auto"))


if __name__ == "__main__":
    main()
