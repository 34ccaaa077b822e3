"""(torch) Qwen3.5: frames as in Qwen3-VL; of four decoder layers, three have linear attention and the last softmax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from transformers import Qwen3_5ForConditionalGeneration, Qwen3_5MoeForConditionalGeneration

from socialcli.models.contract import LoadOptions
from socialcli_qwen3_vl.adapter import Qwen3VLAdapter

from . import SPEC


class Qwen3_5Adapter(Qwen3VLAdapter):
    """Qwen3.5, and Qwen3.6 of the same classes. Alignment takes part in the layers with softmax attention."""

    model_class = Qwen3_5ForConditionalGeneration
    further_model_classes = (Qwen3_5MoeForConditionalGeneration,)
    # The letter is scored where the answer begins: behind thoughts, so these must be empty.
    template_variables: ClassVar[Mapping[str, Any]] = {"enable_thinking": False}


def load(options: LoadOptions) -> Qwen3_5Adapter:
    """Load a checkpoint; raises CheckpointError as `HuggingFaceAdapter.load` does."""
    return Qwen3_5Adapter.load(SPEC, options)
