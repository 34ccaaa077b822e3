"""Silero VAD by its ONNX file. Skipped where the packages of the extra `annotate` are not installed."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from socialcli.errors import CheckpointError, MissingPackageError
from socialcli.perception.contract import PartOptions, Voices
from socialcli_silero import SPEC

from .talk import silence, talk

pytestmark = pytest.mark.skipif(
    not (find_spec("onnxruntime") and find_spec("silero_vad")), reason="the extra annotate is not installed"
)


@pytest.fixture(scope="module")
def silero() -> Voices:
    return SPEC.load(PartOptions())


def test_speech_is_found_and_noise_is_not(silero: Voices) -> None:
    sound = np.concatenate([silence(1.5, noise=0.01), talk(2.4, 120), silence(1.5, noise=0.01)])
    (found,) = silero.speech([sound])
    assert found.start == pytest.approx(1.5, abs=0.15)
    assert found.end == pytest.approx(3.9, abs=0.35)  # it goes out slowly after a voice that stops at once
    assert silero.speech([silence(4, noise=0.05)]) == []
    assert silero.speech([]) == []


def test_blocks_do_not_matter_and_calls_do_not_share_a_state(silero: Voices) -> None:
    sound = np.concatenate([silence(0.7), talk(1.5), silence(0.7)])
    whole = silero.speech([sound])
    assert silero.speech(np.split(sound, [100, 20_000, 20_700])) == whole
    assert silero.speech([sound]) == whole


def test_stretches_are_those_of_the_package(silero: Voices) -> None:
    """The published code runs the same file window by window, and has the thresholds."""
    import silero_vad
    import torch

    model = silero_vad.load_silero_vad(onnx=True)
    sound = np.concatenate([silence(0.5), talk(1.7, 200, 0.9), silence(0.6), talk(0.9, 110), silence(0.313)])
    expected = silero_vad.get_speech_timestamps(torch.from_numpy(sound), model)
    found = silero.speech([sound])
    assert found
    assert [(round(one.start * 16000), round(one.end * 16000)) for one in found] == [
        (one["start"], one["end"]) for one in expected
    ]


def test_embeddings_are_the_built_in_ones(silero: Voices) -> None:
    assert silero.embedding(talk(2)) is not None
    assert silero.embedding(silence(2)) is None


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "silero_vad.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(CheckpointError, match=r"silero_vad\.onnx: cannot be loaded as Silero VAD"):
        SPEC.load(PartOptions(weights=str(path)))
    with pytest.raises(CheckpointError, match=r"missing\.onnx"):
        SPEC.load(PartOptions(weights=str(tmp_path / "missing.onnx")))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialcli_silero.detection.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"silero needs the package silero-vad: pip install"):
        SPEC.load(PartOptions())
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingPackageError, match="needs the package onnxruntime"):
        SPEC.load(PartOptions())


def test_neither_the_package_nor_torch_is_imported() -> None:
    code = """
import sys
from socialcli.perception.contract import PartOptions
from socialcli_silero import SPEC
SPEC.load(PartOptions())
print(sorted({"torch", "silero_vad"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
