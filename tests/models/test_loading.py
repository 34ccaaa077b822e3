"""Checkpoints that cannot be loaded: each one a single clear line, and none of their own code ever runs."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file

from socialcli.api import load_model
from socialcli.errors import CheckpointError, PromptError, UsageError
from tests.conftest import FAMILIES, SAMPLE

Change = Callable[[Path], object]


@pytest.fixture
def checkpoint(family: str, tmp_path: Path) -> Path:
    """A copy of the family's sample checkpoint, to be broken."""
    return copied(family, tmp_path)


@pytest.fixture
def library_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What transformers would print about the weights."""
    logger = logging.getLogger("transformers.modeling_utils")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def copied(family: str, folder: Path) -> Path:
    return Path(shutil.copytree(SAMPLE / "checkpoints" / family, folder / "checkpoint"))


def refusal(family: str, checkpoint: Path | str, **options: Any) -> str:
    """The message of the CheckpointError, which is one line and names the checkpoint."""
    with pytest.raises(CheckpointError) as caught:
        load_model(family, checkpoint, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 700
    assert str(checkpoint) in message
    return message


def removed(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def written(name: str, text: str) -> Change:
    return lambda folder: (folder / name).write_text(text)


def halved(name: str) -> Change:
    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return change


def configured(name: str, **fields: Any) -> Change:
    """Set fields of a JSON file of the checkpoint; "a__b" is field b of field a."""

    def change(folder: Path) -> None:
        config = json.loads((folder / name).read_text())
        for field, value in fields.items():
            *outer, last = field.split("__")
            inner = config
            for key in outer:
                inner = inner[key]
            inner[last] = value
        (folder / name).write_text(json.dumps(config))

    return change


def test_the_sample_checkpoint_loads(family: str) -> None:
    model = load_model(family, SAMPLE / "checkpoints" / family)
    assert model.folder == SAMPLE / "checkpoints" / family
    assert model.device == torch.device("cpu")
    assert model.model.dtype == torch.float32
    assert not model.model.training


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_weights_take_the_number_format_that_is_asked_for(dtype: str) -> None:
    model = load_model("internvl3", SAMPLE / "checkpoints" / "internvl3", dtype=dtype)
    assert {weight.dtype for weight in model.model.parameters()} == {getattr(torch, dtype)}


@pytest.mark.parametrize("other", FAMILIES)
def test_a_checkpoint_of_another_family_is_named(family: str, other: str) -> None:
    if other != family:
        types = {"llava-next-video": "llava_next_video", "qwen2.5-vl": "qwen2_5_vl", "internvl3": "internvl"}
        message = refusal(family, SAMPLE / "checkpoints" / other)
        advice = f"holds a model of type {types[other]!r}, not {types[family]!r}; load it with --model {other}"
        assert message.endswith(advice)


def test_a_missing_weight_is_named(family: str, checkpoint: Path, library_log: pytest.LogCaptureFixture) -> None:
    weights = load_file(checkpoint / "model.safetensors")
    name = next(name for name in sorted(weights) if name.endswith("layers.2.self_attn.v_proj.weight"))
    del weights[name]
    save_file(weights, checkpoint / "model.safetensors", metadata={"format": "pt"})
    message = refusal(family, checkpoint)
    assert "lacks 1 of the model's weights, 'model.language_model.layers.2.self_attn.v_proj.weight' first" in message
    assert library_log.records == []


def test_weights_of_another_size_than_the_config_says_are_named(
    tmp_path: Path, library_log: pytest.LogCaptureFixture
) -> None:
    checkpoint = copied("internvl3", tmp_path)
    configured("config.json", text_config__intermediate_size=64)(checkpoint)
    message = refusal("internvl3", checkpoint)
    assert "holds 12 weights of another size than its config.json says" in message
    assert "'model.language_model.layers.0.mlp.down_proj.weight' first" in message
    assert library_log.records == []


def test_pickled_weights_are_not_opened(tmp_path: Path) -> None:
    checkpoint = copied("internvl3", tmp_path)
    marker = tmp_path / "marker"
    torch.save(_Marking(str(marker)), checkpoint / "pytorch_model.bin")
    (checkpoint / "model.safetensors").unlink()
    assert "model.safetensors" in refusal("internvl3", checkpoint)
    assert not marker.exists()


class _Marking:
    """Creates a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (removed("model.safetensors"), "no file named model.safetensors"),
        (halved("model.safetensors"), "is cut short"),
        (written("model.safetensors", ""), "is cut short, at 0 of 8 bytes"),
        (written("model.safetensors", "x" * 100), "header too large"),
        (removed("config.json"), "config.json"),
        (halved("config.json"), "not a valid JSON file"),
        (written("config.json", "[]"), "config.json"),
        (written("config.json", "{}"), "config.json"),
        (configured("config.json", text_config=3), "text_config"),
        (configured("config.json", text_config__hidden_size="wide"), "hidden_size"),
        (configured("config.json", text_config__num_attention_heads=0), "ZeroDivisionError"),
        (configured("config.json", model_type="nobodys"), "nobodys"),
        (removed("tokenizer.json"), "has no vocabulary: is its tokenizer.json there?"),
        (halved("tokenizer.json"), "cannot be loaded"),
        (written("tokenizer.json", "{}"), "KeyError: 'added_tokens'"),
        (written("tokenizer_config.json", "[]"), "AttributeError"),
        (removed("processor_config.json"), "processor"),
        (halved("processor_config.json"), "not a valid JSON file"),
        (written("processor_config.json", "[]"), "AttributeError"),
        (removed("chat_template.jinja"), "has no chat template (chat_template.jinja"),
        (written("chat_template.jinja", "{% if %}"), "TemplateSyntaxError"),
    ],
)
def test_a_broken_file_is_a_single_line(change: Change, reason: str, tmp_path: Path) -> None:
    checkpoint = copied("internvl3", tmp_path)
    change(checkpoint)
    assert reason in refusal("internvl3", checkpoint)


