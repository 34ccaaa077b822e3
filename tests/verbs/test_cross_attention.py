"""Commands on a model whose frames are keys of cross-attention layers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from socialcli.alignment.attention import Alignment, aligned
from socialcli.verbs.train.learning.rows import TrainingBatch
from socialcli.verbs.train.learning.step import token_losses

from ..conftest import SAMPLE, sample_episodes, tiny_model
from .runs import SAMPLE_FILE, command
from .train.lessons import found, rows_of, singly

FAMILY = "llama-3.2-vision"
CROSS = (1, 3, 4)
MODEL = ("--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY), "--frames", "1")
CELLS = 26 * 46


def test_plan_counts_keys_apart_from_the_text() -> None:
    done = command("plan", str(SAMPLE_FILE), *MODEL, "--task", "videoqa", "--limit", "1", "--json")
    plan: dict[str, Any] = json.loads(done.stdout)
    assert plan["visual_tokens"]["most"] == CELLS
    assert 100 < plan["text_tokens"]["most"] < CELLS
    config = tiny_model(FAMILY).model.config.text_config
    keys_and_values = len(CROSS) * 2 * config.num_key_value_heads * 8 * 2 * 1601  # of the frame's two tiles
    assert 4 * keys_and_values < plan["prompt"] < 100 * keys_and_values


def test_measure_has_figures_in_cross_attention_layers_alone(tmp_path: Path) -> None:
    options = (*MODEL, "--task", "videoqa", "--limit", "1", "--layers", "all", "-o", str(tmp_path / "out"))
    done = command("measure", str(SAMPLE_FILE), *options)
    assert done.code == 0 and "layers 1,3-4 (12 heads)" in done.stdout
    rows = pq.read_table(tmp_path / "out" / "attention.parquet").to_pylist()
    assert {row["layer"] for row in rows} == set(range(6))
    for row in rows:
        known = [value is not None and not math.isnan(value) for name, value in row.items() if name.startswith("attn_")]
        assert known and all(one == (row["layer"] in CROSS) for one in known), row


def test_inspect_names_keys_and_draws_the_attention_to_them(tmp_path: Path) -> None:
    question = sample_episodes()[0].questions[0].id
    options = (*MODEL, "--question", question, "--layers", "all", "--png", str(tmp_path), "--attention", "--json")
    done = command("inspect", str(SAMPLE_FILE), *options)
    grid = json.loads(done.stdout)["grid"]
    assert (grid["cross_attention"], grid["steps"], grid["height"], grid["width"]) == (True, 1, 26, 46)
    assert (grid["first_token"], grid["last_token"]) == (1, 1601 + 25 * 40 + 6)
    assert list(tmp_path.rglob("attention-*.png"))


@pytest.mark.parametrize("alignment", [None, Alignment(layers="all")], ids=["plain", "aligned"])
@torch.no_grad()
def test_a_training_row_of_several_questions_has_the_loss_of_each_alone(alignment: Alignment | None) -> None:
    model = tiny_model(FAMILY)
    exercise = next(one for one in found(sample_episodes()[0], frames=1) if len(one.questions) > 2)
    (together,) = rows_of(model, [exercise], frames=1)
    alone = rows_of(model, singly(exercise), frames=1)
    losses = [_loss([row], alignment) for row in alone]
    assert _loss([together], alignment) == pytest.approx(sum(losses), rel=1e-5)
    assert _loss(alone[:2], alignment) == pytest.approx(sum(losses[:2]), rel=1e-5)


def _loss(rows: Any, alignment: Alignment | None) -> float:
    model = tiny_model(FAMILY)
    batch = TrainingBatch.of(rows, model.device)
    if alignment is None:
        return float((token_losses(model, batch) * batch.weights).sum())
    with aligned(model, batch.plans, alignment):
        return float((token_losses(model, batch) * batch.weights).sum())
