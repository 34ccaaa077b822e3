"""A sweep of each seed's checkpoint, in a folder of its own, then the spread over the seeds."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from socialcli.errors import UsageError
from socialcli.jobs.job import check_job
from socialcli.plots.formats import FIGURE_FORMATS
from socialcli.plugins.registry import Registry
from socialcli.results.folder import STRESS_MANIFEST, SWEEP_MANIFEST
from socialcli.verbs.run.writing import ShowProgress, show_nothing
from socialcli.verbs.sweep.seeds.plot import draw_spread
from socialcli.verbs.sweep.seeds.spread import SpreadRow, spread_table, write_spread
from socialcli.verbs.sweep.work import SweepRequest, SweepResult, sweep

TABLE, FIGURE = "seeds.parquet", "seeds"
MARK = "{seed}"  # in the name of a checkpoint or an adapter, stands for the seed
_FOREIGN = ("run.json", SWEEP_MANIFEST, STRESS_MANIFEST)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SeedsResult:
    """The sweep of each seed, and the spread over them as written to seeds.parquet."""

    sweeps: Mapping[int, SweepResult]
    rows: Sequence[SpreadRow]


def sweep_seeds(
    request: SweepRequest, seeds: Sequence[int], registry: Registry, show: ShowProgress = show_nothing
) -> SeedsResult:
    """Do or resume the sweep of each seed in OUTPUT/seed-N; write OUTPUT/seeds.parquet and a picture.

    `{seed}` in the name of the checkpoint or the adapter stands for the seed. Raises what `sweep` raises, and
    UsageError where no name has it, where seeds repeat or are fewer than two, or where OUTPUT holds other results. A
    checkpoint that does not exist is an error before any work begins.
    """
    requests = dict(_requests(request, seeds))
    if foreign := [name for name in _FOREIGN if (request.output / name).exists()]:
        raise UsageError(
            f"--output {request.output}: holds other results ({foreign[0]}); name another folder for --seeds"
        )
    for one in requests.values():
        check_job(one.settings, registry)
    done: dict[int, SweepResult] = {}
    for seed, one in requests.items():
        _log.info("seed %d: %s", seed, one.output)
        done[seed] = sweep(one, registry, show)
    rows = spread_table({seed: (found.table, found.sweep.splits) for seed, found in done.items()})
    write_spread(request.output / TABLE, rows)
    for kind in FIGURE_FORMATS:
        (request.output / f"{FIGURE}.{kind}").unlink(missing_ok=True)
    draw_spread(request.output / f"{FIGURE}.{request.figure_format}", rows, request.settings)
    return SeedsResult(done, rows)


def _requests(request: SweepRequest, seeds: Sequence[int]) -> Iterator[tuple[int, SweepRequest]]:
    """The request for each seed. Raises UsageError."""
    if len(set(seeds)) != len(seeds) or len(seeds) < 2:
        raise UsageError(f"--seeds {','.join(map(str, seeds))}: name two seeds or more, each once")
    model = request.settings.model
    marked = {name: value for name, value in (("checkpoint", model.checkpoint), ("adapter", model.lora)) if value}
    if not any(MARK in value for value in marked.values()):
        raise UsageError(f"--seeds needs {MARK} in --checkpoint or --adapter, where the number of the seed stands")
    for seed in seeds:
        named = {name: value.replace(MARK, str(seed)) for name, value in marked.items()}
        output = seed_folder(request.output, seed)
        yield seed, replace(request, settings=request.settings.changed(**named), output=output)


def seed_folder(output: Path, seed: int) -> Path:
    """The folder of one seed's sweep."""
    return output / f"seed-{seed}"
