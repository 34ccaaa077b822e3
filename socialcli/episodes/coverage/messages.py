"""Messages about coverage: the line that every command prints, the warning and the error if too little is covered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from socialcli.episodes.coverage.episode import spelling_variants
from socialcli.episodes.coverage.record import Coverage, is_below, parse_min_coverage
from socialcli.errors import InvalidInputError

MOST_NAMES = 5  # in a message


def coverage_line(coverage: Coverage) -> str:
    """How much is covered, and which speakers and boxes have no counterpart."""
    if not coverage.counted[1]:
        return "coverage: there are no utterances to align"
    unknown = f"{coverage.unknown_speaker} without a known speaker" if coverage.unknown_speaker else ""
    some = coverage.uncovered_episodes if coverage.uncovered_episodes < coverage.episodes else 0
    parts = [_share(coverage), unknown, *_sides(coverage), _episodes(coverage) if some else ""]
    return f"coverage: {'; '.join(filter(None, parts))}"


def coverage_warning(coverage: Coverage, least: str | None = None) -> str | None:
    """A warning if nothing, or less than `--min-coverage`, is covered: why, and what to do.

    None if enough is covered.
    """
    if coverage.is_zero:
        return f"nothing can be aligned: {_explained(coverage)}"
    if least is not None and is_below(coverage, parse_min_coverage(least)):
        return f"less can be aligned than --min-coverage {least} requires: {_explained(coverage)}"
    return None


def check_min_coverage(coverage: Coverage, least: str | None) -> None:
    """Raise InvalidInputError if less is covered than `--min-coverage` requires (None: nothing is required)."""
    if least is not None and is_below(coverage, parse_min_coverage(least)):
        raise InvalidInputError(f"--min-coverage {least}: {_explained(coverage)}")


def _explained(coverage: Coverage) -> str:
    return "; ".join(filter(None, [_share(coverage), *_reasons(coverage), _episodes(coverage)]))


def _share(coverage: Coverage) -> str:
    covered, every = coverage.counted
    share = f" ({100 * covered / every:.1f}%)" if every else ""
    found = f"{covered} of {every} utterance{'' if every == 1 else 's'}{share}"
    if coverage.covered_utterances is None:
        return f"{found} with a box of the speaker within {coverage.box_gap:g} s"
    return f"{found} with a visual token of the speaker"


def _sides(coverage: Coverage) -> Iterator[str]:
    """The labels without a counterpart."""
    if coverage.speakers_without_box:
        yield f"speakers without a box: {_labels(coverage, coverage.speakers_without_box, coverage.labels_without_box)}"
    if coverage.boxes_without_speaker:
        named = _labels(coverage, coverage.boxes_without_speaker, coverage.labels_without_speaker)
        yield f"boxes of people who say nothing: {named}"
    if coverage.speakers_elsewhere:
        named = _labels(coverage, coverage.speakers_elsewhere, coverage.labels_elsewhere)
        yield f"speakers with boxes at other times only: {named}"


def _reasons(coverage: Coverage) -> Iterator[str]:
    """Why utterances are not covered, and what to do about it."""
    if not coverage.utterances:
        yield "the episodes have no utterances"
        return
    if coverage.unknown_speaker:
        yield f"{coverage.unknown_speaker} without a known speaker; add who speaks"
    if not coverage.boxes:
        yield "there are no boxes; add boxes that say where people are"
        return
    yield from _sides(coverage)
    same = spelling_variants(coverage.labels_without_box, coverage.labels_without_speaker)
    if same:
        pairs = ", ".join(f"{one!r} and {other!r}" for one, other in same[:MOST_NAMES])
        yield f"use one spelling for labels that differ only in case, spaces, dashes or Unicode form: {pairs}"
    elif coverage.speakers_without_box and coverage.boxes_without_speaker:
        yield "give each person the same label in both (`socialcli convert tracks --labels`)"
    if coverage.speakers_elsewhere:
        yield "check that the boxes' times are seconds of the video file, like those of utterances"
    if coverage.near_box > coverage.counted[0]:
        yield (
            f"{coverage.near_box} have a box within {coverage.box_gap:g} s, but in no sampled frame that the model "
            "sees: try more --frames or a larger --box-gap, and check with `socialcli inspect`"
        )


def _episodes(coverage: Coverage) -> str:
    if not coverage.uncovered_episodes:
        return ""
    some = f"{coverage.uncovered_episodes} of {coverage.episodes}"
    return f"episodes without any: {_named(some, coverage.uncovered_episode_ids)}"


def _labels(coverage: Coverage, count: int, labels: Sequence[str]) -> str:
    """The number of labels, counted once per episode, and their names, each once."""
    again = count > len(labels) and coverage.episodes > 1
    return _named(f"{count} in {coverage.episodes} episodes" if again else count, labels)


def _named(count: int | str, names: Sequence[str]) -> str:
    """ "3 (a, b, ...)": a count and the first distinct names."""
    more = ", ..." if len(names) > MOST_NAMES else ""
    return f"{count} ({', '.join(names[:MOST_NAMES])}{more})"
