"""The draft of a table of labels: all voices and tracks of recordings, with suggestions of who is who."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.labels import known_name
from socialcli.converting.report import Report
from socialcli.text_table import laid_out, percent
from socialcli.words.boundaries import is_called

from .answers import write_table
from .labels import Labels
from .links import Link, Spans, presence, same_voices, suggest_links
from .recording import Recording

_COLUMNS = ("recording", "label", "speaker", "name", "kind", "seconds", "reason")
_MOST_TRACKS = 5  # of a voice, in the table for people
_VOICE, _TRACK = "voice", "track"


@dataclass(frozen=True, slots=True)
class _Row:
    label: str
    speaker: str
    name: str
    kind: str
    seconds: float
    reason: str


class LabelsDraft:
    """Collects the labels of recordings, and writes a table of them in which a person corrects the speakers."""

    def __init__(self) -> None:
        """Begin with no recordings."""
        self._rows: list[tuple[str, ...]] = []
        self._lines: list[tuple[str, ...]] = [("recording", "voice", "speech s", "track", "on screen", "alone s", "")]
        self._recordings = 0

    def add(self, recording: Recording, report: Report) -> None:
        """Add the labels of a recording, with the speakers that --labels gives or that are suggested.

        A number that is both a voice and a track is a warning: a table cannot tell the two apart.
        """
        self._recordings += 1
        diarized = _known(recording.labels, ((one.name, one.start, one.end) for one in recording.turns))
        written = _known(recording.labels, ((one.speaker, one.start, one.end) for one in recording.lines))
        seen = presence((box.label, box.time) for box in recording.tracks if _is_known(recording.labels, box.label))
        both = [label for label in {**written, **diarized} if label in seen and not is_called(label)]
        if both:
            report.warn(
                f"{recording.name}: voices and tracks share the labels {', '.join(both)}, so --labels takes each for "
                "one person; rename one of the two, for example spk1"
            )
        links = suggest_links(diarized or written, seen)
        rows = list(_rows(recording.labels, diarized, written, seen, links))
        self._rows += [
            (recording.name, row.label, row.speaker, row.name, row.kind, f"{row.seconds:.1f}", row.reason)
            for row in rows
        ]
        self._lines += _table_lines(recording.name, diarized or written, links)

    @property
    def table(self) -> str:
        """The voices with the tracks on screen while they speak, for people."""
        first = 0 if self._recordings > 1 else 1
        return laid_out([line[first:] for line in self._lines], 2 - first)

    def write(self, path: Path) -> None:
        """Write the table. Raises OSError if it cannot be written."""
        first = 0 if self._recordings > 1 else 1
        write_table(path, _COLUMNS[first:], [row[first:] for row in self._rows])


def _known(labels: Labels, times: Iterable[tuple[str | None, float, float]]) -> Spans:
    """The times of each label that names somebody, in order of mention."""
    found: dict[str, list[tuple[float, float]]] = {}
    for label, start, end in times:
        if label is not None and _is_known(labels, label):
            found.setdefault(label, []).append((start, end))
    return found


def _is_known(labels: Labels, label: str) -> bool:
    return not labels.is_nobody(label)


def _rows(labels: Labels, diarized: Spans, written: Spans, seen: Spans, links: Sequence[Link]) -> Iterator[_Row]:
    names = same_voices(diarized, written)
    speakers: dict[str, str] = {}
    for voice, spans in {**written, **diarized}.items():
        other = names.get(voice)
        speakers[voice] = labels.speakers.get(voice) or labels.speakers.get(other or "") or other or voice
        reason = "" if other is None or voice in labels.speakers else f"mostly the speech of {other!r}"
        reason = "also the label of a track" if voice in seen else reason
        yield _Row(voice, speakers[voice], _name(labels, speakers[voice]), _VOICE, _length(spans), reason)
    suggested = {link.track: link for link in links if link.suggested}
    for track, spans in sorted(seen.items(), key=lambda one: (-_length(one[1]), one[0])):
        if track in speakers:
            continue  # a label has one row
        link = None if track in labels.speakers else suggested.get(track)
        speaker = labels.speakers.get(track, "") if link is None else speakers[link.voice]
        reason = "" if link is None else f"{link.voice!r}: {link.reason}"
        yield _Row(track, speaker, _name(labels, speaker), _TRACK, _length(spans), reason)


def _name(labels: Labels, speaker: str) -> str:
    """A speaker's name: that in the table, else a label that is a word."""
    return labels.names.get(speaker) or (speaker if is_called(speaker) and known_name(speaker) else "")


def _length(spans: Sequence[tuple[float, float]]) -> float:
    return sum(end - start for start, end in spans)


def _table_lines(recording: str, voices: Spans, links: Sequence[Link]) -> Iterator[tuple[str, ...]]:
    by_voice: Mapping[str, list[Link]] = {voice: [] for voice in voices}
    for link in links:
        by_voice[link.voice].append(link)
    for voice, spans in voices.items():
        speech = f"{_length(spans):.1f}"
        for link in by_voice[voice][:_MOST_TRACKS]:
            mark = "suggested" if link.suggested else ""
            yield recording, voice, speech, link.track, percent(link.share), f"{link.alone:.1f}", mark
        if not by_voice[voice]:
            yield recording, voice, speech, "-", "-", "-", ""
