"""An inspection as a stable JSON object, described by schemas/inspection.schema.json and docs/inspect.md."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from socialcli.alignment.grid import VisualGrid
from socialcli.verbs.inspect.report import Inspection

INSPECTION_VERSION = "1.0"


def to_record(inspection: Inspection) -> dict[str, Any]:
    """The inspection as a JSON object with full precision, enough to recompute the plan elsewhere."""
    options, episode = inspection.options, inspection.episode
    return {
        "schema_version": INSPECTION_VERSION,
        "question_id": None if inspection.question is None else inspection.question.id,
        "episode_id": episode.episode_id,
        "task": None if inspection.question is None else inspection.question.task,
        "model": inspection.model,
        "checkpoint": inspection.checkpoint,
        "inputs": inspection.inputs,
        "boxes_as": options.boxes_as,
        "context": options.context,
        **asdict(inspection.choices),
        "box_gap": options.box_gap,
        "steer": inspection.steering.mode.name,
        "balance": inspection.steering.balance if inspection.steering.mode.balances else None,
        "regions": inspection.steering.regions.source,
        "region_share": inspection.steering.regions.share,
        "speakers": [{"id": speaker, "label": label} for speaker, label in inspection.labels.items()],
        "annotated_boxes": [asdict(box) for box in episode.boxes] if options.with_video else [],
        "frames": [{**asdict(frame), "seen": list(frame.seen)} for frame in inspection.frames],
        "distinct_frames": inspection.distinct_frames,
        "prompt": inspection.prompt,
        "token_ids": list(inspection.token_ids),
        "utterances": [
            {
                **asdict(line),
                "characters": list(line.characters),
                "tokens": list(line.tokens),
                "frames": list(line.frames),
            }
            for line in inspection.utterances
        ],
        "grid": _grid(inspection.grid) if inspection.grid is not None else None,
        "boxes": [{**asdict(box), "box": list(box.box), "tokens": list(box.tokens)} for box in inspection.boxes],
        "boxes_without_tokens": [{"speaker": box.speaker, "frame": box.frame} for box in inspection.unseen],
        "model_regions": [region.as_record() for region in inspection.regions],
        "coverage": inspection.coverage.as_record(),
        "plan": _plan(inspection),
    }


def _grid(grid: VisualGrid) -> dict[str, Any]:
    steps, height, width = grid.tokens.shape
    return {
        "steps": steps,
        "height": height,
        "width": width,
        "first_token": int(grid.shown[0]),
        "last_token": int(grid.shown[-1]),
        "cross_attention": grid.cross_attention,
        "frames": [list(frames) for frames in grid.frames],
        "cells": grid.cells.tolist(),
        "tokens": grid.tokens.tolist(),
    }


def _plan(inspection: Inspection) -> dict[str, Any] | None:
    plan = inspection.plan
    if plan is None:
        return None
    return {
        "rows": plan.rows.tolist(),
        "columns": plan.columns.tolist(),
        "pairs": [list(columns) for columns in inspection.pairs],
        "biases": [
            {**asdict(one), "tokens": list(one.tokens), "columns": list(one.columns)} for one in inspection.steered
        ],
    }
