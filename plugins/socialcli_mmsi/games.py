"""Read the games of MMSI and create an episode for each utterance with a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.converting.clip_media import ClipMedia
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import read_json
from socialcli.converting.utterances import context_window, end_times, repair_order
from socialcli.episodes.records import Episode, Question, Speaker, Utterance, Video

from .keypoints import BoxRule, Keypoints
from .selection import TASKS, SelectedQuestion, select_questions
from .transcripts import TranscriptLine, display_text, read_labels, read_transcript

SPLITS = ("train", "test")
LEAST_SECONDS = 1.0  # of an utterance: the transcripts have whole seconds
REORDERED = "utterances whose time was out of order and was changed to fit"
MISSING = "games whose video is missing"
NO_PLAYER = "questions whose answer or speaker is not a player of the game"


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of the release; `keypoints` is None if boxes are not wanted."""

    transcripts: Path
    labeled: Path
    meta: Path
    keypoints: Path | None


@dataclass(frozen=True, slots=True)
class Choices:
    """Which questions to include, and what to show with them."""

    dataset: str
    kinds: tuple[str, ...]  # STI, PCR, MPP
    context: int  # utterances before and after
    online: bool  # nothing after the utterance
    box_rule: BoxRule


@dataclass(frozen=True, slots=True)
class Game:
    """A game, with everything that its episodes share."""

    name: str
    split: str
    players: int
    lines: tuple[TranscriptLine | None, ...]
    labels: tuple[str, ...]
    utterances: Mapping[int, Utterance]  # by place in `lines`
    keypoints: Keypoints | None
    media: ClipMedia


def read_games(
    split: Path, folders: Folders, choices: Choices, find: Callable[[str], ClipMedia], report: Report
) -> Iterator[Game]:
    """The games of a split file, one at a time. Games that cannot be used go to `report` as problems."""
    names = read_json(split)
    if not isinstance(names, Mapping) or not set(SPLITS) & set(names):
        raise SourceError(
            split, None, None, f"has no list of games under {' or '.join(SPLITS)}; name the release's file"
        )
    for part in sorted(set(names) - set(SPLITS)):
        report.count(f"lists of the split file that are neither train nor test ({part})")
    seen: set[str] = set()
    for part in SPLITS:
        games = names.get(part, [])
        if not isinstance(games, list) or not all(isinstance(game, str) for game in games):
            raise SourceError(split, None, part, "is not a list of game names; correct it")
        for name in games:
            with report.skipping_bad():
                if name in seen:
                    raise SourceError(split, None, part, f"names {name} twice; name each game once")
                seen.add(name)
                yield _read(name, part, folders, choices, find(name), report)


def _read(name: str, split: str, folders: Folders, choices: Choices, media: ClipMedia, report: Report) -> Game:
    transcript, labelled = folders.transcripts / f"{name}.txt", folders.labeled / f"{name}.txt"
    players = _players(name, folders.meta)
    lines, labels = read_transcript(transcript, report), read_labels(labelled)
    if len(lines) != len(labels):
        message = f"has {len(labels)} lines, but {transcript} has {len(lines)}; name two files that belong together"
        raise SourceError(labelled, min(len(lines), len(labels)) + 1, None, message)
    keypoints = None
    if folders.keypoints is not None:
        size = (media.width, media.height)
        keypoints = Keypoints(folders.keypoints / f"{name}.npy", players, size, choices.box_rule, report)
    if not media.found:
        report.count(MISSING)
    return Game(
        name, split, players, tuple(lines), tuple(labels), _utterances(lines, players, report), keypoints, media
    )


def _players(name: str, folder: Path) -> int:
    """The number of players. The release names a game's files VIDEO_GAME and lists a video's games in VIDEO.json."""
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


def _utterances(lines: Sequence[TranscriptLine | None], players: int, report: Report) -> dict[int, Utterance]:
    """The utterances by place in the transcript, with ordered start times and with end times."""
    readable = {place: line for place, line in enumerate(lines) if line is not None}
    times = [line.seconds for line in readable.values()]
    starts = repair_order(times)
    moved = sum(start != time for start, time in zip(starts, times, strict=True))
    if moved:
        report.count(REORDERED, moved)
    ends = end_times(starts, [line.words for line in readable.values()], LEAST_SECONDS)
    found = {}
    for (place, line), start, end in zip(readable.items(), starts, ends, strict=True):
        known = line.player is not None and line.player < players
        speaker = f"Player{line.player}" if known else None
        found[place] = Utterance(f"u{line.number}", start, end, display_text(line.words)[0], speaker)
    return found


def episodes(game: Game, choices: Choices, report: Report) -> Iterator[Episode]:
    """An episode for each utterance with a question, with the utterances around it."""
    for place, line in enumerate(game.lines):
        if line is None:
            continue
        found = [
            one for kind in choices.kinds for one in select_questions(line, game.labels[place], kind, game.players)
        ]
        questions = [_question(game, line, one) for one in found if _has_answer(one, game, report)]
        if questions:
            yield _episode(game, line, place, choices, questions)


def _has_answer(one: SelectedQuestion, game: Game, report: Report) -> bool:
    if one.answer < game.players and one.speaker < game.players:
        return True
    report.count(NO_PLAYER)
    return False


def _question(game: Game, line: TranscriptLine, one: SelectedQuestion) -> Question:
    span = display_text(line.words, one.span)[1]
    name = f"{game.name}/{line.number}/{one.kind}" + ("" if one.span is None else f"/{one.place}")
    everybody = tuple(f"Player{number}" for number in range(game.players))
    to_oneself = one.kind == "STI" and one.answer == one.speaker  # the task's default candidates omit the speaker
    candidates = everybody if to_oneself else None
    return Question(name, TASKS[one.kind], f"u{line.number}", span, None, candidates, f"Player{one.answer}")


def _episode(game: Game, line: TranscriptLine, place: int, choices: Choices, questions: Sequence[Question]) -> Episode:
    around = context_window(place, len(game.lines), choices.context, choices.online)
    said = [game.utterances[one] for one in around if one in game.utterances]
    start, end = said[0].start, game.utterances[place].end if choices.online else max(one.end for one in said)
    return Episode(
        episode_id=f"{game.name}/{line.number}",
        dataset=choices.dataset,
        split=game.split,
        video=Video(game.media.path, game.media.width, game.media.height, start=start, end=end),
        speakers=tuple(Speaker(f"Player{number}", f"Player {number}") for number in range(game.players)),
        utterances=tuple(said),
        boxes=() if game.keypoints is None else tuple(game.keypoints.between(start, end)),
        questions=tuple(questions),
    )
