from __future__ import annotations

import pytest

from socialcli.alignment.layers import DecoderLayers
from socialcli.errors import UsageError
from socialcli.verbs.inspect.heads import HeadQuery

DECODER, WIDTH = DecoderLayers.all(6), 2
ALIGNED = range(2, 4)
ACTIVE = {(2, 0), (3, 0), (3, 1)}


@pytest.mark.parametrize(
    ("query", "heads", "name"),
    [
        (HeadQuery(), ACTIVE, "3 active heads of layers 2-3"),
        (HeadQuery("2"), {(2, 0)}, "1 active head of layer 2"),
        (HeadQuery("all"), ACTIVE, "3 active heads of layers 0-5"),
        (HeadQuery("auto", "all"), {(2, 0), (2, 1), (3, 0), (3, 1)}, "all 4 heads of layers 2-3"),
        (HeadQuery("0-1"), {(0, 0), (0, 1), (1, 0), (1, 1)}, "all 4 heads of layers 0-1, none of which is active"),
        (HeadQuery(heads="5:1"), {(5, 1)}, "head 5:1 (layer:head)"),
        (HeadQuery(heads="5:1,0:0,5:1"), {(5, 1), (0, 0)}, "heads 0:0, 5:1 (layer:head)"),
    ],
)
def test_the_heads_that_are_asked_for(query: HeadQuery, heads: set[tuple[int, int]], name: str) -> None:
    query.check()
    shown = query.choose(DECODER, WIDTH, ALIGNED, ACTIVE)
    assert (set(shown.heads), shown.name) == (heads, name)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (HeadQuery("middle"), "--attention-layers 'middle' names no layers"),
        (HeadQuery("4-2"), "--attention-layers 4-2 runs backwards"),
        (HeadQuery(heads="busy"), "--attention-heads 'busy' names no heads"),
        (HeadQuery(heads="3"), "--attention-heads '3' names no heads"),
        (HeadQuery(heads=""), "--attention-heads '' names no heads"),
        (HeadQuery("2", "3:0"), "omit --attention-layers"),
    ],
)
def test_what_no_model_could_show_is_refused(query: HeadQuery, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        query.check()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (HeadQuery("5-6"), "--attention-layers 5-6 reaches beyond the model's decoder, which has 6 layers"),
        (HeadQuery(heads="0:0,6:0"), "--attention-heads 6:0: the decoder has layers 0-5, each with heads 0-1"),
        (HeadQuery(heads="0:2"), "--attention-heads 0:2: the decoder has layers 0-5, each with heads 0-1"),
    ],
)
def test_what_the_model_does_not_have_is_refused(query: HeadQuery, message: str) -> None:
    query.check()
    with pytest.raises(UsageError, match=message):
        query.named(DECODER, WIDTH)
