"""(torch) Prompts against the processor's own conversation, and texts that must be refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from socialcli.conformance.checks import Case
from socialcli.conformance.scene import noise_frames
from socialcli.conformance.subject import Subject
from socialcli.errors import PromptError
from socialcli.models.huggingface import HuggingFaceAdapter
from socialcli.video.frames import FrameSet

_TEXTS = (
    "Who is it?",
    "Two lines,\nand a blank one:\n\n  an indented one.",
    "Zoë: « 谢谢 » -- 10:45, 50% off!! 😀\tdon't",
)
_FRAME_COUNTS = (8, 3)
_MOST_CONTROL_TOKENS = 6
_NO_PROCESSOR = "the adapter is no HuggingFaceAdapter, so that its processor is unknown"


def conversation(subject: Subject) -> Iterator[Case]:
    """Compare ids and visual inputs with the processor's own, without video and for clips of two lengths."""
    adapter = subject.adapter
    if not isinstance(adapter, HuggingFaceAdapter):
        yield Case("all", "skipped", _NO_PROCESSOR)
        return
    yield from _ids_cases("without video", adapter, None)
    yield _visual_id_case(adapter)
    for count in _FRAME_COUNTS:
        frames = noise_frames(count=count)
        yield from _ids_cases(f"{count} frames", adapter, frames)
        yield _inputs_case(f"{count} frames: inputs", adapter, frames)


def refusals(subject: Subject) -> Iterator[Case]:
    """Put control tokens and the placeholder into a text: the model would take them for its own."""
    adapter = subject.adapter
    if not isinstance(adapter, HuggingFaceAdapter):
        yield Case("all", "skipped", _NO_PROCESSOR)
        return
    clip = subject.clip.clip
    for kind, token in _unsafe(adapter).items():
        text = f"Who is {token} it?"
        try:
            adapter.encode_prompt(text, (), clip)
        except PromptError as error:
            yield Case(kind, "passed", str(error))
        else:
            yield Case(kind, "failed", f"encode_prompt takes {text!r}: raise PromptError for a control token")


def _ids_cases(name: str, adapter: HuggingFaceAdapter, frames: FrameSet | None) -> Iterator[Case]:
    clip = None if frames is None else adapter.encode_clip(frames)
    different = []
    for text in _TEXTS:
        found = adapter.encode_prompt(text, (), clip).ids
        own = _own_output(adapter, text, frames)["input_ids"][0].numpy()
        if not np.array_equal(found, own):
            different.append(f"of {text!r}, {_first_difference(adapter, found, own)}")
    if different:
        yield Case(name, "failed", f"{len(different)} of {len(_TEXTS)} texts have other ids: {different[0]}")
    else:
        yield Case(name, "passed", f"{len(_TEXTS)} texts, the last of {found.size} ids")


def _visual_id_case(adapter: HuggingFaceAdapter) -> Case:
    """Whether the processor's conversation has the token that the adapter takes for a visual one."""
    ids, counts = np.unique(_own_output(adapter, _TEXTS[0], noise_frames())["input_ids"][0].numpy(), return_counts=True)
    wanted = int(adapter.visual_token_id)
    named = f"`visual_token_id` {wanted} is {_named(adapter, np.array([wanted]))}"
    if wanted in ids:
        return Case("visual token", "passed", f"{named}, {int(counts[ids == wanted][0])} of them")
    usual = ids[[int(counts.argmax())]]
    detail = (
        f"{named}, which the processor's conversation does not hold; most frequent there is {_named(adapter, usual)}"
    )
    return Case("visual token", "failed", f"{detail}, id {int(usual[0])}, {int(counts.max())} times")


def _inputs_case(name: str, adapter: HuggingFaceAdapter, frames: FrameSet) -> Case:
    """Pixels and grids, which the processor makes of the same frames; `conversation` compares the ids."""
    own = _own_output(adapter, _TEXTS[0], frames)
    inputs = adapter.encode_clip(frames).inputs
    for key, tensor in inputs.items():
        if key not in own:
            return Case(name, "failed", f"encode_clip adds {key!r}, which the processor does not return")
        expected = torch.as_tensor(own[key]).to(tensor)
        if tensor.shape != expected.shape:
            return Case(name, "failed", f"{key} has shape {_shape(tensor)}, the processor's {_shape(expected)}")
        if not torch.equal(tensor, expected):
            return Case(
                name, "failed", f"{key} differs from the processor's in {int((tensor != expected).sum())} values"
            )
    return Case(name, "passed", ", ".join(f"{key} {_shape(tensor)}" for key, tensor in inputs.items()))


def _own_output(adapter: HuggingFaceAdapter, text: str, frames: FrameSet | None) -> Mapping[str, Any]:
    """The processor's output for its own conversation of one turn, with the adapter's arguments for the frames."""
    content: list[dict[str, Any]] = [{"type": "text", "text": text}]
    arguments: dict[str, Any] = {}
    if frames is not None:
        video, arguments = adapter.prepare_frames(frames)
        if adapter.frames_as_images:
            content = [*({"type": "image", "image": frame} for frame in video), *content]
        else:
            content = [{"type": "video", "video": video}, *content]
            arguments = {"do_sample_frames": False, **arguments}
    output: Mapping[str, Any] = adapter.processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        processor_kwargs=arguments,
        **adapter.template_variables,
    )
    return output


def _first_difference(adapter: HuggingFaceAdapter, found: npt.NDArray[np.int64], own: npt.NDArray[np.int64]) -> str:
    """Where two sequences of ids part, in words."""
    shortest = min(found.size, own.size)
    unequal = np.flatnonzero(found[:shortest] != own[:shortest])
    place = int(unequal[0]) if unequal.size else shortest
    return (
        f"the adapter makes {found.size} ids, the processor {own.size}; at {place} they are "
        f"{_named(adapter, found[place : place + 3])} and {_named(adapter, own[place : place + 3])}"
    )


def _named(adapter: HuggingFaceAdapter, ids: npt.NDArray[np.int64]) -> str:
    names = adapter.processor.tokenizer.convert_ids_to_tokens(ids.tolist())
    return " ".join(map(repr, names)) if names else "the end"


def _unsafe(adapter: HuggingFaceAdapter) -> dict[str, str]:
    """Texts that an adapter must refuse, by kind: its placeholder, and some of the tokenizer's control tokens."""
    tokenizer = adapter.processor.tokenizer
    tokens = {
        "placeholder": adapter.placeholder,
        "visual token": tokenizer.convert_ids_to_tokens(int(adapter.visual_token_id)),
        "end of the answer": tokenizer.convert_ids_to_tokens(int(adapter.end_id)),
    }
    special = [str(one) for one in tokenizer.added_tokens_decoder.values() if one.special and str(one).strip()]
    others = [token for token in special if token not in tokens.values()]
    return tokens | {token: token for token in others[: _MOST_CONTROL_TOKENS - len(tokens)]}


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape))
