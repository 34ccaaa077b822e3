from __future__ import annotations

import os
from pathlib import Path

import pytest

from socialcli.errors import VideoError
from socialcli.video.media import resolve_media


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.mp4").write_bytes(b"outside")
    root = tmp_path / "media"
    (root / "clips").mkdir(parents=True)
    (root / "clips" / "a.mp4").write_bytes(b"inside")
    return root


@pytest.mark.parametrize("path", ["clips/a.mp4", "./clips/a.mp4", "clips//a.mp4"])
def test_a_file_under_the_root_is_found(root: Path, path: str) -> None:
    assert resolve_media(root, path) == (root / "clips" / "a.mp4").resolve()


def test_a_folder_under_the_root_is_found(root: Path) -> None:
    assert resolve_media(root, "clips") == (root / "clips").resolve()


def test_names_with_spaces_accents_and_digits_before_a_colon_are_fine(root: Path) -> None:
    for name in ("ein Gespräch.mp4", "会话.mp4", "12:30.mp4"):
        (root / name).write_bytes(b"x")
        assert resolve_media(root, name).name == name


def test_a_link_that_stays_under_the_root_is_followed(root: Path) -> None:
    (root / "link.mp4").symlink_to("clips/a.mp4")
    assert resolve_media(root, "link.mp4") == (root / "clips" / "a.mp4").resolve()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("/etc/passwd", "absolute"),
        ("../secret.mp4", "'..'"),
        ("clips/../../secret.mp4", "'..'"),
        ("clips/../clips/a.mp4", "'..'"),
        ("http://example.org/a.mp4", "local files"),
        ("HTTPS://example.org/a.mp4", "local files"),
        ("file:clips/a.mp4", "local files"),
        ("concat:clips/a.mp4|clips/a.mp4", "local files"),
        ("subfile,,start,0,end,9,,:clips/a.mp4", "local files"),
        ("crypto+file:clips/a.mp4", "local files"),
        ("pipe:0", "local files"),
        ("data:video/mp4;base64,AAAA", "local files"),
        ("C:/clips/a.mp4", "drive"),
        ("clips\\a.mp4", "backslash"),
        ("clips/a.mp4\0.txt", "NUL"),
        ("clips/b.mp4", "--media-root"),
        ("clips/a.mp4/b.mp4", "cannot be reached"),
        ("x" * 300 + ".mp4", "cannot be reached"),
        ("clips/\ud800.mp4", "cannot be reached"),
    ],
)
def test_anything_but_a_local_path_under_the_root_is_refused(root: Path, path: str, reason: str) -> None:
    with pytest.raises(VideoError, match=reason):
        resolve_media(root, path)


def test_a_link_out_of_the_root_is_refused(root: Path) -> None:
    (root / "link.mp4").symlink_to(root.parent / "secret.mp4")
    with pytest.raises(VideoError, match="symbolic link"):
        resolve_media(root, "link.mp4")


def test_a_linked_folder_out_of_the_root_is_refused(root: Path) -> None:
    (root / "up").symlink_to(root.parent)
    with pytest.raises(VideoError, match="symbolic link"):
        resolve_media(root, "up/secret.mp4")


def test_links_in_a_circle_are_refused(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    with pytest.raises(VideoError, match="cannot be reached"):
        resolve_media(root, "a")


def test_a_pipe_is_refused_and_not_opened(root: Path) -> None:
    os.mkfifo(root / "pipe.mp4")
    with pytest.raises(VideoError, match="device or a pipe"):
        resolve_media(root, "pipe.mp4")
