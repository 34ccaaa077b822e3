"""What cannot be loaded is refused in one line, in the user's words, with what to do about it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import huggingface_hub
import huggingface_hub.constants
import pytest
import torch
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from socialcli.api import load_model
from socialcli.errors import CheckpointError
from socialcli.models.checkpoints import hub as hub_module
from socialcli.models.checkpoints.load_errors import as_checkpoint_error
from socialcli.models.checkpoints.refusals import check_quantizer, memory_refusal

from ..conftest import SAMPLE
from .hub_server import Hub, running

ID = "owner/name"


def refusal(family: str, checkpoint: Path | str, **options: Any) -> str:
    """The message, of which neither trusting remote code nor naming a folder for no reason is ever part."""
    with pytest.raises(CheckpointError) as caught:
        load_model(family, checkpoint, **options)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 500 and str(checkpoint) in message
    assert "trust_remote_code" not in message and "Give --checkpoint a folder" not in message
    return message


def configured(folder: Path, fields: Mapping[str, Any]) -> Path:
    """A folder with a config.json alone: what is refused is refused before anything else is looked for."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(fields))
    return folder


@pytest.mark.parametrize(
    ("family", "model_type", "advice"),
    [
        ("internvl3", "internvl_chat", "converted for transformers, such as OpenGVLab/InternVL3-8B-hf"),
        ("llava-next-video", "llava_llama", "converted for transformers, such as llava-hf/LLaVA-NeXT-Video-7B-hf"),
        ("llava-next-video", "llava_qwen", "such as llava-hf/LLaVA-NeXT-Video-7B-hf"),
        ("llava-next-video", "internvl_chat", "load OpenGVLab/InternVL3-8B-hf with --model internvl3"),
        ("qwen2.5-vl", "internvl", "load it with --model internvl3"),
        ("qwen2.5-vl", "qwen2_audio", "of type 'qwen2_audio', not 'qwen2_5_vl', and no installed plug-in loads that"),
        ("qwen2.5-vl", "idefics3", "`socialcli models` lists what can be loaded"),
        ("qwen2.5-vl", "qwen3_vl_moe", "load it with --model qwen3-vl"),
        ("internvl3", "qwen2_5_vl", "load it with --model qwen2.5-vl"),
    ],
)
def test_another_model_is_named_with_what_loads_it(tmp_path: Path, family: str, model_type: str, advice: str) -> None:
    code = {"auto_map": {"AutoConfig": "configuration.Config"}}  # as the authors' own repositories have
    assert advice in refusal(family, configured(tmp_path / "checkpoint", {"model_type": model_type, **code}))


def test_no_message_advises_to_trust_code() -> None:
    with pytest.raises(CheckpointError) as caught, as_checkpoint_error("checkpoint 'x'", "Fetch it again"):
        raise ValueError("The repository x contains custom code. Please pass the argument `trust_remote_code=True`.")
    message = "checkpoint 'x' cannot be loaded: it needs its own code, which is never run. Fetch it again"
    assert str(caught.value) == message


def lfs_pointer(file: Path) -> None:
    file.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 4932307584\n")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_git_lfs_pointer_is_distinguished_from_a_broken_file(tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(SAMPLE / "checkpoints" / "internvl3", tmp_path / "checkpoint"))
    lfs_pointer(folder / name)
    message = refusal("internvl3", folder)
    assert f"its {name} is a Git LFS pointer, not the file itself; run `git lfs pull` in the folder" in message


@pytest.mark.parametrize(
    ("method", "packages"),
    [
        ("awq", "gptqmodel"),
        ("gptq", "gptqmodel optimum"),
        ("bitsandbytes", "bitsandbytes"),
        ("compressed-tensors", "compressed-tensors"),
        ("fp8", "accelerate triton"),
    ],
)
def test_a_quantised_checkpoint_names_the_packages_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, packages: str
) -> None:
    monkeypatch.setattr("socialcli.models.checkpoints.refusals._installed", lambda module: module == "accelerate")
    if method == "fp8":
        monkeypatch.setattr("socialcli.models.checkpoints.refusals._installed", lambda module: False)
    quantised = {"model_type": "qwen2_5_vl", "quantization_config": {"quant_method": method, "bits": 4}}
    message = refusal("qwen2.5-vl", configured(tmp_path / "checkpoint", quantised))
    assert f"is quantised ({method}), which needs packages that are not installed: pip install {packages};" in message


def test_a_way_to_quantise_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    quantised = {"model_type": "qwen2_5_vl", "quantization_config": {"quant_method": "foo"}}
    message = refusal("qwen2.5-vl", configured(tmp_path / "checkpoint", quantised))
    assert "is quantised by 'foo', which the installed transformers does not know" in message


