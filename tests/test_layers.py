"""The floors of the house: a module imports only from floors below its own, or from its own room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent

# Each floor, from the bottom; each room, with the modules in it. A package stands for all its modules that no other
# room claims.
FLOORS: tuple[dict[str, tuple[str, ...]], ...] = (
    {
        "socialcli": ("socialcli",),
        "errors": ("socialcli.errors",),
        "words": ("socialcli.words",),
    },
    {
        "files": ("socialcli.files",),
        "logs": ("socialcli.logs",),
        "records": ("socialcli.episodes.records", "socialcli.episodes.tracks"),
        "schemas": ("socialcli_schemas",),
    },
    {
        "episodes": ("socialcli.episodes",),
        "video": ("socialcli.video",),
        "tasks": ("socialcli.tasks",),
        "alignment": ("socialcli.alignment",),
        "options": ("socialcli.options",),
    },
    {
        "adapters": ("socialcli.adapters",),
        "runs": ("socialcli.runs",),
    },
    {
        "plugins": (
            "socialcli.hookspecs",
            "socialcli.builtin",
            "socialcli.discovery",
            "socialcli.plugins",
        ),
        "plots": ("socialcli.plots",),
        "synth": ("socialcli.synth",),
        "converting": ("socialcli.converting",),
    },
    {
        "inference": ("socialcli.inference",),
        "llava": ("socialcli_llava_next_video",),
        "qwen": ("socialcli_qwen2_5_vl",),
        "internvl": ("socialcli_internvl3",),
        "tvqa-plus": ("socialcli_tvqa_plus",),
        "mmsi": ("socialcli_mmsi",),
        "tracks": ("socialcli_tracks",),
    },
    {"training": ("socialcli.training",)},
    {
        "engines": ("socialcli.engines",),
        "api": ("socialcli.api",),
        "inspection": ("socialcli.inspection",),
    },
    {"commands": ("socialcli.commands",)},
    {"cli": ("socialcli.cli", "socialcli.signals", "socialcli.variables", "socialcli.__main__")},
)

HEAVY = ("torch", "torchvision", "transformers", "peft")
MAY_IMPORT_TORCH = (
    "socialcli.adapters.huggingface",
    "socialcli.adapters.library",
    "socialcli.adapters.lora",
    "socialcli.adapters.trial",
    "socialcli.adapters.weights",
    "socialcli.alignment.attention",
    "socialcli.alignment.batch",
    "socialcli.alignment.correction",
    "socialcli.alignment.report",
    "socialcli.alignment.kernels",
    "socialcli.alignment.measuring",
    "socialcli.alignment.tracing",
    "socialcli.engines.asking",  # through socialcli.inference
    "socialcli.engines.invariance",  # through socialcli.inference
    "socialcli.engines.local",  # through socialcli.inference
    "socialcli.engines.planning",  # through socialcli.inference
    "socialcli.engines.measuring",  # through socialcli.inference
    "socialcli.engines.training",
    "socialcli.inference",
    "socialcli.inspection.attending",  # through socialcli.inference
    "socialcli.inspection.walking",  # through socialcli.inference
    "socialcli.training.judging",  # through socialcli.inference
    "socialcli.training.learning",
    "socialcli.training.lessons",  # through socialcli.inference
    "socialcli.training.preparing",  # through socialcli.inference
    "socialcli.training.rows",
    "socialcli.training.state",
    "socialcli.training.step",
    "socialcli_internvl3.adapter",
    "socialcli_llava_next_video.adapter",
    "socialcli_qwen2_5_vl.adapter",
)


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


def place(module: str) -> tuple[int, str]:
    claims = [
        (len(prefix), floor, room)
        for floor, rooms in enumerate(FLOORS)
        for room, prefixes in rooms.items()
        for prefix in prefixes
        if module == prefix or (prefix != "socialcli" and module.startswith(prefix + "."))
    ]
    assert claims, f"{module} stands on no floor; give it a place in the table of this test"
    _, floor, room = max(claims)
    return floor, room


def inner(module: str) -> list[Import]:
    found = [one for one in imports(module) if one.target in MODULES]
    # Two kinds of modules name what stands above them and import it only when somebody asks for it: `socialcli`, whose
    # lazy names are the roof of the house and not its ground, and a plug-in's hook, whose adapter knows its spec.
    if "." not in module:
        return [one for one in found if not one.deferred]
    return found


def test_the_test_sees_the_imports_of_the_package() -> None:
    assert Import("socialcli.commands.listing", False) in list(imports("socialcli.commands.models"))
    assert Import("socialcli.plugins", True) in list(imports("socialcli.cli"))
    assert Import("socialcli_internvl3.adapter", True) in list(imports("socialcli_internvl3"))
    assert Import("socialcli.builtin", False) in list(imports("socialcli.discovery"))


def test_a_module_imports_only_from_floors_below_or_from_its_own_room() -> None:
    climbing = []
    for module in MODULES:
        floor, room = place(module)
        for one in inner(module):
            its_floor, its_room = place(one.target)
            if its_room != room and its_floor >= floor:
                climbing.append(f"{module} (floor {floor}) imports {one.target} (floor {its_floor})")
    assert climbing == []


def test_no_import_goes_round_in_a_circle() -> None:
    graph = {module: {one.target for one in inner(module)} - {module} for module in MODULES}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle
    assert set(order) == set(MODULES)


def test_only_the_marked_modules_import_torch() -> None:
    heavy: set[str] = set()
    for module in TopologicalSorter({name: {one.target for one in inner(name)} for name in MODULES}).static_order():
        now = [one.target for one in imports(module) if not one.deferred]
        if any(target.split(".")[0] in HEAVY or target in heavy for target in now):
            heavy.add(module)
    unmarked = [one for one in heavy if not any(one == name or one.startswith(name + ".") for name in MAY_IMPORT_TORCH)]
    assert sorted(unmarked) == []
    assert {"socialcli.alignment.attention", "socialcli_internvl3.adapter"} <= heavy
