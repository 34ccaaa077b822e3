"""The work of `socialcli convert tracks`: recordings to episodes, and what a person fills in or looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import click

from socialcli.converting.conversion import Conversion
from socialcli.episodes.records import Episode
from socialcli.errors import NotFoundError, UsageError

from .answers import Answers, AnswersTemplate, read_answers
from .drafts import LabelsDraft
from .recording import Recording
from .sources import Reading, Sources, read_recording

UNSHOWN = "tracks left out of the sheet, which shows those with the most boxes"


@dataclass(frozen=True, slots=True)
class Asking:
    """The questions to make (`tasks`; None: none), the utterances around each, and the answers to fill in."""

    tasks: Sequence[str] | None = None
    context: int = 5
    online: bool = False
    answers: Path | None = None


@dataclass(frozen=True, slots=True)
class Aids:
    """Files to write for a person: None for those that are not wanted."""

    answers_template: Path | None = None
    labels_template: Path | None = None
    sheet: Path | None = None

    def check(self, overwrite: bool) -> None:
        """Raise UsageError or NotFoundError if a file could not be written."""
        if self.sheet is not None and self.sheet.suffix.lower() != ".png":
            raise UsageError(f"--sheet {self.sheet}: name a file that ends in .png")
        for path in (self.answers_template, self.labels_template, self.sheet):
            if path is not None and not path.parent.is_dir():
                raise NotFoundError(f"{path.parent}: there is no such folder to write into")
            if path is not None and path.exists() and not overwrite:
                raise UsageError(f"{path} already exists; name another file, or replace it with --overwrite")


class RecordingConverter:
    """Converts recordings one by one, so that memory does not grow with their number."""

    def __init__(self, conversion: Conversion, reading: Reading, asking: Asking, aids: Aids) -> None:
        """Read the answers. Raises NotFoundError and SourceError."""
        self._conversion = conversion
        self._report = conversion.report
        self._reading = reading
        self._asking = asking
        self._aids = aids
        self._answers = Answers({}) if asking.answers is None else read_answers(asking.answers, self._report)
        self._template = AnswersTemplate()
        self._draft = LabelsDraft()

    def convert(self, sources: Iterable[Sources], several: bool) -> None:
        """Write the episodes and the aids, and print the summary.

        `several`: a recording that cannot be read is a bad part, which `--skip-bad` skips. Raises what the sources
        raise.
        """
        self._conversion.write(self._episodes(sources, several))
        if self._aids.answers_template is not None:
            self._template.write(self._aids.answers_template)
        if self._aids.labels_template is not None:
            self._draft.write(self._aids.labels_template)
            if not self._conversion.as_json:
                click.echo(f"\n{self._draft.table}")

    def _episodes(self, sources: Iterable[Sources], several: bool) -> Iterator[Episode]:
        for one in sources:
            with self._report.skipping_bad() if several else nullcontext():
                recording = read_recording(one, self._reading, self._conversion.media_root, self._report)
                self._show(recording, several)
                yield from self._of_recording(recording)
        if self._asking.answers is not None:
            self._answers.check(self._report)

    def _of_recording(self, recording: Recording) -> Iterator[Episode]:
        asking = self._asking
        if asking.tasks is None:
            yield recording.episode()
            return
        for episode in recording.episodes(asking.tasks, asking.context, asking.online, self._report):
            filled = episode if asking.answers is None else self._answers.fill(episode, self._report)
            if self._aids.answers_template is not None:
                self._template.add(filled)
            yield filled

    def _show(self, recording: Recording, several: bool) -> None:
        """Draw the sheet of a recording, and add its labels to the draft."""
        if self._aids.labels_template is not None:
            self._draft.add(recording, self._report)
        sheet = self._aids.sheet
        if sheet is not None and not recording.tracks:
            self._report.warn(f"{recording.video}: has no boxes, so --sheet draws nothing")
        elif sheet is not None:
            from .sheet import write_sheet  # imports Pillow

            place = sheet.with_name(f"{sheet.stem}-{recording.name}{sheet.suffix}") if several else sheet
            unshown = write_sheet(place, recording)
            if unshown:
                self._report.count(UNSHOWN, unshown)