def test_an_installed_package_is_found() -> None:
    check_quantizer({"quantization_config": {"quant_method": "torchao"}} | {"quantization_config": None}, "it")
    with pytest.raises(CheckpointError, match="pip install optimum-quanto"):
        check_quantizer({"quantization_config": {"quant_method": "quanto"}}, "it")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has 15.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"),
        MemoryError(),
    ],
)
def test_weights_that_do_not_fit_into_memory(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import InternVLForConditionalGeneration

    monkeypatch.setattr(InternVLForConditionalGeneration, "from_pretrained", Mock(side_effect=error))
    message = refusal("internvl3", SAMPLE / "checkpoints" / "internvl3")
    assert "does not fit into the memory of cpu; `socialcli plan` reports the size of its weights" in message
    assert "--dtype bfloat16" in message


def test_running_out_of_real_memory_is_such_an_error() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert memory_refusal(caught.value, "it", "cpu") is not None
    assert memory_refusal(RuntimeError("size mismatch"), "it", "cpu") is None


def http(kind: type[HfHubHTTPError], status: int) -> HfHubHTTPError:
    """An error as huggingface_hub raises it for an answer with this status."""
    return kind("as the hub says", response=Mock(status_code=status, headers={}))


def offline() -> BaseException:
    error = LocalEntryNotFoundError("Cannot find an appropriate cached snapshot folder")
    error.__cause__ = OfflineModeIsEnabled("Cannot reach https://huggingface.co: offline mode is enabled.")
    return error


def behind(cause: BaseException) -> BaseException:
    """What snapshot_download raises where the hub has refused and the cache has nothing."""
    error = LocalEntryNotFoundError("An error happened while trying to locate the files on the Hub")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (
            http(GatedRepoError, 403),
            "accepting its licence: do so at https://huggingface.co/owner/name, then log in",
        ),
        (http(RepositoryNotFoundError, 404), "no repository has this name, or it is private; check the name"),
        (http(RepositoryNotFoundError, 401), "log in with `hf auth login`"),
        (http(RevisionNotFoundError, 404), "it has no revision 'v9'; https://huggingface.co/owner/name/commits/main"),
        (http(HfHubHTTPError, 401), "access is refused (401); log in with"),
        (behind(http(HfHubHTTPError, 403)), "access is refused (403); log in with"),
        (behind(http(HfHubHTTPError, 429)), "the hub limits requests; try again in a few minutes"),
        (behind(http(HfHubHTTPError, 503)), "the hub has an internal error (503); try again later"),
        (offline(), "HF_HUB_OFFLINE is set and the hub's cache does not hold it"),
        (behind(ConnectionError("no route to host")), "https://huggingface.co cannot be reached, and the hub's cache"),
        (HFValidationError("Repo id must use alphanumeric chars"), "Repo id must use alphanumeric chars"),
    ],
)
def test_what_the_hub_refuses_is_reported_with_advice(
    error: BaseException, advice: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(hub_module, "snapshot_download", Mock(side_effect=error))
    message = refusal("internvl3", ID, revision="v9")
    assert message.startswith(f"checkpoint {ID!r}: there is no such folder, and as a hub id: ")
    assert advice in message


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (403, "GatedRepo", "require accepting its licence"),
        (401, "RepoNotFound", "no repository has this name, or it is private"),
        (404, "RevisionNotFound", "it has no revision 'v9'"),
        (403, "", "access is refused (403)"),
    ],
)
def test_answers_of_a_hub_become_these_refusals(
    status: int, code: str, advice: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with running(hub := Hub(status=status, error_code=code)):
        hub.patch(monkeypatch)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
        assert advice in refusal("internvl3", ID, revision="v9")


@pytest.mark.parametrize(
    ("checkpoint", "advice"),
    [
        ("https://huggingface.co/Qwen/Qwen2.5-VL-7B-Instruct", "--checkpoint Qwen/Qwen2.5-VL-7B-Instruct"),
        ("https://huggingface.co/a/b/tree/v1.0", "--checkpoint a/b --revision v1.0"),
        ("https://hf.co/a/b/resolve/main/model.safetensors?download=true", "--checkpoint a/b --revision main"),
        ("huggingface.co/a/b/", "is an address; name the id alone: --checkpoint a/b"),
        ("hf://a/b@refs", "--checkpoint a/b --revision refs"),
        ("s3://bucket/model", "fetch the checkpoint first, and name its folder"),
        ("a/b@main", "a version has its own option: --checkpoint a/b --revision main"),
    ],
)
def test_an_address_or_a_version_gets_advice(checkpoint: str, advice: str) -> None:
    assert advice in refusal("internvl3", checkpoint)


def test_a_folder_with_a_version_behind_it_is_one_without(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    message = refusal("internvl3", f"{tmp_path}/mine@v2")
    assert f"{tmp_path}/mine is one, and has one version only: leave @v2 out" in message


def test_a_folder_named_with_an_at_sign_is_a_folder(tmp_path: Path) -> None:
    folder = shutil.copytree(SAMPLE / "checkpoints" / "internvl3", tmp_path / "mine@v2")
    assert load_model("internvl3", folder)


def test_a_part_of_the_weights_without_the_index_is_reported(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SAMPLE / "checkpoints" / "internvl3", tmp_path / "checkpoint"))
    (folder / "model.safetensors").rename(folder / "model-00001-of-00004.safetensors")
    message = refusal("internvl3", folder)
    assert "has parts of the weights (model-00001-of-00004.safetensors), but neither model.safetensors.index" in message


@pytest.mark.parametrize("size", [3, 100, -1])
@pytest.mark.parametrize("name", ["model.safetensors", "model-00001-of-00001.safetensors"])
def test_weights_that_are_cut_short_are_reported_with_their_bytes(tmp_path: Path, name: str, size: int) -> None:
    folder = Path(shutil.copytree(SAMPLE / "checkpoints" / "internvl3", tmp_path / "checkpoint"))
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(content[:size])
    if name != "model.safetensors":
        index = {"weight_map": {"lm_head.weight": name}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    due = f"{len(content)} bytes" if size not in (3, 100) else "bytes"
    message = refusal("internvl3", folder)
    assert f"its {name} is cut short, at {len((folder / name).read_bytes())} of" in message and due in message


def test_pickled_weights_are_named_as_the_reason(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SAMPLE / "checkpoints" / "internvl3", tmp_path / "checkpoint"))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    message = refusal("internvl3", folder)
    assert "pickled weights (pytorch_model.bin) are not opened: fetch it again, or save it" in message
