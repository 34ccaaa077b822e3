"""`socialcli annotate` on a speaking world whose truth is known, and on what it must refuse."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import av
import pytest
from click.testing import CliRunner, Result

from socialcli.cli import main
from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Box, Episode
from socialcli.perception.contract import Rectangle
from socialcli.synth.settings import SynthSettings
from socialcli.synth.synthesis import SynthRequest, synthesize

from ...conftest import SAMPLE

SPEAKING = SynthSettings(people=(3, 3), turns=2, fps=25, size=(672, 672), audio="voice", shots=1)


def annotate(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["annotate", *map(str, arguments)])


def episodes(path: Path) -> list[Episode]:
    return [row.episode for row in read_episodes(path) if row.episode is not None]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip of three people who say two utterances each, its transcript beside it, and the truth."""
    pytest.importorskip("ai_edge_litert", reason="needs the extra annotate")
    pytest.importorskip("scenedetect", reason="needs the extra annotate")
    folder = tmp_path_factory.mktemp("world")
    synthesize(SynthRequest(SPEAKING, folder, episodes=1, seed=3))
    (clip,) = (folder / "videos").glob("*.mp4")
    shutil.copy(folder / "transcripts" / f"{clip.stem}.srt", folder / "videos")
    return folder


def rectangle(box: Box) -> Rectangle:
    return Rectangle(box.x0, box.y0, box.x1, box.y1)


def is_inside(point: tuple[float, float], box: Rectangle) -> bool:
    return box.x0 <= point[0] <= box.x1 and box.y0 <= point[1] <= box.y1


@pytest.mark.slow
def test_people_and_their_words_are_found(world: Path) -> None:
    output = world / "auto.parquet"
    result = annotate(*(world / "videos").glob("*.mp4"), "-o", output, "--ask", "all", "--boxes", "face")
    assert result.exit_code == 0, result.output
    (truth,), (found,) = episodes(world / "episodes.parquet"), episodes(output)
    assert [one.text for one in found.utterances] == [one.text for one in truth.utterances]
    who = Counter((one.speaker, true.speaker) for one, true in zip(found.utterances, truth.utterances, strict=True))
    pairs = {auto: true for (auto, true) in who if auto is not None}
    assert sorted(pairs.values()) == ["speaker1", "speaker2", "speaker3"]
    assert sum(count for (auto, true), count in who.items() if pairs.get(auto) == true) >= 5
    true_boxes = {(box.speaker, round(box.time, 2)): rectangle(box) for box in truth.boxes}
    both = [
        (rectangle(box), true_boxes[pairs[box.speaker], round(box.time, 2)])
        for box in found.boxes
        if (pairs[box.speaker], round(box.time, 2)) in true_boxes
    ]
    assert len(both) > 100
    assert sum(is_inside(box.centre, true) for box, true in both) >= 0.98 * len(both)
    assert {one.task for one in found.questions} == {"target"}


@pytest.mark.slow
def test_without_sound_it_is_less_sure(world: Path, tmp_path: Path) -> None:
    (clip,) = (world / "videos").glob("*.mp4")
    silent = tmp_path / clip.name
    with av.open(str(clip)) as source, av.open(str(silent), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    shutil.copy(clip.with_suffix(".srt"), tmp_path)
    for video, output in ((clip, world / "heard.jsonl"), (silent, tmp_path / "silent.jsonl")):
        assert annotate(video, "-o", output, "--overwrite").exit_code == 0
    heard, unheard = (episodes(path)[0].utterances for path in (world / "heard.jsonl", tmp_path / "silent.jsonl"))
    assert sum(one.speaker is None for one in unheard) > sum(one.speaker is None for one in heard)


@pytest.mark.slow
def test_the_same_recording_gives_the_same_bytes(world: Path, tmp_path: Path) -> None:
    (clip,) = (world / "videos").glob("*.mp4")
    files = [tmp_path / name for name in ("one.jsonl", "two.jsonl")]
    for file in files:
        assert annotate(clip, "-o", file, "--media-root", world, "--boxes", "face").exit_code == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_video_without_a_transcript_is_an_error_before_any_work(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    video = next((SAMPLE / "videos").glob("*.mp4"), None) or next(SAMPLE.rglob("*.mp4"))
    shutil.copy(video, tmp_path / "talk.mp4")
    result = annotate(tmp_path / "talk.mp4", "-o", tmp_path / "out.parquet")
    assert result.exit_code == 2
    assert "put one beside it, such as talk.srt" in caplog.text


def test_two_videos_of_one_name_or_with_one_transcript(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    videos = [tmp_path / folder / "talk.mp4" for folder in ("a", "b")]
    for video in videos:
        video.parent.mkdir()
        video.touch()
        video.with_suffix(".srt").touch()
    assert annotate(*videos, "-o", tmp_path / "out.parquet").exit_code == 2
    assert "two videos are named 'talk'" in caplog.text
    one = annotate(*videos, "-o", tmp_path / "out.parquet", "--subtitles", videos[0].with_suffix(".srt"))
    assert one.exit_code == 2
    assert "--subtitles is the transcript of one video" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--detector", "hats"], "there is no detector 'hats'"),
        (["--tracker", "overlaps"], "Did you mean 'overlap'?"),
        (["--voices", "hums"], "there is no voice analyser 'hums'"),
        (["--active-speaker-weights", "x.model"], "needs --active-speaker"),
        (["--grow", "0.5"], "--grow"),
    ],
)
def test_parts_that_there_are_not(
    options: list[str], message: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for suffix in (".mp4", ".srt"):
        (tmp_path / f"talk{suffix}").touch()
    result = annotate(tmp_path / "talk.mp4", "-o", tmp_path / "out.parquet", *options)
    assert result.exit_code == 2
    assert message in caplog.text + result.output
    assert not (tmp_path / "out.parquet").exists()


def test_a_recording_that_cannot_be_read_is_skipped_if_wanted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("ai_edge_litert", reason="needs the extra annotate")
    (tmp_path / "talk.mp4").write_bytes(b"no video")
    (tmp_path / "talk.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello.\n", encoding="utf-8")
    for options in ([], ["--skip-bad"]):
        assert annotate(tmp_path / "talk.mp4", "-o", tmp_path / "out.parquet", *options).exit_code == 4
    assert "talk.mp4: not a video file" in caplog.text
    assert "the sources yielded no episode" in caplog.text
