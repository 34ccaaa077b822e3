"""Fused attention with its log-sum-exp: PyTorch's own output, bit for bit, and the matching log-sum-exp."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from socialcli.alignment import kernels
from socialcli.alignment.kernels import additive, attend, grouped_scores, grouped_sum, row_lse, visible
from tests.alignment.dense import Case, random_case, scores_of


def own_attention(case: Case, mask: Tensor | None) -> Tensor:
    """PyTorch's attention over repeated keys and values."""
    groups = case.query.shape[1] // case.key.shape[1]
    return scaled_dot_product_attention(
        case.query,
        case.key.repeat_interleave(groups, dim=1),
        case.value.repeat_interleave(groups, dim=1),
        attn_mask=mask,
        is_causal=mask is None and case.query.shape[2] > 1,
        scale=case.scale,
    )


# As `socialcli.alignment.kernels` calls them: positional parameters in their order, then names.
KERNEL_PARAMETERS = {
    "_fused_sdp_choice": ("query key value attn_mask dropout_p is_causal", "scale enable_gqa"),
    "_scaled_dot_product_flash_attention_for_cpu": ("query key value dropout_p is_causal", "attn_mask scale"),
    "_scaled_dot_product_flash_attention": ("query key value dropout_p is_causal", "scale"),
    "_scaled_dot_product_efficient_attention": (
        "query key value attn_bias compute_log_sumexp dropout_p is_causal",
        "scale",
    ),
    "_scaled_dot_product_cudnn_attention": (
        "query key value attn_bias compute_log_sumexp dropout_p is_causal",
        "scale",
    ),
}


@pytest.mark.parametrize("name", KERNEL_PARAMETERS)
def test_pytorch_has_the_kernels_that_are_called_by_private_names(name: str) -> None:
    """If this fails, PyTorch has changed a kernel, and `socialcli.alignment.kernels` must be adapted."""
    schema = getattr(torch.ops.aten, name).default._schema
    positional, named = KERNEL_PARAMETERS[name]
    by_place = [one.name for one in schema.arguments if not one.kwarg_only]
    assert by_place[: len(positional.split())] == positional.split()
    assert set(named.split()) <= {one.name for one in schema.arguments if one.kwarg_only}
    if name != "_fused_sdp_choice":
        assert [one.name.replace("_", "") for one in schema.returns[:2]] == ["output", "logsumexp"]


def tensors(case: Case) -> tuple[Tensor, Tensor, Tensor]:
    return case.query, case.key, case.value


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("masked", [False, True])
def test_the_output_is_bit_for_bit_that_of_pytorch(dtype: torch.dtype, groups: int, masked: bool) -> None:
    case = random_case(prompts=2, groups=groups, padding=(0, 5) if masked else (), dtype=dtype)
    mask = case.visible if masked else None
    output, lse = attend(*tensors(case), mask, case.scale)
    assert torch.equal(output, own_attention(case, mask))
    assert lse is not None
    expected = scores_of(case.double()).logsumexp(-1)
    seen = case.visible.any(-1).expand(expected.shape)
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-12}.get(dtype, 2e-2)
    assert (lse.double() - expected)[seen].abs().max() < tolerance


@pytest.mark.parametrize("cached", [0, 7])
def test_with_gradients_the_output_is_pytorchs_and_there_is_no_log_sum_exp(cached: int) -> None:
    case = random_case(prompts=2, cached=cached, padding=(0, 3))
    case.query.requires_grad_()
    output, lse = attend(*tensors(case), case.visible, case.scale)
    assert torch.equal(output, own_attention(case, case.visible))
    assert output.requires_grad
    assert lse is None


def test_a_single_query_without_mask_sees_all_keys() -> None:
    case = random_case(queries=1, cached=9)
    for gradient in (False, True):
        case.query.requires_grad_(gradient)
        output, _ = attend(*tensors(case), None, case.scale)
        expected, _ = attend(*tensors(case), case.visible, case.scale)
        assert case.visible.all()
        torch.testing.assert_close(output, expected)


@pytest.mark.parametrize("cached", [0, 7])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_the_eager_way_agrees_with_the_fused_one(cached: int, groups: int) -> None:
    case = random_case(prompts=2, groups=groups, cached=cached, padding=(0, 3))
    output, lse = attend(*tensors(case), case.visible, case.scale, eager=True)
    expected, expected_lse = attend(*tensors(case), case.visible, case.scale)
    assert lse is not None
    assert expected_lse is not None
    torch.testing.assert_close(output, expected)
    seen = case.visible.any(-1).expand(lse.shape)
    torch.testing.assert_close(lse[seen], expected_lse[seen])


