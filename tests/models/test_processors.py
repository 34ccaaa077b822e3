"""A processor from its parts: what one file does not say comes from the next, and what none says is not made up."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from socialcli.api import load_model
from socialcli.errors import CheckpointError
from socialcli.models.huggingface import HuggingFaceAdapter

from ..conftest import SAMPLE, noise_frames, tiny_model

IMAGES, VIDEOS, PROCESSOR = "preprocessor_config.json", "video_preprocessor_config.json", "processor_config.json"


@pytest.fixture
def apart(family: str, tmp_path: Path) -> Path:
    """The family's sample checkpoint with a file for each part, as transformers 4 wrote it."""
    return taken_apart(family, tmp_path)


def taken_apart(family: str, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(SAMPLE / "checkpoints" / family, tmp_path / "checkpoint"))
    said = json.loads((folder / PROCESSOR).read_text())
    for name, part in ((IMAGES, "image_processor"), (VIDEOS, "video_processor")):
        (folder / name).write_text(json.dumps(said.pop(part)))
    (folder / PROCESSOR).write_text(json.dumps(said))
    return folder


def rewritten(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


@pytest.mark.parametrize("missing", [(), (VIDEOS,), (IMAGES,), (PROCESSOR,), (PROCESSOR, VIDEOS)])
def test_a_clip_is_prepared_alike_whatever_files_there_are(family: str, apart: Path, missing: tuple[str, ...]) -> None:
    assert_prepared_alike(family, apart, missing)


@pytest.mark.parametrize("missing", [(VIDEOS,), (PROCESSOR, VIDEOS)])
@pytest.mark.parametrize("further", ["qwen3-vl", "qwen2-vl", "smolvlm2", "llava-onevision"])
def test_so_it_is_by_the_further_families(further: str, tmp_path: Path, missing: tuple[str, ...]) -> None:
    assert_prepared_alike(further, taken_apart(further, tmp_path), missing)


def assert_prepared_alike(family: str, apart: Path, missing: tuple[str, ...]) -> None:
    for name in missing:
        (apart / name).unlink()
    clip, expected = (
        model.encode_clip(noise_frames(320, 180, 2)) for model in (load_model(family, apart), tiny_model(family))
    )
    assert clip.replacements == expected.replacements
    for name, value in expected.inputs.items():
        assert np.allclose(clip.inputs[name], value), name


def test_nothing_is_made_up_where_no_file_says_how_frames_are_prepared(family: str, apart: Path) -> None:
    (apart / IMAGES).unlink()
    (apart / VIDEOS).unlink()
    with pytest.raises(CheckpointError, match="does not say how its processor prepares frames, in preprocessor"):
        load_model(family, apart)


@pytest.mark.parametrize("name", [IMAGES, VIDEOS])
@pytest.mark.parametrize("text", ["[]", "{"])
def test_a_damaged_part_is_not_passed_over(apart: Path, family: str, name: str, text: str) -> None:
    (apart / name).write_text(text)
    with pytest.raises(CheckpointError, match=r"not a JSON object|cannot be loaded"):
        load_model(family, apart)


def test_what_the_oldest_files_leave_out_comes_from_the_model(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SAMPLE / "checkpoints" / "llava-next-video", tmp_path / "checkpoint"))
    rewritten(folder / PROCESSOR, lambda said: said.update(patch_size=None))
    assert load_model("llava-next-video", folder).processor.patch_size == 14


def test_the_template_of_the_tokenizer_is_the_last_resort(family: str, apart: Path) -> None:
    template = (apart / "chat_template.jinja").read_text()
    (apart / "chat_template.jinja").unlink()
    rewritten(apart / "tokenizer_config.json", lambda said: said.update(chat_template=template))
    model: Any = load_model(family, apart)
    prompts = [one.encode_prompt("Who is it?", (), None).ids.tolist() for one in (model, tiny_model(family))]
    assert prompts[0] == prompts[1]


def test_a_plug_in_that_names_no_parts_has_them_loaded_by_its_processor(model: Any, family: str) -> None:
    class Whole(type(model)):  # type: ignore[misc]  # a base that is known only at run time
        image_processor_class = None

    assert issubclass(Whole, HuggingFaceAdapter)
    folder = SAMPLE / "checkpoints" / family
    processor = Whole.load_processor(folder, model.model.config, "it")
    assert type(processor) is type(model.processor)
    assert processor.to_dict() == model.processor.to_dict()
