"""The files of a plug-in around its adapter: project file, hook, test and page."""

from __future__ import annotations

import json
from collections.abc import Mapping

from socialcli.verbs.plugin.new.facts import Facts
from socialcli.verbs.plugin.new.names import Names
from socialcli.verbs.plugin.new.writing.adapter import adapter_source, stem, summary

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{distribution}"
version = "0.1.0"
description = "{stem} for socialcli"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["socialcli"]

[project.optional-dependencies]
test = ["mypy", "pytest", "ruff"]

[project.entry-points.socialcli]
"{model}" = "{package}"

[tool.setuptools]
packages = ["{package}"]

[tool.setuptools.package-data]
{package} = ["py.typed"]

[tool.ruff]
line-length = 120
target-version = "py311"

[tool.ruff.lint]
select = ["E", "F", "W", "I", "B", "UP", "C4", "SIM", "PIE", "RUF"]

[tool.ruff.lint.isort]
known-first-party = ["{package}"]

[tool.mypy]
python_version = "3.11"
strict = true
untyped_calls_exclude = ["transformers"]

[[tool.mypy.overrides]]
module = ["transformers.*"]
ignore_missing_imports = true
"""

_HOOK = '''\
"""The hook of the {stem} plug-in. Loading a model imports the adapter, and with it torch."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.models.contract import Adapter, LoadOptions, ModelSpec
from socialcli.plugins.hookspecs import hookimpl


@hookimpl
def socialcli_models() -> Sequence[ModelSpec]:
    """Return the one model family of this plug-in."""
    return [SPEC]


def _load(options: LoadOptions) -> Adapter:
    from .adapter import load

    return load(options)


SPEC = ModelSpec(
    name="{model}",
    summary={summary},
{comment}    default_checkpoint={checkpoint},
    load=_load,
    version="1",  # raise it when answers can change: it is part of every row's key
    model_types=({types}),
)
'''

_FOLDER = "    # The folder that the plug-in was written from; name a hub id before others use it.\n"

_TEST = '''\
"""The adapter passes socialcli's conformance suite, on its default checkpoint or on the one that CHECKPOINT names."""

import os

from socialcli.conformance.suite import check_checkpoint

from {package} import SPEC


def test_the_adapter_conforms() -> None:
    findings = check_checkpoint(SPEC, os.environ.get("CHECKPOINT", SPEC.default_checkpoint))
    assert [one for one in findings if one.status == "failed"] == []
'''

_README = """\
# {distribution}

{stem} for [socialcli](https://pypi.org/project/socialcli/): `socialcli run --model {model} ...`.

Written by `socialcli plugin new {model} --from-model {source}`.

```bash
pip install -e '.[test]'
socialcli plugin check {model}{option}
python -m pytest
```
{left}"""

_LEFT = """
## Left to write

In `{package}/adapter.py`, each as a method that raises NotImplementedError:

{members}
"""


def project_files(names: Names, facts: Facts) -> Mapping[str, str]:
    """The content of every file, by its path in the project's folder."""
    words = {"model": names.model, "distribution": names.distribution, "package": names.package, "stem": stem(facts)}
    return {
        "pyproject.toml": _PYPROJECT.format(**words),
        "README.md": _readme(words, facts),
        f"{names.package}/__init__.py": _hook(words, facts),
        f"{names.package}/adapter.py": adapter_source(facts),
        f"{names.package}/py.typed": "",
        "tests/test_conformance.py": _TEST.format(**words),
    }


def _hook(words: Mapping[str, str], facts: Facts) -> str:
    types = (facts.classes.model_type, *(one for one, _ in facts.classes.further))
    return _HOOK.format(
        **words,
        summary=_quoted(f"{words['stem']}: {summary(facts)}"),
        checkpoint=_quoted(facts.default_checkpoint),
        comment="" if facts.is_published else _FOLDER,
        types=", ".join(_quoted(one) for one in types) + ("," if len(types) == 1 else ""),
    )


def _readme(words: Mapping[str, str], facts: Facts) -> str:
    members = "\n".join(f"- `{todo.member}`: {todo.what}" for todo in facts.todos)
    left = _LEFT.format(**words, members=members) if members else ""
    option = "" if facts.is_published else f" --checkpoint {facts.default_checkpoint}"
    return _README.format(**words, source=facts.checkpoint, option=option, left=left)


def _quoted(text: str) -> str:
    """A string literal of Python in double quotes."""
    return json.dumps(text, ensure_ascii=False)
