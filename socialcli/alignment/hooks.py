"""Hooks into a model's text decoder: change, yield, finally. Each context manager restores what it changed.

Does not import torch at module level, so that a command can list the kernels.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from socialcli.alignment.layers import DecoderLayers
from socialcli.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

KERNELS = ("auto", "flash", "efficient", "math", "eager")
"""The attention kernels: PyTorch's own choice, one of its fused kernels or its math kernel, or no kernel at all."""

# Error messages of PyTorch, on its several devices, where no allowed kernel supports the inputs.
_NO_KERNEL = ("No viable backend for scaled_dot_product_attention", "No available kernel")
_STATE = "_socialcli_alignment"  # the attribute of an attention module


class Alignable(Protocol):
    """A model that can be aligned; every `Adapter` is one."""

    model: Any  # a transformers PreTrainedModel

    @property
    def decoder_layers(self) -> Sequence[Any]:
        """The layers of the text decoder, in order."""
        ...

    @property
    def layers(self) -> Sequence[Any]:
        """The attention module of each decoder layer; None for a layer without softmax attention."""
        ...

    @property
    def cross_layers(self) -> frozenset[int]:
        """The layers whose module is cross-attention to the visual tokens; empty: these are in the sequence itself."""
        ...

    @property
    def alignable_layers(self) -> Sequence[int]:
        """The layers in which an alignment can change the answer, ascending."""
        ...


def layers_of(model: Alignable) -> DecoderLayers:
    """How many decoder layers a model has, and which of them can be aligned."""
    return DecoderLayers(len(model.layers), model.alignable_layers)


def visual_layers(model: Alignable) -> list[int]:
    """The layers in which words have attention scores for the visual tokens: those that an observer sees."""
    cross = model.cross_layers
    return [layer for layer, module in enumerate(model.layers) if module is not None and (not cross or layer in cross)]


@contextmanager
def attention_kernel(model: Alignable, name: str) -> Iterator[None]:
    """Force an attention kernel, one of `KERNELS`, around `aligned`. All but `eager` apply to the vision tower too.

    Raises UsageError where the model's device and dtype have no such kernel, and from within where it does not support
    a prompt: flash on CUDA, for one, takes no mask, which prompts of unequal length and cached prefixes need.
    """
    if name not in KERNELS:
        raise UnknownNameError("attention kernel", name, KERNELS)
    if name == "auto":
        yield
    elif name == "eager":
        with eager_attention(model):
            yield
    else:
        with decoder_attention(model, "sdpa"), _fused_kernel(model, name):
            yield


def eager_attention(model: Alignable) -> AbstractContextManager[str]:
    """Give the text decoder plain eager attention, with every score in memory, as a reference."""
    return decoder_attention(model, "eager")


@contextmanager
def decoder_attention(model: Alignable, implementation: str) -> Iterator[str]:
    """Give the text decoder another attention, by its name in transformers; yields the name of its own."""
    own = switch(model.model, implementation)
    try:
        yield own
    finally:
        switch(model.model, own)


@contextmanager
def forward_starts(model: Alignable, begin: Callable[[int], None]) -> Iterator[None]:
    """Call `begin` at the start of every forward pass, with the number of tokens that its KV cache already holds."""

    def note(_layer: Any, _inputs: Any, arguments: dict[str, Any]) -> None:
        cache = arguments.get("cache", arguments.get("past_key_values"))  # the newer and the older name
        begin(0 if cache is None else int(cache.get_seq_length()))

    handle = model.decoder_layers[0].register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def module_states(modules: Sequence[Any], states: Sequence[Any]) -> Iterator[None]:
    """Attach a state to each attention module, where `state_of` finds it."""
    try:
        for module, state in zip(modules, states, strict=True):
            setattr(module, _STATE, state)
        yield
    finally:
        for module in modules:
            vars(module).pop(_STATE, None)


def state_of(module: Any) -> Any:
    """The state that `module_states` attached to a module; None if there is none."""
    return getattr(module, _STATE, None)


def switch(model: Any, implementation: str) -> str:
    """Set the attention of the text decoder, not of the vision tower; returns the name of the previous one."""
    text = model.config.get_text_config()
    before: str = text._attn_implementation  # no public name for it; a test checks this one
    # A plain name would change the vision tower too.
    own_key = next((key for key in model.config.sub_configs if getattr(model.config, key, None) is text), None)
    model.set_attn_implementation(implementation if own_key is None else {own_key: implementation})
    return before


@contextmanager
def _fused_kernel(model: Alignable, name: str) -> Iterator[None]:
    from torch.nn.attention import SDPBackend, sdpa_kernel

    backends = {
        "flash": SDPBackend.FLASH_ATTENTION,
        "efficient": SDPBackend.EFFICIENT_ATTENTION,
        "math": SDPBackend.MATH,
    }
    weights = next(model.decoder_layers[0].parameters())
    device = weights.device.type
    missing = f"kernel {name!r} is not available on {device} in {weights.dtype}; choose auto or another kernel"
    if device not in ("cpu", "cuda"):  # PyTorch cannot select kernels elsewhere
        raise UsageError(missing)
    with sdpa_kernel(backends[name]):
        with _kernel_errors(missing):
            _probe(weights)
        with _kernel_errors(f"kernel {name!r} does not support a prompt on {device}; choose auto"):
            yield


@contextmanager
def _kernel_errors(message: str) -> Iterator[None]:
    """Re-raise PyTorch's error about a missing kernel as a UsageError."""
    try:
        yield
    except RuntimeError as error:
        if any(words in str(error) for words in _NO_KERNEL):
            raise UsageError(message) from error
        raise


def _probe(weights: Tensor) -> None:
    """Run attention once, on the device and in the dtype of `weights`."""
    from torch.nn.functional import scaled_dot_product_attention

    inputs = weights.new_zeros(1, 1, 8, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns once for each kernel that it rules out
        scaled_dot_product_attention(inputs, inputs, inputs)
