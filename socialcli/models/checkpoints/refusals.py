"""Why a checkpoint cannot be loaded, and what to do about it, for the cases that users meet most.

Whatever is not here is told by `socialcli.models.checkpoints.load_errors`, in the words of the library.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from socialcli.errors import CheckpointError

LFS_START = b"version https://git-lfs.github.com/spec"
_LFS_FILES = frozenset({".safetensors", ".json", ".model"})
_HUB = "https://huggingface.co"

# The package behind each `quant_method`, by the name to import it and the one to install it: transformers' quantizers/.
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

    Raises CheckpointError where it does not: transformers would take the defaults of the family, of many gigabytes.
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
    found: str, wanted: str, originals: Mapping[str, str], others: Mapping[str, str], what: str
) -> None:
    """Raise CheckpointError where `found`, the `model_type` of a checkpoint, is not the `wanted` one.

    `originals` names the hub id of the converted checkpoint for types in their authors' own layout, `others` says what
    to do with types that another installed model is for; `what` names the checkpoint.
    """
    if found == wanted:
        return
    if found in originals:
        raise CheckpointError(
            f"{what} is in its authors' own layout ({found!r}), which only their own code can read; use a checkpoint "
            f"converted for transformers, such as {originals[found]}"
        )
    if found in others:
        raise CheckpointError(f"{what} holds a model of the type {found!r}, not {wanted!r}; {others[found]}")
    raise CheckpointError(
        f"{what} holds a model of the type {found!r}, not {wanted!r}, and no installed plug-in loads such a one; "
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
    """Raise CheckpointError where the weights are quantised and nothing that is installed reads them."""
    settings = config.get("quantization_config")
    if not isinstance(settings, Mapping):
        return
    method = str(settings.get("quant_method", "an unnamed method"))
    if method not in _QUANTIZERS and not _is_quantizer(method):  # transformers would load the weights as they are
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
    except (ImportError, TypeError):  # known, but without what it needs
        return True
    return True


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package around it
        return False


def memory_refusal(error: BaseException, what: str, device: str) -> str | None:
    """What to do where there is not enough memory for the weights; None where `error` is something else."""
    if not isinstance(error, MemoryError) and "out of memory" not in str(error) and "can't allocate" not in str(error):
        return None
    return (
        f"{what} does not fit into the memory of {device}; `socialcli plan` tells what its weights take. Use a smaller "
        "or quantised checkpoint, --dtype bfloat16, or another --device"
    )


def hub_refusal(error: BaseException, checkpoint: str, revision: str | None) -> str:
    """What huggingface_hub's error means for whoever named `checkpoint`, an id on the hub, and what to do."""
    what = f"checkpoint {checkpoint!r}"
    causes = list(_chain(error))
    for kind, tell in _HUB_ERRORS:
        for cause in causes:
            if isinstance(cause, kind) and (told := tell(cause, checkpoint, revision)):
                return f"{what}: there is no such folder, and as a hub id: {told}"
    return f"{what}: there is no such folder, and as a hub id: {' '.join(str(error).split())[:200]}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it: the hub's library raises one of its own where nothing is in the cache either."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _gated(_: BaseException, checkpoint: str, revision: str | None) -> str:
    return (
        f"its files are for those who have accepted its licence: do so at {_HUB}/{checkpoint}, then log in with "
        "`hf auth login`, or set HF_TOKEN"
    )


def _no_revision(_: BaseException, checkpoint: str, revision: str | None) -> str:
    return f"it has no revision {revision!r}; {_HUB}/{checkpoint}/commits/main lists them"


def _no_repository(_: BaseException, checkpoint: str, revision: str | None) -> str:
    return (
        "there is none of this name, or it is private; check the name, and for a private one log in with "
        "`hf auth login`, or set HF_TOKEN"
    )


def _refused(error: BaseException, checkpoint: str, revision: str | None) -> str | None:
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else 0
    if status == 429:
        return (
            "the hub answers only so many requests at a time; try again in a few minutes, log in with `hf auth login`, "
            "or, where the cache has the files, set HF_HUB_OFFLINE=1"
        )
    if status in (401, 403):
        return f"access is refused ({status}); log in with `hf auth login`, or set HF_TOKEN to one that may read it"
    if status >= 500:
        return f"the hub has a fault of its own ({status}); try again later, or set HF_HUB_OFFLINE=1 to use the cache"
    return None


def _offline(_: BaseException, checkpoint: str, revision: str | None) -> str:
    version = f" --revision {revision}" if revision else ""
    return (
        "HF_HUB_OFFLINE is set and the hub's cache does not hold it; fetch it with "
        f"`HF_HUB_OFFLINE=0 hf download {checkpoint}{version}`, or name a folder with --checkpoint"
    )


def _unreachable(_: BaseException, checkpoint: str, revision: str | None) -> str:
    version = f" --revision {revision}" if revision else ""
    return (
        f"{_HUB} cannot be reached, and the hub's cache does not hold it; check the network, or fetch it elsewhere "
        f"with `hf download {checkpoint}{version}` and name the folder with --checkpoint"
    )


_Teller = Callable[[BaseException, str, str | None], str | None]
# The first that holds, for the error itself or one of its causes; a gated repository is a kind of one not found.
_HUB_ERRORS: Sequence[tuple[type[BaseException], _Teller]] = (
    (GatedRepoError, _gated),
    (RevisionNotFoundError, _no_revision),
    (RepositoryNotFoundError, _no_repository),
    (HfHubHTTPError, _refused),
    (OfflineModeIsEnabled, _offline),
    (LocalEntryNotFoundError, _unreachable),
)
