"""Who is who in an episode, and who says what: drawn without a look at the world.

A speaker's label is given to any of the people alike, speakers take turns in any order, and sentences fit everybody.
Whom a sentence means is then read off the world: it is the person at whom its speaker points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from socialcli.synth.sentences import Sentence, draw_sentences


@dataclass(frozen=True, slots=True)
class Line:
    """What the speaker of number `speaker`, from 0, says in one stretch of the clip."""

    speaker: int
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Story:
    """`cast[k]` is the person of the world that speaker k is; `lines` has one for each stretch.

    `asked` is the order in which speakers are asked about, and `choices[k]` the order of the candidates of speaker k's
    question, both as numbers of speakers.
    """

    cast: tuple[int, ...]
    lines: tuple[Line, ...]
    asked: tuple[int, ...]
    choices: tuple[tuple[int, ...], ...]


def draw_story(speakers: int, turns: int, rng: np.random.Generator) -> Story:
    """A story in which each of the speakers has as many lines as there are turns."""
    order = [speaker for _ in range(turns) for speaker in _shuffled(speakers, rng)]
    sentences = draw_sentences(len(order), rng)
    return Story(
        cast=_shuffled(speakers, rng),
        lines=tuple(Line(speaker, sentence) for speaker, sentence in zip(order, sentences, strict=True)),
        asked=_shuffled(speakers, rng),
        choices=tuple(_shuffled(speakers, rng) for _ in range(speakers)),
    )


def _shuffled(count: int, rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(number) for number in rng.permutation(count))
