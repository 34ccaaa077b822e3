"""Files beside an episode of a world that speaks: subtitles without names, who speaks when, and who is on screen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from socialcli.episodes.records import Episode, Utterance
from socialcli.synth.film.film import Film
from socialcli.synth.questions import speaker_id
from socialcli.synth.speech.talk import Talk
from socialcli.synth.story import Story
from socialcli.synth.world import World


def subtitles(utterances: Sequence[Utterance]) -> str:
    """The utterances as SubRip, without their speakers."""
    cues = [
        f"{number}\n{_clock(one.start)} --> {_clock(one.end)}\n{one.text}\n"
        for number, one in enumerate(utterances, start=1)
    ]
    return "\n".join(cues)


def diarization(episode: Episode) -> str:
    """Who speaks when, as RTTM: a line per utterance, with the episode as the recording, and its start and duration."""
    lines = [
        f"SPEAKER {episode.episode_id} 1 {one.start:.3f} {one.end - one.start:.3f} <NA> <NA> {one.speaker} <NA> <NA>\n"
        for one in episode.utterances
    ]
    return "".join(lines)


def truth(world: World, story: Story, talk: Talk, film: Film, synthesizer: str) -> str:
    """The rest as JSON: the synthesizer, everybody's looks and voice, when each is on screen, and the shots.

    A person's `speaker` is null for somebody who never speaks. Times are seconds, [start, end).
    """
    speakers = {person: speaker_id(number) for number, person in enumerate(story.cast)}
    names = [speakers.get(person) or f"bystander{person + 1}" for person in range(len(world.people))]
    people = [
        {
            "id": name,
            "speaker": speakers.get(person),
            "look": asdict(world.people[person].look),
            "voice": asdict(talk.voices[person]) if person in speakers else None,
            "on_screen": _spans(film, person, world.fps),
        }
        for person, name in enumerate(names)
    ]
    shots = [
        {
            "start": round(shot.first / world.fps, 6),
            "end": round(shot.end / world.fps, 6),
            "framing": shot.framing,
            "corner": list(shot.view.corner),
            "zoom": shot.view.zoom,
            "people": [names[person] for person in sorted(shot.people)],
        }
        for shot in film.shots
    ]
    return _json({"synthesizer": synthesizer, "people": people, "shots": shots})


def _spans(film: Film, person: int, fps: int) -> list[list[float]]:
    """The times at which a person is on screen."""
    spans: list[list[float]] = []
    for shot in film.shots:
        if person not in shot.people:
            continue
        start, end = round(shot.first / fps, 6), round(shot.end / fps, 6)
        if spans and spans[-1][1] == start:
            spans[-1][1] = end
        else:
            spans.append([start, end])
    return spans


def _clock(seconds: float) -> str:
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d},{rest % 1000:03d}"


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"
