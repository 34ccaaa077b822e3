"""Identify the people among the labels of TVQA+'s boxes.

Annotators labelled a box with the word of the question or answer that it shows: names in any spelling, things, groups,
people without a name. Only people who can be identified become speakers.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from socialcli.converting.labels import known_name

# The people of "The Big Bang Theory", the only series of TVQA+, that its questions name. Subtitles name more.
CAST = (
    *("Sheldon", "Leonard", "Penny", "Howard", "Raj", "Bernadette", "Amy", "Stuart", "Emily", "Wil", "Barry", "Leslie"),
    *("Priya", "Zack", "Bert", "Beverly", "Mary", "Missy", "Kurt", "Alex", "Lucy", "Arthur", "Claire", "Stephanie"),
    *("Ramona", "Dave", "Dimitri", "Toby", "Christy", "Mike", "Alicia", "Dennis", "Eric", "Lalita", "Gablehauser"),
    *("Seibert", "Wyatt", "Alfred", "Janine", "Kripke", "Debbie", "Halley"),
)
OTHER_NAMES = {
    "Rajesh": "Raj",
    "Koothrappali": "Raj",
    "Wolowitz": "Howard",
    "Hofstadter": "Leonard",
    "Cooper": "Sheldon",
}
OTHER_NAMES |= {"Kripke": "Barry", "Winkle": "Leslie", "Bernie": "Bernadette", "Rostenkowski": "Bernadette"}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GROUPS = _words("""
    all both boys children couple couples crowd customers everybody everyone family friends gang girls group guests guys
    kids ladies men parents people scientists students them they women
""")
NAMELESS = _words("""
    actor actress baby bartender boy boyfriend brother cashier child clerk customer dad doctor driver father friend
    gentleman girl girlfriend guest guy host husband kid lady man mom mother neighbor nurse officer person physicist
    professor receptionist scientist sister someone student teacher waiter waitress wife woman worker
""")


class People:
    """Identifies the person of a label: one of the cast, or of the names from subtitles and the user."""

    def __init__(self, names: Iterable[str] = (), persons: Iterable[str] = ()) -> None:
        """Know the cast, `names`, and `persons`, which are people whatever else the word may mean."""
        known = {name.casefold(): name for name in CAST}
        for name in names:
            known.setdefault(name.casefold(), name)
        known.update({name.casefold(): meant for name, meant in OTHER_NAMES.items()})
        self._persons = {name.casefold(): name for name in persons}
        self._known = known | self._persons
        self.who = cache(self._who)

    def _who(self, label: str) -> str | None:
        """The name of the person that a label stands for, in any spelling; None if it is nobody in particular."""
        words = label.casefold().removesuffix("'s").removesuffix("’s").split()
        folded = " ".join(words)
        if folded in self._persons:
            return self._persons[folded]
        if folded in GROUPS or folded in NAMELESS - self._known.keys() or known_name(label) is None:
            return None
        if folded in self._known:
            return self._known[folded]
        if len(words) == 2 and all(word in self._known for word in words):  # "Penny Hofstadter"
            return self._known[words[0]]
        if not label[:1].isupper():  # "berry" is not a misspelling of Barry
            return None
        near = {self._known[name] for name in self._known if _misspells(folded, name)}
        return near.pop() if len(near) == 1 else None


def _misspells(label: str, name: str) -> bool:
    """Whether a label is a longer name with one typo: a letter wrong, missing or added, or two swapped."""
    if min(len(label), len(name)) < 5 or label[0] != name[0] or abs(len(label) - len(name)) > 1:
        return False
    start = next((i for i, (one, other) in enumerate(zip(label, name, strict=False)) if one != other), None)
    if start is None:
        return True  # one is the other plus a final letter
    rest, right = label[start:], name[start:]
    return (
        rest[1:] == right[1:]
        or rest[1:] == right
        or rest == right[1:]
        or (rest[:2] == right[1::-1] and rest[2:] == right[2:])
    )