@pytest.mark.parametrize("eager", [False, True])
def test_rows_that_pad_a_prompt_are_zero_and_have_gradients_that_are_numbers(eager: bool) -> None:
    case = random_case(prompts=2, padding=(0, 6)).double()
    for tensor in tensors(case):
        tensor.requires_grad_()
    output, _ = attend(*tensors(case), case.visible, case.scale, eager=eager)
    assert (output[1, :, :6] == 0).all()
    output[1, :, 6:].sum().backward()
    assert all(tensor.grad is not None and tensor.grad.isfinite().all() for tensor in tensors(case))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_mask_can_be_added_to_scores_and_gives_the_same(dtype: torch.dtype) -> None:
    case = random_case(prompts=2, cached=7, padding=(0, 3), dtype=dtype)
    bias = additive(case.visible, dtype)
    assert bias.dtype == dtype
    assert torch.equal(bias == 0, case.visible)
    assert torch.equal(bias == -torch.inf, ~case.visible)
    assert bias.stride(-1) == 1
    assert all(stride % 16 == 0 for stride in bias.stride()[:-1])
    for one, other in zip(attend(*tensors(case), bias, 0.3), attend(*tensors(case), case.visible, 0.3), strict=True):
        assert one is not None
        assert other is not None
        assert torch.equal(one, other)


@pytest.mark.parametrize("masked", [False, True])
def test_the_allowed_kernel_is_the_one_that_computes(masked: bool) -> None:
    case = random_case(prompts=2, padding=(0, 5) if masked else ())
    mask = case.visible if masked else None
    own, own_lse = attend(*tensors(case), mask, case.scale)
    for backend, has_lse in ((SDPBackend.FLASH_ATTENTION, True), (SDPBackend.MATH, False)):
        with sdpa_kernel(backend):
            output, lse = attend(*tensors(case), mask, case.scale)
            assert torch.equal(output, own_attention(case, mask))
        assert (lse is not None) == has_lse
        torch.testing.assert_close(output, own)
    assert own_lse is not None
    with sdpa_kernel(SDPBackend.EFFICIENT_ATTENTION), pytest.raises(RuntimeError, match="No viable backend"):
        attend(*tensors(case), mask, case.scale)


@pytest.mark.parametrize("masked", [False, True])
def test_other_devices_go_the_portable_way(masked: bool) -> None:
    case = random_case(prompts=2)
    query, key, value, visible = (tensor.to("meta") for tensor in (*tensors(case), case.visible))
    output, lse = attend(query, key, value, visible if masked else None, case.scale)
    assert output.shape == query.shape
    assert lse is None


# On CUDA: the shapes and dtypes of its kernels' results are known without a device, the numbers are not.


FUSED = [("FLASH_ATTENTION", False), ("EFFICIENT_ATTENTION", True), ("EFFICIENT_ATTENTION", False)]
FUSED += [("CUDNN_ATTENTION", False), ("CUDNN_ATTENTION", True)]


