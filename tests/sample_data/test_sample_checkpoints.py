from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from _checkpoints import random_checkpoint
from make import CHECKPOINT_NAMES, make_checkpoints
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.video_utils import VideoMetadata

VISUAL_TOKENS = {  # of 8 frames of 640x360
    "llava-next-video": 8 * 12 * 12,
    "qwen2.5-vl": 4 * 13 * 23,
    "internvl3": 8 * 16 * 16,
    "qwen3-vl": 4 * 11 * 20,
    "llava-onevision": 8 * 14 * 14 + 1,  # a newline
    "smolvlm2": 8 * 9 * 9,
    "qwen2-vl": 4 * 13 * 23,
    "gemma-4": 8 * 6 * 11,
    "qwen3.5": 4 * 11 * 20,
    "llama-3.2-vision": 8,  # one stands for a frame, whose patches are keys of cross-attention
}
SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
ASKED = "<|im_start|>user\n<|vision_start|><|video_pad|><|vision_end|>Who is it?<|im_end|>\n<|im_start|>assistant\n"
PROMPTS = {
    "llava-next-video": "USER: <video>\nWho is it? ASSISTANT:",
    "qwen2.5-vl": SYSTEM + ASKED,
    "internvl3": "<|im_start|>user\n<video>\nWho is it?<|im_end|>\n<|im_start|>assistant\n",
    "qwen3-vl": ASKED,
    "llava-onevision": "<|im_start|>user <video>\nWho is it?<|im_end|><|im_start|>assistant\n",
    "smolvlm2": "<|im_start|>User: <video>Who is it?<end_of_utterance>\nAssistant:",
    "qwen2-vl": SYSTEM + ASKED,
    "gemma-4": "<bos><|turn>user\n<|video|>Who is it?<turn|>\n<|turn>model\n",
    "qwen3.5": ASKED + "<think>\n",
    "llama-3.2-vision": (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n"
        + "<|image|>" * 8
        + "Who is it?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
}
STOPS = {
    "llava-next-video": {"</s>"},
    "qwen2.5-vl": {"<|im_end|>"},
    "internvl3": {"<|im_end|>"},
    "qwen3-vl": {"<|im_end|>", "<|endoftext|>"},
    "llava-onevision": {"<|im_end|>"},
    "smolvlm2": {"<end_of_utterance>"},
    "qwen2-vl": {"<|im_end|>", "<|endoftext|>"},
    "gemma-4": {"<eos>", "<turn|>", "<|tool_response>"},
    "qwen3.5": {"<|im_end|>", "<|endoftext|>"},
    "llama-3.2-vision": {"<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"},
}
QUESTION = {"type": "text", "text": "Who is it?"}
families = pytest.mark.parametrize("name", CHECKPOINT_NAMES)


PROCESSOR: Any = AutoProcessor
MODEL: Any = AutoModelForImageTextToText


def processor_of(folder: Path) -> Any:
    return PROCESSOR.from_pretrained(folder, local_files_only=True)


def model_of(folder: Path, **choices: Any) -> Any:
    return MODEL.from_pretrained(folder, local_files_only=True, dtype=torch.float32, **choices).eval()


def visual_id(name: str, processor: Any) -> int:
    """The id of the tokens that show the frames."""
    named = processor.image_token_id if name in ("internvl3", "smolvlm2", "llama-3.2-vision") else None
    return int(named or processor.tokenizer.convert_tokens_to_ids(processor.video_token))


def conversation(name: str) -> list[dict[str, Any]]:
    """A question about 8 frames, in the place of each of which Llama-3.2-Vision has an image."""
    seen = [{"type": "image"}] * 8 if name == "llama-3.2-vision" else [{"type": "video"}]
    return [{"role": "user", "content": [*seen, QUESTION]}]


def encoded(name: str, processor: Any, seed: int) -> Any:
    """The inputs of 8 frames of 640x360, large blocks of random colours."""
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 9, 16, 3), np.uint8)
    frames = blocks.repeat(40, axis=1).repeat(40, axis=2)
    text = [processor.apply_chat_template(conversation(name), add_generation_prompt=True)]
    if name == "llama-3.2-vision":
        return processor(text=text, images=[list(frames)], add_special_tokens=False, return_tensors="pt")
    return processor(
        text=text,
        videos=[frames],
        add_special_tokens=False,
        video_metadata=[VideoMetadata(total_num_frames=8, fps=1.5, duration=6.0, frames_indices=list(range(8)))],
        do_sample_frames=False,
        return_tensors="pt",
    )


@families
def test_the_checkpoint_runs_and_sees_the_frames(sample_data: Path, name: str) -> None:
    folder = sample_data / "checkpoints" / name
    processor = processor_of(folder)
    model = model_of(folder)
    visual = visual_id(name, processor)
    first, second = encoded(name, processor, 1), encoded(name, processor, 2)
    assert int((first["input_ids"] == visual).sum()) == VISUAL_TOKENS[name]
    with torch.no_grad():
        one, other = (model(**inputs, logits_to_keep=1).logits[0, -1] for inputs in (first, second))
    assert torch.isfinite(one).all()
    assert (one - other).abs().max() > 0.1


