from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import FAMILIES, SAMPLE
from tests.verbs.inspect.samples import checkpoint, run_inspect

EPISODES = SAMPLE / "episodes.jsonl"
FIRST = json.loads(EPISODES.read_text(encoding="utf-8").splitlines()[0])
QUESTION = FIRST["questions"][0]["id"]
UTTERANCES = [utterance["id"] for utterance in FIRST["utterances"]]
MODEL = "internvl3"
ONE = ("--question", QUESTION, "--utterance", UTTERANCES[0], "--frames", "2", "--attention")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_page_for_each_utterance_is_written_and_named(family: str, tmp_path: Path) -> None:
    arguments = ("--question", QUESTION, "--frames", "2", "--png", str(tmp_path), "--attention")
    result = run_inspect(EPISODES, family, *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    sheet, *pages = (Path(line) for line in result.stdout.splitlines())
    assert sheet.name == "sheet.png"
    assert [page.stem for page in pages] == [f"attention-{name}" for name in UTTERANCES]
    for page in pages:
        with Image.open(page) as image:
            assert image.format == "PNG"
            assert image.width > 3 * 640
            assert image.height > 2 * 360


def test_settings_decide_what_is_shown(tmp_path: Path) -> None:
    pages = {}
    for name, options in {
        "usual": (),
        "strong": ("--alpha", "2"),
        "other rule": ("--bias", "probability"),
        "first layer": ("--layers", "0"),
        "one head": ("--attention-heads", "1:0"),
        "all heads": ("--attention-layers", "all", "--attention-heads", "all"),
    }.items():
        result = run_inspect(EPISODES, MODEL, *ONE, "--png", str(tmp_path / name), *options)
        assert (result.exit_code, result.stderr) == (0, "")
        pages[name] = Path(result.stdout.splitlines()[1]).read_bytes()
    assert len(set(pages.values())) == len(pages)


def test_the_json_is_the_same_with_attention(tmp_path: Path) -> None:
    with_it = run_inspect(EPISODES, MODEL, *ONE, "--json", "--png", str(tmp_path))
    without = run_inspect(EPISODES, MODEL, "--question", QUESTION, "--frames", "2", "--json")
    assert with_it.stdout == without.stdout
    assert list(tmp_path.glob("*/attention-*.png"))


def test_attention_needs_the_weights(tmp_path: Path) -> None:
    lean = tmp_path / "lean"
    shutil.copytree(checkpoint(MODEL), lean, ignore=shutil.ignore_patterns("*.safetensors"))
    result = run_inspect(EPISODES, MODEL, *ONE, "--png", str(tmp_path / "out"), "--checkpoint", str(lean))
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(lean) in result.stderr
    assert not (tmp_path / "out").exists()


def test_where_nobody_known_speaks_it_says_so(tmp_path: Path) -> None:
    for utterance in (silent := json.loads(json.dumps(FIRST)))["utterances"]:
        del utterance["speaker"]
    silent["questions"] = [{"id": "q", "task": "videoqa", "text": "Who?", "candidates": ["he", "she"]}]
    (tmp_path / "episodes.jsonl").write_text(json.dumps(silent), encoding="utf-8")
    arguments = ("--media-root", str(SAMPLE), "--frames", "1", "--attention", "--png", str(tmp_path))
    result = run_inspect(tmp_path / "episodes.jsonl", MODEL, *arguments)
    assert result.exit_code == 0
    assert result.stdout == f"{tmp_path / 'q' / 'sheet.png'}\n"
    assert "q: --steer speaker biases no utterance: no attention map" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--attention",), "name the folder for them with --png DIR"),
        (("--attention", "--json"), "name the folder for them with --png DIR"),
        (("--attention", "--inputs", "L", "--png", "p"), "which --inputs L omits"),
        (("--alpha", "2"), "--alpha changes nothing without --attention"),
        (("--utterance", "u1", "--png", "p"), "--utterance changes nothing without --attention"),
        (("--attention-heads", "all"), "--attention-heads changes nothing without --attention"),
        (("--dtype", "auto"), "--dtype changes nothing without --attention"),
        (("--attention", "--png", "p", "--attention-layers", "4-2"), "--attention-layers 4-2 runs backwards"),
        (("--attention", "--png", "p", "--attention-layers", "3-9"), "--attention-layers 3-9 reaches beyond"),
        (("--attention", "--png", "p", "--attention-heads", "some"), "--attention-heads 'some' names no heads"),
        (("--attention", "--png", "p", "--attention-heads", "9:0"), "--attention-heads 9:0: the decoder has layers"),
        (("--attention", "--png", "p", "--layers", "2-1"), "--layers 2-1 runs backwards"),
        (("--attention", "--png", "p", "--layers", "0-99"), "--layers 0-99 reaches beyond"),
        (("--attention", "--png", "p", "--bias", "publishd"), "Did you mean 'published'?"),
        (("--attention", "--png", "p", "--utterance", "u77"), "there is no utterance 'u77' in"),
    ],
)
def test_what_cannot_be_is_a_usage_error(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run_inspect(EPISODES, MODEL, "--question", QUESTION, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_an_utterance_of_another_episode_is_not_there(tmp_path: Path) -> None:
    records = [json.loads(line) for line in EPISODES.read_text(encoding="utf-8").splitlines()]
    longest = max(records, key=lambda record: len(record["utterances"]))
    last = longest["utterances"][-1]["id"]
    assert last not in UTTERANCES
    result = run_inspect(EPISODES, MODEL, *ONE, "--utterance", last, "--png", str(tmp_path))
    assert result.exit_code == 2
    assert f"there is no utterance {last!r} in" in result.stderr


def test_a_settings_file_may_hold_what_only_attention_needs(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('[inspect]\nalpha = 2\nattention-heads = "all"\n', encoding="utf-8")
    arguments = ("--config", str(tmp_path / "s.toml"), "--question", QUESTION, "--frames", "1", "--json")
    assert run_inspect(EPISODES, MODEL, *arguments).exit_code == 0


def test_a_steering_mode_decides_which_words_look_where(tmp_path: Path) -> None:
    question = next(one["id"] for one in FIRST["questions"] if one["task"] == "target")
    arguments = ("--question", question, "--frames", "2", "--attention", "--png")
    pages = {}
    for mode in ("speaker", "both-ways", "gaze"):
        result = run_inspect(EPISODES, MODEL, *arguments, str(tmp_path / mode), "--steer", mode)
        assert result.exit_code == 0
        pages[mode] = [Path(line).read_bytes() for line in result.stdout.splitlines()]
    assert pages["speaker"][0] != pages["both-ways"][0] != pages["gaze"][0]  # the sheets name what is biased
    assert len(pages["speaker"]) == len(pages["both-ways"]) == 1 + len(UTTERANCES)
    assert pages["speaker"][1:] != pages["both-ways"][1:]
    assert len(pages["gaze"]) == 1
    assert "--steer gaze biases no utterance: no attention map" in result.stderr
