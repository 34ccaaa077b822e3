"""The table of labels: which speaker each label of trackers, diarizers and subtitles stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from socialcli.converting.labels import known_name, normal_id
from socialcli.converting.report import Report
from socialcli.converting.sources import read_text
from socialcli.converting.transcripts.speaker_labels import names_by_spelling
from socialcli.episodes.records import Speaker
from socialcli.words.boundaries import is_called
from socialcli.words.spelling import folded

from .tables import needs, read_table

UNFILLED = "rows of --labels without a speaker"


@dataclass
class Labels:
    """The table. Without one, every label is its own speaker.

    `seen` holds the speakers that occurred without a table, in order of first mention.
    """

    speakers: dict[str, str] = field(default_factory=dict)  # by label, both as `normal_id` spells them
    names: dict[str, str] = field(default_factory=dict)  # by speaker
    given: bool = False
    seen: dict[str, None] = field(default_factory=dict)

    def speaker(self, label: str, kind: str, report: Report) -> str | None:
        """The speaker of a label; None, and counted, if the table does not list it. `kind`: "boxes of the track".

        A placeholder for nobody stands for somebody only if the table says so.
        """
        label = normal_id(label)
        if self.is_nobody(label):
            report.count(f"{kind} {label!r}, which names nobody")
            return None
        if not self.given:
            self.seen[label] = None
            return label
        if label not in self.speakers:
            report.count(f"{kind} {label!r}, which --labels does not list")
        return self.speakers.get(label)

    def is_nobody(self, label: str) -> bool:
        """Whether a label is a placeholder for nobody, and not in the table."""
        return normal_id(label) not in self.speakers and known_name(label) is None

    def first(self, label: str) -> str:
        """The first label of the same person in the table; the label itself if it is not in the table."""
        speaker = self.speakers.get(label)
        return label if speaker is None else next(one for one in self.speakers if self.speakers[one] == speaker)

    @property
    def known(self) -> Mapping[str, str] | None:
        """The labels that can precede a line, by spelling; None if any can.

        A speaker's name or id maps to the speaker's first label, unless it is a label itself or two speakers share it.
        """
        if not self.given:
            return None
        first = {speaker: label for label, speaker in reversed(self.speakers.items())}
        called: dict[str, set[str]] = {}
        for speaker in first:
            for name in {self.names.get(speaker) or speaker, speaker}:
                if any(map(str.isalpha, name)):  # "3: hi" refers to the label 3, not to a numeric id
                    called.setdefault(folded(name), set()).add(speaker)
        return {name: first[one] for name, (one, *others) in called.items() if not others} | names_by_spelling(
            self.speakers
        )

    def people(self) -> tuple[Speaker, ...]:
        """Everybody in the table, or everybody seen if there is none."""
        ids = dict.fromkeys(self.speakers.values()) if self.given else self.seen
        return tuple(Speaker(one, self.names.get(one)) for one in ids)

    def spoken_names(self) -> set[str]:
        """The names used in speech: people's names, and labels and ids that are words."""
        labels = {*self.speakers, *(person.id for person in self.people())}
        return {*self.names.values(), *(one for one in labels if is_called(one) and known_name(one) is not None)}


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The table of all recordings. `speakers` are by recording (None: any) and label, `names` by speaker."""

    speakers: Mapping[tuple[str | None, str], str]
    names: Mapping[str, str]

    def of(self, recording: str) -> Labels:
        """The labels of a recording: its own rows, and those of any recording for other labels."""
        rows = {label: speaker for (place, label), speaker in self.speakers.items() if place in (None, recording)}
        own = {label: speaker for (place, label), speaker in self.speakers.items() if place == recording}
        rows |= own
        there = set(rows.values())
        return Labels(rows, {one: name for one, name in self.names.items() if one in there}, given=True)


def read_labels(path: Path, report: Report) -> LabelTable:
    """Read the table from a CSV file with the columns label and speaker and, optionally, name and recording.

    A row without a speaker, such as a draft has, lists nobody and is counted. Rows that cannot be used go to `report`
    as problems. Raises NotFoundError and SourceError.
    """
    speakers: dict[tuple[str | None, str], str] = {}
    names: dict[str, str] = {}
    header = needs(label=("label", "track", "track_id", "id"), speaker=("speaker",))
    for row in read_table(path, read_text(path), header, report):
        if not row.values["speaker"]:
            report.count(UNFILLED)
            continue
        with report.skipping_bad():
            label, speaker = (normal_id(row.text(column)) for column in ("label", "speaker"))
            if known_name(speaker) is None:
                raise row.error("speaker", f"is {speaker!r}, which names nobody; name the person, or remove the row")
            place = row.values.get("recording") or None, label
            if speakers.setdefault(place, speaker) != speaker:
                raise row.error("label", f"{label!r} is {speakers[place]!r} above; name only one")
            name = known_name(row.values.get("name"))
            if name is not None and names.setdefault(speaker, name) != name:
                message = f"is {name!r}, but {speaker!r} is named {names[speaker]!r} above; name only one"
                raise row.error("name", message)
    return LabelTable(speakers, names)
