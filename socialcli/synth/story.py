"""The speakers' identities and lines in an episode, drawn independently of the world.

Each speaker's label goes to any person with equal probability, speakers take turns in random order, and sentences fit
everybody. Whom a sentence means follows from the world: the person at whom its speaker points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from socialcli.synth.sentences import Sentence, draw_sentences


@dataclass(frozen=True, slots=True)
class Line:
    """The sentence of speaker `speaker`, counted from 0, in one stretch of the clip."""

    speaker: int
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Story:
    """The cast and lines of an episode: `cast[k]` is the person of speaker k; `lines` has one line per stretch.

    `asked` is the order of the questions about speakers, and `choices[k]` the order of the candidates of speaker k's
    question, both as speaker numbers.
    """

    cast: tuple[int, ...]
    lines: tuple[Line, ...]
    asked: tuple[int, ...]
    choices: tuple[tuple[int, ...], ...]


def draw_story(speakers: int, turns: int, rng: np.random.Generator) -> Story:
    """A random story in which each speaker has one line per turn."""
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
