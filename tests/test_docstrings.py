"""What the docstrings of public functions must tell: shapes of arrays, and what is raised."""

import ast
import re

import pytest

from tests.test_house import MODULES, room, tree

ARRAYS = re.compile(r"\b(NDArray|ArrayLike|Image|Row|Column|Mask|Rows|Profiles)\b")
SHAPE = re.compile(r"\((\[?n_|\d|\.\.\.|\*)|[Ss]ame shape|shape of|broadcast")
#: The checks of parameters tell in one place what they do.
ROOMS = (
    "data",
    "engine",
    "modes",
    "products",
    "references",
    "extraction",
    "analysis",
    "fluxcal",
    "combine",
    "pipeline",
)


def public_functions():
    for module in MODULES:
        if room(module) not in ROOMS:
            continue
        listed = [
            element.value
            for node in tree(module).body
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
            for element in ast.walk(node.value)
            if isinstance(element, ast.Constant)
        ]
        for node in tree(module).body:
            if isinstance(node, ast.FunctionDef) and node.name in listed:
                yield pytest.param(node, id=f"{module.removeprefix('jdaviz_lrs.')}.{node.name}")


def raises_lrs_error(node):
    own = (one for one in ast.walk(node) if isinstance(one, ast.Raise) and isinstance(one.exc, ast.Call))
    return any(getattr(one.exc.func, "id", "") == "LRSError" for one in own)


@pytest.mark.parametrize("function", [*public_functions()])
def test_shapes_and_errors_are_told(function):
    told = ast.get_docstring(function)
    assert told, "no docstring"
    if raises_lrs_error(function):
        assert "Raises\n------\nLRSError" in told
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    annotations = [ast.unparse(one.annotation) for one in arguments if one.annotation]
    if any(ARRAYS.search(one) for one in annotations):
        assert SHAPE.search(told), "no shape"
