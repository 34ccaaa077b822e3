"""Who is meant by the labels of trackers, diarizers and subtitles: a table of `label,speaker` and, if known, `name`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import read_text
from socialcli.converting.speech import by_spelling, folded
from socialcli.episodes.records import Speaker
from socialcli.words.boundaries import is_called

from .tables import read_table


@dataclass
class Labels:
    """The table. Without one, every label is a speaker of its own.

    `met` holds the speakers who came up without a table, in the order of their first mention.
    """

    speakers: dict[str, str] = field(default_factory=dict)  # by label
    names: dict[str, str] = field(default_factory=dict)  # by speaker
    given: bool = False
    met: dict[str, None] = field(default_factory=dict)

    def speaker(self, label: str, kind: str, report: Report) -> str | None:
        """Whom a label means; None, and counted, where the table does not have it. `kind`: "boxes of the track"."""
        if not self.given:
            self.met[label] = None
            return label
        if label not in self.speakers:
            report.count(f"{kind} {label!r}, which --labels does not name")
        return self.speakers.get(label)

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
        return {*self.names.values(), *filter(is_called, labels)}


def read_labels(path: Path | None, report: Report) -> Labels:
    """The table in a CSV file with the columns label, speaker and, if known, name.

    Rows that cannot be used are problems of `report`. Raises NotThereError and SourceError.
    """
    if path is None:
        return Labels()
    labels = Labels(given=True)
    for row in read_table(path, read_text(path), {"label": ("label", "track", "id"), "speaker": ("speaker",)}, report):
        with report.sparing():
            label, speaker = row.text("label"), row.text("speaker")
            if labels.speakers.setdefault(label, speaker) != speaker:
                message = f"{label!r} means {labels.speakers[label]!r} above; name one"
                raise SourceError(path, row.number, "label", message)
            if row.values.get("name"):
                labels.names[speaker] = row.values["name"]
    return labels
