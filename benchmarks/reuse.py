"""Measure the savings of shared work: more conditions and more questions, relative to one plain run.

    python benchmarks/reuse.py                                      # 2 CPU cores: small models, float32
    python benchmarks/reuse.py --shape 7b --device cuda             # a GPU: the real shapes, random weights, bfloat16
    python benchmarks/reuse.py --shape tiny --repeats 1             # to try the script

Prints ratios of medians. Every variant starts from the video files, with the model in memory: it samples and prepares
the frames, runs the model and creates the rows. Downloads nothing.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path
from typing import Any

from _clips import Kind, write_episodes
from _device import dtype_of, machine, wait_for
from _models import build, model_arguments
from _timing import Work, in_turns, limit_cell, note, row, table_head

from socialcli.alignment.attention import Alignment
from socialcli.api import ask, open_clip
from socialcli.episodes.reading import read_episodes
from socialcli.jobs.answer import Answerer
from socialcli.jobs.counts import JobCounter
from socialcli.jobs.job import check_job
from socialcli.jobs.selection import select
from socialcli.plugins.registry import registry
from socialcli.settings.run import RunSettings
from socialcli.settings.selection import ALL_TASKS

Conditions = Sequence[Alignment | None]

PLAIN: Conditions = (None,)
BOTH: Conditions = (None, Alignment())
STRENGTHS: Conditions = tuple(
    Alignment(alpha, threshold) for alpha, threshold in product((0.5, 1.0, 1.5, 2.0), (5e-5, 5e-4, 5e-3))
)


def ranges(decoder_layers: int) -> Conditions:
    """Twelve settings; half of them align the first third of the layers, below which nothing can be shared."""
    early = f"0-{round(10 * decoder_layers / 28) - 1}"
    settings = product((0.5, 1.0, 2.0), (5e-5, 5e-4), ("auto", early))
    return tuple(Alignment(alpha, threshold, layers) for alpha, threshold, layers in settings)


@dataclass(frozen=True, slots=True)
class Variant:
    """A workload and its reference."""

    name: str
    questions: tuple[Kind, int]  # on each clip
    conditions: Callable[[int], Conditions]  # of the number of decoder layers
    against: str | None = None  # None: a reference only
    limit: float | None = None


VARIANTS = (
    Variant("one question", ("mixed", 1), lambda _: PLAIN),
    Variant("one question, both", ("mixed", 1), lambda _: BOTH, "one question", 1.35),
    Variant("one question, 12 strengths", ("mixed", 1), lambda _: STRENGTHS, "one question", 3.0),
    Variant("one question, 12 strengths and layers", ("mixed", 1), ranges, "one question", 3.0),
    Variant("5 questions of three tasks", ("mixed", 5), lambda _: PLAIN, "one question", 1.8),
    Variant("5 questions, both", ("mixed", 5), lambda _: BOTH, "5 questions of three tasks", 1.35),
    Variant("one videoqa question", ("videoqa", 1), lambda _: PLAIN),
    Variant("5 videoqa questions", ("videoqa", 5), lambda _: PLAIN, "one videoqa question", 1.8),
)


def main() -> None:
    """Print a table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    model_arguments(parser)
    parser.add_argument("--clips", type=int, default=1, help="clips in each piece of work (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="turns, of which the median counts (default: 3)")
    options = parser.parse_args()
    print(f"{machine(options)}\n")
    table_head("model", "visual + text tokens", "work", "against", "relative time", "limit", "seconds")
    with tempfile.TemporaryDirectory() as folder:
        for family in options.family:
            measure(family, options, Path(folder))


def measure(family: str, options: argparse.Namespace, folder: Path) -> None:
    """Print the rows of one model family."""
    note(f"building {family}")
    adapter = build(family, options.shape, options.device, dtype_of(options))
    files = {
        (kind, count): write_episodes(folder, f"{kind}-{count}", options.clips, kind, count)
        for kind, count in {variant.questions for variant in VARIANTS}
    }
    works = {variant.name: work_of(adapter, files[variant.questions], variant) for variant in VARIANTS}
    timed = in_turns(works, options.repeats)
    tokens = tokens_of(adapter, files["mixed", 1])
    for variant in VARIANTS:
        if variant.against is not None:
            seconds = timed[variant.name].seconds
            ratio = seconds / timed[variant.against].seconds
            cells = (f"{ratio:.2f}", limit_cell(variant.limit), f"{seconds:.2f}")
            row(family, tokens, variant.name, variant.against, *cells)


def work_of(adapter: Any, episodes: Path, variant: Variant) -> Work:
    """Answering all questions of a file under all conditions of a variant."""
    settings = RunSettings.of(episodes=str(episodes), model=adapter.spec.name, tasks=ALL_TASKS)
    job = check_job(settings, registry())
    answerer = Answerer(job, adapter, variant.conditions(len(adapter.layers)))
    selections = list(select(job.episodes, settings, job.tasks, JobCounter()))

    def work() -> None:
        for answered in chain.from_iterable(answerer.answer(selections)):
            check(prediction.error for prediction in answered.rows)
        wait_for(adapter.device)

    return work


def check(errors: Iterable[str | None]) -> None:
    """Raise SystemExit if an answer failed, because it would have taken less time."""
    for error in filter(None, errors):
        raise SystemExit(f"an answer failed: {error}")


def tokens_of(adapter: Any, episodes: Path) -> str:
    """The visual tokens of the file's first prompt, and the text tokens after them."""
    episode = next(read_episodes(episodes)).episode
    assert episode is not None  # written by `write_episodes`, which checks
    encoded = ask(open_clip(adapter, episode, episodes.parent), episode.questions[0]).encoded
    assert encoded.grid is not None
    return f"{encoded.grid.tokens.size} + {encoded.length - encoded.prefix}"


if __name__ == "__main__":
    main()
