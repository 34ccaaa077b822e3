from __future__ import annotations

import json
from pathlib import Path

import pytest

from socialcli.agreement import recordings
from socialcli.agreement.recordings import Contents, annotation_pairs, paired_videos, unpaired_warnings
from socialcli.errors import InvalidInputError, NotFoundError

from ..episodes.samples import write_lines
from .samples import an_episode


def a_file(path: Path, *episodes: tuple[str, str]) -> Contents:
    """A file of episodes by (id, video); each says when it begins by its place in the file."""
    lines = [
        an_episode([(10.0 * row, 10.0 * row + 1, "anna")], start=10.0 * row, end=10.0 * row + 9, name=name, video=video)
        for row, (name, video) in enumerate(episodes)
    ]
    return Contents.read(write_lines(path, [episode.to_record() for episode in lines]))


@pytest.mark.parametrize(
    ("reference", "other", "pairs"),
    [
        ([("a", "v/x.mp4")], [("w", "v/x.mp4"), ("w2", "v/y.mp4")], {"v/x.mp4": "v/x.mp4"}),
        ([("a", "./v/x.mp4")], [("w", "v/x.mp4")], {"v/x.mp4": "v/x.mp4"}),
        (
            [("a", "v/x.mp4"), ("b", "y.mp4")],
            [("c", "z/y.mp4"), ("d", "x.mp4")],
            {"v/x.mp4": "x.mp4", "y.mp4": "z/y.mp4"},
        ),
        # a name that several have says nothing, an id does
        ([("a", "1/img"), ("b", "2/img")], [("b", "k/img"), ("a", "l/img")], {"1/img": "l/img", "2/img": "k/img"}),
        ([("a", "1/img"), ("b", "2/img")], [("c", "img")], {}),
        ([("a", "1/x.mp4"), ("b", "2/x.mp4")], [("c", "1/x.mp4"), ("d", "3/x.mp4")], {"1/x.mp4": "1/x.mp4"}),
        ([("a", "x.mp4")], [("a", "y.mkv")], {"x.mp4": "y.mkv"}),
        ([("a", "x.mp4"), ("b", "x.mp4")], [("a", "y.mkv"), ("b", "z.mkv")], {}),  # one video would be two
        # a path before an id: ids such as 1, 2, 3 are common
        ([("1", "x.mp4"), ("2", "y.mp4")], [("1", "y.mp4"), ("2", "x.mp4")], {"x.mp4": "x.mp4", "y.mp4": "y.mp4"}),
    ],
)
def test_videos_are_paired_by_path_by_name_or_by_ids(
    tmp_path: Path, reference: list[tuple[str, str]], other: list[tuple[str, str]], pairs: dict[str, str]
) -> None:
    a, b = a_file(tmp_path / "a.jsonl", *reference), a_file(tmp_path / "b.jsonl", *other)
    assert paired_videos(a, b) == pairs


def test_what_one_file_alone_has_is_said(tmp_path: Path) -> None:
    a = a_file(tmp_path / "a.jsonl", *((f"a{number}", f"{number}.mp4") for number in range(6)))
    b = a_file(tmp_path / "b.jsonl", ("b", "5.mp4"), ("c", "c.mp4"))
    first, second = unpaired_warnings(a, b, paired_videos(a, b))
    assert first == (f"5 of 6 videos of {a.path} are not in {b.path} and are left out: 0.mp4, 1.mp4, 2.mp4, ...")
    assert second == f"1 of 2 videos of {b.path} are not in {a.path} and are left out: c.mp4"


def test_both_annotations_of_each_video_are_whole_in_any_order(tmp_path: Path) -> None:
    a = a_file(tmp_path / "a.jsonl", ("a1", "x.mp4"), ("a2", "y.mp4"), ("a3", "x.mp4"), ("a4", "z.mp4"))
    b = a_file(tmp_path / "b.jsonl", ("b1", "z.mp4"), ("b2", "x.mp4"), ("b3", "y.mp4"))
    found = list(annotation_pairs(a, b, paired_videos(a, b)))
    assert [[window.episode_id for window in one.windows] for pair in found for one in pair] == [
        *(["a2"], ["b3"], ["a1", "a3"], ["b2"], ["a4"], ["b1"])
    ]


def test_files_in_the_same_order_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pair is there before the next one's episodes are read."""
    contents = [
        a_file(tmp_path / name, *((f"{name}{number}", f"{number}.mp4") for number in range(5)))
        for name in ("a.jsonl", "b.jsonl")
    ]
    read, read_episodes = [], recordings.read_episodes

    def counted(path: Path) -> object:
        for row in read_episodes(path):
            read.append(row.row)
            yield row

    monkeypatch.setattr(recordings, "read_episodes", counted)
    for number, _ in enumerate(annotation_pairs(*contents, paired_videos(*contents)), start=1):
        assert len(read) == 2 * number


def test_a_file_that_shrinks_between_the_passes_is_an_error(tmp_path: Path) -> None:
    a = a_file(tmp_path / "a.jsonl", ("a1", "x.mp4"), ("a2", "y.mp4"))
    b = a_file(tmp_path / "b.jsonl", ("b1", "x.mp4"), ("b2", "y.mp4"))
    a_file(tmp_path / "b.jsonl", ("b1", "x.mp4"))
    with pytest.raises(InvalidInputError, match=r"b\.jsonl: changed while it was read"):
        list(annotation_pairs(a, b, paired_videos(a, b)))


def test_rows_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    good = an_episode([(0.0, 1.0, "anna")]).to_record()
    bad = {**good, "episode_id": "bad", "utterances": [{"id": "u", "start": "x"}]}
    contents = Contents.read(write_lines(tmp_path / "a.jsonl", [good, bad, "{"]))
    assert list(contents.last_rows) == ["clip.mp4"]
    (warning,) = contents.warnings()
    assert warning.startswith(f"2 rows of {tmp_path / 'a.jsonl'} cannot be read and are left out")
    assert f"{tmp_path / 'a.jsonl'}:2:utterances[0]" in warning


def test_a_question_that_cannot_be_asked_is_no_reason_to_leave_an_episode_out(tmp_path: Path) -> None:
    record = an_episode([(0.0, 1.0, "anna")]).to_record()
    record["questions"] = [{"id": "q", "task": "target", "utterance": "nowhere"}]
    contents = Contents.read(write_lines(tmp_path / "a.jsonl", [json.dumps(record)]))
    assert contents.warnings() == [] and contents.videos == {"e1": "clip.mp4"}


def test_a_missing_or_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        Contents.read(tmp_path / "a.jsonl")
    with pytest.raises(InvalidInputError):
        Contents.read(write_lines(tmp_path / "b.jsonl", []))
