from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.font_manager import findfont
from PIL import Image, ImageFont

from socialcli.verbs.inspect.pictures.layout import Line, block
from socialcli.verbs.inspect.pictures.marks import Mark, draw_marks
from socialcli.video import lettering
from socialcli.video.lettering import Font, font_for, font_of, legible, shortened, width_of, wrapped
from socialcli.video.overlay import COLORS
from socialcli.words.legible import legible as legible_with


def area_of(image: Image.Image, color: tuple[int, int, int]) -> int:
    return int((np.array(image) == color).all(axis=-1).sum())


def tag_area(marks: list[Mark], number: int, size: tuple[int, int] = (640, 360)) -> int:
    """How many pixels have a mark's colour when all are drawn."""
    image = Image.new("RGB", size, (255, 255, 255))
    draw_marks(image, marks)
    return area_of(image, marks[number].color.rgb)


def test_names_of_boxes_at_one_place_do_not_hide_each_other() -> None:
    marks = [Mark((200, 100, 300, 250), "Speaker 1", color) for color in COLORS[:4]]
    alone = tag_area(marks[:1], 0)
    line = 2 * 2 * (100 + 150)  # the last box's lines hide those of the boxes below it
    for number in range(4):
        assert tag_area(marks, number) > alone - line - 40


def test_a_name_stays_inside_the_picture() -> None:
    whole = tag_area([Mark((300, 150, 340, 200), "Speaker 1", COLORS[0])], 0)
    for box in [(0, 0, 40, 50), (600, 310, 640, 360), (0, 0, 640, 360), (-50, -50, -10, -10)]:
        assert tag_area([Mark(box, "Speaker 1", COLORS[0])], 0) > 0.5 * whole


def test_a_font_that_lacks_a_letter_shows_the_letter_below_the_accent() -> None:
    font = font_of(20)
    assert legible("Speaker 2: to be", font) == "Speaker 2: to be"
    assert legible("\U0001f511", font) == "U+1F511"
    assert legible("é", _poor_font()) == "e"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("李雷", "U+674E U+96F7"),
        ("नेहा", "U+0928 U+0947 U+0939 U+093E"),
        ("김A", "U+AE40 A"),  # NFKD would make a jamo of it, which this font lacks too
        ("Ana \U0001f469\U0001f3fd\u200d\U0001f52c!", "Ana U+1F469 U+1F3FD U+1F52C!"),
        ("A\ufe0f", "A"),
    ],
)
def test_what_no_font_has_is_written_as_its_number_and_never_as_a_box(text: str, shown: str) -> None:
    assert legible(text, _poor_font()) == shown


def _font_with(path: Path, characters: str) -> str:
    """A font in which each of the characters is a square of its own size, and what is missing is nothing."""
    builder = FontBuilder(1000)
    names = [".notdef", *(f"g{number}" for number in range(len(characters)))]
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(one): name for one, name in zip(characters, names[1:], strict=True)})
    glyphs = {}
    for number, name in enumerate(names):
        pen = TTGlyphPen(None)
        side = 0 if name == ".notdef" else 300 + 5 * number
        corners = [(0, 0), (0, side), (side, side), (side, 0)]
        pen.moveTo(corners[0])
        for corner in corners[1:]:
            pen.lineTo(corner)
        pen.closePath()
        glyphs[name] = pen.glyph()
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(names, (900, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Squares", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return str(path)


@pytest.fixture
def squares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A system on which one more font is installed, with the letters of two names and Latin ones."""
    path = _font_with(tmp_path / "Squares-Regular.ttf", "李雷नहABCabcU+0123456789 ")
    monkeypatch.setattr(lettering, "_font_files", lambda: [path])
    lettering._installed.cache_clear()
    lettering._substitute.cache_clear()
    yield path
    lettering._installed.cache_clear()
    lettering._substitute.cache_clear()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("सीता", "U+0938 U+0940 U+0924 U+093E"),
        ("தமிழ்", "U+0BA4 U+0BAE U+0BBF U+0BB4 U+0BCD"),
        ("বাংলা", "U+09AC U+09BE U+0982 U+09B2 U+09BE"),
        ("e\u0301", "e\u0301"),
        ("\u05e9\u05b8", "\u05e9\u05b8"),
    ],
)
def test_a_mark_that_the_font_lacks_is_no_box_below_a_circle(text: str, shown: str) -> None:
    """Of DejaVu Sans, which matplotlib brings along: it has marks of Latin and Hebrew, and none of India."""
    font = ImageFont.truetype(findfont("DejaVu Sans"), 20)
    assert legible(text, font) == shown


def test_a_number_stands_apart_from_the_one_before_a_joiner() -> None:
    assert legible_with("\U0001f469\u200d\U0001f3a4", {"\u200d"}.__contains__).split("\u200d ")[1] == "U+1F3A4"


@pytest.mark.parametrize("text", ["李雷", "नह", "A 李"])
def test_a_font_that_has_the_letters_is_found_among_those_installed(squares: str, text: str) -> None:
    font = font_for(text, 20)
    assert isinstance(font, ImageFont.FreeTypeFont) and font.path == squares
    assert legible(text, font) == text


def test_the_usual_font_stays_where_it_has_all_or_no_other_has_more(squares: str) -> None:
    assert font_for("Anna, Ünal", 20) is font_of(20)
    assert font_for("Anna \U0001f469", 20) is font_of(20)
    assert legible("Anna \U0001f469", font_of(20)) == "Anna U+1F469"


def test_names_in_any_script_make_a_picture_with_other_pixels_each(tmp_path: Path) -> None:
    pictures = [
        np.array(block([Line(name)], 600)).tobytes() for name in ("李雷", "韩梅", "नेहा", "\U0001f469", "\U0001f468")
    ]
    assert len(set(pictures)) == len(pictures)


def _poor_font() -> Font:
    return ImageFont.load_default(20)  # has no accents


def test_text_is_wrapped_and_cut_to_a_width() -> None:
    font = font_of(20)
    text = "a line that is much too long for so little room"
    lines = list(wrapped(text, font, 150))
    assert " ".join(lines) == text
    assert len(lines) > 2
    assert max(width_of(line, font) for line in lines) <= 150
    assert list(wrapped("unbreakable" * 5, font, 50)) == ["unbreakable" * 5]
    cut = shortened(text, font, 150)
    assert cut.endswith("...")
    assert width_of(cut, font) <= 150
    assert shortened("short", font, 150) == "short"
