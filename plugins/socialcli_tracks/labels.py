"""Who is meant by the labels of trackers, diarizers and subtitles: a table of `label,speaker` and, if known, `name`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from socialcli.converting.labels import known_name, normal_id
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import read_text
from socialcli.converting.transcripts.speech import by_spelling
from socialcli.episodes.records import Speaker
from socialcli.words.boundaries import is_called
from socialcli.words.spelling import folded

from .tables import read_table


@dataclass
class Labels:
    """The table. Without one, every label is a speaker of its own.

    `met` holds the speakers who came up without a table, in the order of their first mention.
    """

    speakers: dict[str, str] = field(default_factory=dict)  # by label, both as `normal_id` spells them
    names: dict[str, str] = field(default_factory=dict)  # by speaker
    given: bool = False
    met: dict[str, None] = field(default_factory=dict)

    def speaker(self, label: str, kind: str, report: Report) -> str | None:
        """Whom a label means; None, and counted, where the table does not have it. `kind`: "boxes of the track".

        A marker of nobody means somebody only where the table says whom.
        """
        label = normal_id(label)
        if self.is_nobody(label):
            report.count(f"{kind} {label!r}, which names nobody")
            return None
        if not self.given:
            self.met[label] = None
            return label
        if label not in self.speakers:
            report.count(f"{kind} {label!r}, which --labels does not name")
        return self.speakers.get(label)

    def is_nobody(self, label: str) -> bool:
        """Whether a label is a marker of nobody, which the table does not give to somebody."""
        return normal_id(label) not in self.speakers and known_name(label) is None

    def first(self, label: str) -> str:
        """The first label of the table that means the same person; the label itself where it is not in the table."""
        speaker = self.speakers.get(label)
        return label if speaker is None else next(one for one in self.speakers if self.speakers[one] == speaker)

    @property
    def known(self) -> Mapping[str, str] | None:
        """The labels that can stand in front of a line, as they may be written; None where any can.

        A speaker's name or id stands for the speaker's first label, unless it is a label itself or two share it.
        """
        if not self.given:
            return None
        first = {speaker: label for label, speaker in reversed(self.speakers.items())}
        called: dict[str, set[str]] = {}
        for speaker in first:
            for name in {self.names.get(speaker) or speaker, speaker}:
                if any(map(str.isalpha, name)):  # "3: hi" is said by the label 3, not by an id that is a number
                    called.setdefault(folded(name), set()).add(speaker)
        return {name: first[one] for name, (one, *others) in called.items() if not others} | by_spelling(self.speakers)

    def people(self) -> tuple[Speaker, ...]:
        """Everybody of the table, or else who came up."""
        ids = dict.fromkeys(self.speakers.values()) if self.given else self.met
        return tuple(Speaker(one, self.names.get(one)) for one in ids)

    def spoken_names(self) -> set[str]:
        """What people are called in speech: their names, and labels and ids that are words."""
        labels = {*self.speakers, *(person.id for person in self.people())}
        return {*self.names.values(), *(one for one in labels if is_called(one) and known_name(one) is not None)}


def read_labels(path: Path | None, report: Report) -> Labels:
    """The table in a CSV file with the columns label, speaker and, if known, name.

    Rows that cannot be used are problems of `report`. Raises NotThereError and SourceError.
    """
    if path is None:
        return Labels()
    labels = Labels(given=True)
    for row in read_table(
        path, read_text(path), {"label": ("label", "track", "track_id", "id"), "speaker": ("speaker",)}, report
    ):
        with report.sparing():
            label, speaker = (normal_id(row.text(column)) for column in ("label", "speaker"))
            if known_name(speaker) is None:
                message = f"is {speaker!r}, which names nobody; name the person, or leave the row out"
                raise SourceError(path, row.number, "speaker", message)
            if labels.speakers.setdefault(label, speaker) != speaker:
                message = f"{label!r} means {labels.speakers[label]!r} above; name one"
                raise SourceError(path, row.number, "label", message)
            name = known_name(row.values.get("name"))
            if name is not None and labels.names.setdefault(speaker, name) != name:
                message = f"is {name!r}, and {speaker!r} is called {labels.names[speaker]!r} above; name one"
                raise SourceError(path, row.number, "name", message)
    return labels
