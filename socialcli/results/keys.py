"""Hashes of everything that an answer depends on, and the key of the answer made of them.

A question is asked if no row in the folder has its key: `socialcli.jobs.rows` lists what goes into a key,
`socialcli.jobs.prepare` looks for the row.

Every hash is SHA-256 in hexadecimal. Hashes of files are cached in the process by path, size and modification time,
since many questions share a video and all share a checkpoint.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from socialcli.episodes.records import Episode, Question
from socialcli.errors import CheckpointError, VideoError
from socialcli.video.folder import image_files
from socialcli.video.limits import DEFAULT_LIMITS

KEY_LENGTH = 32  # hexadecimal characters: 128 bits, so that keys do not collide

# The files that from_pretrained reads: configuration, processors, tokenizers, chat templates, weights.
_CHECKPOINT_SUFFIXES = (".json", ".jinja", ".safetensors", ".model", ".tiktoken")
_CHECKPOINT_NAMES = ("merges.txt", "vocab.txt")
_TEMPLATE_FOLDER = "additional_chat_templates"

# The files of a LoRA adapter that peft reads.
_LORA_NAMES = ("adapter_config.json", "adapter_model.safetensors")


def answer_key(parts: Mapping[str, object]) -> str:
    """The key of an answer: a hash of everything it depends on, whatever the order of `parts`.

    The parts are the digests of episode, question and media, the fingerprints of checkpoint and LoRA adapter, the
    adapter's version, the prompt and the settings. Raises TypeError or ValueError for a part that is no finite JSON
    value.
    """
    return _json_sha256(parts)[:KEY_LENGTH]


def episode_digest(episode: Episode) -> str:
    """Hash the clip, its people, words and boxes: an episode without its questions.

    So adding a question does not invalidate the others: see `question_digest`.
    """
    return _json_sha256(dataclasses.asdict(dataclasses.replace(episode, questions=())))


def question_digest(question: Question) -> str:
    """Hash a question with its candidates and its gold answer, which decides the row's `correct`.

    An `answer_index` of None is not hashed, so that the keys are those of files without this field.
    """
    fields = dataclasses.asdict(question)
    return _json_sha256({name: value for name, value in fields.items() if name != "answer_index" or value is not None})


def heads_digest(heads: Iterable[tuple[int, int]]) -> str:
    """Hash a choice of heads, (layer, head) each, in 16 hexadecimal characters."""
    return _json_sha256(sorted(heads))[:16]


def media_digest(path: Path) -> str:
    """Hash a video file's content, or a folder of images: their names and contents.

    Raises VideoError where the path cannot be read or frames may not be taken from it: too large a file, or an image
    that lies elsewhere.
    """
    try:
        if path.is_dir():
            return _files_sha256(path, image_files(path))
        DEFAULT_LIMITS.check_bytes(path, path.stat().st_size)
        return file_digest(path)
    except OSError as error:
        raise VideoError(f"{path}: cannot be read: {error.strerror or error}") from error


def checkpoint_fingerprint(folder: Path) -> str:
    """Hash the names and contents of a checkpoint's files that decide its answers.

    These are the JSON files, templates, tokenizers and safetensors of the folder, not a README or an optimizer's
    state. Raises CheckpointError where the folder holds none or cannot be read.
    """
    try:
        files = deciding_files(folder)
        if not files:
            raise CheckpointError(f"{folder}: holds no model; a checkpoint has a config.json and .safetensors files")
        return _files_sha256(folder, files)
    except OSError as error:
        raise CheckpointError(f"{folder}: the checkpoint cannot be read: {error.strerror or error}") from error


def deciding_files(folder: Path) -> list[Path]:
    """The files of a checkpoint that decide its answers. Raises OSError where the folder cannot be read."""
    found = (*folder.iterdir(), *folder.glob(f"{_TEMPLATE_FOLDER}/*"))
    return [item for item in found if _decides(item) and item.is_file()]


def lora_fingerprint(folder: Path) -> str:
    """Hash the configuration and the weights of the LoRA adapter in a folder.

    Raises CheckpointError where one of the two files cannot be read.
    """
    try:
        return _json_sha256({name: file_digest(folder / name) for name in _LORA_NAMES})
    except OSError as error:
        raise CheckpointError(f"{folder}: the adapter cannot be read: {error.strerror or error}") from error


def file_digest(path: Path) -> str:
    """Hash a file's content. Raises OSError where it cannot be read."""
    status = path.stat()
    return _file_sha256(path, status.st_size, status.st_mtime_ns)


def files_digest(paths: Sequence[Path]) -> str:
    """Hash the contents of files in their order; for a single file, the same as `file_digest`. Raises OSError."""
    digests = [file_digest(path) for path in paths]
    return digests[0] if len(digests) == 1 else _json_sha256(digests)


@lru_cache(maxsize=4096)
def _file_sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files_sha256(folder: Path, files: Iterable[Path]) -> str:
    digests = {item.relative_to(folder).as_posix(): file_digest(item) for item in files}
    return _json_sha256(digests)


def _decides(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return not hidden and (path.suffix in _CHECKPOINT_SUFFIXES or path.name in _CHECKPOINT_NAMES)


def _json_sha256(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
