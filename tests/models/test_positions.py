"""Where a prompt's tokens are for the model: in Qwen2.5-VL as in its training, in the other families in a row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from socialcli import load_model
from socialcli.api import ask, open_clip
from socialcli.episodes.records import Video
from socialcli.errors import UsageError
from socialcli.inference.batching import transcript_end
from socialcli.inference.session import ClipSession
from socialcli.verbs.train.learning.rows import TRUNK, lesson, pack
from socialcli.video.frames import Frame, FrameSet
from tests.conftest import SAMPLE, noise_frames, sample_episodes, tiny_model

QWEN = "qwen2.5-vl"
LAST_NEW_TOKENS = 16


def authors_positions(
    ids: list[int], video_token: int, grid: tuple[int, int, int], seconds_per_step: float, tokens_per_second: float
) -> list[tuple[int, int, int]]:
    """The authors' rule, token by token: (time, height, width) of each.

    A word stands 1 behind the largest position so far, on all axes. So does the video's start, from which its tokens
    count their step's time in whole positions, and their row and column. Products are in float32, as theirs are.
    """
    steps, rows, columns = grid
    cells = [(step, row, column) for step in range(steps) for row in range(rows) for column in range(columns)]
    positions: list[tuple[int, int, int]] = []
    place = 0
    while place < len(ids):
        start = max((max(position) for position in positions), default=-1) + 1
        if ids[place] != video_token:
            positions.append((start, start, start))
            place += 1
            continue
        for step, row, column in cells:
            moment = np.float32(step) * np.float32(seconds_per_step) * np.float32(tokens_per_second)
            positions.append((start + int(moment), start + row, start + column))
        place += len(cells)
    return positions


@dataclass(frozen=True)
class Encoded:
    model: Any
    clip: Any
    prompt: Any

    def authors(self, behind: tuple[int, ...] = ()) -> torch.Tensor:
        """The positions (3, 1, length) that the authors' rule gives the prompt, with tokens of an answer behind it."""
        grid = self.clip.inputs["video_grid_thw"][0].tolist()
        merged = (grid[0], grid[1] // 2, grid[2] // 2)
        ids, seconds = [*self.prompt.ids.tolist(), *behind], float(self.clip.inputs["second_per_grid_ts"][0])
        return torch.tensor(authors_positions(ids, self.model.visual_token_id, merged, seconds, 2.0)).T.unsqueeze(1)


def over(frames: FrameSet, start: float, end: float) -> FrameSet:
    """The frames, at equal distances from `start` to `end` seconds."""
    times = np.linspace(start, end, len(frames.frames)).tolist()
    moved = tuple(Frame(time, frame.image) for time, frame in zip(times, frames.frames, strict=True))
    return FrameSet(moved, frames.distinct)


def encode(frames: FrameSet, text: str = "Who is it?", **choices: Any) -> Encoded:
    model = tiny_model(QWEN, **choices)
    clip = model.encode_clip(frames)
    return Encoded(model, clip, model.encode_prompt(text, [], clip))


def random_frames(seed: int) -> FrameSet:
    """Of a random size, number and window, from less than a second to two minutes."""
    rng = np.random.default_rng(seed)
    width, height = (int(side) for side in rng.integers(40, 700, 2))
    start, span = rng.uniform(0, 300), float(np.exp(rng.uniform(np.log(0.5), np.log(120))))
    return over(noise_frames(width, height, count=int(rng.integers(1, 17)), seed=seed), start, start + span)


@pytest.mark.parametrize("seed", range(10))
def test_the_first_word_stands_behind_the_videos_largest_position_on_any_axis(seed: int) -> None:
    encoded = encode(random_frames(seed))
    positions = encoded.model.positions(encoded.prompt, encoded.clip)
    video = torch.from_numpy(encoded.prompt.grid.tokens.ravel())
    assert positions[:, 0, int(video[-1]) + 1].tolist() == [int(positions[:, 0, video].max()) + 1] * 3
    assert torch.equal(positions, encoded.authors())


def test_the_random_clips_end_on_every_axis() -> None:
    """Else the ten say nothing of the rule: it is in clips that last that the library's differs."""
    ending = set()
    for seed in range(10):
        encoded = encode(random_frames(seed))
        positions = encoded.model.positions(encoded.prompt, encoded.clip)
        video = positions[:, 0, torch.from_numpy(encoded.prompt.grid.tokens.ravel())]
        ending.add(int(video.amax(dim=1).argmax()))
    assert ending == {0, 1, 2}


def test_19_seconds_of_640x360() -> None:
    encoded = encode(over(noise_frames(640, 360), 0, 19))
    positions = encoded.model.positions(encoded.prompt, encoded.clip)
    start = int(encoded.prompt.grid.tokens[0, 0, 0])
    video = positions[:, 0, torch.from_numpy(encoded.prompt.grid.tokens.ravel())]
    assert (video.amax(dim=1) - start).tolist() == [32, 12, 22]
    assert positions[:, 0, encoded.prompt.prefix].tolist() == [start + 33] * 3


@pytest.mark.parametrize(
    ("times", "step"),  # two positions a second, two frames a step
    [
        ((0.0, 2.0), 2),
        ((3.0, 11.0), 8),
        ((1.0, 1.0), 4),  # a single moment counts as a frame a second
        ((0.0, 0.4), 0),  # cut to whole positions
    ],
)
def test_positions_in_time_follow_the_clock(times: tuple[float, float], step: int) -> None:
    encoded = encode(over(noise_frames(112, 84, count=5), *times))
    positions = encoded.model.positions(encoded.prompt, encoded.clip)
    moments = [positions[0, 0, tokens].unique().tolist() for tokens in encoded.prompt.grid.tokens.reshape(3, -1)]
    assert [later[0] - earlier[0] for earlier, later in pairwise(moments)] == [step, step]


class _Seen(Exception):
    """Stops the forward where the decoder would begin."""


def entered(model: Any, inputs: dict[str, Any]) -> torch.Tensor:
    """The position ids with which a whole forward enters its decoder."""
    caught: list[torch.Tensor] = []

    def catch(_module: Any, _args: Any, kwargs: dict[str, Any]) -> None:
        caught.append(kwargs["position_ids"])
        raise _Seen

    handle = model.model.model.language_model.register_forward_pre_hook(catch, with_kwargs=True)
    try:
        with torch.inference_mode(), pytest.raises(_Seen):
            model.model(**inputs)
    finally:
        handle.remove()
    return caught[0]


def test_a_whole_forward_of_padded_prompts_has_them_too() -> None:
    encoded = encode(over(noise_frames(112, 84), 0, 30))
    longer = encoded.model.encode_prompt("Who is it, and where is he going?", [], encoded.clip)
    positions = entered(encoded.model, encoded.model.forward_inputs([encoded.prompt, longer], encoded.clip))
    pads = longer.length - encoded.prompt.length
    assert pads > 0
    assert torch.equal(positions[:, :1, pads:], encoded.authors())
    assert torch.equal(positions[:, 1:], Encoded(encoded.model, encoded.clip, longer).authors())


@pytest.mark.parametrize("family", ["llava-next-video", "internvl3"])
def test_the_other_families_number_their_tokens_in_a_row(family: str) -> None:
    """Whatever the clip lasts: nothing of the video's times or places is in their positions, in our rule or theirs."""
    model = tiny_model(family)
    clip = model.encode_clip(over(noise_frames(112, 84, count=2), 0, 30))
    prompt = model.encode_prompt("Who is it?", [], clip)
    row = torch.arange(prompt.length).unsqueeze(0)
    assert torch.equal(model.positions(prompt, clip), row)
    inputs = model.forward_inputs([prompt], clip)
    assert torch.equal(inputs.pop("position_ids"), row)
    with torch.inference_mode():
        left, given = model.model(**inputs).logits, model.model(**inputs, position_ids=row).logits
    assert torch.equal(left, given)


def greedy(encoded: Encoded) -> list[int]:
    """The answer of transformers' own whole forward, again for each token, with the authors' positions.

    A random model may say a visual token, which that forward refuses: the answer ends there.
    """
    said: list[int] = []
    last = encoded.model.end_ids | {encoded.model.visual_token_id}
    while len(said) < LAST_NEW_TOKENS and not (said and said[-1] in last):
        ids = torch.from_numpy(np.append(encoded.prompt.ids, said).astype(np.int64))[None]
        positions = encoded.authors(tuple(said))
        logits = encoded.model.model(input_ids=ids, position_ids=positions, **encoded.clip.inputs).logits
        said.append(int(logits[0, -1].argmax()))
    return said[:-1] if said[-1] in encoded.model.end_ids else said


def slow_clip(model: Any, folder: Path, number: int = 0) -> ClipSession:
    """A sample episode's words on 8 pictures over half a minute: the words' places depend on the rule."""
    for index, frame in enumerate(noise_frames(112, 84).frames):
        Image.fromarray(frame.image).save(folder / f"{index}.png")
    episode = replace(sample_episodes()[number], video=Video(folder.name, 112, 84, fps=0.25), boxes=())
    return open_clip(model, episode, folder.parent)


def test_generated_answers_are_those_of_a_loop_over_whole_forwards(tmp_path: Path) -> None:
    model = tiny_model(QWEN)
    # Its random answers hold no visual token, which a whole forward pass would take for one of another frame.
    clip = slow_clip(model, tmp_path, number=2)
    asked = [ask(clip, question) for question in clip.episode.questions]
    found = [answer.text for answer in clip.generate(asked)]
    with torch.inference_mode():
        expected = [model.decode(greedy(Encoded(model, clip.clip, one.encoded))) for one in asked]
    assert all(text.startswith(part) for text, part in zip(found, expected, strict=True))
    assert len({one.encoded.length for one in asked}) > 1  # the batch was padded
    assert all(len(part) > 1 for part in expected)
    assert all(len(text) > 1 for text in found)  # more than the prompt's last token decided


def test_questions_that_share_a_row_of_a_training_have_the_positions_of_each_alone(tmp_path: Path) -> None:
    model = tiny_model(QWEN)
    clip = slow_clip(model, tmp_path)
    by_transcript: dict[int, list[Any]] = {}
    for question in clip.episode.questions:
        one = lesson(ask(clip, question))
        by_transcript.setdefault(transcript_end(one.prompt), []).append(one)
    lessons = max(by_transcript.values(), key=len)
    row = pack(clip.clip, lessons)
    assert row.questions > 1
    for number, one in enumerate(lessons):
        own = torch.from_numpy((row.branch == TRUNK) | (row.branch == number))
        expected = Encoded(model, clip.clip, one.prompt).authors(tuple(one.answer[:-1].tolist()))
        assert torch.equal(row.positions[..., own], expected)


def library_or_skip() -> Any:
    try:
        return tiny_model(QWEN, positions="library")
    except UsageError:
        pytest.skip("this version of transformers cuts seconds; the next test holds its refusal")


def test_the_librarys_positions_are_those_that_transformers_gives_itself() -> None:
    model = library_or_skip()
    encoded = encode(over(noise_frames(112, 84), 0, 30), positions="library")
    inputs = encoded.model.forward_inputs([encoded.prompt], encoded.clip)
    types = (inputs["input_ids"] == model.visual_token_id).to(torch.int32) * 2
    own = {name: value for name, value in inputs.items() if name != "position_ids"} | {"mm_token_type_ids": types}
    assert torch.equal(entered(model, inputs), entered(model, own)[-3:])
    assert not torch.equal(model.positions(encoded.prompt, encoded.clip), encoded.authors())


def test_the_librarys_positions_change_scores(tmp_path: Path) -> None:
    clips = [slow_clip(model, tmp_path) for model in (tiny_model(QWEN), library_or_skip())]
    trained, library = (clip.score([ask(clip, clip.episode.questions[0])])[0].scores for clip in clips)
    assert trained is not None and library is not None
    assert np.abs(np.subtract(trained, library)).max() > 1e-4


def test_a_library_that_cuts_seconds_to_whole_numbers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As transformers 5.17 does; a later one is made to."""
    kind = type(tiny_model(QWEN).model.model)
    own = kind.get_rope_index

    def cutting(self: Any, *arguments: Any, second_per_grid_ts: Any, **others: Any) -> Any:
        return own(self, *arguments, second_per_grid_ts=second_per_grid_ts.int(), **others)

    monkeypatch.setattr(kind, "get_rope_index", cutting)
    with pytest.raises(UsageError, match=r"--positions library: transformers \S+ cuts the seconds .*; use --positions"):
        load_model(QWEN, SAMPLE / "checkpoints" / QWEN, positions="library")


def test_a_rule_that_the_family_does_not_have_is_refused() -> None:
    advice = r"--positions 'own' is not offered by qwen2\.5-vl; choose among trained, library"
    with pytest.raises(UsageError, match=advice):
        load_model(QWEN, SAMPLE / "checkpoints" / QWEN, positions="own")
    with pytest.raises(UsageError, match="'trained' is not offered by internvl3; internvl3 has one rule for positions"):
        load_model("internvl3", SAMPLE / "checkpoints" / "internvl3", positions="trained")
