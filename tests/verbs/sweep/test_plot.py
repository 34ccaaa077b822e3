"""The pictures of a sweep are made for few and many settings, and show what they claim to."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from socialcli.alignment.heads.selectors import ALL, DYNAMIC, RANDOM, TOP
from socialcli.alignment.steering.modes import BOTH_WAYS, SPEAKER
from socialcli.jobs.grid import PLAIN, Setting
from socialcli.jobs.splits import Splits
from socialcli.plots.canvas import BLUE, ORANGE, RED
from socialcli.verbs.sweep.files import SweepFolder
from socialcli.verbs.sweep.heads_plot import draw_active_heads
from socialcli.verbs.sweep.plot import draw_sweep

from ..measure.test_plots import painted
from .sweeps import DECODER, Right, answered, grid, sweep_of, table_of

MANY = grid(
    alpha=(0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0),
    lambda_=(0.0, 5e-6, 5e-5, 5e-4, 5e-3),
    layers=("0-9", "10-19", "20-27", "all"),
    bias=("published", "probability"),
)
SPLITS = Splits("validation", ("test",))


def by_chance(task: str, split: str | None, setting: Setting, question: int) -> bool:
    """Better with an alpha near 1 and a lambda near 5e-5."""
    near = 0.0 if setting == PLAIN else 0.3 - 0.2 * abs((setting.alpha or 0) - 1) + 20 * (setting.lambda_ == 5e-5) / 100
    return random.Random(f"{task} {split} {question}").random() < 0.35 + near


def draw(path: Path, right: Right = by_chance, made_of: Any = MANY, splits: Splits = SPLITS, **asked: Any) -> list[str]:
    settings = made_of.settings(DECODER)
    table = table_of(answered(right, settings, **asked), settings)
    draw_sweep(SweepFolder(path), table, sweep_of(table, splits, made_of))
    return sorted(file.name for file in path.iterdir())


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def test_each_option_with_several_values_has_a_picture(tmp_path: Path) -> None:
    assert draw(tmp_path, tasks=("coref", "target"), questions=10) == [
        "alpha.png",
        "bias.png",
        "lambda.png",
        "layers.png",
    ]


def test_an_option_with_one_value_has_none(tmp_path: Path) -> None:
    assert draw(tmp_path, made_of=grid(alpha=(0.0, 1.0), lambda_=(5e-5, 5e-4))) == ["alpha.png", "lambda.png"]


def test_layers_that_are_the_same_are_one_value(tmp_path: Path) -> None:
    assert draw(tmp_path, made_of=grid(alpha=(1.0,), layers=("auto", "10-19"))) == []


@pytest.mark.parametrize(
    ("splits", "blue", "orange"),
    [
        (SPLITS, True, True),
        (Splits("validation", ()), True, False),
        (Splits(None, ("test", "validation")), False, True),
    ],
    ids=["both", "validation alone", "no validation"],
)
def test_validation_and_test_are_told_apart(splits: Splits, blue: bool, orange: bool, tmp_path: Path) -> None:
    draw(tmp_path, made_of=grid(), splits=splits)
    picture = pixels(tmp_path / "alpha.png")
    assert (painted(picture, BLUE) > 200, painted(picture, ORANGE) > 200) == (blue, orange)


def test_the_chosen_setting_is_marked_where_it_was_chosen(tmp_path: Path) -> None:
    draw(tmp_path, lambda task, split, setting, question: setting.alpha == 0.5, made_of=grid())
    marked = painted(pixels(tmp_path / "alpha.png"), RED)
    (tmp_path / "none").mkdir()
    draw(tmp_path / "none", made_of=grid(), splits=Splits(None, ("test", "validation")))
    assert marked > 100 and painted(pixels(tmp_path / "none" / "alpha.png"), RED) == 0


HEADS = grid(
    alpha=(0.0, 0.5, 1.0),
    heads_by=(DYNAMIC, TOP, RANDOM, ALL),
    max_heads=(None, 1, 2, 4, 8, 16),
    steer=(SPEAKER, BOTH_WAYS),
    balance=(0.25, 0.5),
)


def by_heads(task: str, split: str | None, setting: Setting, question: int) -> bool:
    """Better with more heads, unless they are drawn at random."""
    heads = 0 if setting.heads_by in (None, "random") else setting.max_heads or 40
    return random.Random(f"{task} {split} {question}").random() < 0.3 + 0.01 * heads + 0.1 * (setting.alpha == 1)


def test_accuracy_by_active_heads_has_a_curve_for_each_selector_and_mode(tmp_path: Path) -> None:
    settings = HEADS.settings(DECODER)
    table = table_of(answered(by_heads, settings, tasks=("coref", "target"), questions=20), settings)
    draw_active_heads(SweepFolder(tmp_path), table, sweep_of(table, SPLITS, HEADS))
    picture = pixels(tmp_path / "active_heads.png")
    assert all(painted(picture, color) > 200 for color in (BLUE, ORANGE, RED, "#009E73"))


def test_settings_with_the_same_number_of_heads_make_no_such_picture(tmp_path: Path) -> None:
    settings = grid().settings(DECODER)
    table = table_of(answered(by_heads, settings), settings)
    draw_active_heads(SweepFolder(tmp_path), table, sweep_of(table, SPLITS, grid()))
    assert list(tmp_path.iterdir()) == []


def test_selectors_and_modes_meet_in_the_settings_nearest_to_the_best(tmp_path: Path) -> None:
    made_of = grid(alpha=(1.0,), heads_by=(DYNAMIC, TOP), max_heads=(None, 1, 2), steer=(SPEAKER, BOTH_WAYS))
    assert draw(tmp_path, by_heads, made_of) == ["heads_by.png", "max_heads.png", "steer.png"]


def test_lists_of_layers_have_an_order(tmp_path: Path) -> None:
    assert draw(tmp_path, made_of=grid(alpha=(1.0,), layers=("3+7+11", "2-5"))) == ["layers.png"]


def test_nothing_labelled_makes_no_picture(tmp_path: Path) -> None:
    assert draw(tmp_path, lambda *_: None, made_of=grid()) == []


def test_a_task_without_labels_in_a_split_leaves_its_place_empty(tmp_path: Path) -> None:
    def right(task: str, split: str | None, setting: Setting, question: int) -> bool | None:
        return None if task == "coref" and split == "validation" else True

    assert draw(tmp_path, right, made_of=grid(), tasks=("coref", "target")) == ["alpha.png"]


@pytest.mark.parametrize("questions", [1, 2])
def test_too_few_episodes_for_an_interval_are_no_error(questions: int, tmp_path: Path) -> None:
    assert draw(tmp_path, made_of=grid(), questions=questions) == ["alpha.png"]


def test_names_that_look_like_formulas_are_no_error(tmp_path: Path) -> None:
    odd = "a$\\frac{$b"
    assert draw(tmp_path, made_of=grid(), splits=Splits(odd, ("test",)), tasks=(odd,)) == ["alpha.png"]


def test_the_same_figures_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        draw(tmp_path / name, made_of=grid())
    assert (tmp_path / "a" / "alpha.png").read_bytes() == (tmp_path / "b" / "alpha.png").read_bytes()
