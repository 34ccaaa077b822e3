"""Compare a whole run with its bare forward passes, and with the plain loop of typical research code.

    python benchmarks/whole_run.py                                  # 2 CPU cores: small models, float32
    python benchmarks/whole_run.py --shape 7b --device cuda         # a GPU: the real shapes, random weights, bfloat16
    python benchmarks/whole_run.py --shape tiny --repeats 1         # to try the script

Prints ratios of medians. The run is `socialcli run` from its settings to its files, with the model in memory. The
passes are only the model's forward passes, on prepared inputs: for every clip the frames with the visual prefix, then
the words of all its questions. The loop takes one question at a time: it reads the clip, calls the processor, and
generates with eager attention, into which the alignment is patched. Downloads nothing.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from _clips import write_episodes
from _device import dtype_of, machine, wait_for
from _loop import loop_choice
from _models import BuiltModel, build, model_arguments
from _passes import Passes, operations, prepare, product_speed, run_passes
from _timing import Timed, in_turns, limit_cell, note, row, table_head

from socialcli.alignment.attention import Alignment
from socialcli.alignment.hooks import layers_of
from socialcli.api import ask, open_clip
from socialcli.episodes.reading import read_episodes
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.session import ClipSession
from socialcli.results.predictions import read_predictions
from socialcli.settings.run import RunSettings
from socialcli.settings.selection import ALL_TASKS
from socialcli.verbs.run.work import JobRequest, execute

LIMIT = 1.15


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """A model and episodes: as a file for the run, and opened for the variants that the run is compared with."""

    adapter: Any
    episodes: Path
    clips: Sequence[tuple[ClipSession, Sequence[ClipQuestion]]]
    alignment: Alignment | None

    @classmethod
    def make(cls, adapter: Any, folder: Path, clips: int, options: argparse.Namespace) -> Material:
        """Write the episodes and prepare their questions."""
        episodes = write_episodes(folder, f"clips-{clips}", clips, "mixed", options.questions)
        opened = [open_clip(adapter, one.episode, folder) for one in read_episodes(episodes) if one.episode is not None]
        asked = [(clip, [ask(clip, question) for question in clip.episode.questions]) for clip in opened]
        return cls(adapter, episodes, asked, None if options.alignment == "off" else Alignment())

    def run(self) -> list[int]:
        """Do the whole run; returns the choice for every question. Raises SystemExit if an answer failed."""
        settings = RunSettings.of(
            episodes=str(self.episodes),
            model=self.adapter.spec.name,
            tasks=ALL_TASKS,
            alignment="off" if self.alignment is None else "on",
        )
        output = self.episodes.parent / "out"
        result = execute(JobRequest(settings, output, overwrite=True), BuiltModel(self.adapter))
        if result.manifest.exit_code:
            raise SystemExit(f"the run failed: {'; '.join(result.manifest.problems)}")
        rows = read_predictions(output / "predictions.parquet")
        return [row["candidates"].index(row["prediction"]) for row in rows]

    def passes(self) -> list[Passes]:
        """The inputs of the bare forward passes, clip by clip."""
        return [prepare(self.adapter, clip, asked) for clip, asked in self.clips]

    def bare(self, passes: Sequence[Passes]) -> list[int]:
        """Do the bare forward passes; returns the choice for every question."""
        choices = [choice for one in passes for choice in run_passes(self.adapter, one, self.alignment)]
        wait_for(self.adapter.device)
        return choices

    def loop(self, new_tokens: int) -> list[int]:
        """Do the plain loop; returns the choice for every question."""
        layers = layers_of(self.adapter).choose("auto") if self.alignment is not None else ()
        return [
            loop_choice(self.adapter, self.episodes.parent / clip.episode.video.path, one, layers, new_tokens)
            for clip, asked in self.clips
            for one in asked
        ]


def main() -> None:
    """Print a table of ratios and the speed of the passes."""
    options = arguments()
    print(f"{machine(options)}; {options.clips} clips, {options.questions} questions on each\n")
    table_head("model", "work", "against", "relative time", "limit", "same answers", "seconds")
    with tempfile.TemporaryDirectory() as folder:
        speeds = [measure(family, options, Path(folder)) for family in options.family]
    print("\nThe bare passes; the share is of the speed of a large matrix product in the same number format.\n")
    table_head("model", "tokens per second", "TFLOP per second", "share of a matrix product", "peak memory, GiB")
    for speed in speeds:
        row(*speed)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    model_arguments(parser)
    parser.add_argument("--clips", type=int, default=3, help="clips of the run (default: %(default)s)")
    parser.add_argument("--questions", type=int, default=2, choices=range(1, 6), help="questions per clip (default: 2)")
    parser.add_argument("--loop-clips", type=int, default=1, help="clips of the loop (default: %(default)s)")
    parser.add_argument(
        "--new-tokens", type=int, default=1, help="tokens that the loop generates (default: %(default)s)"
    )
    parser.add_argument("--alignment", choices=["on", "off"], default="on", help="default: %(default)s")
    parser.add_argument("--repeats", type=int, default=3, help="turns, of which the median counts (default: 3)")
    return parser.parse_args()


def measure(family: str, options: argparse.Namespace, folder: Path) -> Sequence[str]:
    """Print the rows of one model family; returns its row of the second table."""
    note(f"building {family}")
    adapter = build(family, options.shape, options.device, dtype_of(options))
    material = Material.make(adapter, folder, options.clips, options)
    passes = material.passes()
    timed = in_turns({"passes": partial(material.bare, passes), "run": material.run}, options.repeats, warm_up=2)
    compare(family, timed, "run", "passes", LIMIT)
    few = Material.make(adapter, folder, options.loop_clips, options)
    loop = partial(few.loop, options.new_tokens)
    compare(family, in_turns({"run": few.run, "loop": loop}, options.repeats, warm_up=0), "loop", "run", None)
    return speed(material, passes, timed["passes"].seconds, options)


def compare(family: str, timed: Mapping[str, Timed], work: str, against: str, limit: float | None) -> None:
    """Print a row: the time of one workload relative to another, and how many answers are the same."""
    one, other = timed[work], timed[against]
    alike = sum(mine == theirs for mine, theirs in zip(one.result, other.result, strict=True))
    cells = (f"{one.seconds / other.seconds:.2f}", limit_cell(limit), f"{alike} of {len(one.result)}")
    row(family, work, against, *cells, f"{one.seconds:.2f}")


def speed(material: Material, passes: Sequence[Passes], seconds: float, options: argparse.Namespace) -> Sequence[str]:
    """The speed of the bare passes and, on a GPU, their peak memory including the model."""
    rate = sum(operations(material.adapter, one) for one in passes) / seconds
    share = rate / product_speed(options.device, dtype_of(options))
    memory = ""
    if options.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        material.bare(passes)
        memory = f"{torch.cuda.max_memory_allocated() / 2**30:.1f}"
    tokens = sum(one.tokens for one in passes) / seconds
    return material.adapter.spec.name, f"{tokens:,.0f}", f"{rate / 1e12:.3g}", f"{share:.0%}", memory


if __name__ == "__main__":
    main()
