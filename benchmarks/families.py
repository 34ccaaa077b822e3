"""Compare aligned with plain prefill in the text decoder of each model family, with every kind of decoder layer.

    python benchmarks/families.py                       # 2 CPU cores: decoders of 14 layers, 512 wide, float32
    python benchmarks/families.py --device cuda         # a GPU

The prompt has about 2,300 tokens: the frames of a clip of noise as the family's processor makes them, then words. The
middle third of the layers is aligned, with every head active: 200 words to 300 visual tokens. Time counts from the
first decoder layer to the last, without the vision tower, which runs alike in both. Prints ratios of medians from one
run; the variants take turns. Downloads nothing.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from _device import device_arguments, dtype_of, machine, wait_for
from _models import Shape, build_with, text_sizes
from _timing import Work, note, row, table_head
from prefill import COLUMNS, ROWS, peak_of

from socialcli.alignment.attention import Alignment, aligned
from socialcli.alignment.hooks import layers_of
from socialcli.alignment.layers import layers_text
from socialcli.alignment.plan import AlignmentPlan
from socialcli.models.contract import EncodedClip, EncodedPrompt
from socialcli.video.frames import Frame, FrameSet

LENGTH, VISUAL = 2300, 2000  # tokens of the prompt, and of them at most visual ones
MOST_FRAMES = 32
SIZE = (640, 360)
_DENSE = text_sizes(512, 1376, 14, 8, 2)
_MERGED = {"out_hidden_size": 512}  # the width in which the vision tower hands its tokens on


def _kinds(every: int, other: str) -> dict[str, list[str]]:
    """Every n-th of 14 layers is full attention, the others are not."""
    return {"layer_types": ["full_attention" if layer % every == every - 1 else other for layer in range(14)]}


def _mrope(*sections: int, **more: Any) -> dict[str, Any]:
    """Rotary embeddings in time, height and width."""
    return {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": list(sections), **more}}


SHAPES = {
    "llava-next-video": Shape(_DENSE, {}),
    "qwen2.5-vl": Shape({**_DENSE, **_mrope(8, 12, 12)}, _MERGED),
    "internvl3": Shape(_DENSE, {}),
    "qwen2-vl": Shape({**_DENSE, **_mrope(8, 12, 12)}, {"hidden_size": 512}),
    "qwen3-vl": Shape({**_DENSE, **_mrope(12, 10, 10, mrope_interleaved=True)}, _MERGED),
    "llava-onevision": Shape(_DENSE, {}),
    "smolvlm2": Shape(_DENSE, {}),
    "gemma-4": Shape(
        {
            **_DENSE,
            **_kinds(5, "sliding_attention"),
            "sliding_window": 512,
            "num_kv_shared_layers": 4,
            "global_head_dim": 128,
            "hidden_size_per_layer_input": 64,
        },
        {},
    ),
    "qwen3.5": Shape(
        {
            **_DENSE,
            **_kinds(4, "linear_attention"),
            "linear_key_head_dim": 64,
            "linear_value_head_dim": 64,
            "linear_num_key_heads": 4,
            "linear_num_value_heads": 8,
            **_mrope(6, 5, 5, mrope_interleaved=True, partial_rotary_factor=0.5),
        },
        _MERGED,
    ),
    "llama-3.2-vision": Shape({**_DENSE, "cross_attention_layers": [3, 6, 9, 12]}, {}),
}


def noise(count: int) -> FrameSet:
    """Frames of coarse random colour, half a second apart."""
    width, height = SIZE
    small = np.random.default_rng(0).integers(0, 256, (count, height // 8, width // 8, 3), dtype=np.uint8)
    large = small.repeat(8, axis=1).repeat(8, axis=2)
    return FrameSet(tuple(Frame(0.5 * i, np.ascontiguousarray(image)) for i, image in enumerate(large)), count)


def prompt_of(adapter: Any) -> tuple[EncodedClip, EncodedPrompt]:
    """As many frames as fit among `VISUAL` tokens, and words up to `LENGTH` tokens, which are the one span."""
    frames = 8
    clip = adapter.encode_clip(noise(frames))
    if not adapter.cross_layers:  # else frames take no tokens of the sequence
        frames = min(MOST_FRAMES, frames * VISUAL // adapter.encode_prompt("?", (), clip).prefix)
        clip = adapter.encode_clip(noise(frames))
    words = 1
    while True:
        text = " ".join(["they know"] * words)
        prompt = adapter.encode_prompt(text, ((0, len(text)),), clip)
        if prompt.length >= LENGTH:
            return clip, prompt
        words += max(1, (LENGTH - prompt.length) // 12)


def plan_of(prompt: EncodedPrompt) -> AlignmentPlan:
    """The last words of the span towards some of the visual tokens; half of the pairs are biased."""
    draw = np.random.default_rng(0)
    assert prompt.grid is not None  # the prompt has a clip
    rows, shown = prompt.token_spans[0][-ROWS:], prompt.grid.shown
    columns = np.sort(draw.choice(shown, min(COLUMNS, shown.size), replace=False))
    pairs = draw.random((rows.size, columns.size)) < 0.5
    return AlignmentPlan(rows, columns, pairs, ~pairs, cross_attention=prompt.grid.cross_attention)


class Clock:
    """The seconds that the decoder's layers took in the last forward pass."""

    def __init__(self, device: str) -> None:
        """Wait for `device` before reading the time."""
        self.seconds, self._device, self._started = 0.0, device, 0.0

    @contextmanager
    def on(self, layers: Any) -> Iterator[None]:
        """Read the time before the first and after the last of `layers` while the block runs."""
        handles = [layers[0].register_forward_pre_hook(self._start), layers[-1].register_forward_hook(self._stop)]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _start(self, *_: Any) -> None:
        wait_for(self._device)
        self._started = time.perf_counter()

    def _stop(self, *_: Any) -> None:
        wait_for(self._device)
        self.seconds = time.perf_counter() - self._started


