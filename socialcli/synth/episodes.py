"""Create one episode of a synthetic world: its record and its video file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from socialcli.episodes.records import Box, Episode, Speaker, Utterance, Video
from socialcli.files import atomic_write
from socialcli.synth.frames import Extents, encode, pictures
from socialcli.synth.harm.kinds import KINDS, harm_questions
from socialcli.synth.questions import questions, speaker_id, utterance_id
from socialcli.synth.settings import SynthSettings, split_of, stream
from socialcli.synth.story import Story, draw_story
from socialcli.synth.world import World, draw_world

DATASET = "synth"

_SPOKEN = 0.8  # share of its last frame's duration for which an utterance still lasts


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that defines an episode before it is drawn."""

    index: int
    name: str
    world: World
    story: Story
    harm: str | None = None  # kind of the harm set; None for an ordinary episode


def draw_plot(settings: SynthSettings, seed: int, index: int) -> Plot:
    """Episode `index`, from 0, of the world of `seed`; independent of all other episodes."""
    kind = KINDS.get(settings.harm_of(index) or "")
    if kind is not None:
        settings = replace(settings, distractors=settings.distractors + kind.bystanders)
    world = draw_world(settings, stream(seed, index, "world"))
    if kind is not None:
        world = kind.stage(world, stream(seed, index, "harm world"))
    story = draw_story(world.speakers, settings.turns, stream(seed, index, "story"))
    name = f"synth-{seed}-{index:06d}" if kind is None else f"synth-{kind.name}-{seed}-{index:06d}"
    return Plot(index, name, world, story, None if kind is None else kind.name)


def make_episode(settings: SynthSettings, seed: int, folder: Path, index: int) -> Episode:
    """Draw the episode and write its video to `folder`/videos, which must exist.

    The file is written atomically. Raises OSError if it cannot be written.
    """
    plot = draw_plot(settings, seed, index)
    shown = list(pictures(plot.world))
    path = video_path(plot.name)
    with atomic_write(folder / path) as file:
        file.write(encode((picture.image for picture in shown), settings.size, settings.fps))
    return annotate(plot, settings, seed, [picture.extents for picture in shown])


def video_path(name: str) -> str:
    """The path of the video of episode `name`, relative to the folder of the episodes file."""
    return f"videos/{name}.mp4"


def annotate(plot: Plot, settings: SynthSettings, seed: int, extents: Sequence[Sequence[Extents | None]]) -> Episode:
    """The record of an episode; `extents` gives for each frame the rectangle of each person in the world."""
    world, story = plot.world, plot.story
    asked = (
        questions(plot.name, world, story)
        if plot.harm is None
        else harm_questions(KINDS[plot.harm], plot.name, world, story, stream(seed, plot.index, "harm questions"))
    )
    width, height = world.size
    return Episode(
        episode_id=plot.name,
        dataset=DATASET if plot.harm is None else f"harm-{plot.harm}",
        split=split_of(plot.index, settings.splits),
        video=Video(video_path(plot.name), width, height),
        speakers=tuple(Speaker(speaker_id(number)) for number in range(len(story.cast))),
        utterances=tuple(_utterances(world, story)),
        boxes=tuple(_boxes(plot, settings, extents, stream(seed, plot.index, "boxes"))),
        questions=asked,
    )


def _utterances(world: World, story: Story) -> Iterator[Utterance]:
    for place, line in enumerate(story.lines):
        frames = world.frames_of(place)
        start, end = frames[0] / world.fps, (frames[-1] + _SPOKEN) / world.fps
        yield Utterance(
            utterance_id(place), round(start, 6), round(end, 6), line.sentence.text, speaker_id(line.speaker)
        )


def _boxes(
    plot: Plot, settings: SynthSettings, extents: Sequence[Sequence[Extents | None]], rng: np.random.Generator
) -> Iterator[Box]:
    """The visible speakers' boxes in every frame, except those that are dropped."""
    for frame, everybody in enumerate(extents):
        for number, person in enumerate(plot.story.cast):
            shown = everybody[person]
            if shown is None:
                continue
            edges = _moved(shown, settings, rng)
            if rng.random() >= settings.missing_boxes:
                yield Box(speaker_id(number), round(frame / settings.fps, 6), *edges)


def _moved(extents: Extents, settings: SynthSettings, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """The box with each edge moved at random, inside the frame and at least one pixel wide and high."""
    most = settings.box_jitter
    x0, y0, x1, y1 = (edge + float(rng.uniform(-most, most)) for edge in extents)
    width, height = map(float, settings.size)
    x0, y0 = min(max(0.0, x0), width - 1), min(max(0.0, y0), height - 1)
    x1, y1 = min(max(x0 + 1, x1), width), min(max(y0 + 1, y1), height)
    return round(x0, 2), round(y0, 2), round(x1, 2), round(y1, 2)
