from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from socialcli.errors import VideoError
from socialcli.video.frames import Frame, FrameSet
from socialcli.video.sampling import check_size, sample_frames

from .clips import B_FRAMES, HEIGHT, WIDTH, number, numbers, picture, set_matrix, shift, write_slides, write_video

FORMATS = {
    "constant.mp4": ("libx264", {"g": "12"}, {}),
    "b_frames.mp4": ("libx264", {"x264-params": B_FRAMES}, {}),
    "open_groups.mp4": ("libx264", {"x264-params": f"{B_FRAMES}:open-gop=1"}, {}),
    "open_groups_hevc.mkv": (
        "libx265",
        {"x265-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0:log-level=none"},
        {},
    ),
    "fragments.mp4": ("libx264", {"x264-params": B_FRAMES}, {"movflags": "frag_keyframe+empty_moov+delay_moov"}),
    "b_frames.mkv": ("libx264", {"x264-params": B_FRAMES}, {}),
    "late_start.ts": ("libx264", {"x264-params": B_FRAMES}, {"output_ts_offset": "1000"}),
    "vp9.webm": ("libvpx-vp9", {"g": "12", "cpu-used": "8", "deadline": "realtime"}, {}),
    "hidden_frames.webm": ("libvpx", {"g": "12", "auto-alt-ref": "1", "lag-in-frames": "16", "b": "1M"}, {}),
    "key_frames_only.mkv": ("libx264", {"x264-params": "keyint=1"}, {}),
    "program.mpg": ("mpeg2video", {"g": "12", "bf": "2", "b": "2M"}, {}),
    "flash.flv": ("libx264", {"x264-params": B_FRAMES}, {}),
}


