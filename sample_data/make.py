"""Recreate the sample data: `python sample_data/make.py` draws the clips and writes episodes and checkpoints.

With the same versions of the libraries, episodes and checkpoints are identical byte for byte, and videos frame for
frame. socialcli must be installed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from _clips import write_clip
from _dialogues import SCENES, Scene
from _episodes import episode_record

from socialcli.episodes.writing import EpisodeWriter

CHECKPOINT_NAMES = (
    "llava-next-video",
    "qwen2.5-vl",
    "internvl3",
    "qwen3-vl",
    "llava-onevision",
    "smolvlm2",
    "qwen2-vl",
    "gemma-4",
    "qwen3.5",
    "llama-3.2-vision",
)


def make_videos(folder: Path, scenes: Iterable[Scene] = SCENES) -> None:
    """Draw and encode the clips to `folder`/videos."""
    (folder / "videos").mkdir(parents=True, exist_ok=True)
    for scene in scenes:
        write_clip(scene, folder / "videos" / f"{scene.id}.mp4")
        _say(f"videos/{scene.id}.mp4")


def make_episodes(folder: Path, scenes: Iterable[Scene] = SCENES) -> None:
    """Write the episodes to `folder`/episodes.parquet and `folder`/episodes.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    records = [episode_record(scene) for scene in scenes]
    for name in ("episodes.parquet", "episodes.jsonl"):
        with EpisodeWriter(folder / name) as writer:
            for record in records:
                writer.write(record)
        _say(name)


def make_checkpoints(folder: Path, names: Iterable[str] = CHECKPOINT_NAMES) -> None:
    """Write the tiny random checkpoints to `folder`/checkpoints."""
    from _checkpoints import (
        random_checkpoint,
        save,
    )  # imports torch and transformers, which the other parts do not need

    for name in names:
        save(random_checkpoint(name), folder / "checkpoints" / name)
        _say(f"checkpoints/{name}")


PARTS: dict[str, Callable[[Path], None]] = {
    "videos": make_videos,
    "episodes": make_episodes,
    "checkpoints": make_checkpoints,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Recreate the requested parts."""
    parser = argparse.ArgumentParser(description="Recreate the sample data.")
    parser.add_argument("--only", choices=PARTS, help="recreate only this part (default: all)")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(__file__).parent, help="output folder (default: this one)"
    )
    options = parser.parse_args(arguments)
    for part in [options.only] if options.only else PARTS:
        PARTS[part](options.output)


def _say(what: str) -> None:
    print(f"made {what}", file=sys.stderr)


if __name__ == "__main__":
    main()
