"""Compare aligned prefill with plain fused prefill and with an eager alignment, on decoders of real shapes.

    python benchmarks/prefill.py                                  # 2 CPU cores: a small decoder, float32
    python benchmarks/prefill.py --shape llama-7b --device cuda   # a GPU: the real shape, random weights, bfloat16

Prints ratios of medians from one run; the variants take turns, so that a busy machine slows all of them alike.
Downloads nothing, and needs neither PyAV nor a plug-in.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _device import device_arguments, dtype_of, machine, made_as, wait_for
from _eager import EagerAlignment, eager
from _timing import Work, in_turns, row, table_head
from torch.profiler import ProfilerActivity, profile
from transformers import LlamaConfig, LlamaForCausalLM

from socialcli.alignment.attention import Alignment, aligned
from socialcli.alignment.bias import PUBLISHED
from socialcli.alignment.hooks import layers_of
from socialcli.alignment.plan import AlignmentPlan
from socialcli.alignment.rules import BiasRule

SHAPES = {  # hidden, intermediate, layers, heads, key/value heads
    "small": (512, 1376, 14, 8, 8),
    "llama-7b": (4096, 11008, 32, 32, 32),  # LLaVA-NeXT-Video 7B
    "qwen-7b": (3584, 18944, 28, 28, 4),  # Qwen2.5-VL 7B, InternVL3 8B
}
SHARES = (0.09, 0.25, 1.0)
TAKEN = -20.0  # with --losing, the bias of every pair
ROWS, COLUMNS = 200, 300  # utterance tokens, and visual tokens in a speaker's box: in a typical clip


class Decoder:
    """A text decoder with random weights, with the interface that `aligned` expects."""

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
        with made_as(device, dtype):
            self.model = LlamaForCausalLM(config).eval()

    cross_layers: frozenset[int] = frozenset()

    @property
    def decoder_layers(self) -> list[Any]:
        """The layers."""
        return list(self.model.model.layers)

    @property
    def layers(self) -> list[Any]:
        """The attention modules."""
        return [layer.self_attn for layer in self.decoder_layers]

    @property
    def alignable_layers(self) -> range:
        """All layers."""
        return range(len(self.decoder_layers))


def plan_of(length: int, losing: bool = False) -> AlignmentPlan:
    """Rows at the end, columns spread over the visual part, half of the pairs biased.

    `losing`: nearly all of the visual part, and all pairs, so that rows with uniform attention lose most of it.
    """
    rng = np.random.default_rng(0)
    rows = np.arange(length - ROWS - 20, length - 20)
    visual = np.arange(20, length - ROWS - 60)
    columns = np.sort(rng.choice(visual, int(0.9 * visual.size) if losing else COLUMNS, replace=False))
    pairs = rng.random((ROWS, columns.size)) < (1.0 if losing else 0.5)
    return AlignmentPlan(rows, columns, pairs, ~pairs)


def chosen_heads(decoder: Decoder, share: float) -> frozenset[tuple[int, int]]:
    """That share of the heads of the middle third."""
    layers = layers_of(decoder).choose("auto")
    heads = [(layer, head) for layer in layers for head in range(decoder.model.config.num_attention_heads)]
    rng = np.random.default_rng(0)
    return frozenset(heads[i] for i in rng.choice(len(heads), max(1, round(share * len(heads))), replace=False))


def forward(decoder: Decoder, ids: torch.Tensor) -> torch.Tensor:
    """One prefill, including the wait for a GPU; the logits of the last token."""
    with torch.inference_mode():
        logits: torch.Tensor = decoder.model(ids, use_cache=False, logits_to_keep=1).logits
    wait_for(ids.device)
    return logits


def variants_of(
    decoder: Decoder, ids: torch.Tensor, plan: AlignmentPlan, heads: frozenset[tuple[int, int]], losing: bool
) -> dict[str, Work]:
    """The compared forward passes; each returns its logits."""
    rule = BiasRule("taking", "", lambda visual, _: torch.full_like(visual.largest, TAKEN)) if losing else PUBLISHED
    layers = {layer for layer, _ in heads}
    by_layer = {
        layer: torch.tensor(sorted(head for of, head in heads if of == layer), device=ids.device) for layer in layers
    }

    def plain() -> torch.Tensor:
        return forward(decoder, ids)

    def with_alignment() -> torch.Tensor:
        with aligned(decoder, plan, Alignment(heads=heads, rule=rule)):
            return forward(decoder, ids)

    def with_eager_alignment() -> torch.Tensor:
        with eager(decoder.model, EagerAlignment(plan, layers, by_layer, constant=TAKEN if losing else None)):
            return forward(decoder, ids)

    return {"plain": plain, "aligned": with_alignment, "eager": with_eager_alignment}


def peak_of(work: Work, device: str) -> float:
    """The peak tensor memory of a forward pass beyond the model, in MiB, as PyTorch's allocator counts it.

    Not the process's memory, which depends on what the C library has retained from earlier work.
    """
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        work()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        profiled.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text())["traceEvents"]
    totals = [event["args"]["Total Allocated"] for event in events if event.get("name") == "[memory]"]
    first = next(event["args"]["Bytes"] for event in events if event.get("name") == "[memory]")
    return float(max(totals) - (totals[0] - first)) / 2**20


def main() -> None:
    """Print a table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--shape", choices=SHAPES, default="small", help="shape of the decoder (default: %(default)s)")
    device_arguments(parser)
    parser.add_argument("--tokens", type=int, nargs="+", default=[1300, 2300, 4300], help="lengths of the prompt")
    parser.add_argument("--repeats", type=int, default=7, help="turns, of which the median counts (default: 7)")
    parser.add_argument(
        "--losing",
        action="store_true",
        help="let every aligned row lose most of its attention: the most expensive case",
    )
    options = parser.parse_args()
    decoder = Decoder(options.shape, options.device, dtype_of(options), max(options.tokens))
    print(f"{machine(options)}\n")
    times, peaks = "time: {} / plain", "memory: {} / plain"
    table_head(
        "tokens",
        "active heads",
        *(text.format(name) for text in (times, peaks) for name in ("aligned", "eager")),
        "largest difference",
        "plain, s",
        "plain, MiB",
    )
    for length in options.tokens:
        for share in SHARES:
            measure(decoder, options, length, share)


def measure(decoder: Decoder, options: argparse.Namespace, length: int, share: float) -> None:
    """Print a row of the table."""
    ids = torch.randint(0, 1024, (1, length), device=options.device)
    plan, heads = plan_of(length, options.losing), chosen_heads(decoder, share)
    variants = variants_of(decoder, ids, plan, heads, options.losing)
    timed = in_turns(variants, options.repeats, warm_up=len(variants))
    peaks = {name: peak_of(work, options.device) for name, work in variants.items()}
    plain = timed["plain"].seconds
    difference = (timed["aligned"].result.float() - timed["eager"].result.float()).abs().max().item()
    row(
        f"{length:,}",
        f"{share:.0%}",
        f"{timed['aligned'].seconds / plain:.3f}",
        f"{timed['eager'].seconds / plain:.2f}",
        f"{peaks['aligned'] / peaks['plain']:.3f}",
        f"{peaks['eager'] / peaks['plain']:.2f}",
        f"{difference:.1e}",
        f"{plain:.3f}",
        f"{peaks['plain']:.0f}",
    )


if __name__ == "__main__":
    main()
