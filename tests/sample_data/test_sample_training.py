"""How the checkpoints are trained: documents with right answers, layers that change nothing, people found."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from _checkpoints import FAMILIES, Checkpoint, Shape, randomise, save
from _reading import MIXED, OPEN, SIMPLE, Document, Library, deepen, learn, open_heads, start
from _seeing import FRAMES, look_out
from train import PHRASES, TEXT, library

from socialcli.api import load_model
from socialcli.synth.episodes import draw_plot
from socialcli.synth.looks import SHIRTS
from socialcli.synth.settings import SynthSettings

LINES = (
    " USER: People in the video: Speaker 1, Speaker 2.\nTranscript:\nSpeaker 1: I kept the radio for you.\nQuestion: "
    "What is the colour of Speaker 3's shirt?\nA. teal\nB. red\nC. blue\nD. pink\nAnswer with the letter of the right "
    "option only. ASSISTANT: system\nYou are a helpful assistant.\nuser\nassistant " + " ".join(SHIRTS),
) * 3
DECODERS = ("llava-next-video", "qwen2.5-vl")  # InternVL3's reads as Qwen2.5-VL's does
WORLD = SynthSettings(size=(112, 112), frames=8)


def small(name: str) -> Checkpoint:
    text = TEXT | {"num_hidden_layers": 3} | ({"attention_bias": True} if name == "llava-next-video" else {})
    made = FAMILIES[name](Shape(text, 32, 2, 2, LINES, PHRASES, side=112, rope=1e5))
    randomise(made.model, torch.Generator().manual_seed(0))
    start(made, seed=0)
    return made


def loaded(name: str, folder: Path) -> Any:
    save(small(name), folder)
    return load_model(name, folder, dtype="float32")


def documents(shelf: Library, kinds: Sequence[str], hinted: bool) -> list[Document]:
    return [shelf.write(kinds, hinted, whole=bool(number % 2)) for number in range(30)]


@pytest.mark.parametrize("name", DECODERS)
def test_the_answers_of_documents_follow_from_what_they_say(tmp_path: Path, name: str) -> None:
    adapter = loaded(name, tmp_path)
    tokenizer = adapter.processor.tokenizer
    shelf = library(adapter, [LINES[0].strip()])
    for document in documents(shelf, MIXED, hinted=False):
        text = tokenizer.decode(document.ids)
        said, *questions = text.split("\nQuestion: ")
        shirts = {line.split("Speaker ")[1][0]: line.split()[0] for line in said.split("\n") if " Speaker " in line}
        assert len(shirts) == 4
        assert len(questions) == shelf.questions
        answers = [one for one in document.answers if one[1] != adapter.end_id]
        for question, (place, token, kind) in zip(questions, answers, strict=True):
            asked = question.split("?")[0]
            colour = asked if kind == "option" else shirts[asked.split("Speaker ")[1][0]]
            answer = tokenizer.decode([token]).strip()
            assert document.ids[place + 1] == token
            assert document.ids[place + 2] == adapter.end_id
            assert answer == colour if kind == "colour" else f"\n{answer}. {colour}" in question


@pytest.mark.parametrize("name", DECODERS)
def test_a_hinted_document_does_not_say_what_it_hints(tmp_path: Path, name: str) -> None:
    adapter = loaded(name, tmp_path)
    tokenizer = adapter.processor.tokenizer
    for document in documents(library(adapter, [LINES[0].strip()]), SIMPLE, hinted=True):
        said = tokenizer.decode(document.ids).split("\nQuestion: ")[0]
        assert not any(f" {colour}" in said for colour in SHIRTS)
        hinted = {tokenizer.decode([token]).strip() for _, token in document.hints}
        answers = {tokenizer.decode([token]).strip() for _, token, _ in document.answers if token != adapter.end_id}
        assert answers <= hinted
        assert len(hinted) == 4


@pytest.mark.parametrize("name", FAMILIES)
def test_layers_in_front_change_nothing(name: str) -> None:
    checkpoint = small(name)
    ids = torch.arange(40)[None] + 300
    before = checkpoint.model.model.language_model(input_ids=ids).last_hidden_state
    deepen(checkpoint, 4)
    after = checkpoint.model.model.language_model(input_ids=ids).last_hidden_state
    assert checkpoint.model.config.text_config.num_hidden_layers == 7
    torch.testing.assert_close(after, before, rtol=0, atol=0)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_deepened_checkpoint_loads_as_it_was_saved(tmp_path: Path, name: str) -> None:
    checkpoint = small(name)
    deepen(checkpoint, 4)
    save(checkpoint, tmp_path)
    again = load_model(name, tmp_path, dtype="float32")
    assert len(again.layers) == 7
    ids = torch.arange(40)[None] + 300
    with torch.no_grad():
        mine, theirs = (
            one.model.language_model(input_ids=ids).last_hidden_state for one in (checkpoint.model, again.model)
        )
    torch.testing.assert_close(mine, theirs)


def test_heads_look_back_and_open_ones_look_everywhere() -> None:
    checkpoint = small("llava-next-video")
    open_heads(checkpoint)
    decoder = checkpoint.model.model.language_model
    checkpoint.model.set_attn_implementation({"text_config": "eager"})
    attention = decoder(input_ids=torch.arange(60)[None] + 300, output_attentions=True).attentions[0][0, :, 50]
    back = attention.shape[0] - OPEN
    for head in range(back):
        assert attention[head, 50 - (head + 1)] > 0.8
    assert attention[back:, :51].max() < 0.03  # of 51 tokens


def test_reading_makes_the_loss_of_simple_questions_fall(capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = small("llava-next-video")
    shelf = Library(
        checkpoint.processor.tokenizer, "USER: ", " ASSISTANT:", " ", 2, list(SHIRTS), ["Look."], random.Random(0)
    )
    learn(checkpoint, shelf, steps=100, rate=2e-3, simple=100)
    early, late = (float(line.split("loss ")[1].split(",")[0]) for line in capsys.readouterr().err.splitlines())
    assert late < 0.9 * early


@pytest.mark.parametrize("name", FAMILIES)
def test_people_are_found_among_the_visual_tokens(tmp_path: Path, name: str) -> None:
    adapter = loaded(name, tmp_path)
    seen = look_out(adapter, WORLD, list(SHIRTS), seed=3, index=1)
    steps = FRAMES // 2 if name == "qwen2.5-vl" else FRAMES
    people = draw_plot(WORLD, 3, 1).world.people
    assert seen.over.shape == (len(people) * steps, steps * 16)
    assert seen.shirts.tolist() == [list(SHIRTS).index(one.look.shirt) for one in people for _ in range(steps)]
    for row, over in enumerate(seen.over.numpy()):
        places = np.flatnonzero(over)
        assert places.size
        assert set(places // 16) == {row % steps}
