"""`socialcli convert elan` and `socialcli convert textgrid`: from a linguist's file and the video that it is about."""

from __future__ import annotations

from pathlib import Path

import pympi
import pytest

from ..video.clips import write_video
from .sources import convert, converted, write
from .tracks.test_cvat import box, export, track

SAID = (("Anna", 500, 1500, "Did she take it, Ben?"), ("Ben", 1500, 3000, "No."))


def elan(folder: Path, *media: tuple[str, str | None], origin: int | None = None) -> Path:
    """An ELAN file of two participants, with the media that it links: URL and relative address."""
    made = pympi.Eaf()
    made.remove_tier("default")
    for name, start, end, text in SAID:
        made.add_tier(f"{name[0]}-words", part=name)
        made.add_annotation(f"{name[0]}-words", start, end, text)
    for url, relative in media:
        made.add_linked_file(url, relpath=relative, mimetype="video/mp4", time_origin=origin)
    file = folder / "session.eaf"
    made.to_file(str(file))
    return file


def praat(folder: Path) -> Path:
    made = pympi.TextGrid(xmax=4.0)
    for name, start, end, text in SAID:
        made.add_tier(name).add_interval(start / 1000, end / 1000, text)
    file = folder / "session.TextGrid"
    made.to_file(str(file))
    return file


def video(place: Path) -> Path:
    place.parent.mkdir(exist_ok=True)
    return write_video(place, 40, rate=10)


def test_an_elan_file_leads_to_its_video(tmp_path: Path) -> None:
    video(tmp_path / "video" / "talk.mp4")
    boxes = export(tmp_path, track(0, box(5, 10, speaker="Anna")), track(1, box(5, 60, speaker="Ben")))
    file = elan(tmp_path, ("file:///C:/corpus/talk.mp4", "./video/talk.mp4"))
    episodes, account = converted(tmp_path / "e.parquet", "elan", file, "--ask", "all", "--boxes", boxes)
    assert [(one.dataset, one.video.path, one.episode_id) for one in episodes] == [
        ("elan", "video/talk.mp4", "talk/u1"),
        ("elan", "video/talk.mp4", "talk/u2"),
    ]
    first = episodes[0]
    assert [(one.speaker, one.start, one.text) for one in first.utterances] == [
        ("Anna", 0.5, "Did she take it, Ben?"),
        ("Ben", 1.5, "No."),
    ]
    assert [question.task for question in first.questions] == ["target", "coref", "mentioned"]
    assert {one.speaker for one in first.boxes} == {"Anna", "Ben"} and account["coverage"]["near_box"] == 4


def test_it_is_convert_tracks_with_another_default(tmp_path: Path) -> None:
    clip = video(tmp_path / "session.mp4")
    for name, file in (("elan", elan(tmp_path)), ("textgrid", praat(tmp_path))):
        outputs = [tmp_path / f"{name}-{number}.jsonl" for number in range(3)]
        converted(outputs[0], name, file, "--dataset", "mine")
        converted(outputs[1], "tracks", clip, "--subtitles", file, "--dataset", "mine")
        converted(outputs[2], name, file, "--video", clip, "--dataset", "mine")
        first, second, third = (output.read_bytes() for output in outputs)
        assert first == second == third and b'"Anna"' in first


def test_a_tier_can_be_chosen(tmp_path: Path) -> None:
    video(tmp_path / "session.mp4")
    for name, file, tier in (("elan", elan(tmp_path), "B-words"), ("textgrid", praat(tmp_path), "Ben")):
        (episode,), _ = converted(tmp_path / f"{name}.jsonl", name, file, "--tier", tier)
        assert [one.speaker for one in episode.utterances] == ["Ben"] and episode.dataset == name


def test_the_offset_of_the_linked_video_counts(tmp_path: Path) -> None:
    clip = video(tmp_path / "talk.mp4")
    file = elan(tmp_path, ("file:///talk.mp4", None), origin=250)
    for number, words in enumerate((["elan", file], ["tracks", clip, "--subtitles", file])):
        (episode,), _ = converted(tmp_path / f"{number}.jsonl", *words)
        assert [one.start for one in episode.utterances] == [0.75, 1.75]


def test_the_first_of_several_linked_videos_is_read_and_named(tmp_path: Path) -> None:
    for name in ("front.mp4", "side.mp4"):
        video(tmp_path / name)
    file = elan(tmp_path, ("file:///front.mp4", None), ("file:///side.mp4", "./side.mp4"))
    result = convert("elan", file, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 0 and "links several videos; reads" in result.stderr
    assert '"front.mp4"' in (tmp_path / "e.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "name", "parts"),
    [
        ("elan", "session.eaf", ["links lost.mp4, which is not beside it", "--video"]),
        ("elan", "lone.eaf", ["links no video, and has no lone.mp4 beside it", "--video"]),
        ("elan", "talk.srt", ["does not end in .eaf", "convert tracks --subtitles"]),
        ("textgrid", "session.TextGrid", ["has no video beside it, such as session.mp4", "--video"]),
    ],
)
def test_what_is_missing_is_said(command: str, name: str, parts: list[str], tmp_path: Path) -> None:
    elan(tmp_path).rename(tmp_path / "lone.eaf")
    elan(tmp_path, ("file:///C:/lost.mp4", None))
    praat(tmp_path)
    write(tmp_path / "talk.srt", "1\n00:00:01,000 --> 00:00:02,000\nNo.\n")
    result = convert(command, tmp_path / name, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 2 and all(part in result.stderr for part in parts), result.stderr
    result = convert(command, tmp_path / f"none{Path(name).suffix}", "-o", tmp_path / "e.jsonl")
    assert result.exit_code != 0


def test_each_command_has_its_own_environment_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = video(tmp_path / "session.mp4")
    file = elan(tmp_path)
    monkeypatch.setenv("SOCIALCLI_CONVERT_ELAN_DATASET", "corpus")
    (episode,), _ = converted(tmp_path / "a.jsonl", "elan", file)
    assert episode.dataset == "corpus"
    (episode,), _ = converted(tmp_path / "b.jsonl", "tracks", clip, "--subtitles", file)
    assert episode.dataset == "tracks"
