"""Whatever episodes and checkpoints name, nothing outside the media root and the checkpoint's folder is opened."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from ..conftest import FAMILIES, ROOT, SAMPLE
from ..verbs.runs import Record, mentioned, record, shell_environment, write
from ..video.clips import picture

FAMILY = FAMILIES[0]
OPENED = re.compile(r"open(?:at|at2)?\(.* = \d+<(?P<path>.*)>$")  # with -y, strace tells what a number stands for

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{secret}\n#EXT-X-ENDLIST\n"
CONCAT = "ffconcat version 1.0\nfile '{secret}'\n"
DASH = (
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="video/mp4">'
    '<Representation id="1"><BaseURL>{secret}</BaseURL></Representation></AdaptationSet></Period></MPD>'
)


@dataclass(frozen=True)
class Places:
    """A media root that leads outside in every way, and what is outside: sound files that would be read."""

    top: Path
    media: Path
    outside: Path

    @property
    def video(self) -> Path:
        return self.outside / "secret.mp4"


def lead_out(places: Places) -> list[str]:
    """Put ways out into the media root; the paths that an episode would name."""
    media, outside, secret = places.media, places.outside, places.video
    (media / "link.mp4").symlink_to(secret)
    (media / "chain.mp4").symlink_to("step.mp4")
    (media / "step.mp4").symlink_to("link.mp4")
    (media / "folder").symlink_to(outside)
    (media / "relative").symlink_to(Path("..") / "outside")
    (media / "all-images").symlink_to(outside / "images")
    (media / "images").mkdir()
    for index in range(2):
        Image.fromarray(picture(index)).save(media / "images" / f"{index}.png")
    (media / "images" / "2.png").symlink_to(outside / "images" / "2.png")
    for name, text in (("hls.mp4", HLS), ("hls.m3u8", HLS), ("concat.mp4", CONCAT), ("dash.mp4", DASH)):
        (media / name).write_text(text.format(secret=secret))
    (media / "beside.mp4").write_text(HLS.format(secret="../outside/secret.mp4"))
    return [
        *("../outside/secret.mp4", "videos/../../outside/secret.mp4", "./../outside/secret.mp4", str(secret)),
        *("link.mp4", "chain.mp4", "folder/secret.mp4", "relative/secret.mp4", "folder/images"),
        *("images", "all-images", "folder"),
        *("hls.mp4", "hls.m3u8", "concat.mp4", "dash.mp4", "beside.mp4"),
        *(f"file:{secret}", f"file://{secret}", f"concat:{secret}|{secret}", "file:../outside/secret.mp4"),
        *(f"subfile,,start,0,end,0,,:{secret}", f"crypto:{secret}", f"cache:{secret}", f"data:{secret}"),
        *("/dev/stdin", "/proc/self/environ", "..", "."),
    ]


def checkpoint_elsewhere(name: str) -> Callable[[Path, Path], None]:
    def change(folder: Path, outside: Path) -> None:
        shutil.move(folder / name, outside / f"{folder.name}-{name}")
        (folder / name).symlink_to(outside / f"{folder.name}-{name}")

    return change


def shard_elsewhere(folder: Path, outside: Path) -> None:
    shutil.move(folder / "model.safetensors", outside / f"{folder.name}.safetensors")
    weights = {"lm_head.weight": f"../outside/{folder.name}.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weights}))


def tokenizer_elsewhere(folder: Path, outside: Path) -> None:
    shutil.copy(folder / "tokenizer.json", outside / "tokenizer.4.0.json")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["fast_tokenizer_files"] = ["../outside/tokenizer.4.0.json"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def other_checkpoint(folder: Path, outside: Path) -> None:
    shutil.copytree(SAMPLE / "checkpoints" / FAMILY, outside / "model")
    settings = json.loads((folder / "processor_config.json").read_text())
    settings["audio_tokenizer"] = {
        "audio_tokenizer_class": "DacModel",
        "audio_tokenizer_name_or_path": str(outside / "model"),
    }
    (folder / "processor_config.json").write_text(json.dumps(settings))


CHECKPOINTS: dict[str, Callable[[Path, Path], None]] = {
    "config": checkpoint_elsewhere("config.json"),
    "weights": checkpoint_elsewhere("model.safetensors"),
    "words": checkpoint_elsewhere("tokenizer.json"),
    "template": checkpoint_elsewhere("chat_template.jinja"),
    "shard": shard_elsewhere,
    "tokenizer": tokenizer_elsewhere,
    "other": other_checkpoint,
}


def adapter_elsewhere(folder: Path, outside: Path) -> None:
    folder.mkdir()
    (outside / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (folder / "adapter_config.json").symlink_to(outside / "adapter_config.json")
    (folder / "adapter_model.safetensors").touch()


def episode(number: int, path: str) -> Record:
    """The first one of the sample, with one question, on another video."""
    one = record(0)
    one["episode_id"] = f"episode-{number}"
    one["questions"] = [{**mentioned(one), "id": f"question-{number}"}]
    one["video"] = {**one["video"], "path": path, "fps": 1.0}
    return one


@dataclass(frozen=True)
class Watched:
    """What the commands did: `done` by name; `traced` is what the system saw opened, None where nobody looked."""

    places: Places
    paths: list[str]
    done: dict[str, dict[str, Any]]
    traced: set[str] | None


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    top = tmp_path_factory.mktemp("top").resolve()
    places = Places(top, top / "media", top / "outside")
    places.media.mkdir()
    (places.outside / "images").mkdir(parents=True)
    good = record(0)["video"]["path"]
    (places.media / "videos").mkdir()
    shutil.copy(SAMPLE / good, places.media / good)
    shutil.copy(SAMPLE / good, places.video)
    for index in range(3):
        Image.fromarray(picture(index)).save(places.outside / "images" / f"{index}.png")
    paths = lead_out(places)
    file = write(places.media / "episodes.jsonl", [episode(n, path) for n, path in enumerate([*paths, good])])
    commands = {
        "run": run_words(places, file, "good"),
        "validate": ["validate", str(file), "--media-root", str(places.media)],
    }
    shutil.copytree(SAMPLE / "checkpoints" / FAMILY, top / "good")
    for name, change in CHECKPOINTS.items():
        shutil.copytree(SAMPLE / "checkpoints" / FAMILY, top / name)
        change(top / name, places.outside)
        commands[name] = run_words(places, file, name)
    adapter_elsewhere(top / "adapter", places.outside)
    commands["adapter"] = [*run_words(places, file, "good"), "--adapter", str(top / "adapter"), "--overwrite"]
    return watch(places, paths, commands)


def run_words(places: Places, file: Path, checkpoint: str) -> list[str]:
    out = places.top / f"out-{checkpoint}"
    model = ["--model", FAMILY, "--checkpoint", str(places.top / checkpoint), "--task", "mentioned"]
    return ["run", str(file), *model, "--frames", "1", "-o", str(out)]


def watch(places: Places, paths: list[str], commands: dict[str, list[str]]) -> Watched:
    trace = places.top / "trace"
    tracing = tracing_words(trace)
    done = subprocess.run(
        [*tracing, sys.executable, "-m", "tests.faults.opened"],
        input="".join(json.dumps(words) + "\n" for words in commands.values()),
        env=shell_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(commands), done.stderr
    found = None
    if tracing:
        lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
        found = {match["path"] for line in lines if (match := OPENED.search(line))}
    return Watched(places, paths, dict(zip(commands, told, strict=True)), found)


def tracing_words(trace: Path) -> list[str]:
    """What to put before a command to see what it opens; nothing where that is not there, or not allowed."""
    words = ["strace", "-f", "-y", "-s", "4096", "-e", "trace=open,openat,openat2", "-o", str(trace)]
    if shutil.which("strace") is None or subprocess.run([*words, "true"], capture_output=True).returncode:
        return []
    return words


def inside(path: str, *folders: Path) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders)


def test_every_way_out_is_a_failed_row_and_the_good_video_is_read(watched: Watched) -> None:
    done = watched.done["run"]
    assert done["code"] == 3, done["stderr"]
    rows = pq.read_table(watched.places.top / "out-good" / "predictions.parquet").to_pylist()
    assert [row["question_id"] for row in rows] == [f"question-{n}" for n in range(len(watched.paths) + 1)]
    *out, good = rows
    assert [path for path, row in zip(watched.paths, out, strict=True) if row["status"] != "failed"] == []
    assert {row["error"].partition(":")[0] for row in out} == {"VideoError"}
    assert (good["status"], good["error"]) == ("ok", None)
    assert str(watched.places.media / "videos" / "kitchen-keys.mp4") in done["opened"]
    assert watched.done["validate"]["code"] == 4


@pytest.mark.parametrize("name", [*CHECKPOINTS, "adapter"])
def test_a_checkpoint_that_leads_out_is_refused(watched: Watched, name: str) -> None:
    done = watched.done[name]
    assert done["code"] == 2, done["stderr"]
    assert "Traceback" not in done["stderr"]
    assert "folder" in done["stderr"] or "further checkpoint" in done["stderr"]


def test_python_opens_nothing_outside(watched: Watched) -> None:
    places = watched.places
    for name, done in watched.done.items():
        checkpoint = "good" if name in ("run", "validate", "adapter") else name
        allowed = (places.media, places.top / checkpoint, places.top / f"out-{checkpoint}", places.top / "adapter")
        ours = [path for path in done["opened"] if inside(path, places.top)]
        assert ours or name == "adapter", f"{name} opened nothing: is the hook at work?"
        assert [path for path in ours if not inside(path, *allowed)] == [], name


def test_the_system_sees_nothing_outside_opened(watched: Watched) -> None:
    if watched.traced is None:
        pytest.skip("strace is not there, or may not trace")
    places = watched.places
    assert str(places.top / "good" / "model.safetensors") in watched.traced  # by native code
    seen = [path for path in watched.traced if inside(path, places.top) and path != str(places.top / "trace")]
    outside = [path for path in seen if inside(path, places.outside)]
    assert outside == []
    checkpoints = ["good", *CHECKPOINTS]
    outputs = [f"out-{name}" for name in checkpoints]  # the lock of each is held while the checkpoint is looked at
    allowed = [places.top / name for name in ("media", "adapter", *checkpoints, *outputs)]
    assert [path for path in seen if not inside(path, *allowed)] == []
