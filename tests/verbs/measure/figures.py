"""Figures that the tests of what is made of them share."""

from __future__ import annotations

from typing import Any

import numpy as np

from socialcli.alignment.head_stats import KEYS, HeadFigures
from socialcli.verbs.measure.attention_table import MeasureSettings


def measure_settings(**changes: Any) -> MeasureSettings:
    values: dict[str, Any] = {
        "model": "qwen2.5-vl",
        "checkpoint": "checkpoints/qwen2.5-vl",
        "adapter": None,
        "alpha": 1.0,
        "lambda_": 5e-5,
        "layers": "1-2",
        "bias": "published",
        "inputs": "VL",
        "boxes_as": "none",
        "context": "full",
        "frames": 8,
    }
    return MeasureSettings(**{**values, **changes})


def head_figures(layers: int, heads: int, chosen: range, gain: float = 3.0, own: bool = True) -> HeadFigures:
    """Figures that differ from head to head; half of the heads of the `chosen` layers are active and gain."""
    rng = np.random.default_rng(0)
    active = np.zeros((layers, heads))
    active[chosen.start : chosen.stop, ::2] = rng.uniform(0.1, 1, (len(chosen), (heads + 1) // 2))
    mean = 3e-4 * np.exp(rng.normal(0, 1, (layers, heads)))
    factor = {"own": np.where(active > 0, gain, 1.0), "other": np.where(active > 0, 1 / gain, 1.0)}
    means = {(stage, target): mean * (factor[target] if stage == "after" else 1) for stage, target in KEYS}
    if not own:
        means |= {key: np.full_like(mean, np.nan) for key in KEYS if key[1] == "own"}
    counts = {"own": 40 if own else 0, "other": 30}
    gaze = rng.random((layers, heads))
    largest = {key: 50 * table for key, table in means.items()}
    return HeadFigures(largest, means, active, 20, counts, dict(counts), gaze, 20)
