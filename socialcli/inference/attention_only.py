"""(torch) Prompts through the model for their attention alone."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.alignment.attention import Alignment, AlignmentReport, Observer, aligned
from socialcli.alignment.head_attention import AttentionGauge
from socialcli.alignment.plan import Indices
from socialcli.inference.asked import PromptOnClip
from socialcli.inference.prefix import continued_cache, room_for, run_step, step_of
from socialcli.models.contract import Adapter


def observe(
    adapter: Adapter,
    prompts: Sequence[PromptOnClip],
    alignment: Alignment,
    observer: Observer | None = None,
    observed: Sequence[Indices] | None = None,
) -> AlignmentReport:
    """Run a batch of prompts with plans and equally long prefixes; `observer` and `observed` as for `aligned`."""
    prefixes = [prompt.prefix for prompt in prompts]
    step = step_of(adapter, prefixes, [prompt.encoded for prompt in prompts], prefixes[0].length)
    plans = [prompt.plan for prompt in prompts if prompt.plan is not None]
    with aligned(adapter, plans, alignment, observer, observed) as report:
        run_step(adapter, step, continued_cache(adapter, prefixes, room_for(step)))
    return report


def gauge(adapter: Adapter, prompts: Sequence[PromptOnClip], alignment: Alignment, figures: AttentionGauge) -> None:
    """Add the attention of a batch of prompts with plans, whose prefixes are equally long, to `figures`."""
    figures.expect([prompt.plan for prompt in prompts if prompt.plan is not None], adapter.device)
    observe(adapter, prompts, alignment, figures.observe)
