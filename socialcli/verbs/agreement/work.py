"""Compares two episodes files, recording by recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from socialcli.agreement.criteria import Criteria
from socialcli.agreement.recordings import Contents, annotation_pairs, named, paired_videos, unpaired_warnings
from socialcli.agreement.score import RecordingAgreement, SpeakerAgreement, compare_annotations
from socialcli.agreement.table import AgreementRow, agreement_table
from socialcli.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well the annotations of a file agree with a reference."""

    reference: Path
    episodes: Path
    criteria: Criteria
    recordings: int  # compared
    episode_count: int  # of the reference, compared
    table: tuple[AgreementRow, ...]
    speakers: tuple[SpeakerAgreement, ...]
    warnings: tuple[str, ...]


def agreement(reference: Path, episodes: Path, criteria: Criteria) -> Agreement:
    """Compare the annotations of `episodes` with those of `reference`.

    Raises NotFoundError for a missing file, and InvalidInputError for one that cannot be read as a whole, and for two
    that have no video, or no time of one, in common.
    """
    contents, others = Contents.read(reference), Contents.read(episodes)
    pairs = paired_videos(contents, others)
    if not pairs:
        raise InvalidInputError(_nothing_in_common(contents, others))
    results = [compare_annotations(*pair, criteria) for pair in annotation_pairs(contents, others, pairs)]
    compared = [one for result in results for one in result.episodes]
    if not compared:
        raise InvalidInputError(
            f"{reference} and {episodes}: their episodes cover different times of {named(list(pairs))}, so there is "
            "nothing to compare; give annotations of the same time"
        )
    warnings = (
        *contents.warnings(),
        *others.warnings(),
        *unpaired_warnings(contents, others, pairs),
        *_resized(contents, others, list(pairs), results),
        *_outside(contents, others, results),
    )
    return Agreement(
        reference=reference,
        episodes=episodes,
        criteria=criteria,
        recordings=sum(bool(result.episodes) for result in results),
        episode_count=len(compared),
        table=tuple(agreement_table(compared)),
        speakers=tuple(speaker for one in compared for speaker in one.speakers),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _resized(reference: Contents, others: Contents, videos: list[str], results: list[RecordingAgreement]) -> list[str]:
    found = [video for video, one in zip(videos, results, strict=True) if one.resized]
    if not found:
        return []
    return [
        f"{len(found)} of {len(videos)} videos have another frame size in {others.path} than in {reference.path}; "
        f"their boxes are scaled: {named(found)}"
    ]


def _outside(reference: Contents, others: Contents, results: list[RecordingAgreement]) -> list[str]:
    utterances = sum(one.utterances_outside for one in results)
    boxes = sum(one.boxes_outside for one in results)
    if not utterances and not boxes:
        return []
    return [
        f"{utterances} utterances and {boxes} boxes of {reference.path} lie outside the episodes of {others.path} and "
        "are not counted"
    ]


def _nothing_in_common(reference: Contents, others: Contents) -> str:
    held = (
        f"{one.path} has {len(one.last_rows)} ({named(list(one.last_rows))})"
        if one.last_rows
        else f"{one.path} has none that can be read ({one.problems[0]})"
        for one in (reference, others)
    )
    return (
        f"no video is in both files: {', '.join(held)}; give two annotations of the same videos, with the same paths, "
        "file names or episode ids"
    )
