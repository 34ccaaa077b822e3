from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from socialcli.alignment.attention import Alignment
from socialcli.alignment.steering.modes import Steering
from socialcli.api import ask, open_clip
from socialcli.errors import PluginError, UnknownNameError
from socialcli.plugins.registry import Registry

from ..conftest import ROOT, SAMPLE, sample_episodes, tiny_model
from ..distributions import Install, site_folder

MODEL = """
from socialcli.models.contract import ModelSpec
from socialcli.plugins.hookspecs import hookimpl

def load(options):
    raise AssertionError("listing a model must not load it")

@hookimpl
def socialcli_models():
    return [ModelSpec({name!r}, "a model of a test", "nobody/nothing", load, "3")]
"""

EVERYTHING = """
import click
from socialcli.alignment.heads.selectors import HeadSelector
from socialcli.alignment.rules import BiasRule
from socialcli.alignment.steering.modes import SteeringMode
from socialcli.inference.answer_modes import Answer
from socialcli.perception.contract import ActiveSpeakerSpec, DetectorSpec, Source, TrackerSpec, VoicesSpec
from socialcli.plugins.hookspecs import Converter, hookimpl

class Laughter:
    name = "laughter"
    summary = "who laughs"
    masks_span = False
    def candidates(self, episode, question, labels): return ()
    def sentence(self, episode, question, labels): return "Who laughs?"

class Silence:
    name = "silence"
    summary = "say nothing"
    decodes = False
    def answers(self, adapter, questions, state): return [Answer(None) for _ in questions]

@hookimpl
def socialcli_tasks(): return [Laughter()]
@hookimpl
def socialcli_answer_modes(): return [Silence()]
@hookimpl
def socialcli_bias_rules(): return (BiasRule("halved", "half of the largest score", lambda visual, _: visual.largest),)
@hookimpl
def socialcli_head_selectors():
    return [HeadSelector("quieter", "heads below lambda", in_layer=lambda means, threshold: means < threshold)]
@hookimpl
def socialcli_steering_modes(): return [SteeringMode("nothing", "bias nothing", lambda prompt, _: None)]
SOURCE = Source(package=None, licence="MIT")
@hookimpl
def socialcli_detectors(): return [DetectorSpec(name="hats", summary="hats", finds="person", source=SOURCE, load=list)]
@hookimpl
def socialcli_trackers(): return [TrackerSpec(name="still", summary="nobody moves", source=SOURCE, load=list)]
@hookimpl
def socialcli_voices(): return [VoicesSpec(name="hums", summary="hums", source=SOURCE, load=list)]
@hookimpl
def socialcli_active_speakers():
    return [ActiveSpeakerSpec(name="nods", summary="who nods", source=SOURCE, load=list, rate=25.0)]
@hookimpl
def socialcli_converters(): return [Converter("subtitles", "from .srt files", click.Command("subtitles"))]
@hookimpl
def socialcli_commands(): return [click.Command("stats")]
"""


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    with site_folder(tmp_path / "site", monkeypatch) as install:
        yield install


def hook(body: str, name: str = "socialcli_models", parameters: str = "") -> str:
    return f"from socialcli.plugins.hookspecs import hookimpl\n@hookimpl\ndef {name}({parameters}):\n    {body}\n"


def test_the_tasks_bias_rules_and_answer_modes_of_the_method_come_from_socialcli_itself() -> None:
    registry = Registry()
    for name in ("videoqa", "target", "coref", "mentioned"):
        assert (registry.task(name).distribution, registry.task(name).plugin) == ("socialcli", "builtin")
    rules = ["published", "floored", "centred", "probability", "constant"]
    assert list(registry.bias_rules())[: len(rules)] == rules
    assert list(registry.answer_modes())[:2] == ["score", "generate"]


def test_a_third_partys_model_says_where_it_comes_from(distribution: Install) -> None:
    distribution("acme-vision", MODEL.format(name="acme"), version="2.5", entry_point="vision")
    model = Registry().model("acme")
    assert (model.distribution, model.version, model.plugin) == ("acme-vision", "2.5", "vision")
    assert (model.item.name, model.item.version) == ("acme", "3")