@pytest.mark.parametrize(
    ("family", "change", "reason"),
    [
        ("llava-next-video", configured("config.json", vision_config__num_attention_heads=-2), "RuntimeError: "),
        (
            "qwen2.5-vl",
            configured("config.json", video_token_id=1684),
            "cannot answer questions: the processor makes 0",
        ),
        ("internvl3", configured("config.json", image_token_id=1247), "Image features and image tokens do not match"),
    ],
)
def test_a_config_that_fits_the_weights_and_does_not_compute(
    family: str, change: Change, reason: str, tmp_path: Path
) -> None:
    checkpoint = copied(family, tmp_path)
    change(checkpoint)
    assert reason in refusal(family, checkpoint)


def test_a_token_that_the_model_does_not_have_fails_its_prompt_alone(tmp_path: Path) -> None:
    checkpoint = copied("internvl3", tmp_path)
    words = json.loads((checkpoint / "tokenizer.json").read_text(encoding="utf-8"))
    words["model"]["vocab"]["~"] = 99999
    (checkpoint / "tokenizer.json").write_text(json.dumps(words), encoding="utf-8")
    model = load_model("internvl3", checkpoint)
    assert model.encode_prompt("a cup", (), None).length > 0
    with pytest.raises(PromptError, match="makes token 99999 of the prompt, and the model has"):
        model.encode_prompt("a ~ cup", (), None)


@pytest.mark.parametrize(
    "change", [halved("tokenizer.json"), removed("tokenizer.json"), removed("chat_template.jinja")]
)
def test_no_family_loads_without_words(family: str, checkpoint: Path, change: Change) -> None:
    change(checkpoint)
    refusal(family, checkpoint)


@pytest.mark.parametrize("name", ["./not-there", "/not/there", "not-there", "a/b/c", "../not-there", "a b"])
def test_a_missing_path_is_no_hub_id(name: str) -> None:
    assert refusal("internvl3", name).endswith("is neither a folder nor an id on the hub (owner/name)")


def test_a_file_is_not_the_folder_that_holds_it() -> None:
    file = SAMPLE / "checkpoints" / "internvl3" / "model.safetensors"
    assert refusal("internvl3", file).endswith("is a file: name the folder that holds it")


def test_a_hub_id_that_cannot_be_reached_is_reported_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    message = refusal("internvl3", "nobody/nothing")
    assert "there is no such folder, and as a hub id: HF_HUB_OFFLINE is set and the hub's cache does not" in message
    assert "`HF_HUB_OFFLINE=0 hf download nobody/nothing`" in message


CODE = "import pathlib\npathlib.Path({marker!r}).touch()\nclass Config: pass\nclass Model: pass\nclass Words: pass\n"
AUTO_MAP = {"AutoConfig": "code.Config", "AutoModel": "code.Model", "AutoModelForImageTextToText": "code.Model"}


@pytest.mark.parametrize("model_type", ["internvl", "nobodys"])
def test_a_checkpoints_own_code_never_runs(model_type: str, tmp_path: Path) -> None:
    checkpoint, marker = copied("internvl3", tmp_path), tmp_path / "marker"
    (checkpoint / "code.py").write_text(CODE.format(marker=str(marker)))
    configured("config.json", auto_map=AUTO_MAP, model_type=model_type)(checkpoint)
    configured("tokenizer_config.json", auto_map={"AutoTokenizer": ["code.Words", "code.Words"]})(checkpoint)
    configured("processor_config.json", auto_map={"AutoProcessor": "code.Words", "AutoVideoProcessor": "code.Words"})(
        checkpoint
    )
    if model_type == "internvl":
        load_model("internvl3", checkpoint)  # by the library's own classes
    else:
        refusal("internvl3", checkpoint)
    assert not marker.exists()


@pytest.mark.parametrize("device", ["banana", "cuda:-1", "cuda:99", "meta", "vulkan", "cpu,cuda"])
def test_a_missing_device_is_reported_in_one_line(device: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_model("internvl3", SAMPLE / "checkpoints" / "internvl3", device=device)
    message = str(caught.value)
    assert message.startswith(f"device {device!r} is not available: ")
    assert "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize("dtype", ["float99", "int8", "nn", ""])
def test_a_number_format_that_no_weights_have_is_refused(dtype: str) -> None:
    with pytest.raises(UsageError, match=f"unsupported dtype '{dtype}'"):
        load_model("internvl3", SAMPLE / "checkpoints" / "internvl3", dtype=dtype)


def test_a_frame_fit_that_the_family_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--frame-fit 'pad' is not offered by internvl3; .* leave it out"):
        load_model("internvl3", SAMPLE / "checkpoints" / "internvl3", frame_fit="pad")
    with pytest.raises(UsageError, match="is not offered by llava-next-video; choose among pad, crop, stretch"):
        load_model("llava-next-video", SAMPLE / "checkpoints" / "llava-next-video", frame_fit="squeeze")
