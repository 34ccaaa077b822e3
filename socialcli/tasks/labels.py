"""What a speaker is called in a prompt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from socialcli.episodes.records import Speaker
from socialcli.tasks.special_tokens import harmless

_NUMBERED = re.compile(r"(?:speaker|player|person)[ _-]?(\d+)", re.IGNORECASE)


def speaker_labels(speakers: Sequence[Speaker], named: bool) -> dict[str, str]:
    """A label for every speaker's id: its name where `named` and there is one, else "Speaker N".

    N is the number in ids such as "speaker3" or "Player_3", if all ids are of that form and differ in it; else the
    place in the list, counted from 1. No two speakers get the same label: a name that several have tells nobody apart.
    """
    numbered = [f"Speaker {number}" for number in _numbers(speakers)]
    names = [harmless(speaker.name) if named and speaker.name else "" for speaker in speakers]
    times = Counter([*names, *numbered])
    return {
        speaker.id: name if name and times[name] == 1 else number
        for speaker, name, number in zip(speakers, names, numbered, strict=True)
    }


def speaker_numbers(speakers: Sequence[Speaker]) -> dict[str, str]:
    """The N of "Speaker N" for every speaker's id, as text: what an overlay writes on a box."""
    return {speaker.id: str(n) for speaker, n in zip(speakers, _numbers(speakers), strict=True)}


def _numbers(speakers: Sequence[Speaker]) -> list[int]:
    matches = [_NUMBERED.fullmatch(speaker.id) for speaker in speakers]
    numbers = [int(match[1]) for match in matches if match]
    if len(set(numbers)) == len(speakers):
        return numbers
    return list(range(1, len(speakers) + 1))
