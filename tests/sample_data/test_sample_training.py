"""How the checkpoints are trained: documents with right answers, layers that change nothing, people found."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from _checkpoints import FAMILIES, TRAINED, Checkpoint, Shape, randomise, save
from _decoders import OPEN, deepen, open_heads, start
from _documents import ALL, COLOURS, FACTS, SIMPLE, Document, Library
from _reading import learn
from _seeing import DIRECTIONS, FRAMES, look_out
from train import PHRASES, TEXT, library

from socialcli.api import load_model
from socialcli.synth.appearance import SHIRTS
from socialcli.synth.episodes import draw_plot
from socialcli.synth.settings import SynthSettings

LINES = (
    " USER: People in the video: Speaker 1, Speaker 2.\nTranscript:\nSpeaker 1: I kept the radio for you.\nQuestion: "
    "What is the colour of Speaker 3's shirt?\nA. teal\nB. red\nC. blue\nD. pink\nAnswer with the letter of the right "
    "option only. ASSISTANT: system\nYou are a helpful assistant.\nuser\nassistant "
    + " ".join(word for fact in FACTS for word in fact.words),
) * 3
DECODERS = ("llava-next-video", "qwen2.5-vl")  # InternVL3's reads as Qwen2.5-VL's does
WORLD = SynthSettings(size=(112, 112), frames=8)


def small(name: str) -> Checkpoint:
    text = TEXT | {"num_hidden_layers": 5} | ({"attention_bias": True} if name == "llava-next-video" else {})
    made = FAMILIES[name](Shape(text, 32, 2, 2, LINES, PHRASES, side=112, rope=1e5))
    randomise(made.model, torch.Generator().manual_seed(0))
    start(made, seed=0)
    return made


def loaded(name: str, folder: Path) -> Any:
    save(small(name), folder)
    return load_model(name, folder, dtype="float32")


def documents(shelf: Library, kinds: Sequence[str], given: int | None) -> list[Document]:
    return [shelf.write(kinds, given, whole=bool(number % 2)) for number in range(30)]


def facts_in(text: str) -> dict[str, str]:
    """The word before each speaker's name in a transcript."""
    return {line.split("Speaker ")[1][0]: line.split()[0] for line in text.split("\n") if " Speaker " in line}


@pytest.mark.parametrize("name", DECODERS)
def test_the_answers_of_documents_follow_from_what_they_say(tmp_path: Path, name: str) -> None:
    adapter = loaded(name, tmp_path)
    tokenizer = adapter.processor.tokenizer
    shelf = library(adapter, [LINES[0].strip()], 1)
    kinds = [kind for kind in COLOURS if kind != "recall"]
    for document in documents(shelf, kinds, given=0):
        said, *questions = tokenizer.decode(document.ids).split("\nQuestion: ")
        shirts = facts_in(said)
        assert len(shirts) == 4
        assert len(questions) == shelf.questions
        answers = [one for one in document.answers if one.kind != "end"]
        for question, given in zip(questions, answers, strict=True):
            asked = question.split("?")[0]
            colour = shirts[asked.split("Speaker ")[1][0]] if "Speaker" in asked else asked
            answer = tokenizer.decode([given.token]).strip()
            assert document.ids[given.place + 1 :][:2] == [given.token, adapter.end_id]
            if given.kind == "fact":
                assert answer == colour
            elif given.kind == "wearer":
                (wearer,) = (number for number, shirt in shirts.items() if shirt == colour)
                assert f"\n{answer}. Speaker {wearer}" in question
            else:
                assert f"\n{answer}. {colour}" in question


@pytest.mark.parametrize("fact", range(len(FACTS)))
def test_facts_are_recalled_behind_each_speaker(tmp_path: Path, fact: int) -> None:
    adapter = loaded("qwen2.5-vl", tmp_path)
    for document in documents(library(adapter, [LINES[0].strip()], 1), ["recall"], fact):
        said, *questions = adapter.processor.tokenizer.decode(document.ids).split("\nQuestion: ")
        facts = facts_in(said)
        for question in questions:
            listed = {line.split()[2]: line.split()[3] for line in question.strip().split("\n")[1:]}
            assert listed == {who: word.replace("to", "at") for who, word in facts.items()}
        assert len(document.answers) == 4 * len(questions)
        assert all(document.ids[one.place + 1] == one.token for one in document.answers)


