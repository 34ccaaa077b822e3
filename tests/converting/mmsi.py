"""Files in the layout of MMSI's release: two games, with everything that is odd in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .sources import write

TRAINED = """\
[Player0] (00:02): I think you are the werewolf.
[Player1] (00:04): Did you see what he did?
Narrator (00:05): Everybody close your eyes.
[Player2] (00:07): Well [Player0] said that [Player1] took his card there.
[Player1] (00:07): You

[Player0] (00:31): He told her so, and you know it
[Player2] (00:12): Everybody looked at you so
[Player1] (00:14): Ask [Player2], ask [Player2].
"""
TRAINED_LABELLED = """\
[Player0] (00:02): I think you are the werewolf. [Player1]
[Player1] (00:04): Did you see what he[Player2] did? [Player0]
Narrator (00:05): Everybody close your eyes. [Player1]
[Player2] (00:07): Well [Player0] said that [Player1] took his[Player0] card there[Player1].
[Player1] (00:07): You [Player2]

[Player0] (00:31): He[Player1 Player2] told her[Player0] so, and you know it [Player1 Player2]
[Player2] (00:12): Everybody looked at you so [Everyone Player1]
[Player1] (00:14): Ask [Player2], ask [Player2]. [Player0]
"""
TESTED = """\
[Player1] (01:00): Are you sure?
[Player3] (01:02): She is.
[Player0] (01:03): Are you?
"""
TESTED_LABELLED = """\
[Player1] (01:00): Are you sure? [Player3]
[Player3] (01:02): She[Player0] is.
[Player0] (01:03): Are you? [Player1]
"""


def points(*places: tuple[float, float], confidence: float = 0.9) -> list[float]:
    """The 51 numbers of a person: these points, and zeros for the others, which nobody saw."""
    flat = [number for x, y in places for number in (x, y, confidence)]
    return flat + [0.0] * (51 - len(flat))


def person(number: int, *places: tuple[float, float], confidence: float = 0.9) -> dict[str, Any]:
    """A person of a step."""
    return {"idx": number, "keypoints": points(*places, confidence=confidence)}


def save(path: Path, steps: list[Any]) -> None:
    """Write steps as the release does: an array of lists, pickled."""
    array = np.empty(len(steps), dtype=object)
    array[:] = steps
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array, allow_pickle=True)


def release(root: Path) -> tuple[object, ...]:
    """Write the two games, and return the words that convert them."""
    games = {"vid1_Game1": (TRAINED, TRAINED_LABELLED), "vid2_Game3": (TESTED, TESTED_LABELLED)}
    for name, (plain, labelled) in games.items():
        write(root / "transcripts" / f"{name}.txt", plain)
        write(root / "labeled" / f"{name}.txt", labelled)
    write(root / "meta" / "vid1.json", {"Game1": {"playerNames": ["Ann", "Bob", "Cy"]}, "Game2": {"playerNames": []}})
    write(root / "meta" / "vid2.json", {"Game3": {"playerNames": ["Dee", "Eve", "Fay", "Gus"]}})
    write(root / "split.json", {"train": ["vid1_Game1"], "test": ["vid2_Game3"]})
    square = ((100.0, 50.0), (200.0, 50.0), (100.0, 250.0))
    steps: list[Any] = [[person(0, *square), person(1, (400, 60), (500, 60), (450, 160))] for _ in range(100)]
    steps[11] = []  # nobody at 2.2 s
    steps[12] = [person(0, *square, confidence=0.2), person(1, (630, 340), (650, 350), (640, 355))]
    steps[13] = [person(1, (400, 60), (500, 60), (450, 160)), person(7, *square), person(0, *square[:2])]
    save(root / "keypoints" / "vid1_Game1.npy", steps)
    save(root / "keypoints" / "vid2_Game3.npy", [[] for _ in range(20)])
    folders = ("transcripts", "labeled", "meta", "keypoints")
    return ("mmsi", *(word for name in folders for word in (f"--{name}", root / name)), "--split", root / "split.json")
