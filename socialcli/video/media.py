"""From the path in an episode to a local file under the media root, and to nothing else."""

from __future__ import annotations

import re
import stat
from pathlib import Path, PurePosixPath

from socialcli.errors import VideoError

# What a URL, an ffmpeg protocol or a drive begins with: "http:", "subfile,,start,0,end,9,,:", "C:".
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.,\-]*:")
_ADVICE = "give a path relative to the media root, such as videos/clip.mp4"


def resolve_media(media_root: Path, path: str) -> Path:
    """The real path of an episode's `video.path`: a regular file or a folder under `media_root`.

    Symbolic links are followed and must stay under the root. Raises VideoError for anything else: an absolute
    path, "..", an address or a protocol, a drive letter or backslash, a missing file, a device or a pipe.
    """
    _check_text(path)
    root = media_root.resolve()
    try:
        place = (root / path).resolve(strict=True)
        mode = place.stat().st_mode
    except FileNotFoundError:
        raise VideoError(f"video {path!r} is not under {root}; check the path or --media-root") from None
    except (OSError, RuntimeError, UnicodeError) as error:  # no access, a name too long, links in a circle
        raise VideoError(f"video {path!r} cannot be reached under {root} ({error}); {_ADVICE}") from error
    if not place.is_relative_to(root):
        raise VideoError(
            f"video {path!r} leads out of the media root {root} through a symbolic link; copy the file "
            f"into the root, or set --media-root to a folder that holds both"
        )
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise VideoError(f"video {path!r} is neither a file nor a folder (a device or a pipe); {_ADVICE}")
    return place


def _check_text(path: str) -> None:
    if not path.strip():
        raise VideoError(f"the video's path is empty; {_ADVICE}")
    if "\0" in path:
        raise VideoError(f"video {path!r} has a NUL character in its path; {_ADVICE}")
    if _SCHEME.match(path):
        raise VideoError(
            f"video {path!r} is an address, a protocol or a drive; only local files are opened: fetch it and {_ADVICE}"
        )
    if "\\" in path:
        raise VideoError(f"video {path!r} has a backslash in its path; separate folders by / and {_ADVICE}")
    if path.startswith("/"):
        raise VideoError(f"video {path!r} is an absolute path; {_ADVICE}")
    if ".." in PurePosixPath(path).parts:
        raise VideoError(f"video {path!r} has '..' in its path; {_ADVICE}")
