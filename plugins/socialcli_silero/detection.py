"""Silero VAD on onnxruntime: the probability of speech each 32 ms, with the network's state from one to the next.

The weights are the ONNX file in the package silero-vad. The package itself is never imported: that would import torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from socialcli.errors import CheckpointError, MissingPackageError
from socialcli.perception.contract import SAMPLE_RATE, PartOptions, Sound, Speech, Vector, Voices
from socialcli.perception.speech import SpeechRules, speech_of, windows
from socialcli.perception.voices import voice_embedding

_PART = "the voice analyser silero"
_WINDOW = 512  # samples
_CONTEXT = 64  # samples of the window before
_STATE = (2, 1, 128)
_INPUTS = {"input", "state", "sr"}
_RULES = SpeechRules()


class SileroVoices:
    """The voice analyser `silero`, loaded."""

    def __init__(self, session: Any) -> None:
        """Use an `onnxruntime.InferenceSession` of the network."""
        self._session = session

    def speech(self, blocks: Iterable[Sound]) -> Sequence[Speech]:
        """The stretches in which speech is probable, by the published thresholds."""
        state = np.zeros(_STATE, np.float32)
        context = np.zeros(_CONTEXT, np.float32)
        probabilities: list[float] = []
        length = 0
        for part, new in windows(blocks, _WINDOW):
            length += new
            for window in part:
                probability, state = self._step(window, context, state)
                context = window[-_CONTEXT:]
                probabilities.append(probability)
        return speech_of(probabilities, _WINDOW, length, _RULES)

    def embedding(self, sound: Sound) -> Vector | None:
        """See `socialcli.perception.voices.voice_embedding`: Silero VAD compares no voices."""
        return voice_embedding(sound)

    def _step(
        self, window: npt.NDArray[np.float32], context: npt.NDArray[np.float32], state: npt.NDArray[np.float32]
    ) -> tuple[float, npt.NDArray[np.float32]]:
        inputs = {
            "input": np.concatenate([context, window])[None],
            "state": state,
            "sr": np.array(SAMPLE_RATE, np.int64),
        }
        probability, state = self._session.run(None, inputs)
        return float(probability[0, 0]), state


def load_silero(options: PartOptions) -> Voices:
    """Load the network; raises MissingPackageError, or CheckpointError where its file cannot be read."""
    try:
        import onnxruntime
    except ImportError:
        raise MissingPackageError(_PART, "onnxruntime", "annotate") from None
    path = _packaged() if options.weights is None else Path(options.weights)
    settings = onnxruntime.SessionOptions()
    settings.inter_op_num_threads = settings.intra_op_num_threads = 1  # it is small, and this is deterministic
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has an error of its own for each kind of damage
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(f"{path}: cannot be loaded as Silero VAD ({reason}); {_advice(options)}") from error
    if {one.name for one in session.get_inputs()} != _INPUTS:
        raise CheckpointError(f"{path}: not Silero VAD, version 5 or newer; {_advice(options)}")
    return SileroVoices(session)


def _packaged() -> Path:
    """The file in the installed package."""
    found = find_spec("silero_vad")
    folders = [] if found is None else list(found.submodule_search_locations or [])
    if not folders:
        raise MissingPackageError(_PART, "silero-vad", "annotate")
    return Path(folders[0]) / "data" / "silero_vad.onnx"


def _advice(options: PartOptions) -> str:
    if options.weights is None:
        return "install silero-vad 5 or newer: pip install --force-reinstall silero-vad"
    return "give the file silero_vad.onnx of the package silero-vad, or leave the option out"
