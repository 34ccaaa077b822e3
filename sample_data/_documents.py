"""Documents that teach a decoder to read: a transcript, facts about each speaker, and many questions.

They have no pictures, boxes or alignment. A fact about a speaker is either a word before the speaker's name or a hint:
what the speaker's words would have found by attending to the speaker.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from socialcli.synth.appearance import SHIRTS

LETTERS = "ABCD"
_COLUMNS, _ROWS = ("ata", "atb", "atc", "atd"), ("ate", "atf", "atg", "ath")  # of the frame: a person's place


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about a speaker: the words that show it, and the words for it in questions."""

    name: str
    question: str
    words: tuple[str, ...]
    called: tuple[str, ...]


FACTS = (
    Fact("colour", "What is the colour of {label}'s shirt?", tuple(SHIRTS), tuple(SHIRTS)),
    Fact("column", "What is the column of {label}'s shirt?", _COLUMNS, _COLUMNS),
    Fact("row", "What is the row of {label}'s shirt?", _ROWS, _ROWS),
    Fact("aimed column", "What is the column of {label}'s aim?", ("toa", "tob", "toc", "tod"), _COLUMNS),
    Fact("aimed row", "What is the row of {label}'s aim?", ("toe", "tof", "tog", "toh"), _ROWS),
)
AIMS = (3, 4)  # the numbers of the facts about where a person points
WHOM = (
    'Whom does {label} address with "{said}"?',
    'Whom does "them" mean when {label} says "{said}"?',
    'Who is [...] when {label} says "{said}"?',
)
# The kinds of questions, as often as they are asked. "fact": what is the colour of a shirt? "recall": of all shirts?
# With options, "option": which is this colour? "letter": which is the colour of a shirt? "wearer": who wears it?
# "who": who is at this place? "aim": who is where somebody points? "whom": as prompts ask whom somebody means.
SIMPLE = ("fact", "recall")
COLOURS = (*SIMPLE, "option", "letter", "letter", "wearer", "wearer")
ALL = ("recall", "fact", "fact", "letter", "wearer", "who", "who", "aim", "aim", "whom", "whom")
# The same with a larger share of what comes last: a kind that is new is learnt where it is asked often.
MOSTLY_WHO = ("recall", "fact", "letter", "who", "who", "who", "who")
MOSTLY_AIM = ("recall", "fact", "fact", "fact", "letter", "wearer", "who", "aim", "aim", "aim", "whom", "whom")
MOSTLY_WHOM = ("recall", "fact", "who", "who", "aim", "aim", "aim", "whom", "whom", "whom")


@dataclass(frozen=True, slots=True)
class Answer:
    """The token to be learnt after a position of a document."""

    place: int
    token: int
    kind: str  # of question; "end" for the token that ends an answer


