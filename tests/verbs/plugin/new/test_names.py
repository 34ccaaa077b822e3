from __future__ import annotations

import pytest

from socialcli.errors import UsageError
from socialcli.verbs.plugin.new.names import Names, names_of


def test_all_names_follow_from_that_of_the_model() -> None:
    assert names_of("glm-4.6v", ()) == Names("glm-4.6v", "socialcli-glm-4.6v", "socialcli_glm_4_6v")


@pytest.mark.parametrize("name", ["", "GLM", "glm 4", "glm_4", "-glm", "glm-", "glm..4", "../glm", "gl/m", "glm\n"])
def test_a_name_that_pip_or_python_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a name for a model"):
        names_of(name, ())


def test_the_name_of_an_installed_model_is_refused() -> None:
    with pytest.raises(UsageError, match="has a model 'internvl3' already"):
        names_of("internvl3", ["internvl3"])
