"""Rows, columns and pairs of a plan: worked out by hand, and against an independent brute force."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socialcli.alignment.grid import VisualGrid, affine_cells
from socialcli.alignment.plan import AlignmentPlan, build_plan, cover_speakers, utterance_frames
from socialcli.episodes.records import Box, Utterance

# Cells of 10 x 10 pixels, 2 high and 3 wide; the token of (step, row, column) is 100 + 6 step + 3 row + column.
HEIGHT, WIDTH, CELL, FIRST = 2, 3, 10, 100


def grid(*steps: tuple[int, ...]) -> VisualGrid:
    tokens = FIRST + np.arange(len(steps) * HEIGHT * WIDTH).reshape(len(steps), HEIGHT, WIDTH)
    return VisualGrid(tokens, affine_cells(HEIGHT, WIDTH, (0.0, 0.0), (CELL, CELL)), steps)


FOUR = grid((0,), (1,), (2,), (3,))  # at 0, 1, 2, 3 s
TIMES = (0.0, 1.0, 2.0, 3.0)


def on_cell(speaker: str, time: float, row: int, column: int) -> Box:
    return Box(speaker, time, CELL * column, CELL * row, CELL * (column + 1), CELL * (row + 1))


def said(speaker: str | None, start: float, end: float) -> Utterance:
    return Utterance(f"{speaker}{start}", start, end, "words", speaker)


def spans(*ranges: range) -> list[np.ndarray]:
    return [np.array(one, dtype=np.int64) for one in ranges]


def pairs_of(plan: AlignmentPlan) -> dict[int, set[int]]:
    """The columns that every row is raised towards."""
    return {int(row): set(plan.columns[own].tolist()) for row, own in zip(plan.rows, plan.pairs, strict=True)}


def test_words_are_raised_towards_their_speaker_while_they_are_said() -> None:
    boxes = [on_cell("a", 0, 0, 0), on_cell("a", 1, 0, 1), on_cell("b", 1, 1, 2), on_cell("b", 3, 1, 2)]
    plan = build_plan(
        [said("a", 0.0, 1.5), said("b", 2.5, 3.0)], spans(range(200, 203), range(210, 212)), FOUR, TIMES, boxes
    )
    # a at 0 s: cell (0, 0); at 1 s: (0, 1), and the same at 2 s, a second later. b at 0 s: (1, 2), a second earlier; at
    # 1 s and 3 s: (1, 2); at 2 s: the nearest, for the boxes are two seconds apart.
    assert plan.columns.tolist() == [100, 105, 107, 111, 113, 117, 123]
    assert plan.rows.tolist() == [200, 201, 202, 210, 211]
    assert pairs_of(plan) == {200: {100, 107}, 201: {100, 107}, 202: {100, 107}, 210: {123}, 211: {123}}
    assert plan.boxes_unseen == 0


def test_the_others_in_the_same_frames_are_separate() -> None:
    boxes = [on_cell("a", 0, 0, 0), on_cell("b", 0, 1, 2), on_cell("c", 0, 0, 0), on_cell("c", 3, 0, 2)]
    plan = build_plan([said("a", 0, 0)], spans(range(200, 201)), grid((0,)), [0.0], boxes)
    assert plan.columns.tolist() == [100, 105]
    assert plan.pairs.tolist() == [[True, False]]
    assert plan.others.tolist() == [[False, True]]  # the cell that a shares with c is a's own


def test_an_utterance_of_nobody_known_has_no_rows() -> None:
    boxes = [on_cell("a", 0, 0, 0)]
    plan = build_plan([said(None, 0, 3), said("a", 0, 0)], spans(range(200, 205), range(205, 206)), FOUR, TIMES, boxes)
    assert plan.rows.tolist() == [205]


def test_covered_utterances_are_counted() -> None:
    boxes = [on_cell("a", 0, 0, 0), on_cell("seen", 3, 0, 1), Box("aside", 0, 500, 500, 510, 510)]
    lines = [said("a", 0, 0), said("a", 3, 3), said("aside", 0, 0), said("b", 0, 3), said(None, 0, 3)]
    words = spans(*(range(200 + 2 * n, 202 + 2 * n) for n in range(5)))
    plan = build_plan(lines, words, FOUR, TIMES, boxes)
    assert (plan.utterances, plan.covered) == (5, 1)  # a at 3 s has no box near, and nobody sees what is aside
    assert build_plan(lines, words, FOUR, TIMES, boxes, max_gap=3.0).covered == 2
    assert build_plan(lines, words, FOUR, TIMES, []).covered == 0
    assert (build_plan([], [], FOUR, TIMES, boxes).utterances, plan.shifted(7).covered) == (0, 1)


def test_an_utterance_without_tokens_is_not_covered() -> None:
    plan = build_plan([said("a", 0, 0)], spans(range(0)), FOUR, TIMES, [on_cell("a", 0, 0, 0)])
    assert (plan.utterances, plan.covered) == (1, 0)


def test_known_coverage_gives_the_same_plan() -> None:
    boxes = [on_cell("a", 0, 0, 0), on_cell("b", 2, 1, 1)]
    lines, words = [said("a", 0, 1), said("b", 1, 3)], spans(range(200, 203), range(203, 205))
    known = cover_speakers(boxes, TIMES, FOUR)
    one, other = (build_plan(lines, words, FOUR, TIMES, boxes, shown=found) for found in (None, known))
    assert pairs_of(one) == pairs_of(other) and one.columns.tolist() == other.columns.tolist()


def test_a_speaker_without_boxes_has_rows_and_no_pairs() -> None:
    plan = build_plan([said("b", 0, 3)], spans(range(200, 202)), FOUR, TIMES, [on_cell("a", 0, 0, 0)])
    assert plan.rows.tolist() == [200, 201]
    assert plan.columns.tolist() == [100, 106]  # at 0 s, and a second later; the rows count in a head's mean attention
    assert not plan.pairs.any()


def test_a_speaker_who_says_nothing_is_in_the_columns() -> None:
    boxes = [on_cell("a", 0, 0, 0), on_cell("silent", 0, 1, 1)]
    plan = build_plan([said("a", 0, 0)], spans(range(200, 201)), grid((0,)), [0.0], boxes)
    assert plan.columns.tolist() == [100, 104]
    assert pairs_of(plan) == {200: {100}}


def test_an_episode_without_boxes_has_no_columns_and_one_without_words_no_rows() -> None:
    no_boxes = build_plan([said("a", 0, 1)], spans(range(200, 203)), FOUR, TIMES, [])
    assert (no_boxes.rows.size, no_boxes.columns.size, no_boxes.pairs.shape) == (3, 0, (3, 0))
    no_words = build_plan([], [], FOUR, TIMES, [on_cell("a", 0, 0, 0)])
    assert (no_words.rows.size, no_words.columns.tolist(), no_words.pairs.shape) == (0, [100, 106], (0, 2))
    neither = build_plan([], [], FOUR, TIMES, [])
    assert neither.pairs.shape == neither.others.shape == (0, 0)


def test_a_token_of_two_utterances_is_raised_towards_both_speakers() -> None:
    boxes = [on_cell("a", 0, 0, 0), on_cell("b", 0, 1, 2)]
    words = spans(range(200, 203), range(202, 204))
    plan = build_plan([said("a", 0, 0), said("b", 0, 0)], words, grid((0,)), [0.0], boxes)
    assert plan.rows.tolist() == [200, 201, 202, 203]
    assert pairs_of(plan) == {200: {100}, 201: {100}, 202: {100, 105}, 203: {105}}
    assert not plan.others[2].any()


def test_a_step_of_merged_frames_shows_the_boxes_of_all_its_frames() -> None:
    merged = grid((0, 1), (2, 3))
    boxes = [on_cell("a", time, *cell) for time, cell in zip(TIMES, [(0, 0), (0, 1), (1, 1), (1, 2)], strict=True)]
    plan = build_plan(
        [said("a", 1.0, 1.0), said("a", 2.9, 3.1)], spans(range(200, 201), range(201, 202)), merged, TIMES, boxes
    )
    assert pairs_of(plan) == {200: {100, 101}, 201: {110, 111}}


def test_overlapping_boxes_share_their_cells() -> None:
    boxes = [Box("a", 0, 0, 0, 20, 10), Box("b", 0, 10, 0, 30, 10)]
    words = spans(range(200, 201), range(201, 202))
    plan = build_plan([said("a", 0, 0), said("b", 0, 0)], words, grid((0,)), [0.0], boxes)
    assert pairs_of(plan) == {200: {100, 101}, 201: {101, 102}}


def test_boxes_that_the_model_does_not_see_are_counted_frame_by_frame() -> None:
    boxes = [Box("a", 0, 40, 0, 50, 10), Box("a", 1, 40, 0, 50, 10), on_cell("b", 0, 0, 0)]
    plan = build_plan([said("a", 0, 3)], spans(range(200, 201)), FOUR, TIMES, boxes)
    assert plan.boxes_unseen == 3  # at 0 s, 1 s, and at 2 s the nearest within a second
    assert plan.columns.tolist() == [100, 106]
    assert not plan.pairs.any()


def test_the_gap_between_boxes_can_be_chosen() -> None:
    boxes = [on_cell("a", 0, 0, 0), on_cell("a", 2, 0, 2)]
    words, lines = spans(range(200, 201)), [said("a", 1, 1)]
    assert pairs_of(build_plan(lines, words, FOUR, TIMES, boxes)) == {200: {106}}  # the nearest, the earlier one
    assert pairs_of(build_plan(lines, words, FOUR, TIMES, boxes, max_gap=2.0)) == {200: {107}}  # half way
    assert pairs_of(build_plan(lines, words, FOUR, TIMES, boxes, max_gap=0.5)) == {200: set()}


def test_words_that_stand_before_the_picture_cannot_be_aligned() -> None:
    for start in (50, 102, 106):
        with pytest.raises(ValueError, match="visual tokens must come before the words"):
            build_plan([said("a", 0, 0)], spans(range(start, start + 1)), FOUR, TIMES, [on_cell("a", 0, 0, 0)])
    plan = build_plan([said("a", 0, 0)], spans(range(107, 108)), FOUR, TIMES, [on_cell("a", 0, 0, 0)])
    assert pairs_of(plan) == {107: {100}}


def test_padding_in_front_shifts_rows_and_columns_alone() -> None:
    plan = build_plan([said("a", 0, 1)], spans(range(200, 202)), FOUR, TIMES, [on_cell("a", 0, 0, 0)])
    shifted = plan.shifted(7)
    assert shifted.rows.tolist() == [207, 208]
    assert shifted.columns.tolist() == [107, 113]
    assert shifted.pairs is plan.pairs


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0.0, 3.0, (0, 1, 2, 3)),
        (1.0, 2.0, (1, 2)),  # both ends included
        (0.9, 1.1, (1,)),
        (1.1, 1.4, (1,)),  # none inside: the nearest
        (1.7, 1.8, (2,)),
        (1.25, 1.75, (1,)),  # as near to 1 s as to 2 s
        (1.5, 1.5, (1,)),
        (2.0, 2.0, (2,)),
        (7.0, 9.0, (3,)),
        (3.0, 9.0, (3,)),
    ],
)
def test_the_frames_of_an_utterance_lie_in_it_or_nearest_to_it(
    start: float, end: float, expected: tuple[int, ...]
) -> None:
    assert utterance_frames(said("a", start, end), TIMES) == expected


def test_repeated_frames_all_belong_to_the_utterance() -> None:
    assert utterance_frames(said("a", 0.4, 0.6), [0.5, 0.5, 0.5]) == (0, 1, 2)
    assert utterance_frames(said("a", 2, 3), [0.5, 0.5, 0.5]) == (0,)


# An independent reading of the method in exact arithmetic. Times are halves and quarters of a second, so that the
# product's floats are exact too.

GAP = 1


def exact_box(boxes: list[Box], time: float) -> tuple[Fraction, ...] | None:
    def edges(box: Box) -> tuple[Fraction, ...]:
        return tuple(Fraction(edge) for edge in (box.x0, box.y0, box.x1, box.y1))

    for box in boxes:
        if box.time == time:
            return edges(box)
    earlier = [box for box in boxes if box.time < time]
    later = [box for box in boxes if box.time > time]
    before = max(earlier, key=lambda box: box.time, default=None)
    after = min(later, key=lambda box: box.time, default=None)
    if before and after and after.time - before.time <= GAP:
        share = Fraction(time - before.time) / Fraction(after.time - before.time)
        return tuple(a + share * (b - a) for a, b in zip(edges(before), edges(after), strict=True))
    near = [box for box in (before, after) if box and abs(box.time - time) <= GAP]
    return edges(min(near, key=lambda box: (abs(box.time - time), box.time))) if near else None


def exact_cells(box: tuple[Fraction, ...]) -> set[tuple[int, int]]:
    x0, y0, x1, y1 = box
    found = set()
    for row, column in product(range(HEIGHT), range(WIDTH)):
        across = min(x1, (column + 1) * CELL) - max(x0, column * CELL)
        down = min(y1, (row + 1) * CELL) - max(y0, row * CELL)
        if across > 0 and down > 0 and 2 * across * down >= CELL * CELL:
            found.add((row, column))
    if not found:
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        for row, column in product(range(HEIGHT), range(WIDTH)):
            if column * CELL <= x <= (column + 1) * CELL and row * CELL <= y <= (row + 1) * CELL:
                return {(row, column)}
    return found


def exact_tokens(boxes: list[Box], speaker: str, step: int, frames: tuple[int, ...], times: list[float]) -> set[int]:
    own = [box for box in boxes if box.speaker == speaker]
    found = [exact_box(own, times[frame]) for frame in frames]
    cells = {cell for box in found if box is not None for cell in exact_cells(box)}
    return {FIRST + step * HEIGHT * WIDTH + row * WIDTH + column for row, column in cells}


def exact_steps(line: Utterance, steps: list[tuple[int, ...]], times: list[float]) -> set[int]:
    inside = [i for i, time in enumerate(times) if line.start <= time <= line.end]
    away = [max(line.start - time, time - line.end, 0) for time in times]
    frames = inside or [away.index(min(away))]
    return {step for step, members in enumerate(steps) if set(members) & set(frames)}


QUARTERS = st.integers(0, 16).map(lambda n: n / 4)
EDGE = st.integers(-8, 38).map(float)


@st.composite
def some_boxes(draw: st.DrawFn) -> Box:
    x0, x1 = sorted((draw(EDGE), draw(EDGE)))
    y0, y1 = sorted((draw(EDGE), draw(EDGE)))
    return Box(draw(st.sampled_from("ab")), draw(st.integers(0, 8)) / 2, x0, y0, x1, y1)


@st.composite
def some_lines(draw: st.DrawFn) -> Utterance:
    start, end = sorted((draw(QUARTERS), draw(QUARTERS)))
    return said(draw(st.sampled_from(["a", "b", "c", None])), start, end)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(some_boxes(), max_size=8, unique_by=lambda box: (box.speaker, box.time)),
    st.lists(some_lines(), max_size=4),
    st.lists(QUARTERS, min_size=1, max_size=6).map(sorted),
    st.integers(1, 2),
)
def test_a_row_is_paired_with_its_speakers_region_and_with_nothing_else(
    boxes: list[Box], lines: list[Utterance], times: list[float], merged: int
) -> None:
    steps = [tuple(range(len(times)))[i : i + merged] for i in range(0, len(times), merged)]
    words = spans(*(range(500 + 3 * i, 502 + 3 * i) for i in range(len(lines))))
    plan = build_plan(lines, words, grid(*steps), times, boxes, max_gap=GAP)

    regions = {
        speaker: [exact_tokens(boxes, speaker, step, frames, times) for step, frames in enumerate(steps)]
        for speaker in "abc"
    }
    assert plan.columns.tolist() == sorted(set().union(*(tokens for steps in regions.values() for tokens in steps)))
    expected, others = {}, {}
    for line, span in zip(lines, words, strict=True):
        if line.speaker is not None:
            shown = exact_steps(line, steps, times)
            own = set().union(*(regions[line.speaker][step] for step in shown))
            everyone = set().union(*(regions[speaker][step] for speaker in "abc" for step in shown))
            expected.update({int(row): own for row in span})
            others.update({int(row): everyone - own for row in span})
    assert pairs_of(plan) == expected
    assert {
        int(row): set(plan.columns[other].tolist()) for row, other in zip(plan.rows, plan.others, strict=True)
    } == others
