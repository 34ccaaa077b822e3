from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from socialcli.errors import VideoError
from socialcli.video.limits import DecodeLimits
from socialcli.video.sampling import sample_frames

from .clips import HEIGHT, WIDTH, numbers, picture


def _save(path: Path, index: int, **options: object) -> Path:
    Image.fromarray(picture(index)).save(path, **options)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(12):
        _save(folder / f"frame{index + 1}.png", index)
    return folder


def test_images_are_in_natural_order_and_timed_by_fps(folder: Path) -> None:
    frames = sample_frames(folder, 12, fps=3.0)
    assert numbers(frames) == list(range(12))
    assert frames.times == tuple(index / 3.0 for index in range(12))
    assert (frames.width, frames.height, frames.distinct) == (WIDTH, HEIGHT, 12)


def test_a_window_selects_by_time(folder: Path) -> None:
    frames = sample_frames(folder, 3, 1.0, 2.0, fps=3.0)
    assert numbers(frames) == [3, 4, 6]
    assert frames.times == (1.0, 4 / 3.0, 2.0)


def test_few_images_repeat(folder: Path) -> None:
    frames = sample_frames(folder, 4, 0.0, 0.4, fps=3.0)
    assert numbers(frames) == [0, 0, 1, 1]
    assert frames.distinct == 2


@pytest.mark.parametrize("suffix", ["jpg", "JPEG", "bmp", "webp"])
def test_each_format_is_read(tmp_path: Path, suffix: str) -> None:
    _save(tmp_path / f"a.{suffix}", 77)
    assert numbers(sample_frames(tmp_path, 1, fps=1.0)) == [77]


def test_other_files_and_folders_are_ignored(folder: Path) -> None:
    (folder / "boxes.json").write_text("{}")
    (folder / "frame0.txt").write_text("no image")
    (folder / "frame0.png").mkdir()
    assert numbers(sample_frames(folder, 12, fps=1.0)) == list(range(12))


def test_orientation_of_photographs_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter clockwise
    _save(tmp_path / "a.png", 5, exif=exif)
    image = sample_frames(tmp_path, 1, fps=1.0).frames[0].image
    assert (image == np.rot90(picture(5), -1)).all()


def test_palettes_and_transparency_become_rgb(tmp_path: Path) -> None:
    Image.fromarray(picture(9)).convert("P").save(tmp_path / "a.png")
    Image.fromarray(picture(10)).convert("RGBA").save(tmp_path / "b.png")
    assert numbers(sample_frames(tmp_path, 2, fps=1.0)) == [9, 10]


@pytest.mark.parametrize("fps", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_a_folder_needs_a_positive_fps(folder: Path, fps: float | None) -> None:
    with pytest.raises(VideoError, match="fps"):
        sample_frames(folder, 8, fps=fps)


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no image in the folder"):
        sample_frames(tmp_path, 8, fps=1.0)


def test_no_image_in_the_window_names_the_extent(folder: Path) -> None:
    with pytest.raises(VideoError, match=r"12 images run from 0 to 11\.000 s"):
        sample_frames(folder, 8, 20.0, 30.0, fps=1.0)


def test_images_of_different_sizes_are_refused(folder: Path) -> None:
    Image.fromarray(picture(3, 64, 32)).save(folder / "frame4.png")
    with pytest.raises(VideoError, match="different sizes"):
        sample_frames(folder, 12, fps=1.0)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n"])
def test_a_broken_image_is_an_error(folder: Path, content: bytes) -> None:
    (folder / "frame1.png").write_bytes(content)
    with pytest.raises(VideoError, match=r"frame1\.png"):
        sample_frames(folder, 12, fps=1.0)


def test_a_cut_image_is_an_error(folder: Path) -> None:
    path = folder / "frame1.png"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(VideoError, match="cannot be read"):
        sample_frames(folder, 12, fps=1.0)


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    secret = _save(folder.parent / "secret.png", 1)
    (folder / "frame13.png").symlink_to(secret)
    with pytest.raises(VideoError, match="leads out of the folder"):
        sample_frames(folder, 13, fps=1.0)


def test_a_link_that_is_not_even_sampled_is_refused(folder: Path) -> None:
    (folder / "frame13.png").symlink_to(_save(folder.parent / "secret.png", 1))
    with pytest.raises(VideoError, match=r"frame13\.png: a symbolic link leads out of the folder"):
        sample_frames(folder, 1, 0.0, 0.0, fps=1.0)


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    (folder / "frame13.png").symlink_to("frame3.png")
    assert numbers(sample_frames(folder, 13, fps=1.0)) == [*range(12), 2]


def test_too_many_pixels_are_refused_before_they_are_decoded(folder: Path) -> None:
    with pytest.raises(VideoError, match="larger than the limit"):
        sample_frames(folder, 8, fps=1.0, limits=DecodeLimits(max_pixels=1000))


def _png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and holds next to nothing."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ]
    body = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


@pytest.mark.parametrize(("width", "height"), [(100_000, 100_000), (8193, 8192), (2**31 - 1, 1)])
def test_a_small_file_of_a_huge_picture_is_refused(folder: Path, width: int, height: int) -> None:
    (folder / "frame1.png").write_bytes(_png_header(width, height))
    with pytest.raises(VideoError, match=r"frame1\.png: (too large an image|pictures of .* are larger than the limit)"):
        sample_frames(folder, 1, 0.0, 0.0, fps=1.0)


def test_pillows_own_guard_becomes_a_video_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(VideoError, match="too large an image"):
        sample_frames(folder, 8, fps=1.0)
