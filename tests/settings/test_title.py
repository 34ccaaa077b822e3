from __future__ import annotations

from socialcli.settings.title import how_asked

from ..results.samples import settings


def test_a_title_names_the_model_what_it_is_shown_and_how_it_answers() -> None:
    assert how_asked(settings()) == "qwen2.5-vl, VL, context full, frames 8, answer score"
    shown = settings(inputs="VLB", boxes_as="overlay", context="past", frames=4, answer="generate")
    assert how_asked(shown) == "qwen2.5-vl, VLB, boxes as overlay, context past, frames 4, answer generate"
