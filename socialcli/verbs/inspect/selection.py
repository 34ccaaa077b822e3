"""The selected questions of an episodes file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.episodes.reading import EpisodeRow, read_records
from socialcli.errors import UsageError


@dataclass(frozen=True, slots=True)
class Selection:
    """Ids of questions and episodes. No ids select everything; if both are given, both must match.

    `utterances` are ids that must occur in the selected episodes; they do not affect the selection.
    """

    questions: frozenset[str] = frozenset()
    episodes: frozenset[str] = frozenset()
    utterances: frozenset[str] = frozenset()

    def check(self, path: Path) -> None:
        """Raise UsageError, which suggests the closest id, for an id that is not in the file."""
        if not self.questions and not self.episodes and not self.utterances:
            return
        episodes: set[str] = set()
        questions: set[str] = set()
        utterances: set[str] = set()
        for line in read_records(path):
            episodes |= {name for name in [_episode_id(line.record)] if name is not None}
            questions |= set(_ids(line.record, "questions"))
            if self._matches(line.record):
                utterances |= set(_ids(line.record, "utterances"))
        _check_ids("question", self.questions, questions, path)
        _check_ids("episode", self.episodes, episodes, path)
        _check_ids("utterance", self.utterances, utterances, path)

    def includes(self, question: str | None) -> bool:
        """Whether a question of a matching row is selected; None stands for an unreadable id."""
        return not self.questions or question in self.questions

    def matches(self, row: EpisodeRow) -> bool:
        """Whether the row may hold selected questions."""
        return self._matches(row.record)

    def _matches(self, record: Any) -> bool:
        if self.episodes and _episode_id(record) not in self.episodes:
            return False
        return not self.questions or not self.questions.isdisjoint(_ids(record, "questions"))


def _check_ids(what: str, wanted: Iterable[str], known: set[str], path: Path) -> None:
    for name in sorted(wanted):
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UsageError(f"there is no {what} {name!r} in {path}.{hint}")


def _episode_id(record: Any) -> str | None:
    name = record.get("episode_id") if isinstance(record, dict) else None
    return name if isinstance(name, str) else None


def _ids(record: Any, field: str) -> Iterator[str]:
    """The ids of a record's questions or utterances, if any."""
    items = record.get(field) if isinstance(record, dict) else None
    for item in items if isinstance(items, list) else ():
        name = item.get("id") if isinstance(item, dict) else None
        if isinstance(name, str):
            yield name
