"""Rows, settings and troubles that the tests of this room share."""

from __future__ import annotations

import importlib.resources
import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jsonschema import Draft202012Validator

from socialcli.results.predictions import Prediction
from socialcli.settings.run import RunSettings


def prediction(**changes: Any) -> Prediction:
    values: dict[str, Any] = {
        "question_id": "q1",
        "episode_id": "e1",
        "dataset": "drawn",
        "split": None,
        "task": "mentioned",
        "model": "qwen2.5-vl",
        "checkpoint": "checkpoints/qwen2.5-vl",
        "alignment": True,
        "alpha": 1.0,
        "lambda_": 5e-5,
        "layers": "1-2",
        "bias": "published",
        "inputs": "VLB",
        "candidates": ("ann", "bob"),
        "scores": (-0.25, -1.5),
        "prediction": "ann",
        "answer": "ann",
        "status": "ok",
        "prompt_tokens": 300,
        "visual_tokens": 200,
        "aligned_text_tokens": 40,
        "box_tokens": 30,
        "active_heads": 0.125,
        "active_head_count": 2,
        "negative_bias": 0.25,
        "seconds": 0.5,
        "frame_times": (0.0, 0.5),
        "distinct_frames": 2,
        "boxes_unseen": 0,
        "utterances": 4,
        "covered_utterances": 3,
        "context": "full",
        "boxes_as": "none",
        "answer_mode": "score",
        "key": "0" * 32,
    }
    return Prediction(**{**values, **changes})


def plain(**changes: Any) -> Prediction:
    """A row of the unaligned condition."""
    return prediction(
        **{
            "alignment": False,
            "alpha": None,
            "lambda_": None,
            "layers": None,
            "bias": None,
            "active_heads": None,
            "active_head_count": None,
            "negative_bias": None,
        }
        | changes
    )


def failed(**changes: Any) -> Prediction:
    """A row whose episode could not be opened, so that nearly nothing is known."""
    return Prediction(
        **{
            "question_id": "q1",
            "episode_id": "e1",
            "dataset": None,
            "split": None,
            "task": "mentioned",
            "model": "qwen2.5-vl",
            "checkpoint": "checkpoints/qwen2.5-vl",
            "alignment": False,
            "alpha": None,
            "lambda_": None,
            "layers": None,
            "bias": None,
            "inputs": "VLB",
            "answer": "ann",
            "status": "failed",
            "error": "VideoError: clip.mp4: there is no such file",
            "context": "full",
            "boxes_as": "none",
            "answer_mode": "score",
            "key": "1" * 32,
        }
        | changes
    )


def settings(**changes: Any) -> RunSettings:
    return RunSettings.of(**{"episodes": "episodes.parquet", "model": "qwen2.5-vl", "tasks": ("mentioned",)} | changes)


def validator(name: str) -> Draft202012Validator:
    """The checker of `schemas/NAME.schema.json`, itself checked."""
    schema = json.loads(importlib.resources.files("socialcli_schemas").joinpath(f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@contextmanager
def disk_of(limit: int) -> Iterator[None]:
    """Let the system refuse files beyond `limit` bytes, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
