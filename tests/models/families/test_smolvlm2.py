"""SmolVLM2: its cells, and the times in words before its frames."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from socialcli.api import load_model
from tests.conftest import SAMPLE, noise_frames, tiny_model
from tests.models.families.test_qwen3_vl import at

NAME = "smolvlm2"


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (320, 240)])
def test_cells(size: tuple[int, int]) -> None:
    """Patches of 14 pixels: the last 6 of 384 are not seen."""
    model = tiny_model(NAME)
    grid = model.encode_prompt("Who?", [], model.encode_clip(noise_frames(*size, count=3))).grid
    assert grid.tokens.shape == (3, 9, 9)
    assert grid.seen == pytest.approx((0, 0, size[0] * 378 / 384, size[1] * 378 / 384))
    assert grid.frames == ((0,), (1,), (2,))


@pytest.mark.parametrize(
    ("times", "said", "words"),
    [
        ([0.0, 1.2, 2.4, 3.6], "four frames from a 0:00:04", ["00:00", "00:01", "00:02", "00:03"]),
        ([61.5, 73.46], "two frames from a 0:00:12", ["00:00", "00:11"]),  # starts late; ends before the next frame
        ([8.0], "one frames from a 0:00:00", ["00:00"]),
        ([5.0, 5.0, 95.0], "three frames from a 0:01:30", ["00:00", "00:00", "01:30"]),
    ],
)
def test_words_say_the_time_of_each_frame(times: list[float], said: str, words: list[str]) -> None:
    model = tiny_model(NAME)
    prompt = model.encode_prompt("Who is it?", [], model.encode_clip(at(times)))
    text = model.processor.tokenizer.decode(prompt.ids)
    assert f"You are provided the following series of {said} [H:MM:SS] video.\n\n" in text
    marks = r"<fake_token_around_image><global-img>(?:<image>)+<fake_token_around_image>"
    assert re.findall(rf"\nFrame from (\d\d:\d\d):{marks}", text) == words


def test_the_letter_is_a_word_of_its_own() -> None:
    assert tiny_model(NAME).letter_prefix == " "  # "Assistant: A"


def test_a_checkpoint_without_the_length_of_a_frame_takes_it_from_its_configuration(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SAMPLE / "checkpoints" / NAME, tmp_path / NAME))
    saved = json.loads((folder / "processor_config.json").read_text())
    assert saved.pop("image_seq_len") == 81
    (folder / "processor_config.json").write_text(json.dumps(saved))
    clip = load_model(NAME, folder).encode_clip(noise_frames(64, 64, count=2))
    assert clip.cells.shape[:2] == (9, 9)
