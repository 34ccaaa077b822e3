"""Sweeps of which the answers are made up, for the tests of what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from socialcli.alignment.layers import DecoderLayers
from socialcli.jobs.grid import Grid, Setting
from socialcli.jobs.splits import Splits
from socialcli.results.columns import as_record
from socialcli.results.manifest import Manifest, ModelIdentity
from socialcli.results.predictions import Prediction
from socialcli.stats.accuracy import accuracy_table
from socialcli.verbs.sweep.choice import SweepTable, choices
from socialcli.verbs.sweep.files import Sweep

from ...results.samples import prediction, settings

DECODER = DecoderLayers.all(28)
Right = Callable[[str, str | None, Setting, int], bool | None]  # task, split, setting, question; None: unlabelled


def grid(**changes: Any) -> Grid:
    values: dict[str, Any] = {"alpha": (0.0, 0.5, 1.0), "lambda_": (5e-5,), "layers": ("auto",), "bias": ("published",)}
    return Grid(**values | changes)


def answered(
    right: Right,
    asked: Sequence[Setting],
    *,
    tasks: Sequence[str] = ("target",),
    splits: Sequence[str | None] = ("validation", "test"),
    questions: int = 12,
    dataset: Callable[[int], str] = lambda question: "drawn",
) -> list[Prediction]:
    """A row per task, split, question (two to an episode) and setting."""
    return [
        _row(right(task, split, setting, question), setting, task=task, split=split, question=question, dataset=dataset)
        for task in tasks
        for split in splits
        for question in range(questions)
        for setting in asked
    ]


def _row(
    right: bool | None,
    setting: Setting,
    *,
    task: str,
    split: str | None,
    question: int,
    dataset: Callable[[int], str],
) -> Prediction:
    return prediction(
        question_id=f"{task}/{split}/{question}",
        episode_id=f"{split}/{question // 2}",
        dataset=dataset(question),
        split=split,
        task=task,
        alignment=setting.alpha is not None,
        alpha=setting.alpha,
        lambda_=setting.lambda_,
        layers=setting.layers,
        bias=setting.bias,
        heads_by=setting.heads_by,
        max_heads=setting.max_heads,
        steer=setting.steer,
        balance=setting.balance,
        active_heads=None if setting.alpha is None else 0.1,
        active_head_count=None if setting.alpha is None else setting.max_heads or 40,
        prediction="ann" if right else "bob",
        answer=None if right is None else "ann",
    )


def table_of(rows: Iterable[Prediction], asked: Sequence[Setting]) -> SweepTable:
    records = [as_record(row) for row in rows]
    return SweepTable(accuracy_table(records), lambda: records, asked)


def manifest(**changes: Any) -> Manifest:
    """What sweep.json has in common with run.json, with these settings."""
    return Manifest(
        settings=settings(alignment="both", **changes),
        command=("socialcli", "sweep"),
        model=ModelIdentity(
            name="qwen2.5-vl", adapter_version="1", distribution=None, distribution_version=None, checkpoint="c"
        ),
        input_sha256="0" * 64,
        versions={},
        platform={},
        started=datetime(2025, 1, 1, tzinfo=UTC),
    )


def sweep_of(table: SweepTable, splits: Splits, made_of: Grid) -> Sweep:
    """sweep.json of such a sweep."""
    best = choices(table, splits)
    return Sweep(manifest=manifest(), grid=made_of, settings=table.settings, splits=splits, best=best)
