"""The plans of a batch as tensors: what prompts share, what is padding, and what a forward pass computes once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from socialcli.alignment.rows.masked_plans import MaskedPlans
from socialcli.alignment.rows.padding import PaddedIndices
from socialcli.alignment.rows.plan_batch import PlanBatch
from tests.alignment.dense import plan_of

CPU = torch.device("cpu")
COLUMNS = (1, 2, 5)


def indices(*parts: tuple[int, ...]) -> PaddedIndices:
    index = np.array(parts, dtype=np.int64)
    return PaddedIndices.of(index, np.ones(index.shape, dtype=np.bool_), CPU)


def masked(batch: PlanBatch, queries: range = range(12), mask: torch.Tensor | None = None) -> MaskedPlans:
    return batch.masked(queries, 0, mask, torch.float32)


@pytest.mark.parametrize("parts", [((3, 0, 4),), ((3, 0, 4), (3, 0, 4)), ((3, 0, 4), (1, 1, 2))])
def test_entries_are_those_at_each_prompts_indices(parts: tuple[tuple[int, ...], ...]) -> None:
    tensor = torch.randn(len(parts), 3, 6, 2, generator=torch.Generator().manual_seed(0))
    taken = indices(*parts).take(tensor)
    assert taken.shape == (len(parts), 3, 3, 2)
    for prompt, part in enumerate(parts):
        assert torch.equal(taken[prompt], tensor[prompt][:, list(part)])


def test_indices_that_all_prompts_share_are_stored_once() -> None:
    assert indices((1, 2)).index.tolist() == [1, 2]
    assert indices((1, 2), (1, 2)).index.tolist() == [1, 2]
    assert indices((1, 2), (1, 2)).expanded(2).tolist() == [[1, 2], [1, 2]]
    assert indices((1, 2), (1, 3)).index.tolist() == [[1, 2], [1, 3]]
    assert indices((1, 2), (1, 2)).of_prompt(1).tolist() == [1, 2]
    assert indices((1, 2), (1, 3)).of_prompt(1).tolist() == [1, 3]


def test_without_padding_and_masked_columns_nothing_is_hidden() -> None:
    batch = PlanBatch.of([plan_of((7, 9), COLUMNS)] * 2, CPU)
    for mask in (None, torch.ones(12, 12, dtype=torch.bool).tril().expand(2, 1, 12, 12)):
        found = masked(batch, mask=mask)
        assert found.rows.real is None
        assert found.columns.real is None
        assert found.hidden is None
        assert found.targets is None
        assert found.count.tolist() == [[6], [6]]
        assert found.key_counts.expand(2, 1, 2).tolist() == [[[8, 10]]] * 2


def test_padding_is_hidden_and_neither_counted_nor_written() -> None:
    batch = PlanBatch.of([plan_of((7, 9), COLUMNS), plan_of((8,), (1, 3))], CPU)
    found = masked(batch)
    assert found.count.tolist() == [[6], [2]]
    assert found.hidden is not None
    assert found.hidden[1, 0, 0].tolist() == [0, 0, -torch.inf]
    assert found.pairs[1, 0].tolist() == [[True, True, False], [False] * 3]
    assert found.paired_rows[1, 0].tolist() == [[True], [False]]
    output = torch.zeros(2, 1, 12, 1)
    found.write(output, torch.ones(2, 1, 2, 1))
    assert output.nonzero()[:, [0, 2]].tolist() == [[0, 7], [0, 9], [1, 8]]


def test_rows_outside_the_queries_are_padding() -> None:
    found = masked(PlanBatch.of([plan_of((7, 9, 20), COLUMNS)], CPU), range(8, 20))
    assert found.rows.index.tolist() == [0, 1, 0]
    assert found.rows.real is not None
    assert found.rows.real.tolist() == [[False, True, False]]
    assert found.count.tolist() == [[3]]
    assert found.pairs[0, 0].tolist() == [[False] * 3, [True] * 3, [False] * 3]


def test_what_a_padded_row_does_not_see_hides_nothing() -> None:
    mask = torch.ones(2, 1, 12, 12, dtype=torch.bool).tril()
    mask[:, :, 0] = False  # the row whose index pads the others sees nothing
    assert masked(PlanBatch.of([plan_of((7, 9), COLUMNS), plan_of((8,), COLUMNS)], CPU), mask=mask).hidden is None


def test_a_mask_hides_its_columns_and_is_there_to_be_added() -> None:
    mask = torch.ones(1, 1, 12, 12, dtype=torch.bool).tril()
    mask[..., :2] = False
    found = masked(PlanBatch.of([plan_of((7, 9), COLUMNS)], CPU), mask=mask)
    assert found.hidden is not None
    assert found.hidden[0, 0].tolist() == [[-torch.inf, 0, 0]] * 2
    assert found.pairs[0, 0].tolist() == [[False, True, True]] * 2
    assert found.key_counts[0].tolist() == [[6, 8]]
    assert found.additive_mask is not None
    assert torch.equal(found.additive_mask == 0, mask)


def test_layers_with_the_same_mask_share_masked_plans() -> None:
    batch = PlanBatch.of([plan_of((7, 9), COLUMNS)], CPU)
    whole = torch.ones(1, 1, 12, 12, dtype=torch.bool).tril()
    window = whole.triu(-6)
    first, other = masked(batch, mask=whole), masked(batch, mask=window)
    assert masked(batch, mask=whole) is first
    assert masked(batch, mask=window) is other
    assert other is not first
    batch.begin(0)
    assert masked(batch, mask=whole) is not first


def test_no_more_masks_are_cached_than_a_decoder_has() -> None:
    batch = PlanBatch.of([plan_of((7, 9), COLUMNS)], CPU)
    masks = [torch.ones(1, 1, 12, 12, dtype=torch.bool).tril() for _ in range(9)]
    for mask in masks:
        masked(batch, mask=mask)
    assert len(batch.cache) <= 2


def test_heads_with_masks_of_their_own_keep_them_when_some_are_taken() -> None:
    mask = torch.ones(1, 4, 12, 12, dtype=torch.bool).tril()
    mask[:, 2, :, :2] = False
    found = masked(PlanBatch.of([plan_of((7, 9), COLUMNS)], CPU), mask=mask).heads(slice(1, 3))
    assert found.hidden is not None
    assert found.hidden[0, :, 0, 0].tolist() == [0, -torch.inf]
    assert found.pairs.shape == (1, 2, 2, 3)
    assert found.key_counts.tolist() == [[[8, 10], [6, 8]]]