def test_every_kind_of_thing_comes_through_its_hook(distribution: Install) -> None:
    distribution("acme-all", EVERYTHING)
    registry = Registry()
    assert registry.task("laughter").item.summary == "who laughs"
    assert registry.bias_rule("halved").item.summary == "half of the largest score"
    assert registry.head_selector("quieter").item.summary == "heads below lambda"
    assert registry.steering_mode("nothing").item.summary == "bias nothing"
    assert registry.answer_mode("silence").item.decodes is False
    assert registry.detector("hats").item.finds == "person"
    assert registry.tracker("still").item.summary == "nobody moves"
    assert registry.voice_analyser("hums").item.source.licence == "MIT"
    assert registry.active_speaker("nods").item.rate == 25.0
    assert registry.converter("subtitles").item.command.name == "subtitles"
    assert registry.command("stats").item.name == "stats"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import a_module_that_nobody_has", "No module named 'a_module_that_nobody_has'"),
        ("raise SystemExit('no licence')", "SystemExit: no licence"),
        ("def socialcli_models(): return []", "it implements no hook"),
        (hook("return []", name="socialcli_modles"), "unknown hook 'socialcli_modles'"),
        (hook("return []", parameters="colour"), "colour"),
        (hook("raise RuntimeError('no weights')"), "socialcli_models failed: RuntimeError: no weights"),
        (hook("return {'a': 1}"), "it must return a list of ModelSpec, not dict"),
        (hook("return None"), "it must return a list of ModelSpec, not NoneType"),
        (hook("yield 1"), "it must return a list of ModelSpec, not generator"),
        (hook("return ['a']"), "it must return a list of ModelSpec, and it holds 'a'"),
    ],
    ids=["import", "exit", "no-hook", "unknown-hook", "parameter", "raises", "dict", "none", "generator", "item"],
)
def test_a_broken_plugin_is_a_warning_that_names_it_and_the_rest_works(
    distribution: Install, caplog: pytest.LogCaptureFixture, source: str, reason: str
) -> None:
    distribution("acme-broken", source, version="0.3", entry_point="cracked")
    distribution("acme-vision", MODEL.format(name="acme"))
    assert "acme" in Registry().models()
    (warning,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert "acme-broken 0.3 (entry point 'cracked')" in warning.getMessage()
    assert reason in warning.getMessage()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("socialcli_tasks", "return [object()]"),
        ("socialcli_bias_rules", "return [object()]"),
        ("socialcli_answer_modes", "return [object()]"),
        ("socialcli_converters", "return [object()]"),
        ("socialcli_commands", "import click; return [click.Command(None)]"),
    ],
)
def test_every_hook_refuses_what_is_not_of_its_kind(distribution: Install, name: str, body: str) -> None:
    distribution("acme-broken", hook(body, name=name))
    (report,) = [one for one in Registry().reports() if one.origin.distribution == "acme-broken"]
    assert report.provides == {}
    assert f"{name} failed: TypeError" in report.problems[0]


def test_no_task_can_have_the_name_that_stands_for_all_of_them(distribution: Install) -> None:
    body = """
    from types import SimpleNamespace
    return [SimpleNamespace(name="all", summary="", masks_span=False, named=False, candidates=print, sentence=print)]
"""
    distribution("acme-all", hook(body, name="socialcli_tasks"))
    assert "all" not in Registry().tasks()
    (report,) = [one for one in Registry().reports() if one.origin.distribution == "acme-all"]
    assert "no task can be named 'all', which means all of them" in report.problems[0]


def test_two_plugins_with_one_model_name_are_an_error_that_names_both(distribution: Install) -> None:
    distribution("acme-one", MODEL.format(name="twin"), version="1.1", entry_point="a")
    distribution("acme-two", MODEL.format(name="twin"), version="2.2", entry_point="b")
    registry = Registry()
    with pytest.raises(PluginError) as caught:
        registry.models()
    assert "'twin'" in str(caught.value)
    assert "acme-one 1.1 (entry point 'a')" in str(caught.value)
    assert "acme-two 2.2 (entry point 'b')" in str(caught.value)


def test_a_clash_of_models_leaves_the_other_kinds_alone(distribution: Install) -> None:
    distribution("acme-one", MODEL.format(name="twin"))
    distribution("acme-two", MODEL.format(name="twin"))
    assert "coref" in Registry().tasks()


def test_a_plugin_cannot_take_the_name_of_a_task_of_socialcli(distribution: Install) -> None:
    distribution("acme-all", EVERYTHING.replace('"laughter"', '"coref"'))
    with pytest.raises(PluginError, match=r"'coref' is provided by socialcli .* and by acme-all 1\.0"):
        Registry().task("videoqa")


