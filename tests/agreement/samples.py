"""Small annotations that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from socialcli.agreement.annotation import Annotation, joined_annotation
from socialcli.agreement.criteria import Criteria
from socialcli.agreement.measures import Amounts
from socialcli.agreement.score import compare_annotations
from socialcli.episodes.records import Box, Episode, Speaker, Utterance, Video

Line = tuple[float, float, str | None]  # start, end, speaker
Place = tuple[float, str, float]  # time, speaker, x0 of a box of 100 x 100 pixels


def an_episode(
    lines: Iterable[Line] = (),
    places: Iterable[Place] = (),
    start: float | None = None,
    end: float | None = None,
    name: str = "e1",
    video: str = "clip.mp4",
) -> Episode:
    """An episode; an utterance's text says when it begins and who speaks."""
    lines, places = list(lines), list(places)
    people = dict.fromkeys([*(who for _, _, who in lines if who is not None), *(who for _, who, _ in places)])
    return Episode(
        episode_id=name,
        video=Video(video, 1000, 500, start, end),
        speakers=tuple(map(Speaker, people)),
        utterances=tuple(
            Utterance(f"u{number}", first, last, f"{first} {who}", who)
            for number, (first, last, who) in enumerate(sorted(lines, key=lambda line: line[0]))
        ),
        boxes=tuple(Box(who, time, x, 0.0, x + 100, 100.0) for time, who, x in places),
        questions=(),
    )


def an_annotation(*episodes: Episode) -> Annotation:
    return joined_annotation("clip.mp4", episodes)


def amounts(reference: Episode | Sequence[Episode], other: Episode | Sequence[Episode], **criteria: object) -> Amounts:
    """The amounts of the only episode of the reference."""
    sides = [an_annotation(*([one] if isinstance(one, Episode) else one)) for one in (reference, other)]
    (episode,) = compare_annotations(sides[0], sides[1], Criteria(**criteria)).episodes  # type: ignore[arg-type]
    return episode.amounts


def renamed(lines: Iterable[Line], **names: str | None) -> list[Line]:
    """The lines with other speakers."""
    return [(start, end, names.get(who, who) if who is not None else None) for start, end, who in lines]
