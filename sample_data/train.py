"""Retrain the checkpoints of `trained/`: `python sample_data/train.py --work DIR`. Hours on two cores.

Each tiny model learns to read, learns to see, and is then fine-tuned on a synthetic world by `socialcli train` with the
alignment in place. Finished steps are not repeated: their results are in the work folder.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import _decoders
import _reading
import _seeing
import torch
from _checkpoints import DTYPE, FAMILIES, TRAINED, Checkpoint, Shape, randomise, save
from _documents import (
    ALL,
    COLOURS,
    FACTS,
    LETTERS,
    MOSTLY_AIM,
    MOSTLY_WHO,
    MOSTLY_WHOM,
    Library,
    words,
)

from socialcli import load_model, read_episodes
from socialcli.plugins.registry import registry
from socialcli.synth.settings import SynthSettings
from socialcli.tasks.prompt import build_prompt

HERE = Path(__file__).parent
READER = {"qwen2.5-vl": "llava-next-video", "internvl3": "qwen2.5-vl"}  # the family that the decoder starts from
READER_STEPS = {"qwen2.5-vl": 1100, "internvl3": 150}  # updates with its own vocabulary
AGAIN_STEPS = 300  # further updates of a decoder of `trained/`


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson of an untrained decoder: kinds of questions, and how documents present the facts about people."""

    kinds: Sequence[str]
    steps: int
    given: _reading.GivenFacts = _reading.HINTS
    simple: int = 0  # the number of first steps with only simple questions
    whole: float = 0.6  # share of documents with a whole transcript


LESSONS = (
    Lesson(COLOURS, 1600, _reading.WORDS, simple=300, whole=0.0),
    Lesson(ALL, 1200),  # from here on with open heads
    Lesson(ALL, 1000, simple=300),
    Lesson(MOSTLY_WHO, 300),
    Lesson(MOSTLY_AIM, 500, _reading.MOST_HINTS),
    Lesson(MOSTLY_WHOM, 600, _reading.MOST_HINTS),
    Lesson(MOSTLY_WHOM, 400, _reading.MOST_HINTS),
)
WORLD = SynthSettings(size=(224, 224))
WORLD_SEED, EPISODES = 21, 3000
SEEN_SEED, SEEN_CLIPS, SEEING_STEPS = 1000, 5000, 5200
PHRASES = (
    "USER:",
    " ASSISTANT:",
    "People in the video:",
    "Transcript:",
    "\nQuestion:",
    " What is the colour of",
    "'s shirt?",
    " What is the column of",
    " What is the row of",
    "'s aim?",
    "\nAnswer with the letter of the right option only.",
    *(f"\n{letter}." for letter in LETTERS),
)
TEXT: dict[str, Any] = {
    "hidden_size": 96,
    "intermediate_size": 192,
    "num_hidden_layers": 7,
    "num_attention_heads": 6,
    "num_key_value_heads": 6,
    "head_dim": 16,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
}
FRONT = 4  # layers before those that read: the middle third of the 11 layers begins with the first that reads

TUNING = (
    *("--task", "all", "--full", "--lr", "5e-5", "--batch-size", "8", "--questions-per-clip", "all"),
    *("--epochs", "1"),
)
UPDATES = ("--max-steps", "300")


def world(work: Path) -> Path:
    """The folder of the training world; drawn if missing."""
    folder = work / "world"
    if not (folder / "episodes.parquet").exists():
        size = f"{WORLD.size[0]}x{WORLD.size[1]}"
        socialcli("synth", "-o", folder, "--episodes", EPISODES, "--seed", WORLD_SEED, "--size", size)
    return folder


def prompts(episodes: Path, count: int) -> list[str]:
    """The prompts of the first training questions in an episodes file."""
    texts: list[str] = []
    for row in read_episodes(episodes):
        if row.episode is None or row.episode.split != "train":
            continue
        for question in row.episode.questions:
            texts.append(build_prompt(registry().task(question.task).item, row.episode, question, None).text)
        if len(texts) >= count:
            break
    return texts


def read(name: str, work: Path, again: bool = False) -> Path:
    """The family's checkpoint after it has learnt to read. Each lesson is saved, so an interruption costs at most one.

    `again`: start from the decoder of its checkpoint in `trained/`, which can already read.
    """
    texts = prompts(world(work) / "episodes.parquet", 3000)
    folder = work / name / "new"
    if not folder.exists():
        keep(new(name, texts), folder)
    lessons = LESSONS
    if again or name in READER:
        lessons = (Lesson(ALL, AGAIN_STEPS if again else READER_STEPS[name]),)
    for number, lesson in enumerate(lessons, start=1):
        before, folder = folder, work / name / f"lesson-{number}"
        if not folder.exists():
            keep(taught(name, before, number, lesson, texts, reader(name, work, again)), folder)
    return folder


def reader(name: str, work: Path, again: bool) -> Checkpoint | None:
    """A model of the same shape with a trained decoder, if the family starts from one."""
    if not again and name not in READER:
        return None
    if again:
        adapter: Any = load_model(name, HERE / "trained" / name, dtype="float32")
        _decoders.uncover(adapter.model, FRONT)
    else:
        adapter = load_model(READER[name], read(READER[name], work), dtype="float32")
    return Checkpoint(adapter.model, adapter.processor)


