"""agreement.parquet: each measure in each episode, and over all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from socialcli.agreement.measures import MEASURE_NAMES, MEASURES, Measure
from socialcli.agreement.score import EpisodeAgreement
from socialcli.results.columns import arrow_schema, as_record, column, table_row
from socialcli.stats.intervals import accuracy_interval, ratio_interval


@table_row
class AgreementRow:
    """A measure in an episode, or over all episodes."""

    episode_id: str | None = column("the episode of the reference; null: all episodes together")
    video: str | None = column("its video, as in the reference; null: all")
    measure: str = column("name of the measure", enum=list(MEASURE_NAMES))
    value: float | None = column("`amount / total`; null where `total` is 0")
    amount: float = column("what is counted or added up")
    total: float = column("of what", minimum=0)
    unit: str = column("what `total` counts")
    ci_low: float | None = column(
        "lower end of the 95 % interval, by episode; null in rows of an episode, with fewer than two episodes, and for "
        "a ratio that is the same in all of them"
    )
    ci_high: float | None = column("upper end")
    episodes: int = column("episodes with such a total above 0")

    def as_record(self) -> dict[str, Any]:
        """The row as JSON values."""
        return as_record(self)


AGREEMENT_ARROW_SCHEMA = arrow_schema(AgreementRow)

_Clusters = Sequence[tuple[float, float]]  # (total, amount) of each episode


def agreement_table(episodes: Sequence[EpisodeAgreement]) -> list[AgreementRow]:
    """A row per measure over all episodes, and then per episode and measure."""
    return [*map(_over_all, MEASURES, [episodes] * len(MEASURES)), *_by_episode(episodes)]


def totals(rows: Sequence[AgreementRow]) -> list[AgreementRow]:
    """The rows over all episodes."""
    return [row for row in rows if row.episode_id is None]


def _over_all(measure: Measure, episodes: Sequence[EpisodeAgreement]) -> AgreementRow:
    pairs = [one.amounts[measure.name] for one in episodes]
    clusters = [(total, amount) for amount, total in pairs]
    amount, total = (sum(values) for values in zip(*pairs, strict=True))
    low, high = _interval(measure, clusters) or (None, None)
    return AgreementRow(
        episode_id=None,
        video=None,
        measure=measure.name,
        value=amount / total if total else None,
        amount=amount,
        total=total,
        unit=measure.unit,
        ci_low=low,
        ci_high=high,
        episodes=sum(total > 0 for total, _ in clusters),
    )


def _by_episode(episodes: Sequence[EpisodeAgreement]) -> Iterator[AgreementRow]:
    for one in episodes:
        for measure in MEASURES:
            amount, total = one.amounts[measure.name]
            yield AgreementRow(
                episode_id=one.episode_id,
                video=one.video,
                measure=measure.name,
                value=amount / total if total else None,
                amount=amount,
                total=total,
                unit=measure.unit,
                ci_low=None,
                ci_high=None,
                episodes=int(total > 0),
            )


def _interval(measure: Measure, clusters: _Clusters) -> tuple[float, float] | None:
    if measure.kind == "share":
        return accuracy_interval([(round(total), round(amount)) for total, amount in clusters])
    found = ratio_interval(clusters)
    return None if found is None else (max(found[0], measure.least), min(found[1], measure.most))
