"""A LoRA adapter on a checkpoint: it changes the answers, merged or not, alike; one that does not fit is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import IA3Config, LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from socialcli.alignment.attention import Alignment
from socialcli.api import load_model
from socialcli.errors import CheckpointError, UsageError
from socialcli.models.contract import LoadOptions, ModelSpec

from ..conftest import FAMILIES, tiny_model
from .loras import adapter, checkpoint, largest_difference, save_adapter, scores

FAMILY = "llava-next-video"  # the quickest
CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
FIRST = "model.language_model.layers.0.mlp.down_proj.lora_A.weight"

Change = Callable[[Path], object]


def adapted(family: str, folder: Path, merge: bool = False, **options: Any) -> Any:
    return load_model(family, checkpoint(family), adapter=folder, merge=merge, **options)


def lora_weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: weight for name, weight in model.model.named_parameters() if ".lora_" in name}


@pytest.mark.parametrize("alignment", [None, Alignment()], ids=["plain", "aligned"])
def test_merged_or_not_the_answers_are_the_same_and_not_those_of_the_checkpoint(
    family: str, alignment: Alignment | None
) -> None:
    beside, merged = (scores(adapted(family, adapter(family), merge), alignment) for merge in (False, True))
    assert largest_difference(beside, merged) < 1e-4
    assert largest_difference(beside, scores(tiny_model(family), alignment)) > 1e-3


def test_the_alignment_works_on_top_of_an_adapter(family: str) -> None:
    model = adapted(family, adapter(family))
    plain, aligned = scores(model), scores(model, Alignment())
    assert largest_difference(plain, aligned) > 1e-4
    assert largest_difference(plain, scores(model, Alignment(alpha=0))) < 1e-5


def test_merging_leaves_nothing_beside_the_weights(family: str) -> None:
    beside, merged = (adapted(family, adapter(family), merge) for merge in (False, True))
    assert beside.lora == merged.lora == adapter(family)
    assert len(lora_weights(beside)) == len(load_file(adapter(family) / WEIGHTS))
    assert not lora_weights(merged)
    assert [name for name, _ in merged.model.named_parameters()] == [
        name for name, _ in tiny_model(family).model.named_parameters()
    ]
    assert not (beside.model.training or merged.model.training)


def test_every_weight_of_the_file_is_in_the_model(family: str) -> None:
    found = lora_weights(adapted(family, adapter(family)))
    for name, weight in load_file(adapter(family) / WEIGHTS).items():
        placed = name.removeprefix("base_model.model.").replace(".weight", ".default.weight")
        assert torch.equal(found[placed], weight), name


def test_beside_weights_in_bfloat16_an_adapter_keeps_float32() -> None:
    beside, merged = (adapted(FAMILY, adapter(FAMILY), merge, dtype="bfloat16") for merge in (False, True))
    assert {weight.dtype for weight in lora_weights(beside).values()} == {torch.float32}
    assert beside.model.dtype == torch.bfloat16
    assert {weight.dtype for weight in merged.model.parameters()} == {torch.bfloat16}
    assert all(scores(model)[0] for model in (beside, merged))


@pytest.mark.parametrize(
    "settings",
    [
        {"use_dora": True},
        {"use_rslora": True, "rank_pattern": {"v_proj": 2}},
        {"bias": "all"},
        {"modules_to_save": ["lm_head"]},
        {"target_modules": ["q_proj", "embed_tokens"]},
        {"target_modules": "all-linear"},
        {"task_type": "CAUSAL_LM", "trainable_token_indices": [5, 6]},
        {"lora_dropout": 0.5},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_whatever_lora_changes_is_loaded(settings: dict[str, Any], tmp_path: Path) -> None:
    folder = save_adapter(FAMILY, tmp_path, **settings)
    beside, merged = (scores(adapted(FAMILY, folder, merge)) for merge in (False, True))
    assert largest_difference(beside, merged) < 1e-4
    assert largest_difference(beside, scores(tiny_model(FAMILY))) > 1e-3


def test_the_vision_tower_may_have_an_adapter_too(family: str, tmp_path: Path) -> None:
    inside = r"model\.(visual|vision_tower)\..*\.(qkv|q_proj|v_proj)"
    model = adapted(family, save_adapter(family, tmp_path, target_modules=inside))
    assert lora_weights(model)
    assert all("visual" in name or "vision_tower" in name for name in lora_weights(model))
    assert largest_difference(scores(model), scores(tiny_model(family))) > 1e-3


def test_without_weights_an_adapter_is_not_looked_at(tmp_path: Path) -> None:
    options = LoadOptions(str(checkpoint(FAMILY)), weights=False, lora=str(tmp_path / "nowhere"))
    assert tiny_model(FAMILY).spec.load_checked(options).lora is None


def refusal(folder: Path | str, family: str = FAMILY) -> str:
    """The message of the CheckpointError, which is one line and names the adapter."""
    with pytest.raises(CheckpointError) as caught:
        load_model(family, checkpoint(family), adapter=folder)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 700
    assert str(folder) in message
    return message


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of an adapter, to be broken."""
    return Path(shutil.copytree(adapter(FAMILY), tmp_path / "adapter"))


