"""README.md, CONTRIBUTING.md and docs/ say what the code does: they are generated from it, or run here."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import dropwhile, groupby
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from PIL import Image

from socialcli.alignment.attention import Alignment
from socialcli.api import ask, load_model, open_clip
from socialcli.cli import main
from socialcli.episodes.records import Question
from socialcli.errors import SocialcliError
from socialcli.plugins.registry import registry
from socialcli.results.predictions import PREDICTION_ARROW_SCHEMA
from socialcli.stats.accuracy import ACCURACY_ARROW_SCHEMA

from .conftest import ROOT, SAMPLE, sample_episodes, tiny_model
from .distributions import Install, site_folder
from .perception.pictures import needs_faces
from .test_packaging import needs_pip, pip_install

README = ROOT / "README.md"
ADD_A_MODEL = ROOT / "docs" / "add-a-model.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
PAGES = [
    README,
    CONTRIBUTING,
    ROOT / "CHANGELOG.md",
    SAMPLE / "README.md",
    ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
FIRST_COMMAND = (
    "pip install . && socialcli run sample_data/world/episodes.parquet --model llava-next-video --task all "
    "--checkpoint sample_data/trained/llava-next-video --alignment both -o out"
)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def block_with(page: Path, language: str, text: str) -> str:
    (found,) = [block for block in blocks(page, language) if text in block]
    return found


def script(path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module; its dataclasses need to find it among the loaded ones."""
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def shell_commands(page: Path) -> Iterator[list[str]]:
    """Each command of the page's shell blocks as a list of words, without what only the shell reads."""
    for block in blocks(page, "bash") + blocks(page, "console"):
        lines = block.replace("\\\n", " ").splitlines()
        typed = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")] or lines
        for line in typed:
            words = shlex.split(line, comments=True)
            for separates, command in groupby(words, key=lambda word: word in ("&&", "|", ">")):
                if not separates:
                    yield list(dropwhile(re.compile("[A-Z_]+=").match, command))


def documented_commands() -> list[Any]:
    found = [(page, words) for page in PAGES for words in shell_commands(page) if words[:1] == ["socialcli"]]
    return [pytest.param(words[1:], id=f"{page.name}: {' '.join(words)}") for page, words in found]


@pytest.fixture
def own_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SOCIALCLI_LOAD_PLUGINS", "")
    registry.cache_clear()
    yield
    registry.cache_clear()


@pytest.fixture
def beside_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in with the files that the pages speak of."""
    (tmp_path / "sample_data").symlink_to(SAMPLE)
    (tmp_path / "episodes.jsonl").symlink_to(SAMPLE / "episodes.jsonl")
    (tmp_path / "nightly.toml").write_text(block_with(ROOT / "docs" / "settings.md", "toml", "nightly"), "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    with site_folder(tmp_path / "site", monkeypatch) as install:
        yield install


def test_what_is_generated_is_up_to_date(own_plugins: None) -> None:
    # In a process of its own: click keeps what a command was first shown with, by whichever test that was.
    code = (
        "import json, sys; sys.path.insert(0, 'docs'); import generate; "
        "print(json.dumps({str(path): text for path, text in generate.pages().items()}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    pages = {ROOT / path: text for path, text in json.loads(done.stdout).items()}
    stale = [str(page.relative_to(ROOT)) for page, text in pages.items() if page.read_text(encoding="utf-8") != text]
    assert not stale, f"{', '.join(stale)} no longer fit the code; run: python docs/generate.py"


def headings(page: Path) -> set[str]:
    """The anchors that GitHub gives the page's headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"https?:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in headings(target), link


def files_named(table: str) -> list[str]:
    """Whatever a table names in backticks that is a folder or a file of Python."""
    return re.findall(r"`([\w./]+(?:/|\.py))`", table)


def test_the_folders_and_files_of_the_map_are_there() -> None:
    table = ARCHITECTURE.read_text(encoding="utf-8").split("## Where to find")[1]
    rows = re.findall(r"^\| .+ \| (`.+`) \|$", table, re.MULTILINE)
    assert len(rows) == len(re.findall(r"^\| ", table, re.MULTILINE)) - 1  # the head
    for row in rows:
        for name in re.findall(r"`(.+?)`", row):
            assert (ROOT / name).exists() or (ROOT / "socialcli" / name).exists(), name


@pytest.mark.parametrize("page", [README, CONTRIBUTING, ARCHITECTURE], ids=lambda page: page.name)
def test_the_folders_and_files_of_a_page_are_there(page: Path) -> None:
    names = files_named(page.read_text(encoding="utf-8"))
    assert names
    for name in names:
        assert (ROOT / name).exists() or list((ROOT / "socialcli").rglob(name)), name


def test_every_model_has_a_page(own_plugins: None) -> None:
    overview = ROOT / "docs" / "models.md"
    linked = re.findall(r"\[`([^`]+)`\]\(models/\1\.md\)", overview.read_text(encoding="utf-8"))
    assert sorted(linked) == sorted(registry().models())
    for name, model in registry().models().items():
        page = (overview.parent / "models" / f"{name}.md").read_text(encoding="utf-8")
        assert f"`--model {name}`" in page and f"`{model.item.default_checkpoint}`" in page


def test_the_first_command_is_the_one_that_is_promised() -> None:
    assert blocks(README, "bash")[0] == FIRST_COMMAND + "\n"


def test_the_test_command_stands_below_its_mark() -> None:
    text = README.read_text(encoding="utf-8")
    command = "pip install -e '.[test]' && python -m pytest -n 2 --dist loadfile"
    assert f"<!-- test-command -->\n```bash\n{command}\n```\n" in text


