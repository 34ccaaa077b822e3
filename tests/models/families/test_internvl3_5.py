"""InternVL3.5: the adapter of InternVL3, with the decoder of Qwen3."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import InternVLConfig, InternVLForConditionalGeneration, Qwen3Config

from socialcli.alignment.attention import Alignment
from socialcli.api import ask, load_model, open_clip
from tests.conftest import SAMPLE, sample_episodes, tiny_model


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """The sample's InternVL3 with a Qwen3 decoder of random weights, saved as transformers 4 did: not tied outside."""
    sample = tiny_model("internvl3")
    text = sample.model.config.get_text_config().to_dict()
    sizes = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    decoder = Qwen3Config(
        **{name: text[name] for name in (*sizes, "num_key_value_heads", "max_position_embeddings", "rope_parameters")},
        head_dim=16,
        tie_word_embeddings=False,
    )
    config = InternVLConfig(
        vision_config=sample.model.config.vision_config,
        text_config=decoder,
        image_token_id=sample.visual_token_id,
        image_seq_length=256,
        tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    model = InternVLForConditionalGeneration(config)
    model.generation_config = sample.model.generation_config
    model.save_pretrained(tmp_path)
    sample.processor.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text())
    del saved["tie_word_embeddings"]
    (tmp_path / "config.json").write_text(json.dumps(saved))
    return tmp_path


def test_it_loads_with_its_own_output_matrix_and_is_aligned(checkpoint: Path) -> None:
    model = load_model("internvl3", checkpoint)
    assert model.model.config.get_text_config().model_type == "qwen3"
    head, words = model.model.get_output_embeddings().weight, model.model.get_input_embeddings().weight
    assert not torch.equal(head, words)
    clip = open_clip(model, sample_episodes()[0], media_root=str(SAMPLE), frames=2)
    question = ask(clip, clip.episode.questions[0])
    plain, aligned = (clip.score([question], one)[0].scores for one in (None, Alignment(alpha=4, layers="all")))
    assert plain is not None and aligned is not None
    assert max(abs(a - b) for a, b in zip(plain, aligned, strict=True)) > 1e-6
