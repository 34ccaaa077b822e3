"""The generated source: whatever was found out, it is well-formed, sorted and formatted."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from socialcli.verbs.plugin.new.facts import (
    CellRule,
    Classes,
    Decoder,
    Facts,
    Fit,
    FrameInput,
    Positions,
    SquareGrid,
    ThwGrid,
    Todo,
    TokenTypes,
    UnknownGrid,
)
from socialcli.verbs.plugin.new.names import names_of
from socialcli.verbs.plugin.new.writing.project import project_files

PLAIN = Facts(
    checkpoint="acme/eye-7b",
    is_published=True,
    classes=Classes("eye", "EyeForConditionalGeneration", "EyeProcessor"),
    frame_input=FrameInput(as_images=False, placeholder=None, metadata=(), fewest=1),
    visual_token_id="self.processor.video_token_id",
    grid=SquareGrid("isqrt(self.processor.image_seq_length)", Fit.SQUASHED, "pixel_values", None),
    cells=CellRule(),
    decoder=Decoder(attention="self_attn"),
)
THW = ThwGrid("video_grid_thw", "self.processor.video_processor.merge_size", None, False)
PATCH = "self.model.config.vision_config.patch_size"
LONG = "return what stands in a sentence that is much too long for one line of source; " * 3
VARIANTS = {
    "plain": PLAIN,
    "folder": replace(PLAIN, checkpoint="some/folder", is_published=False),
    "images": replace(PLAIN, frame_input=FrameInput(True, "self.processor.boi_token", (), 1)),
    "literal": replace(PLAIN, frame_input=FrameInput(True, "'<it\\'s \"one\">'", (), 1)),
    "times": replace(PLAIN, frame_input=FrameInput(False, None, ("fps", "frames_indices"), 1)),
    "all-times": replace(PLAIN, frame_input=FrameInput(False, None, ("fps", "frames_indices", "duration"), 1)),
    "own-times": replace(PLAIN, frame_input=FrameInput(False, None, ("fps", "frames_indices"), 1, True)),
    "own-pairs": replace(PLAIN, frame_input=FrameInput(False, None, ("fps", "frames_indices", "duration"), 2, True)),
    "pairs": replace(PLAIN, grid=THW, frame_input=FrameInput(False, None, ("fps", "frames_indices", "duration"), 2)),
    "cropped": replace(PLAIN, grid=SquareGrid("12", Fit.CROPPED, "pixel_values_videos", None)),
    "padded": replace(PLAIN, grid=SquareGrid("12", Fit.PADDED, "pixel_values_videos", PATCH)),
    "squares-of-two": replace(PLAIN, frame_input=FrameInput(False, None, (), 2)),
    "steps": replace(PLAIN, grid=replace(THW, frames_per_step="self.processor.video_processor.temporal_patch_size")),
    "per-frame": replace(PLAIN, grid=ThwGrid("image_grid_thw", None, None, True)),
    "kept": replace(PLAIN, grid=THW, cells=CellRule(kept="video_compression_mask")),
    "decoder": replace(PLAIN, decoder=Decoder("self.model.model.text_model.layers", "attention")),
    "positions": replace(
        PLAIN, grid=THW, positions=Positions(3, TokenTypes("mm_token_type_ids", 2), ("video_grid_thw",))
    ),
    "types": replace(PLAIN, token_inputs=(TokenTypes("token_type_ids", 1), TokenTypes("mm_token_type_ids", 2))),
    "experts": replace(
        PLAIN,
        classes=Classes(
            "eye1_5",
            "Eye1_5ForConditionalGeneration",
            "Eye1VLProcessor",
            (("eye1_5_moe", "Eye1_5MixtureOfExpertsForConditionalGeneration"),),
        ),
    ),
    "left": replace(
        PLAIN,
        grid=UnknownGrid("nothing"),
        todos=(
            *(Todo("grid_shape", LONG), Todo("cell_tokens", 'say "which" of \\ them')),
            *(Todo("layers", "x" * 90), Todo("decoder_layers", "name them"), Todo("positions", "count")),
            Todo("token_inputs", "give the mask"),
        ),
    ),
}


def members(source: str) -> set[str]:
    (adapter,) = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return {node.name for node in adapter.body if isinstance(node, ast.FunctionDef)}


def written(name: str) -> str:
    return project_files(names_of(name, ()), VARIANTS[name])[f"socialcli_{name.replace('-', '_')}/adapter.py"]


def test_every_variant_is_lint_clean_and_formatted_as_it_is_written(tmp_path: Path) -> None:
    for name, facts in VARIANTS.items():
        for file, text in project_files(names_of(name, ()), facts).items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(text, encoding="utf-8")
    for arguments in (["check"], ["format", "--diff"]):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "--no-cache", "."], cwd=tmp_path, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", set()),
        ("images", {"placeholder"}),
        ("kept", {"cell_tokens"}),
        ("decoder", {"decoder_layers", "layers"}),
        ("positions", {"positions"}),
        ("types", {"token_inputs"}),
        ("left", {"cell_tokens", "layers", "decoder_layers", "positions", "token_inputs"}),
    ],
)
def test_an_adapter_has_no_more_members_than_it_needs(name: str, expected: set[str]) -> None:
    assert members(written(name)) == {"visual_token_id", "prepare_frames", "grid_shape"} | expected


def test_what_is_left_raises_with_the_whole_sentence() -> None:
    tree = ast.parse(written("left"))
    said = [
        node.exc.args[0] for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    ]
    assert [ast.literal_eval(one) for one in said] == [todo.what for todo in VARIANTS["left"].todos]


def test_both_model_types_of_a_family_with_experts_are_declared() -> None:
    files = project_files(names_of("experts", ()), VARIANTS["experts"])
    assert 'model_types=("eye1_5", "eye1_5_moe"),' in files["socialcli_experts/__init__.py"]
    assert "further_model_classes = (Eye1_5MixtureOfExpertsForConditionalGeneration,)" in written("experts")


def test_the_page_lists_what_is_left_to_write() -> None:
    readme = project_files(names_of("left", ()), VARIANTS["left"])["README.md"]
    assert "- `token_inputs`: give the mask" in readme
    assert "Left to write" not in project_files(names_of("plain", ()), PLAIN)["README.md"]
