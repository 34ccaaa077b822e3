"""Damage to bytes as disks, networks and editors do it, made from a seed: the same seed, the same damage."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

MOST_BLOCK = 512  # bytes: a sector


def one_byte(data: bytearray, chance: Random) -> None:
    """Another value in one place."""
    data[chance.randrange(len(data))] ^= chance.randrange(1, 256)


def one_bit(data: bytearray, chance: Random) -> None:
    """One bit turned: a digit or a letter often becomes another one."""
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def several_bytes(data: bytearray, chance: Random) -> None:
    """Other values in several places."""
    for _ in range(chance.randrange(2, 33)):
        one_byte(data, chance)


def cut_short(data: bytearray, chance: Random) -> None:
    """The end is missing, or all of it."""
    del data[chance.randrange(len(data)) :]


def zeroed(data: bytearray, chance: Random) -> None:
    """A block of zeros."""
    start, end = _block(data, chance)
    data[start:end] = bytes(end - start)


def doubled(data: bytearray, chance: Random) -> None:
    """A block that stands there twice."""
    start, end = _block(data, chance)
    data[end:end] = data[start:end]


def inserted(data: bytearray, chance: Random) -> None:
    """Bytes that belong elsewhere."""
    place = chance.randrange(len(data))
    data[place:place] = chance.randbytes(chance.randrange(1, 33))


def another_digit(data: bytearray, chance: Random) -> None:
    """A number that is another one."""
    places = [place for place, value in enumerate(data) if 48 <= value < 58]
    data[chance.choice(places)] = chance.choice(b"0123456789")


KINDS: tuple[Callable[[bytearray, Random], None], ...] = (
    one_byte,
    one_bit,
    several_bytes,
    cut_short,
    zeroed,
    doubled,
    inserted,
    another_digit,
)


def mutated(data: bytes, seed: int) -> bytes:
    """The data with one kind of damage; the kinds take turns over the seeds."""
    result = bytearray(data)
    KINDS[seed % len(KINDS)](result, Random(seed))
    return bytes(result)


def _block(data: bytearray, chance: Random) -> tuple[int, int]:
    start = chance.randrange(len(data))
    return start, min(len(data), start + chance.randrange(1, MOST_BLOCK))
