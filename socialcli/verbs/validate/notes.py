"""Notes of `socialcli validate` about good episodes: their coverage, and clips that are large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from socialcli.episodes.coverage.counter import CoverageCounter
from socialcli.episodes.coverage.episode import annotated_coverage
from socialcli.episodes.coverage.messages import coverage_line
from socialcli.episodes.coverage.record import Coverage
from socialcli.errors import UsageError
from socialcli.models.sizes import LargeClips, expected_visual_tokens

if TYPE_CHECKING:
    from socialcli.episodes.records import Episode
    from socialcli.models.contract import ModelSpec


@dataclass(frozen=True, slots=True)
class Shown:
    """How a run would show the episodes to a model."""

    box_gap: float  # seconds
    model: ModelSpec | None  # None: do not count visual tokens
    frames: int
    max_pixels: int | None


@dataclass(slots=True)
class FileNotes:
    """The coverage and large clips of one file; with `each`, also the coverage of every episode."""

    each: bool
    coverage: CoverageCounter = field(default_factory=CoverageCounter)
    clips: LargeClips = field(default_factory=LargeClips)
    by_episode: list[dict[str, Any]] = field(default_factory=list)

    def add(self, episode: Episode, shown: Shown, whole: CoverageCounter) -> None:
        """Count an episode, here and in `whole`, the counter of all files."""
        found = annotated_coverage(episode, shown.box_gap)
        for counter in (self.coverage, whole):
            counter.add(found)
        if self.each:
            self.by_episode.append(found.as_record())
        if shown.model is not None:
            video = episode.video
            tokens = expected_visual_tokens(shown.model, shown.frames, video.width, video.height, shown.max_pixels)
            if tokens is not None:
                self.clips.add(episode.episode_id, tokens)


def model_named(name: str | None, max_pixels: int | None) -> ModelSpec | None:
    """The model of `--model`. Raises UsageError for an unknown model, or a cap that the model does not support."""
    if name is None:
        if max_pixels is not None:
            raise UsageError(f"--max-pixels {max_pixels} depends on the model; name it with --model")
        return None
    from socialcli.plugins.registry import registry

    spec = registry().model(name).item
    spec.choose(max_pixels=max_pixels)
    return spec


def large_clips(files: Sequence[FileNotes], shown: Shown) -> list[str]:
    """A note for each file with clips that are large for the model."""
    model = shown.model
    return [] if model is None else [note for one in files if (note := one.clips.note(model)) is not None]


def note_lines(files: Sequence[FileNotes], names: Sequence[str], whole: Coverage, shown: Shown) -> list[str]:
    """The lines for people: one for each file if there are several, and one for all."""
    if not whole.episodes:
        return []
    several = zip(names, files, strict=True) if len(files) > 1 else ()
    lines = [f"{name}: {coverage_line(one.coverage.total(shown.box_gap))}" for name, one in several]
    return [*lines, coverage_line(whole), *(f"note: {note}" for note in large_clips(files, shown))]
