"""Errors in who says what: the mistakes of diarization, and people whom no camera shows.

Each function gives the episode with other speakers of its utterances; `level` is above 0. Times and words stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from socialcli.episodes.records import Episode, Utterance
from socialcli.perturbation.draws import Draws


def wrong_speaker(episode: Episode, level: float, draws: Draws, _gap: float) -> Episode:
    """Each utterance is another speaker's with a probability of `level`, any of them with equal probability."""
    people = [speaker.id for speaker in episode.speakers]

    def another(line: Utterance) -> str | None:
        others = [name for name in people if name != line.speaker]
        return others[int(len(others) * draws.uniform("speaker", line.id))] if others else line.speaker

    return _with_speakers(episode, level, draws, another)


def off_screen(episode: Episode, level: float, draws: Draws, _gap: float) -> Episode:
    """The speaker of each utterance has no region with a probability of `level`, as somebody whom no frame shows.

    The utterance gets the id of a speaker who has no box: its words are still known to be said by somebody.
    """
    taken = {speaker.id for speaker in episode.speakers} | {box.speaker for box in episode.boxes}

    def unseen(line: Utterance) -> str:
        name = f"{line.speaker} (off screen)"
        while name in taken:
            name += "'"
        return name

    return _with_speakers(episode, level, draws, unseen)


def unlabelled(episode: Episode, level: float, draws: Draws, _gap: float) -> Episode:
    """The speaker of each utterance is unknown with a probability of `level`."""
    return _with_speakers(episode, level, draws, lambda _: None)


def _with_speakers(episode: Episode, level: float, draws: Draws, changed: Callable[[Utterance], str | None]) -> Episode:
    """The episode with other speakers of a share of its utterances; those without a speaker stay as they are."""
    lines = tuple(
        replace(line, speaker=changed(line))
        if line.speaker is not None and draws.uniform("utterance", line.id) < level
        else line
        for line in episode.utterances
    )
    return replace(episode, utterances=lines)
