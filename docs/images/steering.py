"""Draws steering.png of docs/steering.md from the sample world: what each steering mode biases, in one frame.

    python docs/images/steering.py [-o FILE.png]

A column per mode, a row per kind of word: the weight of each visual cell of the frame for the words of the utterance in
question, for a candidate's label among the options, and for the last prompt token.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from socialcli import ask, load_model, open_clip, read_episodes
from socialcli.alignment.plan import AlignmentPlan, utterance_steps
from socialcli.alignment.steering.modes import BOTH_WAYS, GAZE, SPEAKER, Steering
from socialcli.inference.clip import ClipQuestion
from socialcli.plots.canvas import picture

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "sample_data"
MODEL, QUESTION = "llava-next-video", "synth-7-000000/target-1"
MODES = {"speaker": Steering(SPEAKER), "both-ways, balance 0.5": Steering(BOTH_WAYS, 0.5), "gaze": Steering(GAZE)}


def gather() -> ClipQuestion:
    """The question of the sample, prepared for the model."""
    model = load_model(MODEL, SAMPLE / "trained" / MODEL)
    rows = read_episodes(SAMPLE / "world" / "episodes.parquet")
    episode = next(row.episode for row in rows if row.episode and QUESTION in [one.id for one in row.episode.questions])
    clip = open_clip(model, episode, SAMPLE / "world")
    return ask(clip, next(question for question in episode.questions if question.id == QUESTION))


def words(asked: ClipQuestion) -> Mapping[str, int]:
    """A token of each kind of word, by its name in the picture."""
    prompt, spans = asked.prompt, asked.encoded.token_spans
    utterance = prompt.asked
    assert utterance is not None  # a question of `target` has one
    option = next(place for place, mention in enumerate(prompt.mentions) if mention.in_options)
    start, end = prompt.mentions[option].start, prompt.mentions[option].end
    return {
        f'words of\n"{utterance.text}"': int(spans[prompt.utterances.index(utterance)][-1]),
        f"the option\n{prompt.text[start:end]}": int(asked.label_tokens[option][-1]),
        "the last\nprompt token": asked.encoded.length - 1,
    }


def weights(plan: AlignmentPlan, token: int, shown: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The weights of a token's pairs in the cells that `shown` (height, width) tokens show; 0 beside the pairs."""
    found = np.zeros(shown.shape)
    for row in np.flatnonzero(plan.rows == token):
        strength = plan.pairs if plan.weights is None else plan.weights
        by_token = dict(zip(plan.columns.tolist(), strength[row].astype(float).tolist(), strict=True))
        found.flat = [by_token.get(one, 0.0) for one in shown.flat]
    return found


def draw(asked: ClipQuestion, path: Path) -> None:
    """Draw the picture."""
    grid, frames, prompt = asked.encoded.grid, asked.frames, asked.prompt
    assert grid is not None  # the clip has its video
    assert frames is not None
    assert prompt.asked is not None
    step = utterance_steps(prompt.asked, frames.times, grid)[0]
    frame = frames.frames[grid.frames[step][0]].image
    kinds = words(asked)
    x0, y0, x1, y1 = grid.seen
    with picture(path, "Weight of the bias by visual cell, in a frame of the utterance", 7.5, 7.5) as figure:
        for row, (kind, token) in zip(figure.subplots(len(kinds), len(MODES)), kinds.items(), strict=True):
            for axes, (name, steering) in zip(row, MODES.items(), strict=True):
                plan = asked.plan_under(steering)
                assert plan is not None
                axes.imshow(frame, extent=(0, frames.width, frames.height, 0))
                found = weights(plan, token, grid.tokens[step])
                shown = np.ma.masked_equal(found, 0.0)
                image = axes.imshow(shown, cmap="RdBu_r", vmin=-1, vmax=1, alpha=0.7, extent=(x0, x1, y1, y0))
                axes.set(xlim=(0, frames.width), ylim=(frames.height, 0), xticks=[], yticks=[])
                axes.set_xlabel("" if found.any() else "not biased", fontsize=8)
                if axes in figure.axes[: len(MODES)]:
                    axes.set_title(name, fontsize=10)
            row[0].set_ylabel(kind, fontsize=9)
        figure.colorbar(image, ax=figure.axes, shrink=0.5, label="weight: W = weight x the rule's bias")


def main() -> None:
    """Draw the picture that the command line names."""
    parser = argparse.ArgumentParser(description="Draw what each steering mode biases.")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "steering.png")
    draw(gather(), parser.parse_args().output)


if __name__ == "__main__":
    main()
