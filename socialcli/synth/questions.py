"""The questions of an episode, with their answers from the world."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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


Seen = Callable[[World, int, int, int], bool]
"""Whether in a stretch of the world one person's gesture at another can be seen."""


def in_room(world: World, stretch: int, person: int, meant: int) -> bool:
    """Whether the person who points is in the picture of a world that is always shown whole."""
    return world.in_picture(person)


def meanings(episode: str, world: World, story: Story, seen: Seen = in_room) -> Iterator[Question]:
    """Whom does each utterance address, mean or name? The candidates are all speakers except the one who says it.

    There is none about an utterance whose gesture cannot be seen, or if there is only one candidate.
    """
    counts: dict[str, int] = {}
    for place, line in enumerate(story.lines):
        person = story.cast[line.speaker]
        meant = world.gestures[place][person]
        if world.speakers < 3 or not seen(world, place, person, meant):
            continue
        task = line.sentence.kind
        counts[task] = counts.get(task, 0) + 1
        others = [speaker_id(number) for number in range(len(story.cast)) if number != line.speaker]
        yield Question(
            id=f"{episode}/{task}-{counts[task]}",
            task=task,
            utterance=utterance_id(place),
            span=line.sentence.span,
            candidates=tuple(others),
            answer=speaker_id(story.cast.index(meant)),
        )


def questions(episode: str, world: World, story: Story, seen: Seen = in_room) -> tuple[Question, ...]:
    """All questions of the episode: every speaker's shirt, and whom each utterance means."""
    return (*_shirts(episode, world, story), *meanings(episode, world, story, seen))


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
