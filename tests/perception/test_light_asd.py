"""Light-ASD: its network by numbers, its weights where they are at hand, and a talking face beside a silent one."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch

from socialcli.errors import CheckpointError
from socialcli.perception.contract import Image, PartOptions, Rectangle, SpeechScores
from socialcli.perception.crops import face_crop
from socialcli_light_asd import SPEC
from socialcli_light_asd.network import CONTEXT, LightASD, renamed
from socialcli_light_asd.scoring import LightAsdScores
from tests.conftest import SHARED

from .faces import opened, openings
from .talk import silence, talk

WEIGHTS = SHARED / "data" / "light_asd" / "finetuning_TalkSet.model"
FOOTAGE = SHARED / "data" / "real" / "two_people.mp4"
needs_weights = pytest.mark.skipif(not WEIGHTS.is_file(), reason=f"the weights are not at hand ({WEIGHTS})")


@pytest.fixture(scope="module")
def network() -> LightASD:
    """Random weights, whose normalizations are not the identity."""
    torch.manual_seed(0)
    network = LightASD()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d | torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(layer.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(layer.running_var, 0.5, 2.0)
    return network.eval()


def noise(count: int, seed: int = 0) -> list[Image]:
    rng = np.random.default_rng(seed)
    return list(rng.integers(0, 256, (count, 64, 64, 3), np.uint8))


@torch.inference_mode()
def test_a_batch_of_two_equals_each_alone(network: LightASD) -> None:
    crops = torch.rand(2, 6, 112, 112) * 255
    coefficients = torch.randn(2, 24, 13)
    both = network(crops, coefficients)
    assert both.shape == (2, 6)
    for index in range(2):
        alone = network(crops[index : index + 1], coefficients[index : index + 1])
        assert torch.allclose(both[index], alone[0], atol=1e-5)


@torch.inference_mode()
def test_features_of_a_crop_depend_on_its_neighbours_and_no_others(network: LightASD) -> None:
    crops = torch.rand(1, 2 * CONTEXT + 3, 112, 112) * 255
    whole = network.visualEncoder(crops)
    part = network.visualEncoder(crops[:, 1:-1])  # the middle one has all its neighbours
    assert torch.allclose(whole[0, CONTEXT + 1], part[0, CONTEXT], atol=1e-5)
    fewer = network.visualEncoder(crops[:, 2:])
    assert not torch.allclose(whole[0, CONTEXT + 1], fewer[0, CONTEXT - 1], atol=1e-5)


def test_scores_have_the_contracts_shape_and_are_the_same_twice(network: LightASD) -> None:
    scores = LightAsdScores(network, "cpu")
    first = scores(noise(57), 25.0, talk(2.4))  # more than one part of the encoder
    assert first.shape == (57,) and first.dtype == np.float32 and np.isfinite(first).all()
    assert np.array_equal(first, scores(noise(57), 25.0, talk(2.4)))
    assert not np.allclose(first, scores(noise(57), 25.0, talk(2.4, seed=1)))  # the sound matters
    assert not np.allclose(first, scores(noise(57, seed=1), 25.0, talk(2.4)))  # and the face


def test_sound_may_be_shorter_and_few_crops_say_nothing(network: LightASD) -> None:
    scores = LightAsdScores(network, "cpu")
    assert scores(noise(8), 25.0, talk(0.2)).shape == (8,)
    assert scores(noise(8), 25.0, silence(0)).shape == (8,)
    assert scores(noise(4), 25.0, talk(0.2)).tolist() == [0.0] * 4
    assert scores([], 25.0, silence(0)).shape == (0,)
    with pytest.raises(ValueError, match="25 crops a second, not 30"):
        scores(noise(8), 30.0, talk(0.4))


def published(network: LightASD) -> dict[str, torch.Tensor]:
    """A state as it is published, with the head that serves training only."""
    state = {f"model.{name}": value for name, value in network.state_dict().items() if not name.startswith("head.")}
    state |= {f"lossAV.FC.{name}": value for name, value in network.head.state_dict().items()}
    return state | {"lossV.FC.weight": torch.zeros(2, 128), "lossV.FC.bias": torch.zeros(2)}


def test_a_published_file_loads_and_one_with_other_keys_does_not(network: LightASD, tmp_path: Path) -> None:
    path = tmp_path / "weights.model"
    state = published(network)
    torch.save(state, path)
    crops, sound = noise(6), talk(0.4)
    expected = LightAsdScores(network, "cpu")(crops, 25.0, sound)
    assert np.array_equal(SPEC.load(PartOptions(weights=str(path)))(crops, 25.0, sound), expected)
    for changed in ({**state, "model.extra": torch.zeros(1)}, dict(list(state.items())[1:])):
        torch.save(changed, path)
        with pytest.raises(CheckpointError, match="not the weights of Light-ASD"):
            SPEC.load(PartOptions(weights=str(path)))
    assert renamed({"module.model.a": torch.zeros(1)}).keys() == {"a"}


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("executed",))


def test_what_is_no_file_of_weights_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "weights.model"
    for content in (b"", b"not weights", torch.zeros(3), {"a": 1}, {1: torch.zeros(1)}, _Evil()):
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        with pytest.raises(CheckpointError, match=r"weights\.model"):
            SPEC.load(PartOptions(weights=str(path)))
    assert "executed" not in capsys.readouterr().out  # nothing in the pickle was called
    with pytest.raises(CheckpointError, match="no such file"):
        SPEC.load(PartOptions(weights=str(tmp_path / "missing.model")))
    with pytest.raises(CheckpointError, match="needs its weights"):
        SPEC.load(PartOptions())


def test_another_file_is_refused_without_advice_to_load_it_unsafely(tmp_path: Path) -> None:
    path = tmp_path / "talk.model"
    path.write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match=r"talk\.model: cannot be read as weights") as caught:
        SPEC.load(PartOptions(weights=str(path)))
    assert "weights_only" not in str(caught.value)


@needs_weights
def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.model"
    path.write_bytes(WEIGHTS.read_bytes()[:2_000_000])
    with pytest.raises(CheckpointError, match=r"cut\.model: cannot be read as weights"):
        SPEC.load(PartOptions(weights=str(path)))


@pytest.fixture(scope="module")
def light_asd() -> SpeechScores:
    return SPEC.load(PartOptions(weights=str(WEIGHTS)))


@needs_weights
@pytest.mark.skipif(not FOOTAGE.is_file(), reason=f"the real footage is not at hand ({FOOTAGE})")
def test_of_two_real_faces_the_talking_one_has_the_scores(light_asd: SpeechScores) -> None:
    """The man on the right gets a jaw that drops with the speech; the one on the left does as he did."""
    sound = np.concatenate([silence(0.4), talk(1.2, 110), silence(0.4)])
    with av.open(str(FOOTAGE)) as container:
        frames = [
            frame.to_ndarray(format="rgb24") for _, frame in zip(range(50), container.decode(video=0), strict=False)
        ]
    right, left = Rectangle(1002, 270, 1058, 350), Rectangle(712, 290, 785, 388)
    close, corner = frames[0][200:420, 930:1130], (930, 200)
    inside = Rectangle(right.x0 - corner[0], right.y0 - corner[1], right.x1 - corner[0], right.y1 - corner[1])
    talking = [face_crop(opened(close, (95, 134), 40, opening), inside) for opening in openings(sound)]
    listening = [face_crop(frame, left) for frame in frames]
    spoken = slice(12, 38)
    first, second = (light_asd(crops, 25.0, sound) for crops in (talking, listening))
    assert (first[spoken] > 0).mean() > 0.9
    assert (second[spoken] > 0).mean() < 0.1
    assert first[spoken].mean() > second[spoken].mean() + 4
