from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest

import socialcli


@pytest.mark.parametrize("name", socialcli.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(socialcli, name)
    assert name in dir(socialcli)
    assert name == "__version__" or value.__doc__


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'lode_model'"):
        _ = socialcli.lode_model


def test_an_error_caught_through_the_package_is_the_one_that_is_raised() -> None:
    assert socialcli.SocialcliError is importlib.import_module("socialcli.errors").SocialcliError


def test_importing_the_package_imports_nothing_of_it() -> None:
    code = "import sys, socialcli; print([name for name in sys.modules if name.startswith('socialcli.')])"
    path = f"import sys; sys.path[:] = {sys.path!r}\n"
    done = subprocess.run([sys.executable, "-c", path + code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_help_of_a_command_looks_for_no_plugins() -> None:
    """It is on the way to every command line that is typed: nothing else but its options is imported."""
    code = (
        "import sys\nfrom socialcli.cli import main\n"
        "try:\n    main(['run', '--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('socialcli.plugins.discovery', 'pluggy', 'pyarrow', 'torch') if name in sys.modules])"
    )
    path = f"import sys; sys.path[:] = {sys.path!r}\n"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOCIALCLI_")}
    done = subprocess.run(
        [sys.executable, "-c", path + code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.splitlines()[-1] == "[]"
