"""Why a checkpoint cannot be loaded, and what to do about it, for the most common cases.

`hub_refusals` covers downloads; `load_errors` reports all other failures, in the words of the library.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from socialcli.errors import CheckpointError

LFS_START = b"version https://git-lfs.github.com/spec"
_LFS_FILES = frozenset({".safetensors", ".json", ".model"})

# The packages that each `quant_method` needs, as (import name, install name); source: transformers' quantizers/.
_QUANTIZERS: Mapping[str, Sequence[tuple[str, str]]] = {
    "awq": [("gptqmodel", "gptqmodel"), ("accelerate", "accelerate")],
    "gptq": [("gptqmodel", "gptqmodel"), ("optimum", "optimum")],
    "bitsandbytes": [("bitsandbytes", "bitsandbytes"), ("accelerate", "accelerate")],
    "compressed-tensors": [("compressed_tensors", "compressed-tensors"), ("accelerate", "accelerate")],
    "fp8": [("accelerate", "accelerate"), ("triton", "triton")],
    "fbgemm_fp8": [("fbgemm_gpu", "fbgemm-gpu"), ("accelerate", "accelerate")],
    "torchao": [("torchao", "torchao")],
    "quanto": [("optimum.quanto", "optimum-quanto"), ("accelerate", "accelerate")],
    "hqq": [("hqq", "hqq")],
}


def read_config(folder: Path, what: str) -> Mapping[str, Any]:
    """The checkpoint's config.json, which names its `model_type`.

    Raises CheckpointError where it does not: transformers would build a model of many gigabytes from its defaults.
    """
    file = folder / "config.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{what} has no config.json: name the folder in which it lies, beside the tokenizer and the weights"
        ) from error
    except OSError as error:
        raise CheckpointError(f"{what}: its config.json cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{what}: its config.json is not a valid JSON file; fetch it again") from error
    if not isinstance(content, dict) or not isinstance(content.get("model_type"), str):
        raise CheckpointError(f"{what}: its config.json names no model_type; fetch or convert it again")
    return content


def check_model_type(
    found: str, wanted: Sequence[str], originals: Mapping[str, str], others: Mapping[str, str], what: str
) -> None:
    """Raise CheckpointError where `found`, the `model_type` of a checkpoint, is none of the `wanted` ones.

    `originals` maps types in their authors' own layout to the hub id of a converted checkpoint, `others` maps types of
    other installed models to advice; messages name the checkpoint `what`.
    """
    if found in wanted:
        return
    accepted = " or ".join(map(repr, wanted))
    if found in originals:
        raise CheckpointError(
            f"{what} is in its authors' own layout ({found!r}), which needs their own code; use a checkpoint "
            f"converted for transformers, such as {originals[found]}"
        )
    if found in others:
        raise CheckpointError(f"{what} holds a model of type {found!r}, not {accepted}; {others[found]}")
    raise CheckpointError(
        f"{what} holds a model of type {found!r}, not {accepted}, and no installed plug-in loads that type; "
        "`socialcli models` lists what can be loaded"
    )


def check_lfs_pointers(folder: Path, what: str) -> None:
    """Raise CheckpointError where `git clone` without Git LFS has left pointers instead of the files."""
    for path in sorted(folder.iterdir()):
        if path.suffix in _LFS_FILES and path.is_file() and _starts(path).startswith(LFS_START):
            raise CheckpointError(
                f"{what}: its {path.name} is a Git LFS pointer, not the file itself; run `git lfs pull` in the folder, "
                "or fetch the checkpoint with `hf download`"
            )


def _starts(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(LFS_START))


def check_quantizer(config: Mapping[str, Any], what: str) -> None:
    """Raise CheckpointError where the weights are quantised and no installed package reads them."""
    settings = config.get("quantization_config")
    if not isinstance(settings, Mapping):
        return
    method = str(settings.get("quant_method", "an unnamed method"))
    if method not in _QUANTIZERS and not _is_quantizer(method):  # transformers would ignore the setting
        raise CheckpointError(
            f"{what} is quantised by {method!r}, which the installed transformers does not know; use the checkpoint "
            "that is not quantised, or update transformers"
        )
    if missing := [package for module, package in _QUANTIZERS.get(method, ()) if not _installed(module)]:
        raise CheckpointError(
            f"{what} is quantised ({method}), which needs packages that are not installed: pip install "
            f"{' '.join(missing)}; or use the checkpoint that is not quantised"
        )


def _is_quantizer(method: str) -> bool:
    from transformers.quantizers.auto import AutoQuantizationConfig

    try:
        AutoQuantizationConfig.from_dict({"quant_method": method})
    except ValueError as error:
        return "Unknown quantization" not in str(error)
    except (ImportError, TypeError):  # known, but its package is missing
        return True
    return True


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the parent package is missing
        return False


def memory_refusal(error: BaseException, what: str, device: str) -> str | None:
    """The message where the weights do not fit into memory; None where `error` is something else."""
    if not isinstance(error, MemoryError) and "out of memory" not in str(error) and "can't allocate" not in str(error):
        return None
    return (
        f"{what} does not fit into the memory of {device}; `socialcli plan` reports the size of its weights. Use a "
        "smaller or quantised checkpoint, --dtype bfloat16, or another --device"
    )
