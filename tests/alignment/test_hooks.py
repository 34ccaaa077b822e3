"""A chosen attention kernel: the same results, aligned or not, or a clear error where it is not available."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention
from transformers import LlamaConfig, LlamaForCausalLM

from socialcli.alignment.attention import Alignment, aligned
from socialcli.alignment.hooks import KERNELS, attention_kernel, eager_attention, switch
from socialcli.errors import UnknownNameError, UsageError
from tests.alignment.dense import plan_of, random_plan
from tests.alignment.text_decoder import TextDecoder

ON_CPU = tuple(name for name in KERNELS if name != "efficient")


class Decoder(TextDecoder):
    """A minimal model to align: two layers."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=50,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            initializer_range=0.3,  # large enough for attention to differ from place to place
            attn_implementation="sdpa",
        )
        self.model = LlamaForCausalLM(config).eval()


@cache
def decoder() -> Decoder:
    return Decoder()


@torch.inference_mode()
def logits(alignment: Alignment | None) -> tuple[Tensor, list[float]]:
    """Of two prompts, the second one padded on the left; and the share of active heads."""
    ids = torch.randint(0, 50, (2, 24), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, :3] = 0
    plans = [random_plan((10, 11, 17, 23), (1, 2, 3, 5, 8)), plan_of((12, 20), (7, 9))]
    if alignment is None:
        return decoder().model(input_ids=ids, attention_mask=mask).logits[mask == 1], []
    with aligned(decoder(), plans, alignment) as report:
        return decoder().model(input_ids=ids, attention_mask=mask).logits[mask == 1], report.active_share()


def implementation() -> str:
    name: str = decoder().model.config._attn_implementation
    return name


def test_transformers_keeps_the_name_of_an_attention_where_switch_reads_it() -> None:
    """`socialcli.alignment.hooks.switch` reads it there; if this fails, it must read it elsewhere."""
    assert implementation() == "sdpa"
    assert switch(decoder().model, "eager") == "sdpa"
    try:
        attention = decoder().model(torch.ones(1, 4, dtype=torch.int64), output_attentions=True).attentions
        assert attention is not None and attention[0].shape == (1, 4, 4, 4)  # only the eager one gives its weights
    finally:
        assert switch(decoder().model, "sdpa") == "eager"
    assert implementation() == "sdpa"


@pytest.mark.parametrize("alignment", [None, Alignment(layers="all", threshold=0.06)], ids=["plain", "aligned"])
@pytest.mark.parametrize("name", ON_CPU)
def test_every_kernel_gives_the_same(name: str, alignment: Alignment | None) -> None:
    expected, active = logits(alignment)
    with attention_kernel(decoder(), name):
        found, found_active = logits(alignment)
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-5)
    assert found_active == active
    if alignment is not None:
        assert 0 < sum(active) < 2
        assert (expected - logits(None)[0]).abs().max() > 1


@pytest.mark.parametrize(("name", "enabled"), [("flash", (True, False)), ("math", (False, True))])
def test_a_fused_kernel_is_the_only_one_inside_and_one_of_all_afterwards(name: str, enabled: tuple[bool, bool]) -> None:
    def found() -> tuple[bool, bool]:
        return torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.math_sdp_enabled()

    with pytest.raises(ZeroDivisionError), attention_kernel(decoder(), name):
        assert found() == enabled
        raise ZeroDivisionError
    assert found() == (True, True)


def test_a_fused_kernel_takes_the_place_of_a_decoders_eager_attention() -> None:
    with eager_attention(decoder()):
        with attention_kernel(decoder(), "math"):
            assert implementation() == "sdpa"
        assert implementation() == "eager"
    assert implementation() == "sdpa"


def test_eager_is_the_decoders_attention_inside_and_undone_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), attention_kernel(decoder(), "eager"):
        assert implementation() == "eager"
        raise ZeroDivisionError
    assert implementation() == "sdpa"


def test_auto_leaves_everything_as_it_is() -> None:
    with attention_kernel(decoder(), "auto"):
        assert implementation() == "sdpa"
        assert torch.backends.cuda.flash_sdp_enabled()
        assert torch.backends.cuda.math_sdp_enabled()


def test_a_missing_kernel_is_an_error_before_anything_runs() -> None:
    with (
        pytest.raises(
            UsageError,
            match=r"kernel 'efficient' is not available on cpu in torch\.float32; choose auto or another",
        ),
        attention_kernel(decoder(), "efficient"),
    ):
        pytest.fail("the block ran")
    assert torch.backends.cuda.flash_sdp_enabled()


@pytest.mark.filterwarnings("ignore:Flash attention kernel not used", "ignore:Both fused kernels")
def test_a_kernel_that_does_not_support_a_batch_is_an_error_at_that_batch() -> None:
    query = torch.randn(1, 1, 8, 8)
    with (
        pytest.raises(UsageError, match="kernel 'flash' does not support a prompt on cpu; choose auto"),
        attention_kernel(decoder(), "flash"),
    ):
        scaled_dot_product_attention(query, query, query, dropout_p=0.5)  # only the math kernel has dropout on a CPU


def test_other_errors_pass_through_unchanged() -> None:
    with pytest.raises(RuntimeError, match="must match"), attention_kernel(decoder(), "math"):
        torch.ones(2) + torch.ones(3)


def test_a_name_that_is_no_kernel_is_an_error_that_suggests_one() -> None:
    with (
        pytest.raises(UnknownNameError, match=r"no attention kernel 'flsh'\. Did you mean 'flash'"),
        attention_kernel(decoder(), "flsh"),
    ):
        pytest.fail("the block ran")


def test_alignment_with_missing_kernels_raises_pytorchs_own_error() -> None:
    with (
        sdpa_kernel(SDPBackend.EFFICIENT_ATTENTION),
        pytest.raises(RuntimeError, match="No viable backend"),
    ):
        logits(Alignment(layers="all", threshold=0.0))
