"""Where the model runs, and what decides speed and memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from socialcli.settings.fields import check_settings, setting

AttentionKernel = Literal["auto", "flash", "efficient", "math", "eager"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeSettings:
    """Speed and memory. Raises UsageError for a value outside its range or choices."""

    batch_size: int | Literal["auto"] = field(
        default="auto",
        metadata=setting(
            least=1,
            metavar="N|auto",
            free=True,
            help="Questions per forward pass; auto: as many as fit. Affects speed and memory, not results.",
        ),
    )
    workers: int | None = field(
        default=None,
        metadata=setting(
            least=0,
            metavar="N",
            free=True,
            otherwise="up to 4, one for every four cores",
            help="Threads that prepare the next clips while the model works; 0: none.",
        ),
    )
    device: str = field(
        default="auto",
        metadata=setting(
            metavar="DEVICE", free=True, help="Device to run the model on: cpu, cuda, cuda:1; auto: cuda if available."
        ),
    )
    dtype: Dtype = field(
        default="auto",
        metadata=setting(help="Number format of the model; auto: bfloat16 on cuda, float32 on the CPU."),
    )
    attn: AttentionKernel = field(  # another one to compare with, or where PyTorch's choice fails
        default="auto",
        metadata=setting(
            free=True, help="Attention kernel of the text decoder; auto: PyTorch picks one of its fused kernels."
        ),
    )

    def __post_init__(self) -> None:
        """Check what can be checked without the model."""
        check_settings(self)