def taught(
    name: str, before: Path, number: int, lesson: Lesson, texts: Sequence[str], reader: Checkpoint | None
) -> Checkpoint:
    """The checkpoint in `before` after a lesson; the first lesson initializes, later ones have open heads."""
    torch.manual_seed(number)
    adapter: Any = load_model(name, before, dtype="float32")
    checkpoint = Checkpoint(adapter.model, adapter.processor)
    if reader is not None:
        _decoders.follow(checkpoint, reader)
    elif number == 1:
        _decoders.start(checkpoint, seed=0)
    elif number == 2:
        _decoders.open_heads(checkpoint)
    _reading.learn(
        checkpoint,
        library(adapter, texts, number),
        lesson.kinds,
        steps=lesson.steps,
        rate=1e-3,
        given=lesson.given,
        simple=lesson.simple,
        whole=lesson.whole,
    )
    return checkpoint


def new(name: str, texts: Sequence[str]) -> Checkpoint:
    """The family's untrained model."""
    known = " ".join(fact.question.format(label="x") for fact in FACTS)
    shown = " ".join(chain.from_iterable(fact.words for fact in FACTS))
    chat = "system\nYou are a helpful assistant.\nuser\nassistant"
    lines = tuple(f" USER: {text} ASSISTANT: {chat} {known} {shown}" for text in texts)
    biased = {"attention_bias": True} if name == "llava-next-video" else {}  # Qwen2's attention has biases anyway
    checkpoint = FAMILIES[name](Shape(TEXT | biased, 96, 5, 6, lines, PHRASES, side=112, rope=1e5))
    randomise(checkpoint.model, torch.Generator().manual_seed(1))
    return checkpoint


def library(adapter: Any, texts: Sequence[str], seed: int) -> Library:
    """A source of documents in the family's format."""
    message = {"role": "user", "content": [{"type": "text", "text": "?"}]}
    rendered = adapter.processor.apply_chat_template([message], add_generation_prompt=True, tokenize=False)
    head, tail = rendered.split("?")
    lines = {line for text in texts[:400] for line in text.split("\n") if line.startswith("Speaker ")}
    sentences = sorted({line.split(": ", 1)[1] for line in lines})
    return Library(
        adapter.processor.tokenizer,
        head,
        tail,
        adapter.letter_prefix,
        adapter.end_id,
        sentences,
        random.Random(seed),
        questions=8 if adapter.spec.name == "llava-next-video" else 6,  # whose words are more tokens
    )


def see(name: str, work: Path, again: bool = False) -> Path:
    """The family's checkpoint after learning to read and to see, with all layers: the base of all remedies.

    `again`: as in `read`.
    """
    folder = work / name / "base"
    if folder.exists():
        return folder
    adapter: Any = load_model(name, read(name, work, again), dtype="float32")
    torch.manual_seed(1)
    clips = [_seeing.look_out(adapter, WORLD, SEEN_SEED, index) for index in range(SEEN_CLIPS)]
    checkpoint = Checkpoint(adapter.model, adapter.processor)
    background = _decoders.unheard(checkpoint)
    _seeing.learn(adapter, words(adapter.processor.tokenizer), background, clips, steps=SEEING_STEPS, rate=1.5e-3)
    _decoders.deepen(checkpoint, FRONT)
    keep(checkpoint, folder)
    return folder


def tune(name: str, work: Path) -> Path:
    """The family's checkpoint after fine-tuning with the alignment in place."""
    output = work / name / "aligned"
    episodes = world(work) / "episodes.parquet"
    socialcli("train", episodes, "--model", name, "--checkpoint", see(name, work), *TUNING, *UPDATES, "-o", output)
    return output / "checkpoint"


def keep(checkpoint: Checkpoint, folder: Path) -> None:
    """Save a step's result atomically."""
    unfinished = folder.with_name(folder.name + "-unfinished")
    save(checkpoint, unfinished)
    unfinished.rename(folder)


def publish(name: str, trained: Path, folder: Path) -> None:
    """Write a checkpoint in the layout of the sample data."""
    adapter: Any = load_model(name, trained, dtype="bfloat16")
    save(Checkpoint(adapter.model.to(DTYPE), adapter.processor), folder)


def socialcli(*words: object) -> None:
    """Run a socialcli command. Raises CalledProcessError if it fails."""
    subprocess.run([sys.executable, "-m", "socialcli", *map(str, words)], check=True)


def main() -> None:
    """Train the requested families."""
    parser = argparse.ArgumentParser(description="Retrain the sample's checkpoints.")
    parser.add_argument("--work", type=Path, required=True, help="folder for the world and intermediate steps")
    parser.add_argument("--model", choices=TRAINED, action="append", help="train only this one (default: all)")
    parser.add_argument("--until", choices=["reading", "base"], help="stop there")
    parser.add_argument(
        "--again",
        action="store_true",
        help="with --until: start from the decoders of trained/, which can already read; half an hour each, not hours",
    )
    options = parser.parse_args()
    if options.again and not options.until:
        parser.error("--again requires --until: a checkpoint of trained/ cannot be made from itself")
    for name in options.model or TRAINED:
        if options.until == "reading":
            read(name, options.work, options.again)
        elif options.until == "base":
            see(name, options.work, options.again)
        else:
            publish(name, tune(name, options.work), HERE / "trained" / name)


if __name__ == "__main__":
    main()
