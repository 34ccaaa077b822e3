"""The floors of the house: a module imports only from floors below its own, or from its own room."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Each floor, from the bottom, with its rooms: modules of the ground, folders, and the packages of plug-ins. A folder in
# a room (`episodes.checking`) belongs to the room; each verb is a room of its own.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("socialcli", "allocator", "errors", "interrupts", "text_table", "words"),
    ("files", "logs", "schemas"),
    ("episodes", "video", "plots", "signals"),
    ("perturbation",),
    ("alignment", "perception", "tasks"),
    ("attribution", "models", "settings"),
    ("inference", "results"),
    ("plugins",),
    ("api", "stats"),
    ("agreement", "options", "jobs", "synth", "conformance"),
    ("converting", "socialcli_qwen"),  # what several plug-ins share
    ("annotating",),
    (
        *("socialcli_llava_next_video", "socialcli_qwen2_5_vl", "socialcli_internvl3"),
        "socialcli_llama_3_2_vision",
        *("socialcli_llava_onevision", "socialcli_qwen2_vl", "socialcli_qwen3_vl", "socialcli_smolvlm2"),
        "socialcli_gemma_4",
        *("socialcli_mmsi", "socialcli_tracks", "socialcli_tvqa_plus"),
        *("socialcli_faces", "socialcli_people"),
        *("socialcli_light_asd", "socialcli_silero"),
    ),
    ("socialcli_qwen3_5",),  # the frames of Qwen3-VL
    (
        *("verbs.run", "verbs.measure", "verbs.train", "verbs.inspect", "verbs.compare", "verbs.accuracy"),
        *("verbs.validate", "verbs.convert", "verbs.synth", "verbs.models", "verbs.tasks", "verbs.plugins"),
        *("verbs.annotate", "verbs.plugin", "verbs.schema", "verbs.agreement"),
    ),
    ("verbs", "verbs.plan", "verbs.sweep", "verbs.stress"),  # a run without weights, and a run under many settings
    ("cli",),
    ("__main__",),
)

HEAVY = ("torch", "torchvision", "transformers", "peft")


@dataclass(frozen=True)
class Import:
    """One import statement's target; `deferred` where it runs in a function or only for type checkers."""

    target: str
    deferred: bool


def modules() -> dict[str, Path]:
    found = {}
    for base in (ROOT, ROOT / "plugins"):
        for package in sorted(base.glob("socialcli*")):
            for file in sorted(package.rglob("*.py")):
                parts = file.relative_to(base).with_suffix("").parts
                found[".".join(parts).removesuffix(".__init__")] = file
    return found


MODULES = modules()


def imports(module: str) -> Iterator[Import]:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node, deferred in statements(tree.body, False):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, deferred)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield Import(whole if whole in MODULES else base, deferred)


def statements(body: list[ast.stmt], deferred: bool) -> Iterator[tuple[ast.stmt, bool]]:
    for node in body:
        yield node, deferred
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        )
        for field in ("body", "orelse", "finalbody"):
            yield from statements(getattr(node, field, []), deferred or inside)
        for handler in getattr(node, "handlers", []):
            yield from statements(handler.body, deferred)


FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FOLDERS = [module for module, file in MODULES.items() if file.name == "__init__.py" and module.startswith("socialcli.")]


def docstring(module: str) -> str:
    return ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8"))) or ""


def room_of(module: str) -> str:
    """The room that a module is in."""
    package, *rest = module.split(".")
    if package != "socialcli":
        return package
    return ".".join(rest[:2]) if rest[:1] == ["verbs"] else (rest or ["socialcli"])[0]


def inner(module: str) -> list[Import]:
    found = [one for one in imports(module) if one.target in MODULES]
    # Two kinds of modules name what stands above them and import it only when somebody asks for it: `socialcli`, whose
    # lazy names are the roof of the house and not its ground, and a plug-in's hook, whose adapter knows its spec.
    if "." not in module:
        return [one for one in found if not one.deferred]
    return found


def test_the_test_sees_the_imports_of_the_package() -> None:
    assert Import("socialcli.options.listing", False) in list(imports("socialcli.verbs.models.command"))
    assert Import("socialcli.plugins.registry", True) in list(imports("socialcli.cli"))
    assert Import("socialcli_internvl3.adapter", True) in list(imports("socialcli_internvl3"))
    assert Import("socialcli.plugins.builtin", False) in list(imports("socialcli.plugins.discovery"))


def test_every_room_stands_on_a_floor_and_every_floor_has_rooms() -> None:
    assert {room_of(module) for module in MODULES} == set(FLOOR_OF)


def test_a_module_imports_only_from_floors_below_or_from_its_own_room() -> None:
    climbing = []
    for module in MODULES:
        room = room_of(module)
        for one in inner(module):
            other = room_of(one.target)
            if other != room and FLOOR_OF[other] >= FLOOR_OF[room]:
                climbing.append(f"{module} (floor {FLOOR_OF[room]}) imports {one.target} (floor {FLOOR_OF[other]})")
    assert climbing == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_says_what_it_may_import(folder: str) -> None:
    """The last sentence of each `__init__` names the rooms, and folders of other rooms, that its modules import."""
    said = re.search(r"May import: ([^.]*(?:\.\w[^.]*)*)\.\s*\Z", docstring(folder))
    found = set()
    for module in MODULES:
        if module.startswith(folder + ".") and not any(
            module.startswith(other + ".") for other in FOLDERS if other.startswith(folder + ".")
        ):
            found |= {room_of(one.target) for one in inner(module)} - {room_of(folder)}
    assert said, (
        f"{folder}: end the docstring of its __init__ with: May import: {', '.join(sorted(found)) or 'nothing'}."
    )
    assert said[1].split() == (", ".join(sorted(found)) or "nothing").split()


def test_no_folder_holds_more_modules_than_a_reader_can_survey() -> None:
    crowded = {
        folder: count
        for folder in ["socialcli", *FOLDERS]
        if (
            count := sum(
                module.rpartition(".")[0] == folder and MODULES[module].name != "__init__.py" for module in MODULES
            )
        )
        > 15
    }
    assert crowded == {}


def test_no_import_goes_round_in_a_circle() -> None:
    graph = {module: {one.target for one in inner(module)} - {module} for module in MODULES}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle
    assert set(order) == set(MODULES)


def test_exactly_the_modules_marked_torch_import_it() -> None:
    """A module whose docstring begins with "(torch)" imports a heavy library when it is imported; no other does."""
    heavy: set[str] = set()
    for module in TopologicalSorter({name: {one.target for one in inner(name)} for name in MODULES}).static_order():
        now = [one.target for one in imports(module) if not one.deferred]
        if any(target.split(".")[0] in HEAVY or target in heavy for target in now):
            heavy.add(module)
    marked = {module for module in MODULES if docstring(module).startswith("(torch)")}
    assert sorted(heavy - marked) == [], 'begin their docstrings with "(torch)", or import torch in a function'
    folders = {module for module in marked if MODULES[module].name == "__init__.py"}  # said of their modules
    assert sorted(marked - heavy - folders - {"socialcli.models.transformers_internals"}) == []  # only names modules
    assert {"socialcli.alignment.attention", "socialcli_internvl3.adapter"} <= heavy