def configured(**fields: Any) -> Change:
    def change(folder: Path) -> None:
        config = json.loads((folder / CONFIG).read_text())
        (folder / CONFIG).write_text(json.dumps({**config, **fields}))

    return change


def written(name: str, text: str) -> Change:
    return lambda folder: (folder / name).write_text(text)


def removed(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def halved(name: str) -> Change:
    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return change


def reweighted(change: Callable[[dict[str, torch.Tensor]], object]) -> Change:
    def rewrite(folder: Path) -> None:
        weights = load_file(folder / WEIGHTS)
        change(weights)
        save_file(weights, folder / WEIGHTS)

    return rewrite


def first(weights: dict[str, torch.Tensor]) -> str:
    return min(weights)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (removed(CONFIG), "has no adapter_config.json: --adapter takes a folder as peft saves it"),
        (halved(CONFIG), "adapter_config.json: is not JSON"),
        (written(CONFIG, "[]"), "adapter_config.json: is not a JSON object"),
        (written(CONFIG, "[" * 100_000), "adapter_config.json: is not JSON"),
        (written(CONFIG, "{}"), "is not a LoRA adapter: its adapter_config.json says peft_type None"),
        (configured(peft_type="PROMPT_TUNING"), "says peft_type 'PROMPT_TUNING'"),
        (configured(r="many"), "cannot be loaded: "),
        (configured(target_modules=["nobodys"]), "cannot be loaded: Target modules"),
        (configured(target_modules=[]), "cannot be loaded: "),
        (configured(layer_replication=[[0, 2], [1, 3]]), "repeats the model's layers (layer_replication in its"),
        (configured(alora_invocation_tokens=[1]), "acts on a part of the prompt alone"),
        (
            configured(tomorrows_trick=True),
            "the installed peft does not know tomorrows_trick in its adapter_config.json",
        ),
        (removed(WEIGHTS), "has no adapter_model.safetensors"),
        (halved(WEIGHTS), "cannot be loaded: SafetensorError"),
        (written(WEIGHTS, ""), "cannot be loaded: SafetensorError"),
        (written(WEIGHTS, "x" * 100), "cannot be loaded: SafetensorError"),
        (reweighted(dict.clear), f"it lacks, or has in another size, {FIRST!r} and 31 more weights; was"),
        (reweighted(lambda weights: weights.pop(first(weights))), f"it lacks, or has in another size, {FIRST!r}; was"),
        (
            reweighted(lambda weights: weights.update({first(weights): torch.zeros(4, 7)})),
            f"it lacks, or has in another size, {FIRST!r}; was",
        ),
        (
            reweighted(lambda weights: weights.update({"base_model.model.lm_head.lora_A.weight": torch.zeros(4, 4)})),
            "the model has no place for its 'lm_head.lora_A.weight'; was it trained on another checkpoint?",
        ),
        (configured(r=8), f"it lacks, or has in another size, {FIRST!r} and 31 more weights; was"),
    ],
)
def test_what_is_broken_is_reported_in_a_line(change: Change, reason: str, copy: Path) -> None:
    change(copy)
    assert reason in refusal(copy)