@pytest.mark.parametrize("arguments", documented_commands())
def test_every_command_line_is_understood(arguments: list[str], own_plugins: None, beside_sample: Path) -> None:
    parent = click.Context(main, info_name="socialcli")
    name, command, rest = main.resolve_command(parent, arguments)
    assert name is not None and command is not None
    options = command.make_context(name, rest, parent=parent).params
    if options.get("model"):
        registry().model(options["model"])
    for task in set(options.get("tasks", ())) - {"all"}:
        registry().task(task)
    # Only the sample is here; what else a page names is the reader's.
    for path in (word for word in rest if word.startswith("sample_data/")):
        assert Path(path).exists(), path


def test_exit_codes_are_those_of_the_errors() -> None:
    def codes(kind: type[SocialcliError]) -> set[int]:
        return {kind.exit_code}.union(*(codes(child) for child in kind.__subclasses__()))

    table = README.read_text(encoding="utf-8").split("### Exit codes")[1].split("\n## ")[0]
    listed = {int(code) for cell in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in cell.split(", ")}
    assert listed == codes(SocialcliError) | {0, 130, 141, 143}


@pytest.mark.parametrize(
    ("name", "schema"),
    [("predictions", PREDICTION_ARROW_SCHEMA), ("accuracy", ACCURACY_ARROW_SCHEMA)],
)
def test_the_columns_that_the_readme_names_are_there(name: str, schema: Any) -> None:
    row = re.search(rf"^\| `{name}.parquet` \|.*?\|(.*)\|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert row is not None
    assert set(re.findall(r"`(\w+)`", row[1])) - {"ok", "failed", "unparsed"} <= set(schema.names)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("README.md", "load_model"),
        ("docs/python.md", "with aligned"),
        ("docs/python.md", "Alignment(alpha=2.0)"),
        ("docs/episodes.md", "EpisodeWriter"),
        ("docs/video.md", "sample_frames"),
        ("docs/synth.md", "draw_plot"),
        pytest.param("docs/perception.md", "Sight", marks=needs_faces),
    ],
)
def test_the_python_of_a_page_runs(page: str, text: str, beside_sample: Path) -> None:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(block_with(ROOT / page, "python", text), page, "exec"), {})
    assert output.getvalue() or list(beside_sample.glob("*.parquet"))


@needs_pip
def test_the_model_of_the_page_can_be_installed_and_asked(site: Install, tmp_path: Path) -> None:
    project = tmp_path / "project"
    for language, name in (
        ("toml", "pyproject.toml"),
        ("python", "socialcli_letterbox/__init__.py"),
        ("python", "socialcli_letterbox/adapter.py"),
    ):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(block_with(ADD_A_MODEL, language, f"# {name}"), encoding="utf-8")
    pip_install(tmp_path / "site", str(project))

    listed = CliRunner().invoke(main, ["models"], standalone_mode=False, catch_exceptions=False).stdout
    assert re.search(r"^internvl3-letterbox .* socialcli-letterbox 0\.1\.0$", listed, re.MULTILINE)

    model = load_model("internvl3-letterbox", SAMPLE / "checkpoints" / "internvl3")
    episode = sample_episodes()[0]
    clip = open_clip(model, episode, SAMPLE)
    asked = ask(clip, episode.questions[0])
    grid, plan = asked.encoded.grid, asked.plan
    assert grid is not None and plan is not None
    assert grid.seen == pytest.approx((0, -140, 640, 500))  # 640x360 in the middle of a square
    assert plan.columns.size and plan.pairs.any()
    plain, raised = clip.score([asked])[0], clip.score([asked], Alignment())[0]
    assert plain.scores != raised.scores


@pytest.fixture
def extras(site: Install) -> None:
    """The page's module with a task and a bias rule, installed."""
    site("acme-extras", block_with(ADD_A_MODEL, "python", "socialcli_bias_rules"))


def test_the_task_of_the_page_can_be_asked(extras: None) -> None:
    task = registry().task("silent").item
    episode = sample_episodes()[0]
    clip = open_clip(tiny_model("internvl3"), episode, SAMPLE)
    prompt = clip.ask(Question("kitchen-keys/silent-1", "silent"), task).prompt
    assert "\nQuestion: Who says nothing?\nA. Speaker 1\n" in prompt.text


def test_the_bias_rule_of_the_page_is_a_bias(extras: None) -> None:
    rule = registry().bias_rule("capped").item
    episode = sample_episodes()[0]
    clip = open_clip(tiny_model("internvl3"), episode, SAMPLE)
    asked = ask(clip, episode.questions[0])
    plain, none, strong = (
        clip.score([asked], alignment)[0].scores
        for alignment in (None, Alignment(alpha=0.0, rule=rule), Alignment(alpha=4.0, rule=rule))
    )
    assert none == pytest.approx(plain, abs=1e-5)
    assert strong != pytest.approx(plain, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        *[
            ("make.py", "alignment.png"),
            ("world.py", "world.png"),
            ("harm.py", "harm.png"),
            ("speaking.py", "speaking.png"),
            ("orders.py", "orders.png"),
        ],
        ("stress.py", "stress.png"),
    ],
)
def test_the_picture_can_be_drawn_again(name: str, picture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = script(ROOT / "docs" / "images" / name, monkeypatch)
    with Image.open(ROOT / "docs" / "images" / picture) as committed:
        assert module.draw(module.gather()).size == committed.size
