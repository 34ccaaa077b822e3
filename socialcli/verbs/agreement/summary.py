"""What `socialcli agreement` prints: a table over all episodes, or one JSON object."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from socialcli.agreement.table import AgreementRow, totals
from socialcli.stats.notes import FEW_EPISODES
from socialcli.text_table import laid_out, percent, percent_interval
from socialcli.verbs.agreement.work import Agreement


def agreement_lines(result: Agreement) -> str:
    """The table as text, without a newline at its end. Measures without anything to count are left out."""
    rows = [row for row in totals(result.table) if row.total]
    criteria = result.criteria
    match = {
        "recording": "speakers matched by recording",
        "episode": "speakers matched by episode",
        "id": "speakers by their ids",
    }
    lines = [["measure", "value", "95% interval", "counts"]]
    lines += [
        [row.measure, percent(row.value), percent_interval(row.ci_low, row.ci_high), _counts(row)] for row in rows
    ]
    return "\n".join(
        [
            f"reference: {result.reference}",
            f"compared: {result.episodes}, {_number(result.episode_count, 'episode')} of "
            f"{_number(result.recordings, 'recording')}, {match[criteria.match]}, IoU >= {criteria.least_iou:g}, "
            f"collar {criteria.collar:g} s",
            "",
            laid_out(lines, 1) if rows else "the reference has no speech with a speaker, and no boxes, to compare",
            *_notes(result),
        ]
    )


def agreement_record(result: Agreement) -> dict[str, Any]:
    """The same as JSON values, with the rows of each episode, and who is who."""
    criteria = result.criteria
    return {
        "reference": str(result.reference),
        "episodes": str(result.episodes),
        "match": criteria.match,
        "iou": criteria.least_iou,
        "collar": criteria.collar,
        "box_gap": criteria.box_gap,
        "recordings": result.recordings,
        "warnings": list(result.warnings),
        "agreement": [row.as_record() for row in result.table],
        "speakers": [asdict(speaker) for speaker in result.speakers],
    }


def _counts(row: AgreementRow) -> str:
    return f"{_amount(row.amount)} of {_amount(row.total)} {row.unit}"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _notes(result: Agreement) -> list[str]:
    if result.episode_count == 1:
        return ["no intervals: all figures are of a single episode"]
    if result.episode_count < FEW_EPISODES:
        return [f"rough intervals: with fewer than {FEW_EPISODES} episodes, 95 % is approximate"]
    return []
