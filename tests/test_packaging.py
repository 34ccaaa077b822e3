"""The package as it is installed: real installations, seen from a folder that has nothing to do with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import ALL_FAMILIES

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGED = ("socialcli", "plugins", "schemas", "pyproject.toml", "README.md", "LICENSE")
MODELS = sorted(ALL_FAMILIES)

BROKEN = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "acme-broken"
version = "0.3"
[project.entry-points.socialcli]
cracked = "acme_broken"
[tool.setuptools]
py-modules = ["acme_broken"]
""",
    "acme_broken.py": "import a_module_that_nobody_has\n",
}

DUPLICATE = {
    "pyproject.toml": BROKEN["pyproject.toml"].replace("broken", "twin").replace("cracked", "double"),
    "acme_twin.py": """
from socialcli.models.contract import ModelSpec
from socialcli.plugins.hookspecs import hookimpl

@hookimpl
def socialcli_models():
    return [ModelSpec("internvl3", "not the real one", "acme/twin", print, "1")]
""",
}

REPORT_HEAVY_IMPORTS = """
import sys
from socialcli.cli import main
try:
    main(sys.argv[1:])
finally:
    heavy = sorted({"peft", "torch", "torchvision", "transformers"} & set(sys.modules))
    print("heavy:", *heavy, file=sys.stderr)
"""


def installable() -> str | None:
    """Why an installation without a network cannot be tried here, or None."""
    if find_spec("pip") is None:
        return "pip is not in this environment"
    try:
        setuptools = metadata.version("setuptools")
    except metadata.PackageNotFoundError:
        return "setuptools is not in this environment"
    return None if int(setuptools.split(".")[0]) >= 77 else "setuptools is older than 77"


needs_pip = pytest.mark.skipif(installable() is not None, reason=str(installable()))


def pip_install(target: Path, *what: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    flags = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    done = subprocess.run([*command, *flags, *what], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def write_project(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the package is built from, so that building leaves nothing in the working tree."""
    folder = tmp_path_factory.mktemp("source")
    for name in PACKAGED:
        origin = ROOT / name
        if origin.is_dir():
            shutil.copytree(origin, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, folder / name)
    return folder


@pytest.fixture(scope="module")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that is installed here, except socialcli itself."""
    folder = tmp_path_factory.mktemp("dependencies")
    for kind in ("purelib", "platlib"):
        for entry in Path(sysconfig.get_path(kind)).iterdir():
            if "socialcli" not in entry.name and not (folder / entry.name).exists():
                (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture(scope="module")
def installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`pip install .`, into a folder."""
    target = tmp_path_factory.mktemp("installed")
    pip_install(target, str(source))
    return target


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere")


def python(folder: Path, path: list[Path], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder, with nothing but its own library and `path` to import from."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOCIALCLI_")}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def test_pyproject_lists_exactly_the_packages_of_the_tree() -> None:
    packages = {".".join(file.parent.relative_to(ROOT).parts) for file in (ROOT / "socialcli").rglob("*.py")}
    plugins = {file.parent.name: f"plugins/{file.parent.name}" for file in (ROOT / "plugins").rglob("*.py")}
    outside = {**plugins, "socialcli_schemas": "schemas"}
    setuptools = PYPROJECT["tool"]["setuptools"]
    assert sorted(setuptools["packages"]) == sorted({*packages, *outside})
    assert setuptools["package-dir"] == outside


def test_every_package_has_an_init_file() -> None:
    mapped = PYPROJECT["tool"]["setuptools"]["package-dir"]
    for package in PYPROJECT["tool"]["setuptools"]["packages"]:
        assert (ROOT / mapped.get(package, package.replace(".", "/")) / "__init__.py").is_file(), package


@needs_pip
def test_an_installation_brings_the_command_the_plugins_and_the_schemas(
    installed: Path, dependencies: Path, elsewhere: Path
) -> None:
    assert (installed / "bin" / "socialcli").is_file()
    for package in PYPROJECT["tool"]["setuptools"]["package-data"]:
        assert package == "socialcli_schemas" or (installed / package / "py.typed").is_file()
    listed = python(elsewhere, [installed, dependencies], "-m", "socialcli", "models", "--json")
    models = json.loads(listed.stdout)
    assert sorted(model["name"] for model in models) == MODELS
    assert {(model["distribution"], model["distribution_version"]) for model in models} == {
        ("socialcli", PYPROJECT["project"]["version"])
    }
    schema = python(elsewhere, [installed, dependencies], "-m", "socialcli", "schema", "episode")
    assert json.loads(schema.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@needs_pip
def test_an_editable_installation_brings_the_same(
    source: Path, dependencies: Path, elsewhere: Path, tmp_path: Path
) -> None:
    pip_install(tmp_path, "--editable", str(source))
    # Unlike a folder of PYTHONPATH, a site folder runs the .pth files in it, and those lead to the source.
    code = f"import site; site.addsitedir({str(tmp_path)!r}); from socialcli.cli import main; main()"
    models = python(elsewhere, [dependencies], "-c", code, "models", "--json")
    assert sorted(model["name"] for model in json.loads(models.stdout)) == MODELS
    schema = python(elsewhere, [dependencies], "-c", code, "schema", "run")
    assert json.loads(schema.stdout)["type"] == "object"
    home = python(
        elsewhere, [dependencies], "-c", f"{code.split('from')[0]} import socialcli; print(socialcli.__file__)"
    )
    assert home.stdout.strip() == str(source / "socialcli" / "__init__.py")


@needs_pip
@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "run --help",
        "validate --help",
        "convert --help",
        "models",
        "tasks",
        "plugins",
        "schema episode",
    ],
)
def test_what_needs_no_model_imports_no_torch(
    installed: Path, dependencies: Path, elsewhere: Path, command: str
) -> None:
    done = python(elsewhere, [installed, dependencies], "-c", REPORT_HEAVY_IMPORTS, *command.split())
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert done.stderr == "heavy:\n"


@needs_pip
def test_the_test_of_imports_would_see_one(installed: Path, dependencies: Path, elsewhere: Path) -> None:
    code = "import transformers\n" + REPORT_HEAVY_IMPORTS
    done = python(elsewhere, [installed, dependencies], "-c", code, "--version")
    assert "transformers" in done.stderr.partition("heavy:")[2]


@needs_pip
def test_installed_plugins_that_are_broken_or_clash_are_named(
    installed: Path, dependencies: Path, elsewhere: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    broken = write_project(tmp_path / "broken", BROKEN)
    twin = write_project(tmp_path / "twin", DUPLICATE)
    pip_install(site, str(broken), str(twin))
    path = [site, installed, dependencies]

    tasks = python(elsewhere, path, "-m", "socialcli", "tasks")
    assert tasks.returncode == 0
    assert "socialcli: warning: the plug-in acme-broken 0.3 (entry point 'cracked')" in tasks.stderr
    assert "No module named 'a_module_that_nobody_has'" in tasks.stderr

    models = python(elsewhere, path, "-m", "socialcli", "models")
    assert (models.returncode, models.stdout) == (2, "")
    version = PYPROJECT["project"]["version"]
    assert (
        f"the model 'internvl3' is provided by socialcli {version} (entry point 'internvl3') "
        "and by acme-twin 0.3 (entry point 'double')" in models.stderr
    )
    assert python(elsewhere, path, "-m", "socialcli", "validate", "--help").returncode == 0
