"""The contract of a model plug-in: a `ModelSpec` lists the model, an `Adapter` is the loaded model.

A plug-in is a module whose `socialcli_models` hook returns a `ModelSpec`; its `load` imports torch and transformers
only when called. `socialcli.models.huggingface.HuggingFaceAdapter` implements most of `Adapter` for a model of the
transformers library; docs/add-a-model.md shows a complete plug-in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from socialcli.errors import CheckpointError, UsageError
from socialcli.models.checkpoints.lora_files import read_lora

if TYPE_CHECKING:  # every command imports this module, `--help` too
    import numpy as np
    import numpy.typing as npt
    import torch

    from socialcli.alignment.grid import Cells, VisualGrid
    from socialcli.video.frames import FrameSet


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """Which checkpoint to load, and how. Raises UsageError for `merge` without `lora`."""

    checkpoint: str  # a folder, or an id on the Hugging Face hub
    device: str = "auto"  # "auto": cuda if available, else cpu
    dtype: str = "auto"  # "auto": bfloat16 on cuda, float32 on the cpu
    frame_fit: str | None = None  # one of the spec's `frame_fits`; None: the first of them
    weights: bool = True  # False: encode prompts only; no weight file is read
    lora: str | None = None  # the folder of a LoRA adapter; ignored without weights
    merge: bool = False  # whether to merge the LoRA adapter into the weights, or keep it beside them
    revision: str | None = None  # of a hub id: a branch, tag or commit; None: the main branch
    allow_links: bool = False  # whether the checkpoint's files may be links to other folders
    other_models: Mapping[str, str] = field(default_factory=dict)  # advice by another installed model's `model_type`
    positions: str | None = None  # one of the spec's `position_rules`; None: the first of them
    max_pixels: int | None = None  # per frame; None: the spec's own cap, if it has one

    def __post_init__(self) -> None:
        """Check that the fields agree."""
        if self.merge and self.lora is None:
            raise UsageError("--merge has nothing to merge: name a LoRA adapter with --adapter, or leave it out")


@dataclass(frozen=True, slots=True)
class InputChoices:
    """How a clip becomes the model's input; None where the family offers no choice."""

    frame_fit: str | None  # how a frame is fitted to the model's input
    positions: str | None  # the rule that numbers the tokens of a video and of the words behind it
    max_pixels: int | None  # above which a frame is scaled down

    @property
    def key_parts(self) -> dict[str, str | int | None]:
        """The choices that are part of a row's key: a choice that the family lacks changes no key."""
        later = {"positions": self.positions, "max_pixels": self.max_pixels}
        return {"frame_fit": self.frame_fit} | {name: value for name, value in later.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ClipSize:
    """The frames of a clip: their number, width and height in pixels, and the cap on their pixels."""

    frames: int
    width: int
    height: int
    max_pixels: int | None = None  # None: no cap


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model family as `socialcli models` lists it. Creating one imports nothing heavy."""

    name: str  # what --model takes, for example "llava-next-video"
    summary: str  # one line for the list
    default_checkpoint: str  # hub id
    load: Callable[[LoadOptions], Adapter]  # raises CheckpointError; call `load_checked` instead
    version: str  # part of a row's key: raise it when predictions can change
    frame_fits: tuple[str, ...] = ()  # values of --frame-fit; the first is the default
    model_types: tuple[str, ...] = ()  # values of `model_type` in config.json that it loads
    originals: Mapping[str, str] = field(default_factory=dict)  # authors' own `model_type` -> converted hub id
    position_rules: tuple[str, ...] = ()  # values of --positions; the first is the default
    max_pixels: int | None = None  # default cap on a frame's pixels; None: frames have no cap
    visual_tokens: Callable[[ClipSize], int] | None = None  # with the default checkpoint; None: unknown

    def choose(
        self, frame_fit: str | None = None, positions: str | None = None, max_pixels: int | None = None
    ) -> InputChoices:
        """Resolve these settings (None: the default). Raises UsageError for a value that this model does not offer."""
        if max_pixels is not None and self.max_pixels is None:
            raise UsageError(f"--max-pixels {max_pixels}: {self.name} has no cap on a frame's pixels; leave it out")
        return InputChoices(
            frame_fit=self._one_of("--frame-fit", frame_fit, self.frame_fits, "fits frames in one way only"),
            positions=self._one_of("--positions", positions, self.position_rules, "has one rule for positions"),
            max_pixels=self.max_pixels if max_pixels is None else max_pixels,
        )

    @property
    def defaults(self) -> dict[str, str | int | None]:
        """The resolved values of a run's settings that were not given, by setting."""
        choices = self.choose()
        own = {"frame_fit": choices.frame_fit, "positions": choices.positions, "max_pixels": choices.max_pixels}
        return {**own, "checkpoint": self.default_checkpoint, "revision": "main"}

    def chosen(self, options: LoadOptions) -> InputChoices:
        """The choices of a model loaded with `options`. Raises UsageError as `choose` does."""
        return self.choose(options.frame_fit, options.positions, options.max_pixels)

    def _one_of(self, option: str, value: str | None, declared: tuple[str, ...], otherwise: str) -> str | None:
        if value is None:
            return next(iter(declared), None)
        if value not in declared:
            advice = f"choose among {', '.join(declared)}" if declared else f"{self.name} {otherwise}; leave it out"
            raise UsageError(f"{option} {value!r} is not offered by {self.name}; {advice}")
        return value

    def load_checked(self, options: LoadOptions) -> Adapter:
        """Load the model, and check that it includes the LoRA adapter of `options`.

        Raises what `load` raises; also CheckpointError for a folder without a LoRA adapter (before the weights are
        loaded) and for a `load` that ignored it.
        """
        if options.lora is None or not options.weights:
            return self.load(options)
        read_lora(options.lora)
        loaded = self.load(options)
        if getattr(loaded, "lora", None) is None:  # an older plug-in lacks the attribute
            raise CheckpointError(
                f"adapter {options.lora!r}: the plug-in of {self.name} loads no LoRA adapters; merge it into a "
                "checkpoint of its own, and name that with --checkpoint"
            )
        return loaded


@dataclass(frozen=True, slots=True, eq=False)
class EncodedClip:
    """A clip's frames as the model's visual inputs, shared by all questions on the clip.

    `inputs` are the tensors that the model's forward pass takes beside the token ids (pixels, grids); `replacements`
    are the texts that stand in the expanded prompt for the placeholders of the conversation, one for a video or one for
    each frame; `cells` and `frames` are as in `VisualGrid`.
    """

    inputs: Mapping[str, torch.Tensor]
    replacements: tuple[str, ...]
    cells: Cells
    frames: tuple[tuple[int, ...], ...]
    visual_tokens: int  # in the expanded prompt
    cell_tokens: npt.NDArray[np.int64]  # (steps, height, width): which visual token shows a cell, from 0; -1: none


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPrompt:
    """One prompt as token ids, with the indices of its visual tokens and of its spans' tokens.

    `token_spans[i]` are the indices of the tokens of the i-th span. `prefix` is the length of the visual prefix: the
    tokens up to and including the last visual one, the same for every prompt on the clip.
    """

    ids: npt.NDArray[np.int64]  # (length,)
    token_spans: tuple[npt.NDArray[np.int64], ...]
    grid: VisualGrid | None  # None: a prompt without video
    prefix: int

    @property
    def length(self) -> int:
        """Number of tokens, visual ones included."""
        return int(self.ids.shape[0])

    @property
    def cross_keys(self) -> int:
        """About how many keys the cross-attention layers have; 0 where the sequence holds the visual tokens."""
        return 0 if self.grid is None else self.grid.cross_keys


class OpenClip(Protocol):
    """A clip that is open in a model, as `socialcli.open_clip` returns it."""

    @property
    def clip(self) -> EncodedClip | None:
        """Its frames as the model's visual inputs; None: prompts without video."""
        ...


class AskedQuestion(Protocol):
    """A question on an open clip, as `socialcli.ask` returns it."""

    @property
    def encoded(self) -> EncodedPrompt:
        """The tokens of its prompt."""
        ...


def choices_of(adapter: Adapter, options: LoadOptions) -> InputChoices:
    """The choices of the model loaded with `options`: a default can depend on its checkpoint.

    Falls back on its spec's defaults if the plug-in does not set `choices`.
    """
    made: InputChoices | None = getattr(adapter, "choices", None)
    return adapter.spec.chosen(options) if made is None else made


class Adapter(Protocol):
    """A loaded model: turns prompts into its inputs, and gives access to its text decoder's attention."""

    spec: ModelSpec
    model: Any  # a transformers PreTrainedModel
    folder: Path | None  # of the checkpoint on this machine; None: the model was built in memory
    lora: Path | None  # the folder of the LoRA adapter in the model, merged or not; None: no LoRA adapter

    @property
    def decoder_layers(self) -> Sequence[Any]:
        """The layers of the text decoder: modules mapping hidden states to hidden states, in order."""
        ...

    @property
    def layers(self) -> Sequence[Any]:
        """The attention module of each of `decoder_layers`; None for a layer without softmax attention."""
        ...

    @property
    def cross_layers(self) -> frozenset[int]:
        """The layers whose module is cross-attention to the visual tokens; empty: these are in the sequence itself."""
        ...

    @property
    def alignable_layers(self) -> Sequence[int]:
        """The layers in which an alignment can change the answer, ascending."""
        ...

    @property
    def skippable_layers(self) -> int:
        """The number of first layers whose keys no later layer reads; a run can reuse what another computed in them."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the model's inputs belong."""
        ...

    @property
    def letter_prefix(self) -> str:
        """The text between the prompt's end and the answer's letter: "" or " ".

        It is "" where the prompt already ends in a space.
        """
        ...

    @property
    def end_ids(self) -> frozenset[int]:
        """The token ids that end an answer."""
        ...

    @property
    def end_id(self) -> int:
        """The one of `end_ids` that training appends to an answer."""
        ...

    def encode_clip(self, frames: FrameSet) -> EncodedClip:
        """Prepare the frames of a clip for the model, without sampling them again. Raises VideoError."""
        ...

    def encode_prompt(self, text: str, spans: Sequence[tuple[int, int]], clip: EncodedClip | None) -> EncodedPrompt:
        """Put `text` into the model's conversation format and find the tokens of each [start, end) in it.

        Raises PromptError where the text cannot reach the model unchanged.
        """
        ...

    def continuation_ids(self, text: str) -> tuple[int, ...]:
        """The token ids of `text` directly behind a prompt. Raises PromptError if it would merge with the prompt."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of generated token ids, without special tokens."""
        ...

    def save(self, folder: Path) -> None:
        """Save the model and its processor into `folder`, as `load` reads them. Raises OSError."""
        ...

    def forward_inputs(self, prompts: Sequence[EncodedPrompt], clip: EncodedClip | None) -> dict[str, torch.Tensor]:
        """The keyword arguments of one forward pass over `prompts` on one clip, padded on the left."""
        ...

    def forward(self, clip: OpenClip, asked: Sequence[AskedQuestion]) -> Any:
        """The model's output for whole prompts of questions on one clip, padded on the left; it has `logits` (B, L, V).

        Runs with the attention that the model has now, within `aligned` the aligned one. In a batch of prompts of
        different lengths, the plan of a prompt padded by n tokens is `plan.shifted(n)`.
        """
        ...

    def positions(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> torch.Tensor:
        """Position ids of the whole prompt, in the shape that the model's forward takes for a batch of one."""
        ...

    def token_inputs(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> Mapping[str, torch.Tensor]:
        """What the model's forward takes for each token beside its id and position, (1, length, ...) each.

        Such as token types and cross-attention masks. Parts of a prompt get their part; padding gets 0, and tokens
        behind the prompt what its last token has.
        """
        ...
