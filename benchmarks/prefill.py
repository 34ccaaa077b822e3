"""Aligned prefill against the plain fused one, and against an eager alignment, on decoders of real shapes.

    python benchmarks/prefill.py                                  # 2 CPU cores: a small decoder, float32
    python benchmarks/prefill.py --shape llama-7b --device cuda   # a GPU: the real shape, random weights, bfloat16

Prints ratios of medians from one run; the variants take turns, so that a busy machine slows all of them alike. Nothing
is downloaded, and neither PyAV nor a plug-in is needed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile
from transformers import AttentionInterface, AttentionMaskInterface, LlamaConfig, LlamaForCausalLM
from transformers.masking_utils import sdpa_mask

from socialcli.alignment.attention import Alignment, aligned
from socialcli.alignment.layers import resolve_layers
from socialcli.alignment.plan import AlignmentPlan

SHAPES = {  # hidden, intermediate, layers, heads, key/value heads
    "small": (512, 1376, 14, 8, 8),
    "llama-7b": (4096, 11008, 32, 32, 32),  # LLaVA-NeXT-Video 7B
    "qwen-7b": (3584, 18944, 28, 28, 4),  # Qwen2.5-VL 7B, InternVL3 8B
}
SHARES = (0.09, 0.25, 1.0)
ROWS, COLUMNS = 200, 300  # utterance tokens, and visual tokens in a speaker's box: of a usual clip


class Decoder:
    """A text decoder with random weights, as `aligned` takes it."""

    def __init__(self, shape: str, device: str, dtype: torch.dtype, length: int) -> None:
        """Build the decoder in place, on its device."""
        hidden, inner, layers, heads, kv_heads = SHAPES[shape]
        config = LlamaConfig(
            vocab_size=1024,
            hidden_size=hidden,
            intermediate_size=inner,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=kv_heads,
            max_position_embeddings=length,
        )
        config._attn_implementation = "sdpa"
        torch.manual_seed(0)
        torch.set_default_dtype(dtype)
        with torch.device(device):
            self.model = LlamaForCausalLM(config).eval()
        torch.set_default_dtype(torch.float32)

    @property
    def layers(self) -> list[Any]:
        """The attention modules."""
        return [layer.self_attn for layer in self.model.model.layers]


def plan_of(length: int) -> AlignmentPlan:
    """Rows at the end, columns spread over the visual part, half of the pairs raised."""
    rng = np.random.default_rng(0)
    rows = np.arange(length - ROWS - 20, length - 20)
    columns = np.sort(rng.choice(np.arange(20, length - ROWS - 60), COLUMNS, replace=False))
    pairs = rng.random((ROWS, COLUMNS)) < 0.5
    return AlignmentPlan(rows, columns, pairs, ~pairs)


def chosen_heads(decoder: Decoder, share: float) -> frozenset[tuple[int, int]]:
    """That share of the heads of the middle third."""
    layers = resolve_layers("auto", len(decoder.layers))
    heads = [(layer, head) for layer in layers for head in range(decoder.model.config.num_attention_heads)]
    rng = np.random.default_rng(0)
    return frozenset(heads[i] for i in rng.choice(len(heads), max(1, round(share * len(heads))), replace=False))


_eager: dict[str, Any] = {}


def eager_alignment(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: float, **_: Any
) -> tuple[torch.Tensor, None]:
    """What research code does: the whole score matrix in memory, in every layer; the bias added in the chosen ones."""
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    scores = query @ key.transpose(2, 3) * scaling
    length = scores.shape[-1]
    scores = scores.masked_fill(~torch.ones(length, length, dtype=torch.bool, device=query.device).tril(), -torch.inf)
    heads = _eager["heads"].get(module.layer_idx)
    if heads is not None:
        rows, columns, pairs = _eager["plan"]
        block = scores[:, heads][:, :, rows][:, :, :, columns]
        bias = torch.zeros_like(scores)
        best = block.amax(-1, keepdim=True).clamp(min=0)
        bias[:, heads[:, None, None], rows[:, None], columns] = best * pairs
        scores = scores + bias
    return (scores.softmax(-1, dtype=torch.float32).to(value.dtype) @ value).transpose(1, 2).contiguous(), None


@contextmanager
def eager(decoder: Decoder, plan: AlignmentPlan, heads: frozenset[tuple[int, int]]) -> Iterator[None]:
    """The eager alignment in place of the decoder's attention."""
    device = decoder.model.device
    _eager["plan"] = tuple(torch.from_numpy(part).to(device) for part in (plan.rows, plan.columns, plan.pairs))
    layers = {layer for layer, _ in heads}
    _eager["heads"] = {
        layer: torch.tensor(sorted(h for of, h in heads if of == layer), device=device) for layer in layers
    }
    decoder.model.set_attn_implementation("eager_alignment")
    try:
        yield
    finally:
        decoder.model.set_attn_implementation("sdpa")


