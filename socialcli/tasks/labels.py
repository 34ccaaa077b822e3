"""The labels of speakers in a prompt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from socialcli.episodes.records import Speaker
from socialcli.tasks.special_tokens import harmless

_NUMBERED = re.compile(r"(?:speaker|player|person)[ _-]?(\d+)", re.IGNORECASE)


def speaker_labels(speakers: Sequence[Speaker], named: bool) -> dict[str, str]:
    """A label for every speaker's id: its name if `named` and it has one, else "Speaker N".

    N is the number in ids such as "speaker3" or "Player_3" if all ids have that form and different numbers; else the
    place in the list, counted from 1. Labels are unique: a name that several speakers share is not used.
    """
    numbered = [f"Speaker {number}" for number in _numbers(speakers)]
    names = [harmless(speaker.name) if named and speaker.name else "" for speaker in speakers]
    times = Counter([*names, *numbered])
    return {
        speaker.id: name if name and times[name] == 1 else number
        for speaker, name, number in zip(speakers, names, numbered, strict=True)
    }


def speaker_numbers(speakers: Sequence[Speaker]) -> dict[str, str]:
    """The N of "Speaker N" for every speaker's id, as text, for the tags of an overlay."""
    return {speaker.id: str(n) for speaker, n in zip(speakers, _numbers(speakers), strict=True)}


def _numbers(speakers: Sequence[Speaker]) -> list[int]:
    matches = [_NUMBERED.fullmatch(speaker.id) for speaker in speakers]
    numbers = [int(match[1]) for match in matches if match]
    if len(set(numbers)) == len(speakers):
        return numbers
    return list(range(1, len(speakers) + 1))
