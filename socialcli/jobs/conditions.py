"""(torch) The conditions that questions are asked under: the method's `Alignment`, made from the settings."""

from __future__ import annotations

import logging

from socialcli.alignment.attention import Alignment
from socialcli.alignment.heads.selectors import DYNAMIC, HeadSelector
from socialcli.alignment.hooks import layers_of
from socialcli.alignment.regions.sources import GroundingHeads, Regions
from socialcli.alignment.rules import BiasRule
from socialcli.alignment.steering.modes import SPEAKER, Steering, SteeringMode
from socialcli.errors import UsageError
from socialcli.jobs.grid import effective_lambda
from socialcli.jobs.job import Job
from socialcli.models.contract import Adapter
from socialcli.results.heads import HeadChoice
from socialcli.settings.alignment import AlignmentSettings

_log = logging.getLogger(__name__)


def alignment_of(
    settings: AlignmentSettings,
    rule: BiasRule,
    selector: HeadSelector = DYNAMIC,
    mode: SteeringMode = SPEAKER,
    heads: HeadChoice | None = None,
) -> Alignment:
    """The alignment with these settings and what they name; `heads` is the fixed choice, if they name one.

    A setting that the selector does not heed has no effect: the rows then have the default. Regions of the model are
    found in the heads that the same settings select.
    """
    found = GroundingHeads(
        threshold=settings.lambda_ if heads is not None else effective_lambda(selector, settings.lambda_),
        layers=settings.layers,
        heads=None if heads is None else heads.heads,
        max_heads=settings.max_heads if selector.limited else None,
        selector=selector,
        seed=settings.heads_seed,
    )
    by_model = settings.regions == "model"
    regions = Regions(settings.regions, *((settings.region_share, found) if by_model else ()))
    return Alignment(
        alpha=settings.alpha,
        threshold=found.threshold,
        layers=found.layers,
        rule=rule,
        heads=found.heads,
        max_heads=found.max_heads,
        selector=selector,
        seed=found.seed,
        steering=Steering(mode, settings.balance, regions=regions),
    )


def job_alignment(job: Job, adapter: Adapter) -> Alignment:
    """The alignment of a job. Raises UsageError for a choice of heads from a decoder of another shape."""
    settings = job.settings.alignment
    if job.heads is not None:
        shape = len(adapter.layers), adapter.model.config.get_text_config().num_attention_heads
        if job.heads.shape != shape:
            raise UsageError(
                f"--heads {settings.heads}: chosen in a decoder of {job.heads.shape[0]} layers with "
                f"{job.heads.shape[1]} heads each, and this one has {shape[0]} with {shape[1]}"
            )
    alignment = alignment_of(settings, job.rule, job.selector, job.steering, job.heads)
    heads = len(alignment.layers_of(layers_of(adapter))) * adapter.model.config.get_text_config().num_attention_heads
    if alignment.heads is None and alignment.max_heads is not None and alignment.max_heads >= heads:
        _log.warning("--max-heads %d sets no limit: the aligned layers have %d heads", alignment.max_heads, heads)
    return alignment


def conditions_of(job: Job, adapter: Adapter) -> list[Alignment | None]:
    """The conditions of a job; None: without alignment. Raises as `job_alignment` does."""
    aligned = job_alignment(job, adapter)
    return [aligned if condition else None for condition in job.settings.alignment.conditions()]
