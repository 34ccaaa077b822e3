"""Checks that the numbers in the names of a folder's images have no gap: an image's place is its time."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import groupby, pairwise
from pathlib import PurePath
from typing import NamedTuple

from socialcli.errors import VideoError

_NUMBER = re.compile(r"[0-9]+")
_ROUNDED = 9  # steps above it may be rounded times, such as 33 and 34 ms
# What file managers and browsers add to the name of a copy: "3 (1)", "3 copy 2", "3 - Copy", "3~1", "copy of 3".
_COPY = re.compile(
    r"(?P<of>.*[0-9])(?: ?\([0-9]+\)|[ _]?-?[ _]?(?:copy|kopie|copie|copia)(?: ?\(?[0-9]+\)?)?|~[0-9]*|_dup[0-9]*)"
    r"|(?:copy of|kopie von|copie de|copia de) (?P<from>.*[0-9].*)"
)
_ADVICE = "An image's place among the others is its time, so the folder must hold each number once"


class _Name(NamedTuple):
    """An image's name, split into its numbers and the text between them."""

    text: str
    stem: str  # in one spelling
    words: tuple[str, ...]
    numbers: tuple[int, ...]


def check_numbers(folder: PurePath, names: Sequence[str]) -> None:
    """Raise VideoError where the running number in `names`, in their natural order, has a gap or a repeat.

    Names have a running number if more than half of them differ only in numbers. It may start anywhere and increase by
    any constant step (give or take one, for times rounded to milliseconds). Names without numbers, such as words or
    hashes, are not checked.
    """
    found = [_split(name) for name in names]
    _check_copies(folder, found)
    words, count = Counter(name.words for name in found).most_common(1)[0]
    if len(words) == 1 or 2 * count <= len(found):
        return
    numbered = [name for name in found if name.words == words]
    for one in found:
        if one.words != words:
            raise VideoError(
                f"{folder}: {one.text} is not named like {numbered[0].text} and {count - 1} other images, so its "
                f"place is unknown. {_ADVICE}; move {one.text} out of it, or rename it"
            )
    _check_running(folder, numbered)


def _split(name: str) -> _Name:
    stem = unicodedata.normalize("NFC", PurePath(name).stem).casefold()
    return _Name(name, stem, tuple(_NUMBER.split(stem)), tuple(map(int, _NUMBER.findall(stem))))


def _check_copies(folder: PurePath, found: Sequence[_Name]) -> None:
    stems = {one.stem: one for one in found}
    for stem, one in stems.items():
        copy = _COPY.fullmatch(stem)
        original = stems.get(copy["of"] or copy["from"]) if copy else None
        if original is not None:
            raise _repeated(folder, original, one)


def _check_running(folder: PurePath, names: Sequence[_Name]) -> None:
    """Check the last number that differs between names, within groups that share the numbers before it."""
    for one, other in pairwise(sorted(names, key=lambda name: name.numbers)):
        if one.numbers == other.numbers:
            raise _repeated(folder, one, other)
    varying = [place for place in range(len(names[0].numbers)) if len({name.numbers[place] for name in names}) > 1]
    if any(_is_even([name.numbers[place] for name in names]) for place in varying):
        return
    if len(varying) == 1:
        _check_steps(folder, names, varying[0])
    elif varying:
        # With shots or clock times in front, each group counts on its own, if it counts one by one at all.
        for _, part in groupby(names, key=lambda name: name.numbers[: varying[-1]]):
            group = list(part)
            steps = Counter(_steps([name.numbers[varying[-1]] for name in group]))
            if 2 * steps[1] > steps.total():
                _check_steps(folder, group, varying[-1])


def _check_steps(folder: PurePath, names: Sequence[_Name], place: int) -> None:
    numbers = [name.numbers[place] for name in names]
    if _is_even(numbers):
        return
    usual = min(Counter(_steps(numbers)).most_common(), key=lambda item: (-item[1], item[0]))[0]
    for one, other in pairwise(names):
        step = other.numbers[place] - one.numbers[place]
        if step != usual and not (min(step, usual) > 1 and abs(step - usual) == 1):
            whole = round(step / usual)
            missing = whole > 1 and abs(step - whole * usual) <= (whole if usual > _ROUNDED else 0)
            what = f"{whole - 1} missing" if missing else f"the others go up by {usual}"
            raise VideoError(
                f"{folder}: the numbers in the images' names have a gap: after {one.text} comes {other.text} ({what}). "
                f"{_ADVICE}; add the missing images, or number the images again from first to last"
            )


def _is_even(numbers: Sequence[int]) -> bool:
    """Whether numbers rise by a constant step, or by two steps that differ by 1, as rounded times do."""
    steps = _steps(numbers)
    return not steps or (min(steps) > 0 and max(steps) - min(steps) <= (min(steps) > 1))


def _steps(numbers: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise(numbers)]


def _repeated(folder: PurePath, one: _Name, other: _Name) -> VideoError:
    return VideoError(
        f"{folder}: {one.text} and {other.text} are the same number. {_ADVICE}; move one of them out of it"
    )
