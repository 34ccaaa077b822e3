from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from socialcli.errors import VideoError
from socialcli.results.keys import media_digest
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
    with pytest.raises(VideoError, match=r"12 images run from 0 to 12\.000 s"):
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


def test_an_image_is_shown_until_the_next_one(folder: Path) -> None:
    frames = sample_frames(folder, 2, 2.5, 3.5, fps=0.5)
    assert (numbers(frames), frames.times) == ([1, 1], (2.0, 2.0))
    assert numbers(sample_frames(folder, 1, 23.0, 30.0, fps=0.5)) == [11]
    for start, end in ((24.0, 30.0), (-2.0, -1.0)):
        with pytest.raises(VideoError, match="no image is shown"):
            sample_frames(folder, 1, start, end, fps=0.5)


@pytest.mark.parametrize("name", [".cover.jpg", "._frame1.png", ".DS_Store", "Thumbs.db", "desktop.ini", "._x.TIF"])
def test_hidden_files_and_those_of_file_managers_are_no_images(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\0\5\26\7no image")
    assert numbers(sample_frames(folder, 12, fps=1.0)) == list(range(12))
    assert media_digest(folder)


def test_a_hidden_link_out_of_the_folder_is_left_alone(folder: Path) -> None:
    (folder / ".frame13.png").symlink_to(_save(folder.parent / "secret.png", 1))
    assert numbers(sample_frames(folder, 12, fps=1.0)) == list(range(12))


def test_a_gap_in_the_numbers_is_an_error_wherever_the_folder_is_read(folder: Path) -> None:
    (folder / "frame5.png").unlink()
    for read in (lambda: sample_frames(folder, 1, 0.0, 0.0, fps=1.0), lambda: media_digest(folder)):
        with pytest.raises(VideoError, match=r"after frame4\.png comes frame6\.png \(1 missing\)"):
            read()


def _levels(path: Path) -> list[int]:
    return sample_frames(path.parent, 1, fps=1.0).frames[0].image[0].tolist()


_RAMP = np.tile(np.array([0, 257, 32768, 65535], np.uint16), (4, 1))


@pytest.mark.parametrize("name", ["a.png", "a.tif", "A.TIFF"])
def test_grey_of_16_bits_keeps_its_levels(tmp_path: Path, name: str) -> None:
    Image.fromarray(_RAMP).save(tmp_path / name)
    assert _levels(tmp_path / name) == [[0] * 3, [1] * 3, [128] * 3, [255] * 3]


def test_grey_of_16_bits_is_turned_as_its_orientation_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 2  # mirrored
    Image.fromarray(_RAMP).save(tmp_path / "a.png", exif=exif)
    assert _levels(tmp_path / "a.png") == [[255] * 3, [128] * 3, [1] * 3, [0] * 3]


def test_grey_of_16_bits_in_which_white_is_0_is_turned_round(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(_RAMP).save(path, tiffinfo={262: 0})
    with Image.open(path) as image:
        assert image.tag_v2[262] == 0
    assert _levels(path) == [[255] * 3, [254] * 3, [127] * 3, [0] * 3]


@pytest.mark.parametrize(
    ("codec", "name", "layout"),
    [
        *(("png", "a.png", f"{kind}be") for kind in ("rgb48", "rgba64", "ya16", "gray16")),
        *(("tiff", "a.tif", f"{kind}le") for kind in ("rgb48", "rgba64", "gray16")),  # Pillow reads no ya16 in TIFF
    ],
)
def test_colours_of_16_bits_keep_their_levels(tmp_path: Path, codec: str, name: str, layout: str) -> None:
    frame = av.VideoFrame.from_ndarray(np.repeat(_RAMP[:, :, None], 3, 2), format="rgb48le").reformat(format=layout)
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt, context.time_base = 4, 4, frame.format.name, Fraction(1)
    frame.pts = 0
    packets = [*context.encode(frame), *context.encode(None)]
    (tmp_path / name).write_bytes(b"".join(bytes(packet) for packet in packets))
    assert np.abs(np.array(_levels(tmp_path / name)) - [[0] * 3, [1] * 3, [128] * 3, [255] * 3]).max() <= 1


def test_levels_that_nobody_knows_are_refused(tmp_path: Path) -> None:
    Image.fromarray(_RAMP.astype(np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(VideoError, match=r"a\.tif: .* which one is white is unknown"):
        sample_frames(tmp_path, 1, fps=1.0)


def test_transparency_shows_the_colours_that_are_stored_and_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (200, 20, 20, 0)).save(tmp_path / "frame1.png")
    Image.new("RGB", (8, 8), (200, 20, 20)).convert("CMYK").save(tmp_path / "frame2.jpg", quality=95)
    frames = sample_frames(tmp_path, 2, fps=1.0).frames
    assert frames[0].image[0, 0].tolist() == [200, 20, 20]
    assert np.abs(frames[1].image[0, 0].astype(int) - [200, 20, 20]).max() < 8


def test_the_folders_of_the_field_are_read_or_refused(cases: Path, tmp_path: Path) -> None:
    case = cases / "image-folder-numbers"
    script = "import sys; sys.path.insert(0, sys.argv[1]); import runpy; runpy.run_path(sys.argv[1] + '/t.py')"
    done = subprocess.run(  # in a folder of its own, where it makes its images
        [sys.executable, "-c", script, str(case)], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    shown = [line.split(maxsplit=1)[1] for line in done.stdout.splitlines() if line.startswith("   idx")]
    assert shown == ["[12, 15]", "[0, 10, 19, 29]", "[0, 10, 19, 29]"]
    assert "after 00001.jpg comes 00012.jpg" in done.stdout
    assert "00003.jpg and 00003 (1).jpg are the same number" in done.stdout
