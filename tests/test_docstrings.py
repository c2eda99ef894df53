"""Docstrings: public names have one, and its first words say what the thing does instead of asking."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOT_OURS = {"__pycache__", "migrations"}
"""Folders of `jobs` whose modules Python and Django generate."""
PACKAGES = (
    *sorted(f"jobs/{path.name}" for path in (ROOT / "jobs").iterdir() if path.name not in NOT_OURS),
    "translator",
)
"""Every module and package of `jobs`, and `translator`."""
TESTS = ("tests",)
"""Tests, whose functions may go without a docstring."""
OF_DJANGO = {"add_arguments", "handle", "lookups", "queryset", "get_readonly_fields", "Meta"} | {
    f"has_{action}_permission" for action in ("add", "change", "delete")
}
"""Names that Django calls and documents: implementations need no docstring of their own."""
QUESTION = re.compile(r"(What|Who|Whose|Where|When|How|Which|Why|Is|Are)\b")

Sentence = tuple[str, str, bool]
"""A name, its docstring, and whether it must have one."""

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def sentences(tree: ast.Module) -> Iterator[Sentence]:
    """The docstrings of a module, of its classes and functions, and of the values that a string follows."""
    for node, public in documented(tree):
        yield "the module" if isinstance(node, ast.Module) else node.name, ast.get_docstring(node) or "", public
        for value, text in pairwise(node.body):
            if (
                isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
                and isinstance(text.value.value, str)
            ):
                yield ast.unparse(value).split(" =")[0][:60], text.value.value, False


def documented(tree: ast.Module) -> Iterator[tuple[Documented, bool]]:
    """The module, its classes, functions and methods, each with whether it is public."""
    yield tree, True
    waiting: list[tuple[ast.AST, bool]] = [(tree, True)]
    while waiting:
        parent, public = waiting.pop()
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                named = public and not node.name.startswith("_")
                yield node, named
                waiting.append((node, named and isinstance(node, ast.ClassDef)))


@pytest.mark.parametrize("package", [*PACKAGES, *TESTS])
def test_docstrings_are_there_and_ask_nothing(package: str) -> None:
    wrong = []
    place = ROOT / package
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        for name, text, public in sentences(ast.parse(path.read_text())):
            first = text.split("\n\n")[0].rstrip()
            is_missing = public and not text and package in PACKAGES and name not in OF_DJANGO
            if is_missing or QUESTION.match(first) or first.endswith("?"):
                wrong.append(f"{path.relative_to(ROOT)}: {name}: {first or 'no docstring'}")
    assert not wrong, "\n".join(wrong)
