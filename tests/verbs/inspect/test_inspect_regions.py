"""`inspect --regions`: the regions that the model finds, in JSON, text and pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import SAMPLE
from tests.results.samples import validator
from tests.verbs.inspect.samples import printed, run_inspect

EPISODES, FAMILY = SAMPLE / "episodes.jsonl", "llava-next-video"
FEW = ("--limit", "1", "--frames", "2")
BY_MODEL = (*FEW, "--regions", "model", "--region-share", "0.3")


def test_json_has_each_speaker_s_region_in_each_step() -> None:
    (record,) = printed(EPISODES, FAMILY, *BY_MODEL)
    validator("inspection").validate(record)
    assert (record["regions"], record["region_share"]) == ("model", 0.3)
    speakers = {line["speaker"] for line in record["utterances"]} - {None}
    found = {(one["speaker"], one["step"]): one for one in record["model_regions"]}
    assert set(found) == {(speaker, step) for speaker in speakers for step in range(record["grid"]["steps"])}
    for (speaker, step), one in found.items():
        shown = set(np.array(record["grid"]["tokens"][step]).ravel().tolist())
        assert set(one["tokens"]) <= shown
        boxed = {token for box in record["boxes"] if box["speaker"] == speaker for token in box["tokens"]} & shown
        assert one["agreement"]["iou"] == pytest.approx(
            len(boxed & set(one["tokens"])) / len(boxed | set(one["tokens"]))
        )
    columns = sorted({token for one in found.values() for token in one["tokens"]})
    assert record["plan"]["columns"] == columns


def test_boxes_have_no_regions_of_the_model() -> None:
    (record,) = printed(EPISODES, FAMILY, *FEW)
    validator("inspection").validate(record)
    assert (record["regions"], record["region_share"], record["model_regions"]) == ("boxes", None, [])


def test_the_text_says_how_they_agree_with_the_boxes() -> None:
    result = run_inspect(EPISODES, FAMILY, *BY_MODEL)
    assert result.exit_code == 0, result.stderr
    assert "regions model, share 0.3" in result.stdout
    assert "attention in the box" in result.stdout
    blind = run_inspect(EPISODES, FAMILY, *BY_MODEL, "--lambda", "0.9")
    assert "none: no head is active" in blind.stdout


def test_pictures_tint_the_regions(tmp_path: Path) -> None:
    frames = []
    for source in ("boxes", "model", "people", "none"):
        result = run_inspect(EPISODES, FAMILY, *FEW, "--regions", source, "--png", str(tmp_path / source))
        assert result.exit_code == 0, result.stderr
        (frame,) = (tmp_path / source).glob("*/frame-00.png")
        frames.append(Image.open(frame).tobytes())
    assert len(set(frames)) == 4


def test_what_selects_heads_needs_the_model_s_regions() -> None:
    idle = run_inspect(EPISODES, FAMILY, *FEW, "--lambda", "0.1")
    assert idle.exit_code == 2
    assert run_inspect(EPISODES, FAMILY, *BY_MODEL, "--lambda", "0", "--layers", "all").exit_code == 0
    assert run_inspect(EPISODES, FAMILY, *BY_MODEL, "--alpha", "2").exit_code == 2