@pytest.mark.parametrize(("name", "masked"), FUSED)
def test_cuda_kernels_return_output_and_log_sum_exp_in_one_form(
    name: str, masked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = getattr(SDPBackend, name).value
    monkeypatch.setattr(kernels, "_chosen", lambda *_: chosen)  # fake tensors choose the math kernel
    with FakeTensorMode():
        query = torch.empty(2, 8, 100, 64, dtype=torch.bfloat16, device="cuda")
        key = torch.empty(2, 2 if name == "FLASH_ATTENTION" else 8, 100, 64, dtype=torch.bfloat16, device="cuda")
        mask = torch.empty(2, 1, 100, 100, dtype=torch.bool, device="cuda") if masked else None
        output, lse = attend(query, key, key, mask, 0.125)
    assert lse is not None
    assert (output.shape, output.dtype, output.device.type) == (query.shape, torch.bfloat16, "cuda")
    assert (lse.shape, lse.dtype, lse.device.type) == ((2, 8, 100), torch.float32, "cuda")


def test_heads_of_an_odd_width_go_the_portable_way_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_chosen", lambda *_: SDPBackend.FLASH_ATTENTION.value)
    with FakeTensorMode():
        query = torch.empty(1, 4, 20, 12, dtype=torch.bfloat16, device="cuda")
        output, lse = attend(query, query, query, None, 0.125)
    assert output.shape == query.shape
    assert lse is None


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("cached", [0, 7])
@pytest.mark.parametrize("name", ["auto", "FLASH_ATTENTION", "EFFICIENT_ATTENTION", "CUDNN_ATTENTION", "MATH"])
def test_on_cuda_the_output_is_pytorchs_and_the_log_sum_exp_that_of_the_rows(
    dtype: torch.dtype, groups: int, cached: int, name: str
) -> None:
    case = random_case(prompts=2, groups=groups, queries=75, cached=cached, width=64, dtype=dtype)
    case = Case(*(tensor.cuda() for tensor in (*tensors(case), case.visible)), case.scale)
    mask = case.visible if cached else None
    with nullcontext() if name == "auto" else sdpa_kernel(getattr(SDPBackend, name)):
        try:
            expected = own_attention(case, mask)
        except RuntimeError as error:  # PyTorch's own call: no kernel serves every type, mask and device
            pytest.skip(f"{name} cannot do this here: {error}")
        output, lse = attend(*tensors(case), mask, case.scale)
    tolerance = 1e-5 if dtype == torch.float32 else 2e-2
    torch.testing.assert_close(output, expected, rtol=0, atol=tolerance)
    assert (lse is not None) == (name != "MATH") or name == "auto"
    if lse is not None:
        assert (lse.double() - scores_of(case.double()).logsumexp(-1)).abs().max() < tolerance


@pytest.mark.parametrize("cached", [0, 7])
def test_the_log_sum_exp_of_a_few_rows_is_that_of_the_whole(cached: int) -> None:
    case = random_case(prompts=2, cached=cached, padding=(0, 4)).double()
    rows = torch.tensor([[4, 10, 23], [5, 5, 12]])
    queries = case.query.gather(2, rows[:, None, :, None].expand(-1, 4, -1, 8))
    lse = row_lse(queries, rows, case.key, case.visible, case.scale, cached)
    whole = scores_of(case).logsumexp(-1)
    torch.testing.assert_close(lse, whole.gather(2, rows[:, None].expand(-1, 4, -1)))


@pytest.mark.parametrize(("queries", "cached"), [(24, 0), (1, 9)])
def test_without_mask_a_row_sees_what_stands_before_it(queries: int, cached: int) -> None:
    case = random_case(queries=queries, cached=cached).double()
    rows = torch.tensor([[0, queries - 1]])
    taken = case.query.gather(2, rows[:, None, :, None].expand(-1, 4, -1, 8))
    torch.testing.assert_close(
        row_lse(taken, rows, case.key, None, case.scale, cached),
        row_lse(taken, rows, case.key, case.visible, case.scale, cached),
    )


def test_a_row_that_sees_nothing_spoils_no_gradient() -> None:
    case = random_case(padding=(5,)).double()
    case.key.requires_grad_()
    rows = torch.tensor([[0, 8]])
    lse = row_lse(case.query[:, :, [0, 8]], rows, case.key, case.visible, case.scale)
    assert (lse[:, :, 0] == -torch.inf).all()
    lse[:, :, 1].sum().backward()
    assert case.key.grad is not None
    assert case.key.grad.isfinite().all()


def test_visibility_is_read_from_the_mask_entry_by_entry() -> None:
    mask = torch.rand(2, 1, 6, 9, generator=torch.Generator().manual_seed(0)) < 0.5
    rows, columns = torch.tensor([[0, 5, 2], [3, 3, 1]]), torch.tensor([[8, 0, 4, 4], [1, 2, 3, 7]])
    seen = visible(mask, rows, columns)
    assert seen.shape == (2, 1, 3, 4)
    for prompt in range(2):
        for row in range(3):
            for column in range(4):
                expected = mask[prompt, 0, rows[prompt, row], columns[prompt, column]]
                assert seen[prompt, 0, row, column] == expected
    shared = visible(mask[:1], rows, columns)  # one mask for all prompts
    assert torch.equal(shared[1], visible(mask[:1], rows[1:], columns[1:])[0])


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_scores_and_sums_of_groups_are_those_of_repeated_keys(groups: int) -> None:
    case = random_case(prompts=2, groups=groups).double()
    scores = grouped_scores(case.query, case.key, case.scale)
    seen = case.visible.expand(scores.shape)
    torch.testing.assert_close(scores[seen], scores_of(case)[seen])
    repeated = scores @ case.value.repeat_interleave(groups, dim=1)
    torch.testing.assert_close(grouped_sum(scores, case.value), repeated)
