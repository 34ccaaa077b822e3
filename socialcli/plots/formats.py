"""The formats of pictures. Imports nothing heavy, because every `--help` needs them."""

from typing import Literal, get_args

FigureFormat = Literal["png", "svg", "pdf"]
FIGURE_FORMATS: tuple[FigureFormat, ...] = get_args(FigureFormat)
