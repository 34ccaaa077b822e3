"""Who is meant by the labels of trackers, diarizers and subtitles: a table of `label,speaker` and, if known, `name`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from socialcli.converting.report import Report, SourceError
from socialcli.episodes.records import Speaker

from .tables import read_table


@dataclass
class Labels:
    """The table. Without one, every label is a speaker of its own.

    `met` holds the speakers who came up, in the order of the table, else of their first mention.
    """

    speakers: dict[str, str] = field(default_factory=dict)  # by label
    names: dict[str, str] = field(default_factory=dict)  # by speaker
    given: bool = False
    met: dict[str, None] = field(default_factory=dict)

    def speaker(self, label: str, kind: str, report: Report) -> str | None:
        """Whom a label means; None, and counted, where the table does not have it. `kind`: "boxes of the track"."""
        if not self.given:
            found = label
        elif label in self.speakers:
            found = self.speakers[label]
        else:
            report.count(f"{kind} {label!r}, which --labels does not name")
            return None
        self.met[found] = None
        return found

    @property
    def known(self) -> Collection[str] | None:
        """The labels that can stand in front of a line; None where any can."""
        return list(self.speakers) if self.given else None

    def people(self) -> tuple[Speaker, ...]:
        """Everybody of the table, or else who came up."""
        ids = dict.fromkeys(self.speakers.values()) if self.given else self.met
        return tuple(Speaker(one, self.names.get(one)) for one in ids)

    def spoken_names(self) -> dict[str, str]:
        """What people are called in speech, and who that is: their names, and labels and ids that are words."""
        found = {name: speaker for speaker, name in self.names.items()}
        for label, speaker in [*self.speakers.items(), *((one, one) for one in self.met)]:
            if label.replace(" ", "").replace("-", "").isalpha():
                found.setdefault(label, speaker)
        return found


def read_labels(path: Path | None) -> Labels:
    """The table in a CSV file with the columns label, speaker and, if known, name.

    Raises NotThereError and SourceError.
    """
    if path is None:
        return Labels()
    labels = Labels(given=True)
    for row in read_table(path, {"label": ("label", "track", "id"), "speaker": ("speaker",)}):
        label, speaker = row.text("label"), row.text("speaker")
        if labels.speakers.setdefault(label, speaker) != speaker:
            message = f"{label!r} means {labels.speakers[label]!r} above; name one"
            raise SourceError(path, row.number, "label", message)
        if row.values.get("name"):
            labels.names[speaker] = row.values["name"]
    return labels
