from __future__ import annotations

import pytest

from socialcli.errors import UsageError
from socialcli.options.resolve import resolve_alignment, resolve_inputs


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((None, None), ("VL", "none")),
        ((None, "none"), ("VL", "none")),
        ((None, "text"), ("VLB", "text")),
        ((None, "overlay"), ("VLB", "overlay")),
        (("VLB", None), ("VLB", "text")),
        (("VLB", "overlay"), ("VLB", "overlay")),
        (("L", None), ("L", "none")),
        (("VL", "none"), ("VL", "none")),
    ],
)
def test_what_is_left_out_follows_from_what_is_given(
    given: tuple[str | None, str | None], expected: tuple[str, str]
) -> None:
    assert resolve_inputs(*given) == expected


@pytest.mark.parametrize("given", [("VLB", "none"), ("VL", "text"), ("VL", "overlay"), ("L", "text")])
def test_inputs_that_contradict_the_boxes_are_a_usage_error(given: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="leave one of them out"):
        resolve_inputs(*given)


@pytest.mark.parametrize(
    ("alignment", "inputs", "expected"),
    [(None, "VL", "on"), (None, "VLB", "on"), (None, "L", "off"), ("off", "L", "off"), ("both", "VL", "both")],
)
def test_words_are_aligned_unless_there_is_no_video(alignment: str | None, inputs: str, expected: str) -> None:
    assert resolve_alignment(alignment, inputs) == expected


def test_alignment_without_a_video_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--inputs L leaves it out"):
        resolve_alignment("on", "L")
