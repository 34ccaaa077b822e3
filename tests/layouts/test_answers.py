"""What decides answers beside the weights: the letter behind the prompt, and the length that a prompt may have."""

from __future__ import annotations

from typing import Any

import pytest

from socialcli.api import load_model
from socialcli.errors import PromptError
from socialcli.inference.decoding import letter_ids
from socialcli.models.huggingface import HuggingFaceAdapter

from ..conftest import noise_frames
from ..models.test_prompts import with_processor
from .conftest import Narrow
from .narrow import LLAVA_7B, PUBLISHED


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_a_letter_is_the_token_that_stands_behind_the_published_prompt(narrow: Narrow, name: str) -> None:
    published = PUBLISHED[name]
    model: Any = load_model(published.model, narrow(name, "old"))
    vocabulary = model.processor.tokenizer.get_vocab()
    assert letter_ids(model, "ABZ") == tuple(vocabulary[published.letter.replace("A", letter)] for letter in "ABZ")


@pytest.mark.parametrize(
    ("ending", "prefix"), [("ASSISTANT:", " "), ("ASSISTANT: ", ""), ("<|im_start|>assistant\n", ""), ("</s>", "")]
)
def test_the_space_before_a_letter_depends_on_the_end_of_the_prompt(narrow: Narrow, ending: str, prefix: str) -> None:
    def change(processor: Any) -> None:
        processor.chat_template = processor.chat_template.replace("ASSISTANT:", ending.replace("\n", "\\n"))

    model = with_processor(load_model("llava-next-video", narrow("llava-7b", "old")), change)
    assert model.letter_prefix == prefix


def test_a_family_may_still_name_its_prefix(model: Any) -> None:
    class Named(type(model)):  # type: ignore[misc]  # a base that is known only at run time
        letter_prefix = "-"

    assert isinstance(model, HuggingFaceAdapter)
    assert Named(model.spec, model.model, model.processor).letter_prefix == "-"


def test_llava_takes_the_32_frames_of_its_card(narrow: Narrow) -> None:
    model = load_model("llava-next-video", narrow("llava-7b", "old"))
    limit = 2 * LLAVA_7B.config["text_config"]["max_position_embeddings"]
    clip = model.encode_clip(noise_frames(64, 64, 32))
    assert model.encode_prompt("Who is it?", (), clip).length > 32 * 144
    with pytest.raises(PromptError, match=f"tokens long, the model takes {limit}; use fewer frames or words"):
        model.encode_prompt("word " * limit, (), clip)