def variants_of(adapter: Any, clip: EncodedClip, prompt: EncodedPrompt) -> dict[str, Work]:
    """A plain and an aligned forward pass over the same inputs."""
    inputs, plan = adapter.forward_inputs([prompt], clip), plan_of(prompt)

    def plain() -> None:
        with torch.inference_mode():
            adapter.model(**inputs, use_cache=False, logits_to_keep=1)

    def with_alignment() -> None:
        with aligned(adapter, plan, Alignment(threshold=0.0)) as report:
            plain()
        assert report.active_share() == [1.0]

    return {"plain": plain, "aligned": with_alignment}


def medians(variants: Mapping[str, Work], clock: Clock, repeats: int) -> dict[str, float]:
    """Median seconds in the decoder of each variant; they take turns, after one turn that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(repeats + 1):
        for name, work in variants.items():
            work()
            seconds[name].append(clock.seconds)
            note(f"turn {turn}: {name}: {clock.seconds:.3f} s")
    return {name: statistics.median(taken[1:]) for name, taken in seconds.items()}


def main() -> None:
    """Print a table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--family", nargs="+", choices=SHAPES, default=list(SHAPES), help="default: all")
    device_arguments(parser)
    parser.add_argument("--repeats", type=int, default=7, help="turns, of which the median counts (default: 7)")
    options = parser.parse_args()
    options.shape = "14 layers, 512 wide"
    print(f"{machine(options)}\n")
    table_head(
        "model", "tokens", "visual", "aligned layers", "time: aligned / plain", "memory: aligned / plain", "plain, s"
    )
    for family in options.family:
        measure(family, options)


def measure(family: str, options: argparse.Namespace) -> None:
    """Print a row of the table."""
    adapter = build_with(family, SHAPES[family], options.device, dtype_of(options))
    clip, prompt = prompt_of(adapter)
    assert prompt.grid is not None  # the prompt has a clip
    variants, clock = variants_of(adapter, clip, prompt), Clock(options.device)
    with clock.on(adapter.decoder_layers):
        seconds = medians(variants, clock, options.repeats)
    peaks = {name: peak_of(work, options.device) for name, work in variants.items()}
    row(
        family,
        f"{prompt.length:,}",
        f"{prompt.grid.shown.size:,}",
        layers_text(layers_of(adapter).choose("auto")),
        f"{seconds['aligned'] / seconds['plain']:.3f}",
        f"{peaks['aligned'] / peaks['plain']:.3f}",
        f"{seconds['plain']:.3f}",
    )


if __name__ == "__main__":
    main()
