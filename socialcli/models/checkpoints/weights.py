"""(torch) Reads a checkpoint's weights from safetensors, complete, on to the device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from socialcli.errors import CheckpointError
from socialcli.models.checkpoints.refusals import memory_refusal


@dataclass(frozen=True, slots=True)
class WeightSource:
    """Weights in a local folder for a model of this configuration; messages name them `checkpoint`."""

    model_class: type[Any]
    folder: Path
    config: Any
    checkpoint: str

    def load(self, dtype: torch.dtype, device: torch.device) -> Any:
        """The model with its weights on `device`.

        Raises CheckpointError for missing weights, for weights of another size than the configuration says, and where
        they do not fit into memory.
        """
        quantised = getattr(self.config, "quantization_config", None) is not None
        with self._in_memory(device):
            # Quantised weights cannot be moved afterwards.
            model, info = self._read(dtype, {"": device} if quantised else None)
            self._check_complete(info)
            return model if quantised else model.to(device)

    def _read(self, dtype: torch.dtype, places: Mapping[str, torch.device] | None) -> Any:
        return self.model_class.from_pretrained(
            str(self.folder),
            config=self.config,
            dtype=dtype,
            device_map=places,
            use_safetensors=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # reported by `_check_complete`, in one line
            output_loading_info=True,
        )

    def _check_complete(self, info: Mapping[str, Any]) -> None:
        if misfits := sorted(key for key, *_ in info["mismatched_keys"]):
            raise CheckpointError(
                f"checkpoint {self.checkpoint!r} holds {len(misfits)} weights of another size than its config.json "
                f"says, {misfits[0]!r} first; fetch or convert it again"
            )
        if missing := sorted(info["missing_keys"]):
            raise CheckpointError(
                f"checkpoint {self.checkpoint!r} lacks {len(missing)} of the model's weights, {missing[0]!r} first; "
                "fetch or convert it again"
            )

    @contextmanager
    def _in_memory(self, device: torch.device) -> Iterator[None]:
        try:
            yield
        except (MemoryError, RuntimeError) as error:  # torch runs out of memory with a RuntimeError
            if (message := memory_refusal(error, f"checkpoint {self.checkpoint!r}", str(device))) is None:
                raise
            raise CheckpointError(message) from error
