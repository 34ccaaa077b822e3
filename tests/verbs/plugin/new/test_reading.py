"""What is read off a checkpoint: of each sample family, against the adapter that ships for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from socialcli.models.contract import LoadOptions
from socialcli.plugins.registry import registry
from socialcli.verbs.plugin.new.facts import Facts, SquareGrid, ThwGrid, UnknownGrid
from socialcli.verbs.plugin.new.names import names_of
from socialcli.verbs.plugin.new.reading.inspection import read_facts
from socialcli.verbs.plugin.new.writing.project import project_files

from ....conftest import SAMPLE, noise_frames, tiny_model
from ..projects import installed

# Of each family: the rule of its grid, and the members that no checkpoint can say.
FAMILIES: dict[str, tuple[type[Any], set[str]]] = {
    "llava-next-video": (SquareGrid, set()),
    "qwen2.5-vl": (ThwGrid, set()),
    "internvl3": (SquareGrid, set()),
    "qwen3-vl": (ThwGrid, set()),
    "qwen2-vl": (ThwGrid, set()),
    "qwen3.5": (ThwGrid, set()),
    "smolvlm2": (SquareGrid, set()),
    "llava-onevision": (SquareGrid, {"cell_tokens"}),
    "gemma-4": (UnknownGrid, {"grid_shape"}),
    "llama-3.2-vision": (UnknownGrid, {"grid_shape", "layers", "token_inputs"}),
}
CLIPS = [(640, 360, 5), (240, 320, 2), (320, 240, 1)]
SHIPPED_FIT = {"llava-next-video": "crop"}  # what its processor does; the adapter's default is another


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_checkpoint_says_is_what_its_own_adapter_knows(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = SAMPLE / "checkpoints" / family
    facts = read_facts(str(folder), None, False)
    rule, left = FAMILIES[family]
    assert type(facts.grid) is rule
    assert {todo.member for todo in facts.todos} == left
    if not left and family in registry().models():
        assert_same_grids(family, facts, tmp_path, monkeypatch)


def assert_same_grids(family: str, facts: Facts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generated adapter has the cells and the steps of the shipped one."""
    for file, text in project_files(names_of("generated", ()), facts).items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    with installed(tmp_path, "generated", monkeypatch) as spec:
        generated = spec.load_checked(LoadOptions(facts.checkpoint, weights=False))
        shipped = tiny_model(family, SHIPPED_FIT.get(family))
        for width, height, count in CLIPS:
            ours, theirs = (one.encode_clip(noise_frames(width, height, count)) for one in (shipped, generated))
            assert theirs.frames == ours.frames
            np.testing.assert_allclose(theirs.cells, ours.cells, atol=1.0)  # pixels: a resized frame has whole ones
        assert spec.model_types[0] in registry().models()[family].item.model_types


def test_the_experts_of_a_family_are_found() -> None:
    facts = read_facts(str(SAMPLE / "checkpoints" / "qwen3-vl"), None, False)
    assert facts.classes.further == (("qwen3_vl_moe", "Qwen3VLMoeForConditionalGeneration"),)
    assert facts.frame_input.fewest == 2  # its processor refuses one frame
    assert facts.frame_input.metadata == ("fps", "frames_indices")
    assert facts.frame_input.takes_times
    assert facts.positions is not None and facts.positions.inputs == ("video_grid_thw",)


def test_a_rate_that_spaces_positions_is_not_replaced_by_times() -> None:
    facts = read_facts(str(SAMPLE / "checkpoints" / "qwen2.5-vl"), None, False)
    assert facts.frame_input.metadata == ("fps", "frames_indices")
    assert not facts.frame_input.takes_times


def test_a_grid_that_misses_the_last_pixels_of_each_side_says_so() -> None:
    facts = read_facts(str(SAMPLE / "checkpoints" / "smolvlm2"), None, False)
    assert isinstance(facts.grid, SquareGrid)
    assert (facts.grid.side, facts.grid.patch) == (
        "isqrt(self.processor.image_seq_len)",
        "self.model.config.vision_config.patch_size",
    )
    assert facts.decoder.layers == "self.model.model.text_model.layers"