def test_settings_of_another_peft_that_are_not_in_use_do_not_matter(copy: Path) -> None:
    configured(tomorrows_trick=None, another=False)(copy)
    assert lora_weights(adapted(FAMILY, copy))


@pytest.mark.parametrize("name", ["./not-there", "/not/there", "owner/name"])
def test_an_adapter_is_a_local_folder(name: str) -> None:
    message = refusal(name.removeprefix("./"))
    assert message.endswith("there is no such folder; an adapter on the hub must be downloaded to one first")


def test_a_file_is_not_the_folder_that_holds_it() -> None:
    assert refusal(adapter(FAMILY) / WEIGHTS).endswith("is a file: name the folder that holds it")


def test_a_whole_model_is_no_adapter() -> None:
    assert refusal(checkpoint(FAMILY)).endswith("a whole model is named with --checkpoint")


def test_pickled_weights_are_not_opened(copy: Path) -> None:
    marker = copy / "marker"
    torch.save(_Marking(str(marker)), copy / "adapter_model.bin")
    (copy / WEIGHTS).unlink()
    assert "pickled weights are not opened" in refusal(copy)
    assert not marker.exists()


class _Marking:
    """Creates a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


def test_an_adapter_of_another_kind(tmp_path: Path) -> None:
    config = IA3Config(target_modules=["q_proj"], feedforward_modules=[])
    get_peft_model(load_model(FAMILY, checkpoint(FAMILY)).model, config).save_pretrained(tmp_path)
    assert "is not a LoRA adapter: its adapter_config.json says peft_type 'IA3'" in refusal(tmp_path)


@pytest.mark.parametrize("other", FAMILIES)
def test_an_adapter_of_another_family_is_named(family: str, other: str) -> None:
    if other != family:
        classes = [type(tiny_model(name).model).__name__ for name in (other, family)]
        message = refusal(adapter(other), family)
        assert message.endswith("was trained on another model: {}; this is {}".format(*classes))


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        ("num_hidden_layers", f"the model has no place for its {FIRST.replace('0', '4')!r} and 1 more weights"),
        ("intermediate_size", f"it lacks, or has in another size, {FIRST!r} and 3 more weights"),
    ],
)
def test_an_adapter_of_a_larger_model_that_does_not_say_which(size: str, reason: str, tmp_path: Path) -> None:
    model = tiny_model(FAMILY).model
    config = type(model.config).from_dict(model.config.to_dict())
    setattr(config.text_config, size, getattr(config.text_config, size) + 1)
    # peft leaves the model's class out where there is a task type.
    settings = LoraConfig(target_modules=["down_proj"], task_type="CAUSAL_LM")
    get_peft_model(type(model)(config), settings).save_pretrained(tmp_path)
    assert json.loads((tmp_path / CONFIG).read_text())["auto_mapping"] is None
    assert reason in refusal(tmp_path)


def test_an_adapter_named_as_checkpoint_is_refused_with_its_option(copy: Path) -> None:
    for config in ("{}", (checkpoint(FAMILY) / "config.json").read_text()):
        with pytest.raises(CheckpointError, match="holds a LoRA adapter") as caught:
            load_model(FAMILY, copy)
        assert "name its folder with --adapter" in str(caught.value)
        (copy / "config.json").write_text(config)


def test_nothing_to_merge_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--merge has nothing to merge"):
        load_model(FAMILY, checkpoint(FAMILY), merge=True)


def test_a_plug_in_that_ignores_the_adapter_is_found_out() -> None:
    spec = ModelSpec("deaf", "ignores adapters", "nobody/nothing", lambda options: tiny_model(FAMILY), "1")
    options = LoadOptions(str(checkpoint(FAMILY)), lora=str(adapter(FAMILY)))
    with pytest.raises(CheckpointError, match="the plug-in of deaf loads no LoRA adapters") as caught:
        spec.load_checked(options)
    assert str(adapter(FAMILY)) in str(caught.value)