@pytest.mark.parametrize("name", DECODERS)
def test_a_hinted_document_does_not_say_what_it_hints(tmp_path: Path, name: str) -> None:
    adapter = loaded(name, tmp_path)
    tokenizer = adapter.processor.tokenizer
    for document in documents(library(adapter, [LINES[0].strip()], 1), SIMPLE, given=None):
        said = tokenizer.decode(document.ids).split("\nQuestion: ")[0]
        assert not any(f" {word} " in said for fact in FACTS for word in fact.words)
        hinted = {token for _, tokens in document.hints for token in tokens}
        answers = {tokenizer.decode([one.token]).strip() for one in document.answers if one.kind != "end"}
        shown = {tokenizer.decode([token]).strip() for token in hinted}
        assert answers <= shown | {word.replace("to", "at") for word in shown}
        assert all(len(tokens) == len(FACTS) for _, tokens in document.hints)


@pytest.mark.parametrize("name", DECODERS)
def test_who_is_meant_stands_where_the_speaker_points(tmp_path: Path, name: str) -> None:
    adapter = loaded(name, tmp_path)
    tokenizer = adapter.processor.tokenizer
    kinds = [kind for kind in ALL if kind in ("who", "aim", "whom")]
    for document in documents(library(adapter, [LINES[0].strip()], 1), kinds, given=None):
        said, *questions = tokenizer.decode(document.ids).split("\nQuestion: ")
        spoken = [line.split("Speaker ")[1][0] for line in said.split("Transcript:\n")[1].split("\n")]
        found = list(dict.fromkeys(tokens for _, tokens in document.hints))
        facts = {who: tokenizer.decode(list(tokens)).split() for who, tokens in zip(spoken, found, strict=True)}
        answers = [one for one in document.answers if one.kind != "end"]
        for question, given in zip(questions, answers, strict=True):
            options = {line[0]: line.split()[2] for line in question.split("\n") if line[1:10] == ". Speaker"}
            meant = facts[options[tokenizer.decode([given.token]).strip()]]
            if given.kind == "who":
                assert question.startswith(" ".join(meant[1:3]) + "?")
            else:
                asked = question.split("Speaker ")[1][0]
                assert [word.replace("to", "at") for word in facts[asked][3:]] == meant[1:3]
                assert asked not in options.values()


@pytest.mark.parametrize("name", TRAINED)
def test_layers_in_front_change_nothing(name: str) -> None:
    checkpoint = small(name)
    ids = torch.arange(40)[None] + 300
    before = checkpoint.model.model.language_model(input_ids=ids).last_hidden_state
    deepen(checkpoint, 4)
    after = checkpoint.model.model.language_model(input_ids=ids).last_hidden_state
    assert checkpoint.model.config.text_config.num_hidden_layers == 9
    torch.testing.assert_close(after, before, rtol=0, atol=0)


@pytest.mark.parametrize("name", TRAINED)
def test_a_deepened_checkpoint_loads_as_it_was_saved(tmp_path: Path, name: str) -> None:
    checkpoint = small(name)
    deepen(checkpoint, 4)
    save(checkpoint, tmp_path)
    again = load_model(name, tmp_path, dtype="float32")
    assert len(again.layers) == 9
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
    shelf = Library(checkpoint.processor.tokenizer, "USER: ", " ASSISTANT:", " ", 2, ["Look."], random.Random(0))
    learn(checkpoint, shelf, COLOURS, steps=100, rate=2e-3, simple=100)
    early, late = (float(line.split("loss ")[1].split(",")[0]) for line in capsys.readouterr().err.splitlines())
    assert late < 0.9 * early


@pytest.mark.parametrize("name", TRAINED)
def test_people_are_found_among_the_visual_tokens(tmp_path: Path, name: str) -> None:
    adapter = loaded(name, tmp_path)
    seen = look_out(adapter, WORLD, seed=3, index=1)
    steps = FRAMES // 2 if name == "qwen2.5-vl" else FRAMES
    world = draw_plot(WORLD, 3, 1).world
    people = world.people
    assert seen.over.shape == (len(people) * steps, steps * 16)
    shirts, columns, rows, *aims = seen.facts.T.tolist()
    assert shirts == [list(SHIRTS).index(one.look.shirt) for one in people for _ in range(steps)]
    places = list(zip(columns, rows, strict=True))
    for row, aim in enumerate(zip(*aims, strict=True)):
        person, step = divmod(row, steps)
        meant = world.gestures[world.stretch(step * WORLD.frames // steps)][person]
        assert aim == places[meant * steps + step]
        x, y = world.poses(step * WORLD.frames // steps)[person].direction
        turn = 2 * np.pi * seen.directions[row].item() / DIRECTIONS
        assert x * np.cos(turn) + y * np.sin(turn) >= np.cos(np.pi / DIRECTIONS) - 1e-6
    for row, over in enumerate(seen.over.numpy()):
        tokens = np.flatnonzero(over)
        assert tokens.size
        assert set(tokens // 16) == {row % steps}
