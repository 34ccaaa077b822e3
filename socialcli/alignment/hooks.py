"""Another attention for a model's text decoder, for as long as a context lasts. Always undone.

Without torch at import, so that a command can name the kernels.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from socialcli.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

KERNELS = ("auto", "flash", "efficient", "math", "eager")
"""What attention can be computed with: what PyTorch takes for the best, one of its kernels, or no fused kernel."""

# How PyTorch says, in the words of its several devices, that no kernel which is allowed can do what is asked.
_NO_KERNEL = ("No viable backend for scaled_dot_product_attention", "No available kernel")


class Alignable(Protocol):
    """A model that can be aligned; every `Adapter` is one."""

    model: Any  # a transformers PreTrainedModel

    @property
    def layers(self) -> Sequence[Any]:
        """The attention modules of the text decoder, first layer first."""
        ...


@contextmanager
def attention_kernel(model: Alignable, name: str) -> Iterator[None]:
    """Force an attention kernel, one of `KERNELS`, around `aligned`. All but `eager` hold for the vision tower too.

    Raises UsageError where the kernel is not there for the model's device and data type; from within also where it
    cannot do what a prompt needs. Flash on CUDA, for one, knows no mask, and a mask is needed for prompts of unequal
    length and for those behind a cached prefix.
    """
    if name not in KERNELS:
        raise UnknownNameError("attention kernel", name, KERNELS)
    if name == "auto":
        yield
    elif name == "eager":
        with eager_attention(model):
            yield
    else:
        with _decoder_attention(model, "sdpa"), _fused_kernel(model, name):
            yield


def eager_attention(model: Alignable) -> AbstractContextManager[None]:
    """Give the text decoder the plain eager attention, every score in memory: to compare with."""
    return _decoder_attention(model, "eager")


def switch(model: Any, implementation: str) -> str:
    """Give the text decoder, and it alone, another attention; returns the name of the one it had."""
    text = model.config.get_text_config()
    before: str = text._attn_implementation  # transformers has no public word for it; a test holds the name
    # A plain name would take the vision tower too.
    own_key = next((key for key in model.config.sub_configs if getattr(model.config, key, None) is text), None)
    model.set_attn_implementation(implementation if own_key is None else {own_key: implementation})
    return before


@contextmanager
def _decoder_attention(model: Alignable, implementation: str) -> Iterator[None]:
    before = switch(model.model, implementation)
    try:
        yield
    finally:
        switch(model.model, before)


@contextmanager
def _fused_kernel(model: Alignable, name: str) -> Iterator[None]:
    from torch.nn.attention import SDPBackend, sdpa_kernel

    backends = {
        "flash": SDPBackend.FLASH_ATTENTION,
        "efficient": SDPBackend.EFFICIENT_ATTENTION,
        "math": SDPBackend.MATH,
    }
    weights = next(model.layers[0].parameters())
    device = weights.device.type
    missing = f"kernel {name!r} is not there on {device}; take auto, or another one that can work in {weights.dtype}"
    if device not in ("cpu", "cuda"):  # elsewhere PyTorch does not let its kernels be chosen
        raise UsageError(missing)
    with sdpa_kernel(backends[name]):
        with _blamed_on_the_kernel(missing):
            _try_out(weights)
        with _blamed_on_the_kernel(f"kernel {name!r} cannot do what a prompt needs on {device}; take auto"):
            yield


@contextmanager
def _blamed_on_the_kernel(message: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if any(words in str(error) for words in _NO_KERNEL):
            raise UsageError(message) from error
        raise


def _try_out(weights: Tensor) -> None:
    """Run attention once, on the device of `weights` and in their data type."""
    from torch.nn.functional import scaled_dot_product_attention

    tried = weights.new_zeros(1, 1, 8, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch tells, one warning each, what every kernel lacks
        scaled_dot_product_attention(tried, tried, tried)
