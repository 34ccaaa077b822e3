"""(torch) Questions through the model for their attention alone."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.alignment.attention import Alignment, AlignmentReport, Observer, aligned
from socialcli.alignment.head_attention import AttentionGauge
from socialcli.alignment.plan import AlignmentPlan, Indices
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.prefix import continued_cache, room_for, run_step, step_of
from socialcli.models.contract import Adapter


def observe(
    adapter: Adapter,
    questions: Sequence[ClipQuestion],
    alignment: Alignment,
    observer: Observer | None = None,
    observed: Sequence[Indices] | None = None,
    plans: Sequence[AlignmentPlan] | None = None,
) -> AlignmentReport:
    """Run a batch of questions with plans and equally long prefixes; `observer` and `observed` as for `aligned`.

    `plans` take the place of the questions' own, those of the alignment's steering mode.
    """
    prefixes = [one.prefix for one in questions]
    step = step_of(adapter, prefixes, [one.encoded for one in questions], prefixes[0].length)
    if plans is None:
        plans = [plan for one in questions if (plan := one.plan_under(alignment.steering)) is not None]
    with aligned(adapter, plans, alignment, observer, observed) as report:
        run_step(adapter, step, continued_cache(adapter, prefixes, room_for(step)))
    return report


def gauge(adapter: Adapter, questions: Sequence[ClipQuestion], alignment: Alignment, figures: AttentionGauge) -> None:
    """Add the attention of a batch of questions with plans and equally long prefixes to `figures`."""
    plans = [one.plan.observing(one.encoded.length - 1) for one in questions if one.plan is not None]
    figures.expect(plans, adapter.device, [one.region_in_question for one in questions])
    observe(adapter, questions, alignment, figures.observe, plans=plans)
