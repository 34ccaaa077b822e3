"""The questions of an episode, with their answers from the world."""

from __future__ import annotations

from collections.abc import Iterator

from socialcli.episodes.records import Question, Speaker
from socialcli.synth.story import Story
from socialcli.synth.world import World
from socialcli.tasks.labels import speaker_labels


def speaker_id(number: int) -> str:
    """The id of speaker `number`, counted from 0; its label is "Speaker N" with the same N, counted from 1."""
    return f"speaker{number + 1}"


def utterance_id(place: int) -> str:
    """The id of the utterance at `place`, counted from 0."""
    return f"u{place + 1}"


def meanings(episode: str, world: World, story: Story) -> Iterator[Question]:
    """Whom does each utterance address, mean or name? The candidates are all speakers except the one who says it.

    There is none about the utterance of somebody who is not in the picture: the gesture cannot be seen.
    """
    counts: dict[str, int] = {}
    for place, line in enumerate(story.lines):
        if not world.in_picture(story.cast[line.speaker]):
            continue
        task = line.sentence.kind
        counts[task] = counts.get(task, 0) + 1
        others = [speaker_id(number) for number in range(len(story.cast)) if number != line.speaker]
        meant = world.gestures[place][story.cast[line.speaker]]
        yield Question(
            id=f"{episode}/{task}-{counts[task]}",
            task=task,
            utterance=utterance_id(place),
            span=line.sentence.span,
            candidates=tuple(others),
            answer=speaker_id(story.cast.index(meant)),
        )


def questions(episode: str, world: World, story: Story) -> tuple[Question, ...]:
    """All questions of the episode: every speaker's shirt, and whom each utterance means."""
    return (*_shirts(episode, world, story), *meanings(episode, world, story))


def _shirts(episode: str, world: World, story: Story) -> Iterator[Question]:
    """What colour is each speaker's shirt? The candidates are the colours of all speakers' shirts."""
    labels = speaker_labels([Speaker(speaker_id(number)) for number in range(len(story.cast))], named=False)
    shirts = [world.people[person].look.shirt for person in story.cast]
    for place, speaker in enumerate(story.asked, start=1):
        yield Question(
            id=f"{episode}/videoqa-{place}",
            task="videoqa",
            text=f"What is the colour of {labels[speaker_id(speaker)]}'s shirt?",
            candidates=tuple(shirts[other] for other in story.choices[speaker]),
            answer=shirts[speaker],
        )
