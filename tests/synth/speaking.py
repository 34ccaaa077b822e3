"""A small world that speaks, for tests of its parts."""

from __future__ import annotations

from socialcli.synth.episodes import Performance, Plot, draw_plot
from socialcli.synth.settings import SynthSettings

SEED = 5
SPEAKING = SynthSettings(people=(3, 3), turns=1, size=(240, 240), fps=15, audio="voice")


def performed(settings: SynthSettings = SPEAKING, index: int = 0) -> tuple[Plot, Performance]:
    plot = draw_plot(settings, SEED, index)
    assert plot.performance is not None
    return plot, plot.performance
