"""`socialcli annotate`: find who is on screen in a recording and who says what, and write episodes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from socialcli.converting.options import TaskNames, conversion_options
from socialcli.options.values import FiniteRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from socialcli.annotating.recording import BoxesOf
    from socialcli.converting.conversion import Conversion

_FILE = click.Path(path_type=Path)


@click.command("annotate", short_help="Find speakers, and whose words are whose, in recordings.")
@conversion_options
@click.argument("videos", type=_FILE, nargs=-1, required=True, metavar="VIDEO...")
@click.option(
    "--subtitles",
    type=_FILE,
    help="Transcript of the one VIDEO: .srt, .vtt, .eaf (ELAN), .TextGrid (Praat), or the .json of whisper or "
    "whisperX. Speakers that it names keep their names.  [default: the file with the video's name beside it]",
)
@click.option(
    "--ask",
    type=TaskNames(),
    metavar="TASK,...",
    help="Add questions, without answers, about every utterance: target, coref, mentioned, or all.  [default: none]",
)
@click.option(
    "--boxes",
    type=click.Choice(("face", "shoulders", "person")),
    default="person",
    show_default=True,
    help="What a box shows, if the detector finds faces: the face, head and shoulders, or all of a person who stands.",
)
@click.option(
    "--grow",
    type=FiniteRange(min=1),
    default=2.8,
    show_default=True,
    metavar="FACTOR",
    help="Width of shoulders in widths of a face, for --boxes shoulders.",
)
@click.option(
    "--min-confidence",
    type=FiniteRange(0, 1),
    default=0.6,
    show_default=True,
    help="Confidence below which an utterance has no speaker, and a speaker no boxes.",
)
@click.option(
    "--window",
    type=FiniteRange(min=1),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest episode; a recording is cut at pauses.",
)
@click.option(
    "--detect-fps",
    type=FiniteRange(min=0.5, max=60),
    default=5.0,
    show_default=True,
    metavar="N",
    help="Frames of a second in which people are looked for.",
)
@click.option("--detector", default="faces", show_default=True, metavar="NAME", help="Detector of faces or people.")
@click.option(
    "--detector-weights",
    metavar="ID|DIR",
    help="Weights of the detector, if it has none of its own.  [default: its own]",
)
@click.option("--tracker", default="overlap", show_default=True, metavar="NAME", help="Tracker within shots.")
@click.option("--voices", default="energy", show_default=True, metavar="NAME", help="Analyser that compares voices.")
@click.option(
    "--active-speaker",
    metavar="NAME",
    help="Active speaker detector.  [default: the motion of mouths beside what is usual for each face]",
)
@click.option("--active-speaker-weights", type=_FILE, metavar="FILE", help="Weights of the active speaker detector.")
@click.option("--dataset", metavar="NAME", default="annotated", show_default=True, help="Data set of the episodes.")
def command(
    conversion: Conversion,
    videos: tuple[Path, ...],
    subtitles: Path | None,
    ask: Sequence[str] | None,
    boxes: BoxesOf,
    grow: float,
    min_confidence: float,
    window: float,
    detect_fps: float,
    detector: str,
    detector_weights: str | None,
    tracker: str,
    voices: str,
    active_speaker: str | None,
    active_speaker_weights: Path | None,
    dataset: str,
) -> None:
    """Find who is on screen in each VIDEO and whose words those of its transcript are, and write an episode for each
    part of about half a minute.

    People are detected and tracked within shots, and joined across cuts by their looks. An utterance belongs to whose
    mouth moves and whose voice it is; utterances with one name in the transcript belong to one person. Where the
    evidence is weak, an utterance has no speaker, and a named speaker no boxes.

    Needs the extra: pip install 'socialcli[annotate]'. Nothing is downloaded.

    Exit codes: 0 done, 2 usage, 4 a recording that cannot be read (with --skip-bad, only if none can be).
    """
    from socialcli.annotating.recording import Rules
    from socialcli.verbs.annotate.work import Chosen, annotate_videos

    chosen = Chosen(
        detector=detector,
        detector_weights=detector_weights,
        tracker=tracker,
        voices=voices,
        active_speaker=active_speaker,
        active_speaker_weights=active_speaker_weights,
        rate=detect_fps,
    )
    rules = Rules(boxes=boxes, grow=grow, least_confidence=min_confidence)
    annotate_videos(conversion, videos, subtitles, chosen, rules, tasks=ask or (), dataset=dataset, window=window)
