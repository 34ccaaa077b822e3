from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from socialcli.errors import UsageError
from socialcli.settings.fields import Setting, check_settings, record_of, setting, settings_of
from socialcli.settings.run import RunSettings, run_settings
from socialcli.settings.schema import settings_schema, value_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    name: str = field(metadata=setting(key="model", help="A name."))
    lambda_: float = field(default=0.5, metadata=setting(above=0, most=1, help="A share."))
    size: int | Literal["auto"] = field(default="auto", metadata=setting(least=1, help="A size."))
    mode: Literal["on", "off"] = field(default="on", metadata=setting(help="A mode."))
    names: tuple[str, ...] = field(default=(), metadata=setting(help="Names."))
    root: str | None = field(default=None, metadata=setting(pattern="^/", help="A folder."))
    seconds: float | None = field(default=None, metadata=setting(least=0, unit="seconds", help="A time."))
    unlisted: int = 0  # not a setting

    def __post_init__(self) -> None:
        check_settings(self)


def of(name: str) -> Setting:
    return next(one for one in settings_of(Group) if one.name == name)


def test_a_field_without_a_declaration_is_no_setting() -> None:
    assert [one.key for one in settings_of(Group)] == ["model", "lambda", "size", "mode", "names", "root", "seconds"]


def test_names_follow_from_the_key() -> None:
    assert (of("name").key, of("name").parameter, of("name").option) == ("model", "model", "--model")
    assert (of("lambda_").key, of("lambda_").parameter, of("lambda_").option) == ("lambda", "lambda_", "--lambda")


def test_what_a_type_says() -> None:
    assert of("name").required and not of("size").required
    assert (of("size").number, of("size").word, of("size").choices) == (int, "auto", None)
    assert (of("mode").choices, of("mode").number, of("mode").word) == (("on", "off"), None, None)
    assert of("names").repeats and not of("name").repeats
    assert of("root").optional and of("root").type is str and not of("mode").optional


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lambda_": 0.0}, "--lambda 0.0 is out of range: give a number above 0, up to 1"),
        ({"lambda_": float("nan")}, "--lambda nan is out of range"),
        ({"size": 0}, "--size 0 is out of range: give a number of at least 1"),
        ({"mode": "both"}, "--mode 'both' is not one of on, off"),
        ({"seconds": -1.0}, "--seconds -1.0 is out of range: give a number of at least 0 (seconds)"),
    ],
)
def test_a_value_that_its_field_refuses_is_a_usage_error(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Group(name="m", **changes)
    assert str(caught.value).startswith(message)


def test_the_record_is_json_by_key() -> None:
    record = record_of(Group(name="m", names=("a", "b")))
    assert record["model"] == "m" and record["names"] == ["a", "b"] and record["lambda"] == 0.5
    assert "unlisted" not in record


def test_the_schema_of_a_value() -> None:
    assert value_schema(of("lambda_")) == {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1,
        "description": "A share.",
    }
    assert value_schema(of("size"))["anyOf"] == [{"type": "integer", "minimum": 1}, {"const": "auto"}]
    assert value_schema(of("mode"))["enum"] == ["on", "off"]
    assert value_schema(of("root")) == {"type": ["string", "null"], "pattern": "^/", "description": "A folder."}
    assert settings_schema(settings_of(Group))["required"] == [one.key for one in settings_of(Group)]


def test_a_verb_may_adapt_a_setting() -> None:
    found = {one.key: one for one in run_settings(but={"alpha"}, adapted={"limit": {"default": 3, "help": "Three."}})}
    assert "alpha" not in found
    assert (found["limit"].default, found["limit"].about.help, found["limit"].about.metavar) == (3, "Three.", "N")


def test_no_two_settings_of_a_run_have_a_name_in_common() -> None:
    for names in ([one.key for one in run_settings()], [one.option for one in run_settings()]):
        assert len(names) == len(set(names))


def test_settings_are_composed_and_changed_by_key() -> None:
    settings = RunSettings.of(episodes="e.parquet", model="m", tasks=("coref",), lambda_=0.5)
    assert (settings.model.name, settings.alignment.lambda_) == ("m", 0.5)
    changed = settings.changed(limit=3, alignment="off")
    assert (changed.selection.limit, changed.alignment.mode, changed.alignment.lambda_) == (3, "off", 0.5)
    assert settings.selection.limit is None
    with pytest.raises(TypeError, match="'alhpa' is no setting"):
        settings.changed(alhpa=1.0)
