"""Compare the remedies on the synthetic world: `python sample_data/compare.py --work DIR`. Hours on two cores.

Each remedy is trained from the same base (`train.py`) in its own condition, with the same settings and number of
updates, and then evaluated on the test split; the plain and the aligned model are also evaluated in each other's
condition. Finished steps are not repeated, so the same command resumes after an interruption.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from _checkpoints import TRAINED
from train import EPISODES, TUNING, WORLD, WORLD_SEED, see, socialcli, world

from socialcli.episodes.reading import read_episodes
from socialcli.episodes.writing import EpisodeWriter
from socialcli.plots.canvas import BLUE, GREY, ORANGE, picture
from socialcli.stats.intervals import accuracy_interval

REMEDIES: Mapping[str, tuple[str, ...]] = {
    "L": ("--inputs", "L", "--alignment", "off"),
    "VL": ("--inputs", "VL", "--alignment", "off"),
    "VLB, text": ("--inputs", "VLB", "--boxes-as", "text", "--alignment", "off"),
    "VLB, overlay": ("--inputs", "VLB", "--boxes-as", "overlay", "--alignment", "off"),
    "VL + alignment": ("--inputs", "VL", "--alignment", "on"),
}
BUDGET = ("--max-steps", "100")  # for every remedy; the other settings are those of the sample's own training
CROSSED = ("VL", "VL + alignment")  # each is also evaluated in the other's condition
CHANCE = {"videoqa": 1 / 4, "target": 1 / 3, "coref": 1 / 3, "mentioned": 1 / 3}  # four people


@dataclass(frozen=True, slots=True)
class Cell:
    """A model's accuracy over all seeds. The interval is clustered by episode."""

    model: str
    trained: str
    asked: str
    task: str
    n: int
    accuracy: float
    low: float
    high: float


def lessons(work: Path) -> Path:
    """The training split of the world in its own file: the table evaluates, so training need not validate."""
    path = world(work) / "train.parquet"
    if not path.exists():
        with EpisodeWriter(path) as writer:
            for row in read_episodes(world(work) / "episodes.parquet"):
                if row.episode is not None and row.episode.split == "train":
                    writer.write(row.episode)
    return path


def exam(work: Path, questions: int) -> Path:
    """The first questions of the test split in their own file, of any task."""
    path = world(work) / f"test-{questions}.parquet"
    if not path.exists():
        with EpisodeWriter(path) as writer:
            left = questions
            for row in read_episodes(world(work) / "episodes.parquet"):
                if row.episode is not None and row.episode.split == "test" and left:
                    writer.write(replace(row.episode, questions=row.episode.questions[:left]))
                    left -= len(row.episode.questions[:left])
    return path


def done(name: str, remedy: str, seed: int, work: Path, questions: int) -> Iterator[tuple[str, Path]]:
    """Train and evaluate a remedy; yields the evaluated conditions with their output folders."""
    folder = work / name / "remedies" / f"{remedy.replace(' ', '')}-{seed}"
    episodes, base = exam(work, questions), see(name, work)
    tuning = ("--model", name, "--checkpoint", base, "--seed", seed, "-o", folder / "training")
    socialcli("train", lessons(work), *tuning, *TUNING, *BUDGET, *REMEDIES[remedy])
    for asked in CROSSED if remedy in CROSSED else (remedy,):
        output = folder / asked.replace(" ", "")
        model_options = ("--model", name, "--checkpoint", folder / "training" / "checkpoint")
        socialcli("run", episodes, *model_options, "--task", "all", "-o", output, *REMEDIES[asked])
        yield asked, output


def cells(answers: Mapping[tuple[str, str, str], Sequence[Path]]) -> Iterator[Cell]:
    """The table, from the output folders of each (model, trained, asked)."""
    for (model, trained, asked), folders in answers.items():
        counts: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
        for folder in folders:
            table = pq.read_table(folder / "predictions.parquet", columns=["task", "episode_id", "correct"])
            for row in table.to_pylist():
                count = counts[row["task"]][row["episode_id"]]
                count[0] += 1
                count[1] += bool(row["correct"])
        for task in CHANCE:
            clusters = [(n, correct) for n, correct in counts[task].values()]
            n, correct = (sum(column) for column in zip(*clusters, strict=True))
            low, high = accuracy_interval(clusters) or (0.0, 1.0)
            yield Cell(model, trained, asked, task, n, correct / n, low, high)