@dataclass(frozen=True, slots=True)
class Document:
    """Tokens; the answers to be learnt; and hints (position, tokens): everything that the words there have found."""

    ids: list[int]
    answers: list[Answer]
    hints: list[tuple[int, tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class Person:
    """A speaker of a document."""

    label: str
    facts: tuple[int, ...]  # for each of `FACTS`, the index of its word
    said: str

    def shown(self, fact: int) -> str:
        """The word that shows a fact."""
        return FACTS[fact].words[self.facts[fact]]

    def called(self, fact: int) -> str:
        """The word for a fact in questions."""
        return FACTS[fact].called[self.facts[fact]]


def words(tokenizer: Any) -> list[list[int]]:
    """The tokens of the words that show each of `FACTS`; each word must be one token."""
    tokens = [[_tokens(tokenizer, f" {word}", "x") for word in fact.words] for fact in FACTS]
    return [[token for (token,) in fact] for fact in tokens]


def _tokens(tokenizer: Any, text: str, before: str) -> list[int]:
    """The tokens of a text that follows `before`."""
    ids: list[list[int]] = [tokenizer(one, add_special_tokens=False)["input_ids"] for one in (before, before + text)]
    return ids[1][len(ids[0]) :]


@dataclass(slots=True)
class Library:
    """Writes documents in the words and the chat format of a checkpoint."""

    tokenizer: Any
    head: str  # the format before a user's text
    tail: str  # the format after it, up to the answer
    letter_prefix: str
    end: int  # the token that ends an answer
    sentences: Sequence[str]
    rng: random.Random
    questions: int = 8
    _known: dict[str, list[int]] = field(default_factory=dict)

    def write(self, kinds: Sequence[str], given: int | None, whole: bool = False) -> Document:
        """A document with questions of these kinds.

        Its words give fact number `given` of each speaker; if None, hints give all facts. `whole`: the transcript is as
        in a prompt; otherwise the people are not listed and say at most a few words.
        """
        people = self._people(whole)
        listed = "People in the video: Speaker 1, Speaker 2, Speaker 3, Speaker 4.\n" if whole else ""
        ids: list[int] = self.tokenizer(f"{self.head}{listed}Transcript:")["input_ids"]
        hints: list[tuple[int, tuple[int, ...]]] = []
        for one in people:
            start = len(ids) + 1  # after the newline
            ids = ids + self._tokens(f"\n{one.label}:" if given is None else f"\n {one.shown(given)} {one.label}:")
            ids = ids + self._tokens(f" {one.said}" if one.said else "")
            if given is None:
                found = tuple(self._word(one.shown(fact)) for fact in range(len(FACTS)))
                hints += [(place, found) for place in range(start, len(ids))]
        answers: list[Answer] = []
        for _ in range(self.questions):
            kind = self.rng.choice(kinds)
            fact = given if given is not None else self.rng.choice(AIMS if kind == "aim" else range(len(FACTS)))
            if kind == "recall":
                ids = self._recalled(ids, fact, people, answers)
                continue
            question, answer = self._question(kind, fact, people)
            ids = ids + self._tokens("\nQuestion: " + question) + self._tokens(self.tail)
            token = self._tokens(answer, self.tail)[-1]
            answers += [Answer(len(ids) - 1, token, kind), Answer(len(ids), self.end, "end")]
            ids = [*ids, token, self.end]
        return Document(ids, answers, hints)

    def _people(self, whole: bool) -> list[Person]:
        """Four people with distinct shirts and places, who point at each other."""
        shirts = self.rng.sample(range(len(FACTS[0].words)), 4)
        squares = self.rng.sample(list(product(range(4), range(4))), 4)
        people = []
        for number, label in enumerate(self.rng.sample("1234", 4)):
            aim = self.rng.choice([square for square in squares if square != squares[number]])
            said = self.rng.choice(self.sentences)
            if not whole:
                said = " ".join(said.rstrip(".!?").split()[: self.rng.randrange(4)])
            people.append(Person(f"Speaker {label}", (shirts[number], *squares[number], *aim), said))
        return people

    def _recalled(self, ids: list[int], fact: int, people: Sequence[Person], answers: list[Answer]) -> list[int]:
        """The tokens, followed by all speakers as options, each with the word to be learnt for the fact."""
        ids = ids + self._tokens(f"\nQuestion: {FACTS[fact].name}?")
        for letter, one in zip(LETTERS, self.rng.sample(people, len(people)), strict=True):
            ids = ids + self._tokens(f"\n{letter}. {one.label}")
            answers.append(Answer(len(ids) - 1, self._word(one.called(fact)), "recall"))
            ids = [*ids, self._word(one.called(fact))]
        return ids

    def _question(self, kind: str, fact: int, people: Sequence[Person]) -> tuple[str, str]:
        """A question's text and its answer: a word, or the letter of an option."""
        asked = self.rng.choice(people)
        shirt, shirts, labels = asked.called(0), [one.called(0) for one in people], [one.label for one in people]
        match kind:
            case "fact":
                return FACTS[fact].question.format(label=asked.label), f" {asked.called(fact)}"
            case "option":
                return self._options(f"{shirt}?", shirts, shirt)
            case "letter":
                return self._options(FACTS[0].question.format(label=asked.label), shirts, shirt)
            case "wearer":
                return self._options(f"{shirt}?", labels, asked.label)
        text = f"{asked.called(3)} {asked.called(4)}?"
        if kind == "aim":
            text = FACTS[fact].question.format(label=asked.label)
        elif kind == "whom":
            text = self.rng.choice(WHOM).format(label=asked.label, said=asked.said)
        meant = next(one.label for one in people if one.facts[1:3] == asked.facts[3:])
        return self._options(text, [label for label in labels if label != asked.label], meant)

    def _options(self, text: str, options: Sequence[str], answer: str) -> tuple[str, str]:
        """A question with these options in random order, and the answer's letter."""
        options = self.rng.sample(options, len(options))
        listed = "".join(f"\n{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
        text = f"{text}{listed}\nAnswer with the letter of the right option only."
        return text, self.letter_prefix + LETTERS[options.index(answer)]

    def _word(self, word: str) -> int:
        (token,) = self._tokens(f" {word}")
        return token

    def _tokens(self, text: str, before: str = "x") -> list[int]:
        if text not in self._known:
            self._known[text] = _tokens(self.tokenizer, text, before)
        return self._known[text]
