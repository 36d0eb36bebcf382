"""The plan of the house: who may import whom, and where sentences are written."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "jdaviz_lrs"

#: From the ground up; a room imports from those before it, and from itself.
FLOORS = (
    "errors",
    "modes",
    "engine",
    "data",
    "parameters",
    "products",
    "references",
    "extraction",
    "analysis",
    "fluxcal",
    "combine",
    "batch",
    "pipeline",
    "simulate",
    "panel",
    "app",
    "cli",
)

MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """Modules of the package that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return frozenset(found & {*MODULES}) - {module}


def test_every_room_is_on_the_plan():
    assert {room(module) for module in MODULES} - {""} == {*FLOORS} & {room(module) for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_no_arrow_runs_up(module):
    if not room(module):
        return  # the package's own names are imported when they are asked for
    allowed = FLOORS[: FLOORS.index(room(module)) + 1]
    upward = {other for other in imports(module) if room(other) not in (*allowed, "")}
    assert not upward


def test_no_module_imports_itself_by_way_of_others():
    graph = {module: {other for other in imports(module) if room(other)} for module in MODULES}
    assert [*TopologicalSorter(graph).static_order()]  # raises CycleError


def sentences(module: str) -> list[str]:
    """What a module says beside its docstrings."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    bare = {id(node.value) for node in ast.walk(tree(module)) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if id(node) not in docstrings | bare and len(node.value.split()) > 3
    ]


@pytest.mark.parametrize("module", [module for module in MODULES if room(module) == "engine"])
def test_the_engine_has_no_sentences(module):
    assert not sentences(module)


#: What jdaviz hides, and there is no other way to: a plugin, a viewer, the app, its readout, a mouse event;
#: and what reacton keeps of it.
OF_JDAVIZ = {"_obj", "_app", "_on_mouse_interaction", "_reference_id", "_tools", "_callback_wrappers"}


@pytest.mark.parametrize(
    "path", sorted((PACKAGE.parent / "tests" / "panel").rglob("*.py")), ids=lambda path: path.name
)
def test_tests_of_the_panel_read_no_private_state(path):
    private = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")
        if not (isinstance(node.value, ast.Name) and node.value.id == "self")
    }
    assert private <= OF_JDAVIZ
