"""The pictures of a stress test show both conditions and say how the questions were asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from socialcli.plots.canvas import BLUE, picture
from socialcli.verbs.stress import plot
from socialcli.verbs.stress.files import StressFolder
from socialcli.verbs.stress.plot import draw_stress

from ..measure.test_plots import painted
from .answers import one_episode, shares, stress_of, table


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def test_a_panel_for_each_task_and_one_for_all(tmp_path: Path) -> None:
    widths = []
    for tasks in (("target",), ("coref", "mentioned", "target")):
        rows = table(shares(0.4, 0.8, 0.6, 0.4), tasks)
        draw_stress(StressFolder(tmp_path), rows, stress_of(rows))
        image = pixels(tmp_path / "one-box.png")
        assert painted(image, BLUE) > 500
        widths.append(image.shape[1])
    assert [path.name for path in tmp_path.iterdir()] == ["one-box.png"]
    assert widths[1] == 2 * widths[0]  # four panels; one has room for the title of two


def test_a_single_episode_has_points_without_bands(tmp_path: Path) -> None:
    rows = one_episode(shares(0.2, 0.8, 0.2, 0.2))
    draw_stress(StressFolder(tmp_path), rows, stress_of(rows))
    assert painted(pixels(tmp_path / "one-box.png"), BLUE) > 500


def test_the_title_names_the_error_the_prompt_and_the_alignment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = []

    def recorded(path: Path, title: str, *size: float) -> Any:
        titles.append(title)
        return picture(path, title, *size)

    monkeypatch.setattr(plot, "picture", recorded)
    rows = table(shares(0.4, 0.8, 0.6, 0.4))
    draw_stress(StressFolder(tmp_path), rows, stress_of(rows, inputs="VLB", boxes_as="text", context="past", frames=4))
    assert [title.split("\n") for title in titles] == [
        [
            "one-box: boxes grow until all people share one",
            "qwen2.5-vl, VLB, boxes as text, context past, frames 4, answer score",
            "alignment: published bias, alpha 1, heads by dynamic, steering speaker; errors with seed 0",
        ]
    ]
