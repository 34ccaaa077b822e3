"""The games of MMSI: their files, and from them the episodes, one for each utterance that something is asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.converting.context import context, endings, in_order
from socialcli.converting.footage import Footage
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import read_json
from socialcli.episodes.records import Episode, Question, Speaker, Utterance, Video

from .keypoints import Extents, Keypoints
from .selection import TASKS, Selected, selected
from .transcripts import Spoken, read_labels, read_transcript, shown

SPLITS = ("train", "test")
LEAST_SECONDS = 1.0  # of an utterance: the transcripts have whole seconds
REORDERED = "utterances whose time was out of order, and was moved between their neighbours"
MISSING = "games whose video is not there"
NO_PLAYER = "questions whose answer or speaker is no player of the game"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the release's files are; `keypoints` is None where there are to be no boxes."""

    transcripts: Path
    labeled: Path
    meta: Path
    keypoints: Path | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What to ask, and what to show with it."""

    dataset: str
    kinds: tuple[str, ...]  # STI, PCR, MPP
    context: int  # utterances before and after
    online: bool  # nothing after the utterance
    extents: Extents


@dataclass(frozen=True, slots=True)
class Game:
    """A game with everything that its episodes have in common."""

    name: str
    split: str
    players: int
    lines: tuple[Spoken | None, ...]
    labels: tuple[str, ...]
    utterances: Mapping[int, Utterance]  # by place in `lines`
    keypoints: Keypoints | None
    footage: Footage


def read_games(
    split: Path, folders: Folders, choices: Choices, find: Callable[[str], Footage], report: Report
) -> Iterator[Game]:
    """The games of a split file, one at a time. Games that cannot be used are problems of `report`."""
    names = read_json(split)
    if not isinstance(names, Mapping) or not set(SPLITS) & set(names):
        raise SourceError(
            split, None, None, f"has no list of games under {' or '.join(SPLITS)}; give the release's file"
        )
    for part in sorted(set(names) - set(SPLITS)):
        report.count(f"lists of the split file that are neither train nor test ({part})")
    seen: set[str] = set()
    for part in SPLITS:
        games = names.get(part, [])
        if not isinstance(games, list) or not all(isinstance(game, str) for game in games):
            raise SourceError(split, None, part, "is not a list of names of games; correct it")
        for name in games:
            with report.sparing():
                if name in seen:
                    raise SourceError(split, None, part, f"names {name} twice; name each game once")
                seen.add(name)
                yield _read(name, part, folders, choices, find(name), report)


def _read(name: str, split: str, folders: Folders, choices: Choices, footage: Footage, report: Report) -> Game:
    transcript, labelled = folders.transcripts / f"{name}.txt", folders.labeled / f"{name}.txt"
    players = _players(name, folders.meta)
    lines, labels = read_transcript(transcript, report), read_labels(labelled)
    if len(lines) != len(labels):
        message = f"has {len(labels)} lines, and {transcript} has {len(lines)}; give two files that belong together"
        raise SourceError(labelled, min(len(lines), len(labels)) + 1, None, message)
    keypoints = None
    if folders.keypoints is not None:
        size = (footage.width, footage.height)
        keypoints = Keypoints(folders.keypoints / f"{name}.npy", players, size, choices.extents, report)
    if not footage.found:
        report.count(MISSING)
    return Game(
        name, split, players, tuple(lines), tuple(labels), _utterances(lines, players, report), keypoints, footage
    )


def _players(name: str, folder: Path) -> int:
    """How many play: the release names a file VIDEO_GAME, and lists a video's games in VIDEO.json."""
    video, _, game = name.partition("_")
    file = folder / f"{video}.json"
    meta: Any = read_json(file)
    try:
        names = meta[game.partition("_")[0]]["playerNames"]
    except (KeyError, TypeError, IndexError):
        names = None
    if not isinstance(names, list) or len(names) < 2:
        raise SourceError(file, None, f"{game}.playerNames", f"is {names!r}, not a list of the players; correct it")
    return len(names)


def _utterances(lines: Sequence[Spoken | None], players: int, report: Report) -> dict[int, Utterance]:
    """What is said, by place in the transcript, with times in order and an end."""
    there = {place: line for place, line in enumerate(lines) if line is not None}
    times = [line.seconds for line in there.values()]
    starts = in_order(times)
    moved = sum(start != time for start, time in zip(starts, times, strict=True))
    if moved:
        report.count(REORDERED, moved)
    ends = endings(starts, [line.words for line in there.values()], LEAST_SECONDS)
    found = {}
    for (place, line), start, end in zip(there.items(), starts, ends, strict=True):
        known = line.player is not None and line.player < players
        speaker = f"Player{line.player}" if known else None
        found[place] = Utterance(f"u{line.number}", start, end, shown(line.words)[0], speaker)
    return found


def episodes(game: Game, choices: Choices, report: Report) -> Iterator[Episode]:
    """An episode for each utterance that something is asked about, with the utterances around it."""
    for place, line in enumerate(game.lines):
        if line is None:
            continue
        found = [one for kind in choices.kinds for one in selected(line, game.labels[place], kind, game.players)]
        questions = [_question(game, line, one) for one in found if _has_answer(one, game, report)]
        if questions:
            yield _episode(game, line, place, choices, questions)


def _has_answer(one: Selected, game: Game, report: Report) -> bool:
    if one.answer < game.players and one.speaker < game.players:
        return True
    report.count(NO_PLAYER)
    return False


def _question(game: Game, line: Spoken, one: Selected) -> Question:
    span = shown(line.words, one.span)[1]
    name = f"{game.name}/{line.number}/{one.kind}" + ("" if one.span is None else f"/{one.place}")
    everybody = tuple(f"Player{number}" for number in range(game.players))
    to_oneself = one.kind == "STI" and one.answer == one.speaker  # whom the task's own candidates leave out
    candidates = everybody if to_oneself else None
    return Question(name, TASKS[one.kind], f"u{line.number}", span, None, candidates, f"Player{one.answer}")


def _episode(game: Game, line: Spoken, place: int, choices: Choices, questions: Sequence[Question]) -> Episode:
    around = context(place, len(game.lines), choices.context, choices.online)
    said = [game.utterances[one] for one in around if one in game.utterances]
    start, end = said[0].start, game.utterances[place].end if choices.online else max(one.end for one in said)
    return Episode(
        episode_id=f"{game.name}/{line.number}",
        dataset=choices.dataset,
        split=game.split,
        video=Video(game.footage.path, game.footage.width, game.footage.height, start=start, end=end),
        speakers=tuple(Speaker(f"Player{number}", f"Player {number}") for number in range(game.players)),
        utterances=tuple(said),
        boxes=() if game.keypoints is None else tuple(game.keypoints.between(start, end)),
        questions=tuple(questions),
    )
