"""What a model adapter fulfils: one `ModelSpec` for the list of models, one `Adapter` for the loaded model.

A third party's adapter is a module with a `socialcli_models` hook that returns a `ModelSpec`; its `load` imports torch
and transformers only when it is called. `socialcli.models.huggingface.HuggingFaceAdapter` does most of the work for a
model of the transformers library; README.md shows a whole one.
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
    """How to load a checkpoint, and what on top of it. Raises UsageError for `merge` without an `adapter`."""

    checkpoint: str  # a folder, or an id on the Hugging Face hub
    device: str = "auto"  # "auto": cuda where there is one, else cpu
    dtype: str = "auto"  # "auto": bfloat16 on cuda, float32 on the cpu
    frame_fit: str | None = None  # one of the spec's `frame_fits`; None: the first of them
    weights: bool = True  # False: only encode prompts, so that the weights may be left where they are
    adapter: str | None = None  # the folder of a LoRA adapter; without weights it is not looked at
    merge: bool = False  # whether the adapter is to be merged into the weights, or stays beside them
    revision: str | None = None  # of a hub id: a branch, tag or commit; None: the main branch
    allow_links: bool = False  # whether the checkpoint's files may be links to other folders
    other_models: Mapping[str, str] = field(default_factory=dict)  # what to do with another model's `model_type`
    positions: str | None = None  # one of the spec's `position_rules`; None: the first of them
    max_pixels: int | None = None  # of a frame; None: the spec's own cap, where it has one

    def __post_init__(self) -> None:
        """Check what goes together."""
        if self.merge and self.adapter is None:
            raise UsageError("--merge has nothing to merge: name a LoRA adapter with --adapter, or leave it out")


@dataclass(frozen=True, slots=True)
class InputChoices:
    """How a clip becomes the model's input, where its family leaves a choice; None: this family leaves none."""

    frame_fit: str | None  # how a frame is fitted to the model's input
    positions: str | None  # the rule that numbers the tokens of a video and the words behind it
    max_pixels: int | None  # above which a frame is scaled down

    @property
    def key_parts(self) -> dict[str, str | int | None]:
        """What of them belongs in the key of an answer: a choice that a family does not have changes no key."""
        later = {"positions": self.positions, "max_pixels": self.max_pixels}
        return {"frame_fit": self.frame_fit} | {name: value for name, value in later.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ClipSize:
    """How much of a clip is shown: frames, their width and height in pixels, and the most pixels that they keep."""

    frames: int
    width: int
    height: int
    max_pixels: int | None = None  # None: as they are


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model family as `socialcli models` lists it. Creating one imports nothing heavy."""

    name: str  # what --model takes, for example "llava-next-video"
    summary: str  # one line for the list
    default_checkpoint: str  # hub id
    load: Callable[[LoadOptions], Adapter]  # raises CheckpointError; `load_checked` calls it
    version: str  # part of a row's key: raise it when the adapter's answers can change
    frame_fits: tuple[str, ...] = ()  # how frames can be fitted to the model's input; the first is the default
    model_types: tuple[str, ...] = ()  # `model_type` in config.json of what it loads; named where another is tried
    originals: Mapping[str, str] = field(default_factory=dict)  # types in the authors' own layout: a converted hub id
    position_rules: tuple[str, ...] = ()  # how positions can be numbered; the first is the default
    max_pixels: int | None = None  # the most pixels of a frame unless a cap is given; None: frames have no cap
    visual_tokens: Callable[[ClipSize], int] | None = None  # of a clip, with the default checkpoint; None: not known

    def choose(
        self, frame_fit: str | None = None, positions: str | None = None, max_pixels: int | None = None
    ) -> InputChoices:
        """The choices that these settings come to (None: the default). Raises UsageError for what is none of ours."""
        if max_pixels is not None and self.max_pixels is None:
            raise UsageError(f"--max-pixels {max_pixels}: {self.name} has no cap on a frame's pixels; leave it out")
        return InputChoices(
            frame_fit=self._one_of("--frame-fit", frame_fit, self.frame_fits, "fits frames in one way only"),
            positions=self._one_of("--positions", positions, self.position_rules, "has one rule for positions"),
            max_pixels=self.max_pixels if max_pixels is None else max_pixels,
        )

    @property
    def defaults(self) -> dict[str, str | int | None]:
        """What the settings of a run of these names come to where they are left out."""
        choices = self.choose()
        own = {"frame_fit": choices.frame_fit, "positions": choices.positions, "max_pixels": choices.max_pixels}
        return {**own, "checkpoint": self.default_checkpoint, "revision": "main"}

    def chosen(self, options: LoadOptions) -> InputChoices:
        """The choices that a model loaded with `options` makes. Raises UsageError as `choose` does."""
        return self.choose(options.frame_fit, options.positions, options.max_pixels)

    def _one_of(self, option: str, value: str | None, declared: tuple[str, ...], otherwise: str) -> str | None:
        if value is None:
            return next(iter(declared), None)
        if value not in declared:
            advice = f"choose among {', '.join(declared)}" if declared else f"{self.name} {otherwise}; leave it out"
            raise UsageError(f"{option} {value!r} is none of {self.name}'s; {advice}")
        return value

    def load_checked(self, options: LoadOptions) -> Adapter:
        """Load the model, and make sure that a LoRA adapter that was asked for is in it.

        Raises what `load` raises, and CheckpointError where the adapter's folder holds none, which is told before the
        work of loading, and where `load` has left it out.
        """
        if options.adapter is None or not options.weights:
            return self.load(options)
        read_lora(options.adapter)
        loaded = self.load(options)
        if getattr(loaded, "lora", None) is None:  # not there at all where the plug-in is older than this member
            raise CheckpointError(
                f"adapter {options.adapter!r}: the plug-in of {self.name} loads no LoRA adapters; merge it into a "
                "checkpoint of its own, and name that with --checkpoint"
            )
        return loaded


@dataclass(frozen=True, slots=True, eq=False)
class EncodedClip:
    """A clip's frames as the model's visual inputs: what all questions on the clip share.

    `inputs` are the tensors that the model's forward takes beside the token ids (pixels, grids); `replacement` is the
    text that stands for the video in the expanded prompt; `cells` and `frames` as in `VisualGrid`.
    """

    inputs: Mapping[str, torch.Tensor]
    replacement: str
    cells: Cells
    frames: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPrompt:
    """One prompt as token ids, with the places of its video tokens and of its marked passages.

    `token_spans[i]` are the indices of the tokens of the i-th passage that was marked in the prompt. `prefix` is the
    number of leading tokens, up to and with the last visual one: the same for every prompt on the clip.
    """

    ids: npt.NDArray[np.int64]  # (length,)
    token_spans: tuple[npt.NDArray[np.int64], ...]
    grid: VisualGrid | None  # None: a prompt without video
    prefix: int

    @property
    def length(self) -> int:
        """Number of tokens, visual ones included."""
        return int(self.ids.shape[0])


def choices_of(adapter: Adapter, options: LoadOptions) -> InputChoices:
    """The choices that the model loaded with `options` made: a default can depend on its checkpoint.

    Those of its spec where the plug-in does not tell.
    """
    made: InputChoices | None = getattr(adapter, "choices", None)
    return adapter.spec.chosen(options) if made is None else made


class Adapter(Protocol):
    """A loaded model: how a prompt becomes its inputs, and where its text decoder's attention is."""

    spec: ModelSpec
    model: Any  # a transformers PreTrainedModel
    folder: Path | None  # where the checkpoint's files are on this machine; None: it was built in memory
    lora: Path | None  # the folder of the LoRA adapter that is in the model, merged or not; None: there is none

    @property
    def decoder_layers(self) -> Sequence[Any]:
        """The layers of the text decoder, each a module that takes hidden states and puts them out, first one first."""
        ...

    @property
    def layers(self) -> Sequence[Any]:
        """The attention modules of the text decoder, one of each of `decoder_layers`."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        ...

    @property
    def letter_prefix(self) -> str:
        """What stands between the prompt's end and the answer's letter when the model answers: "" or " ".

        A space that the prompt ends in already is not said again.
        """
        ...

    @property
    def end_ids(self) -> frozenset[int]:
        """The token ids that end an answer."""
        ...

    @property
    def end_id(self) -> int:
        """That of `end_ids` with which the model learns to end an answer."""
        ...

    def encode_clip(self, frames: FrameSet) -> EncodedClip:
        """Prepare the frames of a clip for the model, without re-sampling them."""
        ...

    def encode_prompt(self, text: str, spans: Sequence[tuple[int, int]], clip: EncodedClip | None) -> EncodedPrompt:
        """Put `text` into the model's conversation format and find the tokens of each [start, end) in it.

        Raises PromptError where the text cannot be put to the model without changing its meaning.
        """
        ...

    def continuation_ids(self, text: str) -> tuple[int, ...]:
        """The token ids of `text` when the model says it right after a prompt."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of generated token ids, without special tokens."""
        ...

    def save(self, folder: Path) -> None:
        """Save the model, and what prepares its inputs, into `folder`, as `load` reads them. Raises OSError."""
        ...

    def forward_inputs(self, prompts: Sequence[EncodedPrompt], clip: EncodedClip | None) -> dict[str, torch.Tensor]:
        """The keyword arguments of one whole forward over `prompts` on one clip, padded on the left."""
        ...

    def positions(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> torch.Tensor:
        """Position ids of the whole prompt, in the shape the model's forward takes for a batch of one."""
        ...
