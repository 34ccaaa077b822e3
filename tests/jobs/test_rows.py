"""The keys of rows: those of earlier versions stay valid."""

from __future__ import annotations

from typing import Any

import pytest

from socialcli.alignment.attention import Alignment
from socialcli.alignment.heads.selectors import TOP
from socialcli.alignment.layers import DecoderLayers
from socialcli.alignment.regions.sources import GroundingHeads, Regions
from socialcli.alignment.steering.modes import GAZE, Steering
from socialcli.episodes.reading import BadQuestion, EpisodeRow
from socialcli.jobs.rows import RowMaker
from socialcli.models.contract import InputChoices
from socialcli.results.keys import answer_key, heads_digest
from socialcli.results.manifest import ModelIdentity
from socialcli.results.predictions import Prediction

from ..results.samples import settings

HEADS = frozenset({(1, 0), (2, 3)})
FOUND = Regions("model", 0.4, GroundingHeads())
MODEL = ModelIdentity(
    name="qwen2.5-vl",
    adapter_version="1",
    distribution=None,
    distribution_version=None,
    checkpoint="c",
    checkpoint_sha256="f" * 64,
    dtype="float32",
)
EARLIER = {  # what a key covered before heads had a selector and words a steering mode
    "model": "qwen2.5-vl",
    "alignment": True,
    "alpha": 1.0,
    "lambda_": 5e-5,
    "layers": "1-2",
    "bias": "published",
    "heads": None,
    "inputs": "VLB",
    "context": "full",
    "boxes_as": "none",
    "answer_mode": "score",
    "adapter": "1",
    "checkpoint": "f" * 64,
    "dtype": "float32",
    "frames": 8,
    "frame_fit": None,
    "box_gap": 1.0,
    "question": "q1",
    "problem": "bad",
}
PLAIN = {"alignment": False, **dict.fromkeys(("alpha", "lambda_", "layers", "bias"))}


def row_under(alignment: Alignment | None) -> Prediction:
    maker = RowMaker(
        settings=settings(inputs="VLB"),
        model=MODEL,
        tasks={},
        conditions=(alignment,),
        choices=InputChoices(None, None, None),
        decoder=DecoderLayers.all(4),
    )
    row = EpisodeRow(1, "episodes.jsonl", None, (), {"episode_id": "e1"}, ())
    (made,) = maker.refused(row, BadQuestion("q1", "mentioned", None, "bad"))
    return made


@pytest.mark.parametrize(
    ("alignment", "changes"),
    [
        (None, PLAIN),
        (Alignment(layers="1-2"), {}),
        (Alignment(heads=HEADS), {"heads": heads_digest(HEADS)}),
        (Alignment(layers="1-2", max_heads=2), {"max_heads": 2}),
        (Alignment(layers="1-2", selector=TOP, max_heads=2), {"max_heads": 2, "heads_by": "top"}),
        (Alignment(layers="1-2", steering=Steering(GAZE)), {"steer": "gaze"}),
        (Alignment(layers="1-2", steering=Steering(regions=Regions("people"))), {"regions": "people"}),
        (Alignment(layers="1-2", steering=Steering(regions=FOUND)), {"regions": "model", "region_share": 0.4}),
    ],
    ids=["plain", "method", "fixed heads", "limit", "selector", "mode", "people", "model"],
)
def test_a_key_covers_a_later_column_only_where_it_differs_from_earlier_versions(
    alignment: Alignment | None, changes: dict[str, Any]
) -> None:
    assert row_under(alignment).key == answer_key(EARLIER | changes)