@families
def test_attention_is_neither_uniform_nor_on_one_token(sample_data: Path, name: str) -> None:
    folder = sample_data / "checkpoints" / name
    model = model_of(folder, attn_implementation={"text_config": "eager"})
    inputs = encoded(name, processor_of(folder), 1)
    with torch.no_grad():
        layers = model(**inputs, output_attentions=True, logits_to_keep=1).attentions
    for layer in layers:  # Qwen3.5's linear layers have none
        last = layer[0, :, -8:]
        assert 4.0 / last.shape[-1] < float(last.amax(-1).mean()) < 0.5


@families
def test_the_chat_template_renders_as_the_published_one(sample_data: Path, name: str) -> None:
    processor = processor_of(sample_data / "checkpoints" / name)
    assert processor.apply_chat_template(conversation(name), add_generation_prompt=True) == PROMPTS[name]
    closed = processor.apply_chat_template(conversation(name))
    assert PROMPTS[name].startswith(closed.rstrip())
    assert closed.rstrip().endswith(
        ("Who is it?", "Who is it?<|im_end|>", *(f"Who is it?{end}" for end in STOPS[name]))
    )


def test_qwen3_5_answers_without_thoughts_only_on_request(sample_data: Path) -> None:
    processor = processor_of(sample_data / "checkpoints" / "qwen3.5")
    prompt = processor.apply_chat_template(conversation("qwen3.5"), add_generation_prompt=True, enable_thinking=False)
    assert prompt == ASKED + "<think>\n\n</think>\n\n"


def test_llama_dates_a_conversation_without_images(sample_data: Path) -> None:
    processor = processor_of(sample_data / "checkpoints" / "llama-3.2-vision")
    prompt = processor.apply_chat_template([{"role": "user", "content": [QUESTION]}], date_string="26 Jul 2024")
    assert prompt == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
        "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWho is it?<|eot_id|>"
    )


@families
def test_generation_ends_as_the_published_one(sample_data: Path, name: str) -> None:
    folder = sample_data / "checkpoints" / name
    tokenizer = processor_of(folder).tokenizer
    ends = json.loads((folder / "generation_config.json").read_text())["eos_token_id"]
    assert {tokenizer.decode([end]) for end in ([ends] if isinstance(ends, int) else ends)} == STOPS[name]
    assert tokenizer.padding_side == "left"


@families
def test_every_letter_is_one_token_with_and_without_a_space(sample_data: Path, name: str) -> None:
    tokenizer = processor_of(sample_data / "checkpoints" / name).tokenizer
    space = "▁" if name in ("llava-next-video", "gemma-4") else "Ġ"
    for letter in string.ascii_uppercase:
        assert (
            tokenizer.convert_ids_to_tokens(tokenizer(f":{letter}", add_special_tokens=False).input_ids)[-1] == letter
        )
        behind_space = tokenizer(f"x {letter}", add_special_tokens=False).input_ids
        assert tokenizer.convert_ids_to_tokens(behind_space)[-1] == space + letter


@families
def test_the_tokenizer_gives_any_text_back(sample_data: Path, name: str) -> None:
    tokenizer = processor_of(sample_data / "checkpoints" / name).tokenizer
    for text in ("Speaker 2: ¡Ay, perdón! Here they are 🔑", "日本語, naïve\ntwo lines", "a < b > c"):
        assert tokenizer.decode(tokenizer(text, add_special_tokens=False).input_ids) == text


@families
def test_making_the_checkpoint_again_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    for attempt in ("first", "second"):
        make_checkpoints(tmp_path / attempt, [name])
    made = [path.relative_to(tmp_path / "first") for path in (tmp_path / "first").rglob("*") if path.is_file()]
    assert len(made) == 7
    for path in made:
        assert (tmp_path / "first" / path).read_bytes() == (tmp_path / "second" / path).read_bytes()


@families
def test_the_checkpoint_is_what_the_script_makes(sample_data: Path, name: str) -> None:
    folder = sample_data / "checkpoints" / name
    made = random_checkpoint(name)
    stored, drawn = load_file(folder / "model.safetensors"), made.model.state_dict()
    for weight, tensor in stored.items():
        candidates = [value for key, value in drawn.items() if key.removeprefix("model.").endswith(_tail(weight))]
        assert any(value.shape == tensor.shape and torch.equal(value, tensor) for value in candidates), weight
    assert processor_of(folder).tokenizer.get_vocab() == made.processor.tokenizer.get_vocab()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 700_000


def _tail(weight: str) -> str:
    """The end of a weight's name, which saving leaves as it is."""
    return ".".join(weight.split(".")[-2:])
