"""The pictures are made for small and large decoders, and where there is little to show."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from PIL import Image

from socialcli.alignment.head_stats import HeadFigures
from socialcli.plots import fonts
from socialcli.plots.canvas import BLUE, ORANGE, RED, log_ticks, picture
from socialcli.verbs.measure import shift
from socialcli.verbs.measure.heatmap import draw_heatmap
from socialcli.verbs.measure.shift import draw_shift
from socialcli.verbs.measure.titles import Description

from .figures import head_figures, measure_settings

Draw = Callable[[Path, HeadFigures, range, Description], None]
DESCRIPTION = Description(measure_settings(), episodes=3, prompts=20)
SIZES = [(28, 28, range(10, 20)), (80, 64, range(29, 57)), (1, 1, range(1))]


def pixels(draw: Draw, path: Path, figures: HeadFigures, chosen: range) -> np.ndarray:
    draw(path, figures, chosen, DESCRIPTION)
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def painted(picture: np.ndarray, color: str) -> int:
    """How many pixels have exactly this colour."""
    rgb = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
    return int((picture == rgb).all(axis=-1).sum())


@pytest.mark.parametrize("draw", [draw_heatmap, draw_shift])
@pytest.mark.parametrize(("layers", "heads", "chosen"), SIZES)
def test_decoders_of_every_size_fit(draw: Draw, layers: int, heads: int, chosen: range, tmp_path: Path) -> None:
    picture = pixels(draw, tmp_path / "a.png", head_figures(layers, heads, chosen), chosen)
    height, width, _ = picture.shape
    assert 1400 <= width <= 2900 and 550 <= height <= 1600
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50


def test_the_frame_is_around_the_layers_that_take_part(tmp_path: Path) -> None:
    def frame(chosen: range) -> tuple[int, int]:
        picture = pixels(draw_heatmap, tmp_path / "a.png", head_figures(28, 28, range(10, 20)), chosen)
        rgb = [int(RED[place : place + 2], 16) for place in (1, 3, 5)]
        rows = np.flatnonzero((picture == rgb).all(axis=-1).sum(axis=1) > picture.shape[1] // 2)
        return int(rows.min()), int(rows.max())

    (top, bottom), (higher, lower) = frame(range(10, 20)), frame(range(28))
    assert (bottom - top) / (lower - higher) == pytest.approx(10 / 28, abs=0.02)


def test_the_three_kinds_of_heads_have_their_colours(tmp_path: Path) -> None:
    raised = pixels(draw_shift, tmp_path / "a.png", head_figures(28, 28, range(10, 20)), range(10, 20))
    idle = pixels(draw_shift, tmp_path / "a.png", head_figures(28, 28, range(0)), range(0))
    # The lines of the histogram's medians are opaque, dots are not.
    assert painted(raised, BLUE) > 200 and painted(raised, ORANGE) > 200
    assert painted(idle, BLUE) == painted(idle, ORANGE) == 0


@pytest.mark.parametrize("draw", [draw_heatmap, draw_shift])
@pytest.mark.parametrize(("gain", "own"), [(1.0, True), (1e4, True), (3.0, False)])
def test_nothing_gained_much_gained_and_no_own_tokens(draw: Draw, gain: float, own: bool, tmp_path: Path) -> None:
    pixels(draw, tmp_path / "a.png", head_figures(4, 4, range(1, 3), gain=gain, own=own), range(1, 3))


@pytest.mark.parametrize("draw", [draw_heatmap, draw_shift])
def test_attention_that_underflowed_to_0_is_no_error(draw: Draw, tmp_path: Path) -> None:
    figures = head_figures(4, 4, range(1, 3))
    for table in (*figures.attn_mean.values(), *figures.attn_max.values()):
        table[0] = 0
    pixels(draw, tmp_path / "some.png", figures, range(1, 3))
    for table in (*figures.attn_mean.values(), *figures.attn_max.values()):
        table[:] = 0
    pixels(draw, tmp_path / "all.png", figures, range(1, 3))


def test_the_same_figures_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_heatmap(tmp_path / name, head_figures(4, 4, range(1, 3)), range(1, 3), DESCRIPTION)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_models_name_is_no_formula(tmp_path: Path) -> None:
    odd = Description(measure_settings(model="a$\\frac{$b"), episodes=1, prompts=1)
    draw_shift(tmp_path / "a.png", head_figures(4, 4, range(1, 3)), range(1, 3), odd)


def test_the_title_says_what_was_measured_and_how() -> None:
    shown = measure_settings(inputs="VLB", boxes_as="overlay", frames=1)
    title = Description(shown, episodes=1, prompts=2).title("Attention")
    assert title.splitlines() == [
        "Attention",
        "qwen2.5-vl, VLB, boxes as overlay, context full, 1 frame; 1 episode, 2 questions",
        "alignment: layers 1-2, published bias, alpha 1, lambda 5e-05",
    ]


@pytest.mark.parametrize(("kind", "head"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
@pytest.mark.parametrize("draw", [draw_heatmap, draw_shift])
def test_the_ending_is_the_format_and_the_same_figures_make_the_same_bytes(
    draw: Draw, kind: str, head: bytes, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        draw(tmp_path / f"{name}.{kind}", head_figures(4, 4, range(1, 3)), range(1, 3), DESCRIPTION)
    content = (tmp_path / f"a.{kind}").read_bytes()
    assert content.startswith(head)
    assert content == (tmp_path / f"b.{kind}").read_bytes()


@pytest.mark.parametrize("limits", [(16.0, 460.0), (6.1, 9.3), (51.0, 95.0), (7e-5, 0.3), (1e-7, 1e3), (0.99, 1.01)])
def test_labels_of_a_logarithmic_axis_are_some_and_never_on_one_place(limits: tuple[float, float]) -> None:
    figure = Figure(figsize=(4, 1), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set(xscale="log", xlim=limits)
    log_ticks(axes.xaxis, limits)
    figure.canvas.draw()
    boxes = [
        label.get_window_extent()
        for tick in (*axes.xaxis.get_major_ticks(), *axes.xaxis.get_minor_ticks())
        for label in [tick.label1]
        if label.get_text() and limits[0] <= tick.get_loc() <= limits[1]
    ]
    assert len(boxes) >= 2
    edges = sorted((box.x0, box.x1) for box in boxes)
    assert all(one[1] < other[0] for one, other in pairwise(edges))


@pytest.mark.parametrize("gain", [0.2, 1.0, 3.0, 1e4])
def test_no_line_of_the_histogram_runs_through_its_legend(
    gain: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []

    @contextmanager
    def kept(*arguments: Any) -> Iterator[Figure]:
        with picture(*arguments) as figure:
            drawn.append(figure)
            yield figure

    monkeypatch.setattr(shift, "picture", kept)
    draw_shift(tmp_path / "a.png", head_figures(28, 28, range(10, 20), gain=gain), range(10, 20), DESCRIPTION)
    axes = drawn[0].axes[-1]
    legend = axes.get_legend()
    assert legend is not None
    frame = legend.get_window_extent()
    for line in axes.get_lines():
        assert not frame.overlaps(line.get_window_extent())
    for bar in axes.patches:
        assert not frame.overlaps(bar.get_window_extent())


LETTERS = ["验证集", "सत्यापन \U0001f511", "数据 mixed, with Ünïcode", "\u200bא\u2067\n二"]


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
@pytest.mark.parametrize("text", LETTERS)
def test_letters_that_the_font_lacks_are_no_boxes_and_no_warning(text: str, kind: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with picture(tmp_path / f"a.{kind}", text, 6, 4) as figure:
            axes = figure.subplots()
            axes.plot([0, 1], label=text)
            axes.set_title(text)
            axes.set_xticks([0, 1], [text, "b"], parse_math=False)
            axes.legend()
    assert (tmp_path / f"a.{kind}").stat().st_size > 0


def written(text: str, tmp_path: Path) -> tuple[str, str]:
    """How a title and a label at an axis come out."""
    with picture(tmp_path / "a.png", text, 6, 4) as figure:
        axes = figure.subplots()
        axes.set_xticks([0, 1], [text, "b"], parse_math=False)
    return figure.get_suptitle(), axes.get_xticklabels()[0].get_text()


def test_what_no_font_has_is_written_as_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_installed", lambda: ())
    assert written("split 验证", tmp_path) == ("split U+9A8C U+8BC1",) * 2
    assert written("a\U000e0061b", tmp_path) == ("ab",) * 2
    assert written("Ünal, split 1", tmp_path) == ("Ünal, split 1",) * 2


def test_a_title_that_is_wider_than_the_picture_is_broken(tmp_path: Path) -> None:
    """Numbers in place of letters make it long, and what is cut off cannot be read."""
    with picture(tmp_path / "a.png", "验证集 of one, two and three words " * 4, 6, 4) as figure:
        figure.subplots()
    (title,) = [text for text in figure.texts if text.get_text().endswith("words")]
    extent = title.get_window_extent()
    assert extent.x0 >= 0 and extent.x1 <= figure.bbox.x1


def test_a_font_that_has_the_letters_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter of mathematics that DejaVu Sans lacks, which a font that comes with matplotlib has."""
    letter = next(chr(one) for one in sorted(fonts._characters(findfont("STIXNonUnicode"))) if one > 0xE000)
    monkeypatch.setattr(fonts, "_installed", lambda: [("STIXNonUnicode", findfont("STIXNonUnicode"))])
    assert written(f"a {letter}", tmp_path) == (f"a {letter}",) * 2