@pytest.fixture(scope="module", params=FORMATS)
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 frames at 25 per second in each format."""
    codec, options, container = FORMATS[request.param]
    path = tmp_path_factory.mktemp("clips") / request.param
    return write_video(path, 50, codec=codec, options=options, container=container)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, [0, 7, 14, 21, 28, 35, 42, 49]),
        (0.0, 1.96, [0, 7, 14, 21, 28, 35, 42, 49]),
        (0.5, 0.8, [13, 14, 15, 16, 17, 18, 19, 20]),
        (1.0, 1.28, [25, 26, 27, 28, 29, 30, 31, 32]),
        (1.9, 9.0, [48, 48, 48, 48, 49, 49, 49, 49]),
        (-3.0, 0.05, [0, 0, 0, 0, 1, 1, 1, 1]),
    ],
)
def test_every_format_gives_the_right_pictures_at_the_right_times(
    clip: Path, start: float | None, end: float | None, expected: list[int]
) -> None:
    frames = sample_frames(clip, 8, start, end)
    assert numbers(frames) == expected
    assert frames.times == tuple(index / 25 for index in expected)
    assert frames.distinct == len(set(expected))
    assert (frames.width, frames.height) == (WIDTH, HEIGHT)


def test_a_video_that_is_refreshed_bit_by_bit_loses_no_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 60, options={"x264-params": "intra-refresh=1:keyint=12"})
    assert numbers(sample_frames(path, 4, 1.2, 1.88)) == [30, 36, 41, 47]
    assert numbers(sample_frames(path, 3)) == [0, 29, 59]


def test_avi_gives_pictures_in_order_although_it_stores_no_presentation_times(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 50, options={"x264-params": B_FRAMES})
    assert numbers(sample_frames(path, 8)) == [0, 7, 14, 21, 28, 35, 42, 49]
    whole = dict(zip(sample_frames(path, 50).times, range(50), strict=True))
    part = sample_frames(path, 6, 1.0, 1.2)
    assert numbers(part) == [whole[time] for time in part.times]
    assert all(1.0 <= time <= 1.2 for time in part.times)


def test_irregular_times_are_sampled_by_time_and_not_by_number(tmp_path: Path) -> None:
    times = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 1000, 2000, 2010, 2020, 4000]
    path = write_video(tmp_path / "vfr.mkv", len(times), milliseconds=times)
    frames = sample_frames(path, 5)
    assert frames.times == (0.0, 1.0, 2.0, 2.02, 4.0)
    assert numbers(frames) == [0, 10, 11, 13, 14]


def test_irregular_times_are_kept_in_mp4(tmp_path: Path) -> None:
    times = [0, 40, 90, 400, 410, 900]
    path = write_video(tmp_path / "vfr.mp4", len(times), milliseconds=times)
    frames = sample_frames(path, 6, 0.0, 0.41)
    assert numbers(frames) == [0, 2, 2, 3, 3, 4]
    assert frames.times == (0.0, 0.09, 0.09, 0.4, 0.4, 0.41)


def test_fewer_frames_than_asked_repeat_and_share_their_image(tmp_path: Path) -> None:
    frames = sample_frames(write_video(tmp_path / "short.mp4", 3), 8)
    assert numbers(frames) == [0, 0, 1, 1, 1, 1, 2, 2]
    assert frames.distinct == 3
    assert frames.frames[0].image is frames.frames[1].image


def test_a_clip_of_one_frame_repeats_it(tmp_path: Path) -> None:
    frames = sample_frames(write_video(tmp_path / "one.mp4", 1), 4)
    assert numbers(frames) == [0, 0, 0, 0]
    assert frames.times == (0.0, 0.0, 0.0, 0.0)
    assert frames.distinct == 1


def test_a_single_frame_is_the_middle_one(tmp_path: Path) -> None:
    frames = sample_frames(write_video(tmp_path / "a.mp4", 25), 1)
    assert numbers(frames) == [12]
    assert frames.times == (0.48,)


def test_time_begins_where_the_sound_does(tmp_path: Path) -> None:
    times = [200, 240, 280]
    path = write_video(tmp_path / "late.mkv", 3, milliseconds=times, sound=0.5)
    assert sample_frames(path, 3).times == (0.2, 0.24, 0.28)


def test_an_edit_list_cuts_frames_off_and_time_begins_after_them(tmp_path: Path) -> None:
    source = write_video(tmp_path / "source.mp4", 30, options={"x264-params": B_FRAMES})
    path = shift(source, tmp_path / "edited.mp4", -0.2)
    frames = sample_frames(path, 25)
    assert numbers(frames) == list(range(5, 30))
    assert frames.times == tuple(index / 25 for index in range(25))


@pytest.mark.parametrize(
    ("matrix", "turn"),
    [
        ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),  # as a telephone held upright writes it
        ((0, -1, 1, 0), lambda image: np.rot90(image, 1)),
        ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
        ((-1, 0, 0, 1), np.fliplr),
        ((1, 0, 0, -1), np.flipud),
        ((0, 1, 1, 0), lambda image: image.swapaxes(0, 1)),
    ],
)
def test_the_display_matrix_is_applied(
    tmp_path: Path, matrix: tuple[int, int, int, int], turn: Callable[[np.ndarray], np.ndarray]
) -> None:
    def marked(index: int) -> np.ndarray:
        image = picture(index).copy()
        image[24:, : WIDTH // 2] = 128  # so that up and down differ too
        return image

    path = set_matrix(write_video(tmp_path / "turned.mp4", 3, draw=marked), *matrix)
    frame = sample_frames(path, 3).frames[1].image
    expected = turn(marked(1))
    assert frame.shape == expected.shape
    assert frame.flags["C_CONTIGUOUS"]
    assert np.abs(frame.astype(int) - expected.astype(int)).mean() < 8


def test_a_slanted_display_matrix_is_refused(tmp_path: Path) -> None:
    path = set_matrix(write_video(tmp_path / "slanted.mp4", 3), 1, 1, -1, 1)
    with pytest.raises(VideoError, match="quarter turns"):
        sample_frames(path, 3)


def test_pictures_of_different_sizes_are_refused(tmp_path: Path) -> None:
    parts = [
        write_video(
            tmp_path / f"{width}.ts",
            12,
            draw=partial(picture, width=width),
            container={"output_ts_offset": str(start)},
        )
        for start, width in ((1, 128), (2, 256))
    ]
    (tmp_path / "mixed.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    with pytest.raises(VideoError, match="different sizes"):
        sample_frames(tmp_path / "mixed.ts", 8)


def test_no_frame_in_the_window_names_the_videos_extent(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 25)
    with pytest.raises(VideoError, match=r"from 5 s to 6 s .* runs from 0 to 1\.000 s"):
        sample_frames(path, 8, 5.0, 6.0)
    with pytest.raises(VideoError, match="no frame is shown"):
        sample_frames(path, 8, -2.0, -1.0)


def test_a_window_between_two_frames_shows_the_one_on_screen(clip: Path) -> None:
    """A frame lasts until the next one: at 25 per second, the one of 0.04 s is there at 0.05 s."""
    frames = sample_frames(clip, 3, 0.05, 0.07)
    assert numbers(frames) == [1, 1, 1]
    assert frames.times == (0.04, 0.04, 0.04) and frames.distinct == 1


@pytest.mark.parametrize("name", ["slides.mp4", "slides.mkv", "slides.webm", "slides.mov", "slides.ts", "slides.flv"])
@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (5.0, 8.0, [1, 1]),
        (0.5, 0.5, [0, 0]),
        (3.9, 3.99, [0, 0]),
        (8.0, 9.5, [2, 2]),  # it has a frame of its own
        (9.2, 9.9, [2, 2]),
        (9.5, None, [2, 2]),
        (3.0, 9.0, [1, 2]),
        (None, None, [0, 2]),
    ],
)
def test_slides_stay_until_the_next_one_and_the_last_until_the_clip_ends(
    tmp_path: Path, name: str, start: float | None, end: float | None, expected: list[int]
) -> None:
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    path = write_slides(tmp_path / name, [0, 4000, 9000], 10_000, codec)
    frames = sample_frames(path, 2, start, end)
    assert numbers(frames) == expected
    assert frames.times == tuple((0.0, 4.0, 9.0)[number] for number in expected)
    with pytest.raises(VideoError, match=r"no frame is shown in the window from 10.5 s .* runs from 0 to 10.000 s"):
        sample_frames(path, 2, 10.5, 11.0)


@pytest.mark.parametrize("name", ["picture.mp4", "picture.mkv"])
def test_one_frame_lasts_for_the_whole_clip(tmp_path: Path, name: str) -> None:
    path = write_slides(tmp_path / name, [0], 10_000)
    assert numbers(sample_frames(path, 2, 6.0, 7.0)) == [0, 0]


def test_the_last_frame_stays_while_the_sound_goes_on(tmp_path: Path) -> None:
    path = write_slides(tmp_path / "a.mkv", [0, 500], 600, sound=4.0)
    assert numbers(sample_frames(path, 2, 2.0, 3.0)) == [1, 1]


def test_nothing_is_on_screen_before_the_first_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "late.mkv", 3, milliseconds=[200, 240, 280], sound=0.5)
    with pytest.raises(VideoError, match="no frame is shown"):
        sample_frames(path, 2, 0.05, 0.1)
    assert sample_frames(path, 2, 0.21, 0.23).times == (0.2, 0.2)


def test_an_edit_list_does_not_change_what_is_on_screen(tmp_path: Path) -> None:
    source = write_video(tmp_path / "source.mp4", 30, options={"x264-params": B_FRAMES})
    path = shift(source, tmp_path / "edited.mp4", -0.2)
    frames = sample_frames(path, 1, 0.05, 0.07)
    assert (numbers(frames), frames.times) == ([6], (0.04,))


def test_avi_shows_the_frame_on_screen_too(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 50, options={"x264-params": B_FRAMES})
    whole = dict(zip(sample_frames(path, 50).times, range(50), strict=True))
    frames = sample_frames(path, 1, 1.01, 1.03)
    assert numbers(frames) == [whole[frames.times[0]]] and frames.times == (1.0,)


def test_a_count_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="count"):
        sample_frames(tmp_path, 0)


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no such video"):
        sample_frames(tmp_path / "none.mp4", 8)


def _frames(width: int, height: int) -> FrameSet:
    return FrameSet((Frame(0.0, np.zeros((height, width, 3), np.uint8)),), distinct=1)


def test_the_annotated_size_passes() -> None:
    check_size(_frames(640, 360), 640, 360)


def test_another_size_names_both() -> None:
    with pytest.raises(VideoError, match=r"640x360 .* 1280x720"):
        check_size(_frames(640, 360), 1280, 720)


def test_a_swapped_size_speaks_of_rotation() -> None:
    with pytest.raises(VideoError, match=r"[Rr]otation"):
        check_size(_frames(640, 360), 360, 640)


def test_the_numbers_of_the_test_pictures_can_be_read_back() -> None:
    assert [number(picture(index)) for index in range(256)] == list(range(256))