def test_the_report_shows_broken_plugins_and_clashes_without_failing(distribution: Install) -> None:
    distribution("acme-broken", "1 / 0")
    distribution("acme-one", MODEL.format(name="twin"))
    distribution("acme-two", MODEL.format(name="twin"))
    reports = {one.origin.distribution: one for one in Registry().reports()}
    assert reports["acme-broken"].problems == ("ZeroDivisionError: division by zero",)
    assert reports["acme-one"].provides == {"model": ("twin",)}
    assert "acme-two" in reports["acme-one"].problems[0]
    assert "acme-one" in reports["acme-two"].problems[0]


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no task 'mentoined'.*Did you mean 'mentioned'"):
        Registry().task("mentoined")


@pytest.mark.parametrize(
    ("chosen", "loaded"),
    [("", set()), ("Acme_One", {"one"}), ("acme-one, acme-two", {"one", "two"})],
)
def test_an_environment_variable_chooses_the_distributions(
    distribution: Install, monkeypatch: pytest.MonkeyPatch, chosen: str, loaded: set[str]
) -> None:
    distribution("acme-one", MODEL.format(name="one"))
    distribution("acme-two", MODEL.format(name="two"))
    monkeypatch.setenv("SOCIALCLI_LOAD_PLUGINS", chosen)
    registry = Registry()
    assert registry.models().keys() & {"one", "two"} == loaded
    assert "videoqa" in registry.tasks()


def test_choosing_a_distribution_that_is_missing_is_a_warning(
    distribution: Install, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SOCIALCLI_LOAD_PLUGINS", "acme-nothing")
    Registry()
    assert "'acme-nothing'" in caplog.text


def test_one_distribution_found_twice_on_the_path_counts_once(
    distribution: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = distribution("acme-vision", MODEL.format(name="acme"), version="2.0")
    older = site.parent / "older"
    older.mkdir()
    for file in (site / "acme_vision-2.0.dist-info").iterdir():
        target = older / "acme_vision-1.0.dist-info" / file.name
        target.parent.mkdir(exist_ok=True)
        target.write_text(file.read_text(encoding="utf-8").replace("2.0", "1.0"), encoding="utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path, str(older)])
    assert Registry().model("acme").version == "2.0"


def test_entry_points_that_cannot_be_read_cost_only_their_distribution(
    distribution: Install, caplog: pytest.LogCaptureFixture
) -> None:
    distribution("acme-broken", "", entry_points="[socialcli]\nno equals sign here\n")
    distribution("acme-vision", MODEL.format(name="acme"))
    assert "acme" in Registry().models()
    assert "acme-broken" in caplog.text


def test_a_broken_selector_is_a_warning_and_the_built_in_ones_stay(
    distribution: Install, caplog: pytest.LogCaptureFixture
) -> None:
    distribution("acme-heads", hook("return ['first']", name="socialcli_head_selectors"), version="0.3")
    assert list(Registry().head_selectors()) == ["dynamic", "top", "fixed", "random", "all"]
    (warning,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert "acme-heads 0.3" in warning.getMessage()
    assert "it must return a list of HeadSelector, and it holds 'first'" in warning.getMessage()


def test_the_steering_mode_of_the_page_comes_through_its_hook_and_steers(distribution: Install) -> None:
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8").split("\n## A steering mode\n")[1]
    distribution("acme-steering", page.split("```python\n")[1].split("```")[0])
    mode = Registry().steering_mode("everybody").item
    clip = open_clip(tiny_model("internvl3"), sample_episodes()[0], SAMPLE, frames=2)
    asked = ask(clip, next(one for one in clip.episode.questions if one.task == "target"))
    prompt, plan = clip.steered(asked), asked.plan_under(Steering(mode))
    assert prompt is not None
    assert plan is not None
    assert plan.rows[plan.pairs.any(axis=1)].tolist() == prompt.asked_words.tolist()
    assert plan.columns[plan.pairs.any(axis=0)].tolist() == prompt.region(prompt.regions, prompt.steps).tolist()
    plain, method, steered = (
        clip.score([asked], alignment)[0].scores
        for alignment in (None, Alignment(), Alignment(steering=Steering(mode)))
    )
    assert len({plain, method, steered}) == 3


def test_a_broken_steering_mode_is_a_warning_and_the_built_in_ones_stay(
    distribution: Install, caplog: pytest.LogCaptureFixture
) -> None:
    distribution("acme-steering", hook("return ['left']", name="socialcli_steering_modes"), version="0.4")
    assert list(Registry().steering_modes()) == ["speaker", "both-ways", "gaze", "gaze-decoding"]
    (warning,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert "acme-steering 0.4" in warning.getMessage()
    assert "it must return a list of SteeringMode, and it holds 'left'" in warning.getMessage()