def markdown(table: Sequence[Cell]) -> str:
    """The table as Markdown: a line per model and condition, a column per task."""
    lines = ["| model | trained | asked | " + " | ".join(f"`{task}`" for task in CHANCE) + " |", "|---" * 7 + "|"]
    groups: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for cell in table:
        groups.setdefault((cell.model, cell.trained, cell.asked), {})[cell.task] = cell
    for group, tasks in groups.items():
        shown = [f"{one.accuracy:.1%} ({one.low:.1%} to {one.high:.1%})" for one in tasks.values()]
        lines.append("| " + " | ".join([*group, *shown]) + " |")
    return "\n".join([*lines, "| chance | | | " + " | ".join(f"{share:.1%}" for share in CHANCE.values()) + " |"])


def draw(table: Sequence[Cell], path: Path) -> None:
    """The table as bars, a panel per task; a dashed line is chance."""
    models = list(dict.fromkeys(cell.model for cell in table))
    groups = list(dict.fromkeys((cell.trained, cell.asked) for cell in table))
    with picture(path, "Accuracy on the synthetic world", 11.0, 7.0) as figure:
        for axes, (task, chance) in zip(figure.subplots(2, 2).flat, CHANCE.items(), strict=True):
            for shift, (model, colour) in enumerate(zip(models, (BLUE, ORANGE, GREY), strict=False)):
                own = {(one.trained, one.asked): one for one in table if (one.model, one.task) == (model, task)}
                places = [place + 0.26 * (shift - 1) for place, group in enumerate(groups) if group in own]
                found = [own[group] for group in groups if group in own]
                errors = [[one.accuracy - one.low for one in found], [one.high - one.accuracy for one in found]]
                axes.bar(places, [one.accuracy for one in found], 0.24, yerr=errors, color=colour, label=model)
            axes.axhline(chance, color="black", linestyle="--", linewidth=1)
            axes.set_title(task)
            axes.set_ylim(0, 1)
            names = [trained if trained == asked else f"{trained}, asked {asked}" for trained, asked in groups]
            narrow = [name.replace(", ", ",\n").replace(" + ", "\n+ ") for name in names]
            axes.set_xticks(range(len(groups)), narrow, fontsize=7)
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)


def main() -> None:
    """Compare what the command line asks for."""
    parser = argparse.ArgumentParser(description="Compare the remedies on the synthetic world.")
    parser.add_argument("--work", type=Path, required=True, help="the work folder of train.py")
    parser.add_argument("--model", choices=TRAINED, action="append", help="only this one (default: all)")
    parser.add_argument("--remedy", choices=REMEDIES, action="append", help="only this one (default: all)")
    parser.add_argument("--seeds", type=int, default=3, help="trainings per remedy (default: 3)")
    parser.add_argument("--questions", type=int, default=800, help="questions per evaluation (default: 800)")
    options = parser.parse_args()
    answers: dict[tuple[str, str, str], list[Path]] = defaultdict(list)
    for seed in range(options.seeds):
        for name in options.model or TRAINED:
            for remedy in options.remedy or REMEDIES:
                for asked, folder in done(name, remedy, seed, options.work, options.questions):
                    answers[name, remedy, asked].append(folder)
    table = sorted(cells(answers), key=lambda cell: TRAINED.index(cell.model))
    about: dict[str, Any] = {"episodes": EPISODES, "seed": WORLD_SEED, "size": WORLD.size, "tuning": [*TUNING, *BUDGET]}
    about |= {"seeds": options.seeds, "cells": [vars_of(cell) for cell in table]}
    (options.work / "comparison.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    draw(table, options.work / "comparison.png")
    print(markdown(table))
    print(f"wrote {options.work / 'comparison.json'} and comparison.png", file=sys.stderr)


def vars_of(cell: Cell) -> dict[str, Any]:
    """A cell as JSON values."""
    return {name: getattr(cell, name) for name in Cell.__slots__}


if __name__ == "__main__":
    main()
