"""`socialcli plugin new` from end to end: what it writes passes the conformance suite."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from huggingface_hub import constants

from socialcli.cli import main
from socialcli.conformance.suite import check_checkpoint
from socialcli.models.contract import LoadOptions

from ...conftest import SAMPLE, noise_frames, tiny_model
from ...models.hub_server import Hub, running
from .projects import installed
from .unshipped import save

CHECKPOINT = SAMPLE / "checkpoints" / "internvl3"
WRITTEN = ["conversation", "prefix"]  # the quick checks of what an author writes; `grid` takes most of a minute


def new(name: str, checkpoint: Path, output: Path, *options: str) -> Result:
    return CliRunner().invoke(
        main, ["plugin", "new", name, "--from-model", str(checkpoint), "-o", str(output), *options]
    )


def failed(spec: object, checkpoint: Path, checks: list[str]) -> list[object]:
    return [one for one in check_checkpoint(spec, checkpoint, checks) if one.status == "failed"]  # type: ignore[arg-type]


@pytest.mark.parametrize(("family", "checks"), [("glm-4.6v", [*WRITTEN, "grid"]), ("video-llama-3", WRITTEN)])
def test_a_family_that_does_not_ship_needs_nothing_by_hand(
    family: str, checks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = save(family, tmp_path / "checkpoint")
    result = new(family, checkpoint, tmp_path / "project")
    assert result.exit_code == 0, result.stderr
    assert "nothing is left to write" in result.stdout
    assert f"socialcli plugin check {family} --checkpoint {checkpoint}" in result.stdout
    with installed(tmp_path / "project", family, monkeypatch) as spec:
        assert failed(spec, checkpoint, checks) == []


def test_what_is_left_to_write_stops_the_model_until_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, project = SAMPLE / "checkpoints" / "llava-onevision", tmp_path / "project"
    result = new("acme", checkpoint, project)
    assert result.exit_code == 0, result.stderr
    (left,) = re.findall(r"^  (\w+): return which .*, -1: none; 1 in the clip more", result.stdout, re.MULTILINE)
    assert left == "cell_tokens"
    with installed(project, "acme", monkeypatch):
        refused = CliRunner().invoke(main, ["plugin", "check", "acme", "--checkpoint", str(checkpoint)])
    assert refused.exit_code == 2
    assert "the adapter of acme is not finished: return which of the clip's visual tokens shows" in refused.stderr

    adapter = project / "socialcli_acme" / "adapter.py"
    source, count = re.subn(
        r"raise NotImplementedError\(.*?\n        \)\n",
        "return np.arange(count - 1).reshape(shape)\n",
        adapter.read_text(),
        flags=re.DOTALL,
    )
    assert count == 1
    adapter.write_text(source)
    with installed(project, "acme", monkeypatch) as spec:
        assert failed(spec, checkpoint, WRITTEN) == []
        frames = noise_frames(320, 240, 3)
        clip = spec.load_checked(LoadOptions(str(checkpoint), weights=False)).encode_clip(frames)
    shipped = tiny_model("llava-onevision", "stretch").encode_clip(frames)
    np.testing.assert_allclose(clip.cells, shipped.cells)
    assert (clip.cell_tokens == shipped.cell_tokens).all()


def test_a_folder_with_files_is_left_alone_without_overwrite(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    refused = new("acme", CHECKPOINT, tmp_path)
    assert refused.exit_code == 2
    assert "is not empty; name another folder" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert new("acme", CHECKPOINT, tmp_path, "--overwrite").exit_code == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "socialcli_acme" / "adapter.py").is_file()


def test_the_name_of_an_installed_model_is_refused(tmp_path: Path) -> None:
    refused = new("internvl3", CHECKPOINT, tmp_path / "project")
    assert refused.exit_code == 2
    assert "has a model 'internvl3' already" in refused.stderr
    assert not (tmp_path / "project").exists()


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of a sample checkpoint without its weights."""
    return Path(shutil.copytree(CHECKPOINT, tmp_path / "checkpoint", ignore=shutil.ignore_patterns("*.safetensors")))


def change(file: Path, **values: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_only_the_small_files_of_a_hub_id_are_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with running(hub := Hub(CHECKPOINT)):
        hub.patch(monkeypatch)
        result = CliRunner().invoke(
            main, ["plugin", "new", "acme", "--from-model", "owner/name", "-o", str(tmp_path / "project")]
        )
    assert result.exit_code == 0, result.stderr
    assert "config.json" in hub.fetched and "model.safetensors" not in hub.fetched
    hook = (tmp_path / "project" / "socialcli_acme" / "__init__.py").read_text()
    assert 'default_checkpoint="owner/name",' in hook


def test_the_weights_are_not_read(checkpoint: Path, tmp_path: Path) -> None:
    assert new("acme", checkpoint, tmp_path / "project").exit_code == 0


def test_a_checkpoint_without_a_chat_template_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "chat_template.jinja").unlink()
    refused = new("acme", checkpoint, tmp_path / "project")
    assert refused.exit_code == 2
    assert "has no chat template" in refused.stderr


def test_a_chat_template_without_frames_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    text = "{% for message in messages %}{{ message['content'][-1]['text'] }}{% endfor %}"
    (checkpoint / "chat_template.jinja").write_text(text)
    refused = new("acme", checkpoint, tmp_path / "project")
    assert refused.exit_code == 2
    assert "its chat template writes nothing for a video or an image" in refused.stderr


def test_a_model_that_transformers_does_not_have_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    change(checkpoint / "config.json", architectures=["AcmeEye"], model_type="acme_eye", auto_map={"AutoModel": "x.Y"})
    refused = new("acme", checkpoint, tmp_path / "project")
    assert refused.exit_code == 2
    assert "has no class for AcmeEye of model_type 'acme_eye', and its own code" in refused.stderr
    assert not (tmp_path / "project").exists()


def test_a_model_without_frames_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    change(checkpoint / "config.json", architectures=["Qwen2ForCausalLM"], model_type="qwen2")
    for name in ("processor_config.json", "tokenizer_config.json"):
        change(checkpoint / name, processor_class=None)
    refused = new("acme", checkpoint, tmp_path / "project")
    assert refused.exit_code == 2
    assert "has no processor for model_type 'qwen2', so it takes no frames" in refused.stderr