def forward(decoder: Decoder, ids: torch.Tensor) -> torch.Tensor:
    """One prefill, waited for."""
    with torch.inference_mode():
        logits = decoder.model(ids, use_cache=False, logits_to_keep=1).logits
    if ids.device.type == "cuda":
        torch.cuda.synchronize()
    return logits


def peak_of(variant: Callable[[], AbstractContextManager[Any]], decoder: Decoder, ids: torch.Tensor) -> float:
    """The most memory that a forward has in tensors at one moment beyond the model, MiB, as PyTorch's allocator counts.

    Not the process's memory: that depends on what the C library has kept from earlier work.
    """
    if ids.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        with variant():
            forward(decoder, ids)
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    with variant(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        forward(decoder, ids)
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        profiled.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text())["traceEvents"]
    notes = [event["args"] for event in events if event.get("name") == "[memory]"]
    before = notes[0]["Total Allocated"] - notes[0]["Bytes"]
    return (max(note["Total Allocated"] for note in notes) - before) / 2**20


def decoder_of(options: argparse.Namespace) -> Decoder:
    """The decoder that the options name."""
    dtype = getattr(torch, options.dtype or ("bfloat16" if options.device == "cuda" else "float32"))
    return Decoder(options.shape, options.device, dtype, max(options.tokens))


Variants = dict[str, Callable[[], AbstractContextManager[Any]]]


def variants_of(decoder: Decoder, plan: AlignmentPlan, heads: frozenset[tuple[int, int]]) -> Variants:
    """What is compared, as contexts around a forward."""
    return {
        "plain": nullcontext,
        "aligned": lambda: aligned(decoder, plan, Alignment(heads=heads)),
        "eager": lambda: eager(decoder, plan, heads),
    }


def compare(
    variants: Variants, decoder: Decoder, ids: torch.Tensor, repeats: int
) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    """Median seconds of the variants, which take turns; also their last logits."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    logits = {}
    for turn in range(repeats + 1):
        for name, context in variants.items():
            with context():
                started = time.perf_counter()
                logits[name] = forward(decoder, ids)
                if turn:  # the first one warms up
                    seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(seconds[name]) for name in variants}, logits


def main() -> None:
    """Print a table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--dtype", default=None, choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--tokens", type=int, nargs="+", default=[1300, 2300, 4300])
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    decoder = decoder_of(options)
    name = torch.cuda.get_device_name() if options.device == "cuda" else f"{torch.get_num_threads()} CPU threads"
    print(f"{options.shape}, {decoder.model.dtype}, {name}, torch {torch.__version__}; medians of {options.repeats}")
    print(
        "tokens  heads |  time / plain: aligned   eager |  peak memory / plain: aligned   eager |  largest difference"
    )
    for length in options.tokens:
        for share in SHARES:
            print(line_of(decoder, options, length, share), flush=True)


def line_of(decoder: Decoder, options: argparse.Namespace, length: int, share: float) -> str:
    """One line of the table."""
    ids = torch.randint(0, 1024, (1, length), device=options.device)
    variants = variants_of(decoder, plan_of(length), chosen_heads(decoder, share))
    seconds, logits = compare(variants, decoder, ids, options.repeats)
    peaks = {name: peak_of(variant, decoder, ids) for name, variant in variants.items()}
    difference = (logits["aligned"].float() - logits["eager"].float()).abs().max().item()
    return (
        f"{length:>6} {share:>6.0%} | {seconds['aligned'] / seconds['plain']:>22.3f}"
        f" {seconds['eager'] / seconds['plain']:>7.2f}"
        f" | {peaks['aligned'] / peaks['plain']:>29.3f} {peaks['eager'] / peaks['plain']:>7.2f}"
        f" | {difference:.1e}   (plain: {seconds['plain']:.3f} s, {peaks['plain']:.0f} MiB)"
    )


AttentionInterface.register("eager_alignment", eager_alignment)
AttentionMaskInterface.register("eager_alignment", sdpa_mask)

if __name__ == "__main__":
    main()
