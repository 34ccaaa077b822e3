"""Inspections of the sample data, and of the real footage where it is at hand."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from socialcli.alignment.steering.modes import METHOD, Steering
from socialcli.api import ask, open_clip
from socialcli.cli import main
from socialcli.episodes.records import Episode
from socialcli.inference.clip import ClipQuestion
from socialcli.models.contract import LoadOptions
from socialcli.plugins.registry import registry
from socialcli.verbs.inspect.report import Inspection, inspect_question
from socialcli.verbs.inspect.work import Inspected
from tests.conftest import SAMPLE, sample_episodes, tiny_model
from tests.verbs.runs import last_of_each


def checkpoint(family: str) -> str:
    return str(SAMPLE / "checkpoints" / family)


def run_inspect(episodes: Path, family: str, *arguments: str) -> Result:
    """The command, as it stands on a command line; of an option with one value, the last one that is given."""
    options = ["--model", family, "--checkpoint", checkpoint(family), *arguments]
    return CliRunner().invoke(main, last_of_each(["inspect", str(episodes), *options]))


@cache
def printed(episodes: Path, family: str, *arguments: str) -> list[dict[str, Any]]:
    """What `socialcli inspect --json` prints, parsed: no more than that reaches the tests."""
    result = run_inspect(episodes, family, "--json", *arguments)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@cache
def of_every_episode(family: str, *arguments: str) -> list[dict[str, Any]]:
    """A question of each sample episode, of another task from one episode to the next."""
    episodes = [episode for episode in sample_episodes() if episode.questions]
    chosen = [episode.questions[place % len(episode.questions)].id for place, episode in enumerate(episodes)]
    options = [option for name in chosen for option in ("--question", name)]
    records = printed(SAMPLE / "episodes.jsonl", family, *options, *arguments)
    assert [record["question_id"] for record in records] == chosen
    return records


def asked_and_inspected(
    family: str,
    episode: Episode,
    *,
    frame_fit: str | None = None,
    steering: Steering = METHOD,
    **options: Any,
) -> tuple[ClipQuestion, Inspection]:
    """The first question of an episode, prepared on its clip in the model, and its inspection."""
    clip = open_clip(tiny_model(family, frame_fit), episode, SAMPLE, **options)
    question = episode.questions[0]
    asked, task = ask(clip, question), registry().task(question.task).item
    source = LoadOptions(checkpoint(family), frame_fit=frame_fit)
    return asked, inspect_question(asked, task, source, steering)


def inspected(family: str, episode: Episode, **options: Any) -> Inspected:
    """The first question of an episode, inspected from Python."""
    asked, found = asked_and_inspected(family, episode, **options)
    return Inspected(found, asked.frames)


def inspection(family: str, episode: Episode, **options: Any) -> Inspection:
    return inspected(family, episode, **options).inspection
