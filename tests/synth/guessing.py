"""Guessing answers from the words of prompts alone, as well as simple learners can."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from socialcli.tasks.prompt import Prompt

Floats = npt.NDArray[np.float64]

_STEPS, _RATE, _DECAY = 300, 0.5, 1e-3
_HELD_OUT = 0.5


@dataclass(frozen=True)
class Case:
    """A prompt, and the index of the candidate that is right."""

    prompt: Prompt
    answer: int


@dataclass(frozen=True)
class Score:
    """How often a learner was right on cases that it had not seen, and how often it would be by chance."""

    accuracy: float
    chance: float
    cases: int

    @property
    def errors(self) -> float:
        """How many standard errors the accuracy lies above chance."""
        return (self.accuracy - self.chance) / float(np.sqrt(self.chance * (1 - self.chance) / self.cases))


def by_words(cases: Sequence[Case]) -> Score:
    """Naive Bayes: which letter is right, given which words and pairs of words are in the prompt."""
    learnt, held_out = _parts(cases)
    counts: list[Counter[str]] = [Counter() for _ in range(_most(cases))]
    for case in learnt:
        counts[case.answer].update(_words(case.prompt.text))
    answers = Counter(case.answer for case in learnt)
    numbers = {word: number for number, word in enumerate(set().union(*counts))}
    table = np.array([[count[word] + 1.0 for word in numbers] for count in counts])
    scores = np.log(table / table.sum(axis=1, keepdims=True))
    prior = np.log([answers[letter] + 1 for letter in range(len(counts))])

    def guess(case: Case) -> int:
        found = [numbers[word] for word in _words(case.prompt.text) & numbers.keys()]
        return int(np.argmax((prior + scores[:, found].sum(axis=1))[: len(case.prompt.candidates)]))

    return _score(held_out, [guess(case) for case in held_out])


def by_candidates(cases: Sequence[Case]) -> Score:
    """Logistic regression over the candidates: letter, label, turns, what each says, how often it is named."""
    names: dict[str, int] = {}
    rows = [[{names.setdefault(name, len(names)) for name in row} for row in _features(case)] for case in cases]
    inputs = np.zeros((len(cases), _most(cases), len(names)))
    for one, candidates in enumerate(rows):
        for other, features in enumerate(candidates):
            inputs[one, other, list(features)] = 1
    absent = np.array([[other >= len(row) for other in range(inputs.shape[1])] for row in rows])
    answers = np.array([case.answer for case in cases])
    border = len(_parts(cases)[0])
    weights = _fit(inputs[:border], absent[:border], answers[:border])
    guesses = _logits(inputs[border:], absent[border:], weights).argmax(axis=1)
    return _score(cases[border:], guesses.tolist())


def _fit(inputs: Floats, absent: npt.NDArray[np.bool_], answers: npt.NDArray[np.int64]) -> Floats:
    weights = np.zeros(inputs.shape[2])
    right = np.eye(inputs.shape[1])[answers]
    for _ in range(_STEPS):
        logits = _logits(inputs, absent, weights)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        gradient = np.tensordot(right - shares, inputs, axes=2) / len(inputs)
        weights += _RATE * (gradient - _DECAY * weights)
    return weights


def _logits(inputs: Floats, absent: npt.NDArray[np.bool_], weights: Floats) -> Floats:
    logits: Floats = np.where(absent, -np.inf, inputs @ weights)
    return logits


def _features(case: Case) -> list[list[str]]:
    """What there is to say about each candidate of a prompt."""
    prompt = case.prompt
    lines = [prompt.text[slice(*span)].partition(": ") for span in prompt.spans]
    said = [label for label, _, _ in lines]
    question = prompt.text[prompt.spans[-1][1] :].partition("\n")[2].partition("\n")[0]
    asked = next((place for place, (label, _, _) in enumerate(lines) if label in question), 0)
    found = []
    for place, candidate in enumerate(prompt.candidates):
        turns = [turn for turn, label in enumerate(said) if label == candidate.label]
        words = {word for turn in turns for word in _words(lines[turn][2])}
        found.append(
            [
                f"letter {place}",
                f"label {candidate.label}",
                f"named {prompt.text.count(candidate.label)}",
                *(f"turn {turn}" for turn in turns),
                *(f"after {turn - asked}" for turn in turns),
                *(f"says {word}" for word in words),
            ]
        )
    return found


def _words(text: str) -> set[str]:
    words = re.findall(r"\w+|\[...\]", text.lower())
    return {*words, *map(" ".join, pairwise(words))}


def _parts(cases: Sequence[Case]) -> tuple[Sequence[Case], Sequence[Case]]:
    border = round(len(cases) * (1 - _HELD_OUT))
    return cases[:border], cases[border:]


def _most(cases: Sequence[Case]) -> int:
    return max(len(case.prompt.candidates) for case in cases)


def _score(cases: Sequence[Case], guesses: Sequence[int]) -> Score:
    right = [case.answer == guess for case, guess in zip(cases, guesses, strict=True)]
    chance = np.mean([1 / len(case.prompt.candidates) for case in cases])
    return Score(float(np.mean(right)), float(chance), len(cases))
