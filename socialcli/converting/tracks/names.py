"""What to call tracks: by the name that their file states, by their label, or by their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from socialcli.converting.labels import known_name, normal_id
from socialcli.converting.tracks.records import Track

# Labels of a class of things. Whoever labels people by name uses none of them.
_CLASSES = frozenset(
    ("person", "persons", "people", "human", "pedestrian", "man", "woman", "boy", "girl", "child", "adult", "face")
) | frozenset(("head", "body", "speaker", "participant", "actor", "player", "object", "track", "other"))
_STATED = frozenset(("speaker", "name", "identity"))


def states_a_name(attribute: str) -> bool:
    """Whether an attribute of a track, by its own name, says who it is."""
    return attribute.strip().casefold() in _STATED


def own_name(labels: Sequence[str]) -> str | None:
    """Of several labels of one track, the first that is no class; else the first; None if there is none."""
    return next((label for label in labels if not _is_class(label)), labels[0] if labels else None)


def track_names(tracks: Sequence[Track], listed: Collection[str] | None) -> list[str]:
    """What each track is called: by its stated name, else by its label if that is a name, else by its id.

    A label is a name unless it is a class such as "person": a known one, that of two tracks which are seen at the same
    moment, or the only label of several tracks. With `listed`, the labels that the user's table has, the first of
    stated name, id and label that is listed counts.
    """
    classes = _shared_labels(tracks)
    return [_name(track, classes, listed) for track in tracks]


def _name(track: Track, classes: Collection[str], listed: Collection[str] | None) -> str:
    for name in (track.speaker, track.id, track.label):
        if listed is not None and name is not None and normal_id(name) in listed:
            return name
    stated = known_name(track.speaker)
    if stated is not None:
        return stated
    label = known_name(track.label)
    return track.id if label is None or _is_class(label) or label in classes else label


def _is_class(label: str) -> bool:
    return label.strip().casefold() in _CLASSES


def _shared_labels(tracks: Sequence[Track]) -> set[str]:
    """The labels of tracks that are seen at the same moment, and the label that all of several tracks have."""
    moments: dict[str, Counter[float]] = {}
    for track in tracks:
        label = known_name(track.label)
        if label is not None and not _is_class(label):
            moments.setdefault(label, Counter()).update({time for time, _ in track.boxes})
    if len(tracks) > 1 and len({track.label for track in tracks}) == 1:
        return set(moments)
    return {label for label, counts in moments.items() if max(counts.values(), default=0) > 1}
