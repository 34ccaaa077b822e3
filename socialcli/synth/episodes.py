"""Create one episode of a synthetic world: its record and its video file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from socialcli.episodes.records import Box, Episode, Question, Speaker, Utterance, Video
from socialcli.files import atomic_write
from socialcli.synth.film.film import Film, draw_film
from socialcli.synth.film.truth import diarization, subtitles, truth
from socialcli.synth.frames import Extents, encode, pictures
from socialcli.synth.harm.kinds import KINDS, harm_questions
from socialcli.synth.questions import questions, speaker_id, utterance_id
from socialcli.synth.settings import SynthSettings, split_of, stream
from socialcli.synth.speech.espeak import espeak_version
from socialcli.synth.speech.talk import Talk, draw_talk
from socialcli.synth.story import Story, draw_story
from socialcli.synth.world import World, draw_world

DATASET = "synth"

_SPOKEN = 0.8  # share of its last frame's duration for which an utterance still lasts


@dataclass(frozen=True, slots=True)
class Performance:
    """What a world that speaks has in addition."""

    talk: Talk
    film: Film


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that defines an episode before it is drawn."""

    index: int
    name: str
    world: World
    story: Story
    harm: str | None = None  # kind of the harm set; None for an ordinary episode
    performance: Performance | None = None  # None: the world is silent

    @property
    def dataset(self) -> str:
        """The dataset of the episode."""
        if self.performance is not None:
            return f"{DATASET}-audio"
        return DATASET if self.harm is None else f"harm-{self.harm}"


def draw_plot(settings: SynthSettings, seed: int, index: int) -> Plot:
    """Episode `index`, from 0, of the world of `seed`; independent of all other episodes."""
    kind = KINDS.get(settings.harm_of(index) or "")
    if kind is not None:
        settings = replace(settings, distractors=settings.distractors + kind.bystanders)
    world = draw_world(settings, stream(seed, index, "world"))
    if kind is not None:
        world = kind.stage(world, stream(seed, index, "harm world"))
    story = draw_story(world.speakers, settings.turns, stream(seed, index, "story"))
    if settings.audio is not None:
        return _performed(settings, seed, Plot(index, f"synth-audio-{seed}-{index:06d}", world, story))
    name = f"synth-{seed}-{index:06d}" if kind is None else f"synth-{kind.name}-{seed}-{index:06d}"
    return Plot(index, name, world, story, None if kind is None else kind.name)


def _performed(settings: SynthSettings, seed: int, plot: Plot) -> Plot:
    """The plot with its sentences spoken: the clip and its stretches last as long as they take."""
    talk = draw_talk(len(plot.world.people), plot.story, settings.audio or "voice", stream(seed, plot.index, "talk"))
    world = replace(plot.world, frames=talk.frames(settings.fps), starts=talk.stretches(settings.fps))
    film = draw_film(world, plot.story, talk, settings, seed, plot.index)
    return replace(plot, world=world, performance=Performance(talk, film))


def make_episode(settings: SynthSettings, seed: int, folder: Path, index: int) -> Episode:
    """Draw the episode and write its files to `folder`, in folders that must exist: see `SynthFolder`.

    Each file is written atomically. Raises OSError if it cannot be written, and SocialcliError if espeak-ng fails.
    """
    plot = draw_plot(settings, seed, index)
    film = None if plot.performance is None else plot.performance.film
    sound = None if plot.performance is None else plot.performance.talk.track(plot.world.frames / plot.world.fps)
    extents = []

    def images() -> Iterator[Image.Image]:
        for picture in pictures(plot.world, film):
            extents.append(picture.extents)
            yield picture.image

    with atomic_write(folder / video_path(plot.name)) as file:
        file.write(encode(images(), settings.size, settings.fps, sound))
    episode = annotate(plot, settings, seed, extents)
    if plot.performance is not None:
        for path, text in _records(plot, plot.performance, episode, settings).items():
            with atomic_write(folder / path) as file:
                file.write(text.encode())
    return episode


def video_path(name: str) -> str:
    """The path of the video of episode `name`, relative to the folder of the episodes file."""
    return f"videos/{name}.mp4"


def annotate(plot: Plot, settings: SynthSettings, seed: int, extents: Sequence[Sequence[Extents | None]]) -> Episode:
    """The record of an episode; `extents` gives for each frame the rectangle of each person in the world."""
    world, story = plot.world, plot.story
    width, height = world.size
    return Episode(
        episode_id=plot.name,
        dataset=plot.dataset,
        split=split_of(plot.index, settings.splits),
        video=Video(video_path(plot.name), width, height),
        speakers=tuple(Speaker(speaker_id(number)) for number in range(len(story.cast))),
        utterances=tuple(_utterances(plot)),
        boxes=tuple(_boxes(plot, settings, extents, stream(seed, plot.index, "boxes"))),
        questions=_questions(plot, seed),
    )


def _questions(plot: Plot, seed: int) -> tuple[Question, ...]:
    if plot.performance is not None:
        return questions(plot.name, plot.world, plot.story, plot.performance.film.shows)
    if plot.harm is None:
        return questions(plot.name, plot.world, plot.story)
    rng = stream(seed, plot.index, "harm questions")
    return harm_questions(KINDS[plot.harm], plot.name, plot.world, plot.story, rng)


def _records(plot: Plot, performance: Performance, episode: Episode, settings: SynthSettings) -> dict[str, str]:
    """The files beside the video of a world that speaks, by path."""
    synthesizer = f"espeak-ng {espeak_version()}" if settings.audio == "espeak" else "socialcli"
    return {
        f"transcripts/{plot.name}.srt": subtitles(episode.utterances),
        f"truth/{plot.name}.rttm": diarization(episode),
        f"truth/{plot.name}.json": truth(plot.world, plot.story, performance.talk, performance.film, synthesizer),
    }


def _utterances(plot: Plot) -> Iterator[Utterance]:
    for place, (line, (start, end)) in enumerate(zip(plot.story.lines, _times(plot), strict=True)):
        yield Utterance(
            utterance_id(place), round(start, 6), round(end, 6), line.sentence.text, speaker_id(line.speaker)
        )


def _times(plot: Plot) -> Iterator[tuple[float, float]]:
    """When each sentence is said: those of a silent world, as long as its stretch of the clip is shown."""
    if plot.performance is not None:
        yield from zip(plot.performance.talk.starts, plot.performance.talk.ends, strict=True)
        return
    for place in range(len(plot.story.lines)):
        frames = plot.world.frames_of(place)
        yield frames[0] / plot.world.fps, (frames[-1] + _SPOKEN) / plot.world.fps


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
