"""The rules that keep the packages apart and the files readable, checked by reading."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("zim_model", "zim_app", "training")
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
FILES = sorted(
    [*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
)

VALUES = {"zim_model"}
NETWORK = {*VALUES, "zim_model.runtime", "zim_model.network"}
WEIGHTS = {*NETWORK, "zim_model.weights"}
BACKENDS = {*WEIGHTS, "zim_model.backends"}
INFERENCE = {
    *(*BACKENDS, "zim_model.onnx", "zim_model.matting", "zim_model.conversion"),
    "zim_model.inference",
}
ENGINE = {
    *(*INFERENCE, "zim_model.evaluation", "zim_model.install"),
    "zim_model.medical",
}
MAY_IMPORT = {
    "zim_model": VALUES,
    "zim_model.__init__": {*ENGINE, "zim_app.core"},
    "zim_model.runtime": {*VALUES, "zim_model.runtime"},
    "zim_model.matting": {*VALUES, "zim_model.runtime", "zim_model.matting"},
    "zim_model.network": NETWORK,
    "zim_model.weights": WEIGHTS,
    "zim_model.install": {*WEIGHTS, "zim_model.onnx"},
    "zim_model.conversion": {*WEIGHTS, "zim_model.matting", "zim_model.conversion"},
    "zim_model.backends": BACKENDS,
    "zim_model.onnx": {*BACKENDS, "zim_model.onnx"},
    "zim_model.inference": INFERENCE,
    "zim_model.medical": {*VALUES, "zim_model.runtime", "zim_model.medical"},
    "zim_model.evaluation": {
        *INFERENCE,
        "zim_model.medical",
        "zim_model.evaluation",
    },
    "training": {"training", "zim_app.core", *ENGINE},
    "zim_app": set(),
    "zim_app.core": {"zim_app.core", *ENGINE},
    "zim_app.cli": {"zim_app.cli", "zim_app.core", *ENGINE},
    "zim_app.gui": {"zim_app.gui", "zim_app.core", *ENGINE},
    "zim_app.__main__": {"zim_model", "zim_app.gui", "zim_app.cli"},
    "zim_app.translations": {"zim_app.translations"},
}
"""Layer to the layers it may use, anywhere in its code.

The facade ``zim_model`` alone reaches up: ``zim_model.remove`` decodes files and makes
cut-outs as the studio does, which ``zim_app.core`` holds, and loads it on first use.
"""
LAYERS = set(MAY_IMPORT) - {"zim_model.__init__"}

QT = {"PySide6", "shiboken6", "qtpy", "qtawesome", "superqt"}
SLOW = {"torch", "onnxruntime", "numba", "transformers", "ray"}

FILE_BUDGET = 500
FUNCTION_BUDGET = 80


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path) for path in SOURCES}


def layer_of(module: str) -> str:
    layers = [x for x in MAY_IMPORT if module == x or module.startswith(f"{x}.")]
    return max(layers, key=len)


def imports(path: Path, nodes: Iterator[ast.AST]) -> set[str]:
    """Modules named by the import statements among ``nodes``, as absolute names."""
    imported = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = name_of(path).split(".")
            if path.name != "__init__.py":
                package.pop()
            parents = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*parents, *filter(None, [node.module])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                imported.add(full if full in MODULES else base)
    return imported


def run_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run when a module is imported: no bodies of functions or of
    ``if TYPE_CHECKING``.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from run_at_import(node)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def roots(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_module_imports_only_what_its_layer_may(path: Path) -> None:
    used = imports(path, ast.walk(parsed(path)))
    layer = layer_of(name_of(path))
    if path == ROOT / "zim_model" / "__init__.py":  # offers what lies above the values
        layer = "zim_model.__init__"
    own = {module for module in used if module.partition(".")[0] in PACKAGES}
    strange = {x for x in own if layer_of(x) not in MAY_IMPORT[layer]}
    assert not strange
    assert not roots(used) & {"tests", "benchmarks"}
    if layer not in ("zim_app.gui", "zim_app.__main__"):
        assert not roots(used) & QT


def test_modules_have_no_import_cycle() -> None:
    """Not even one of types: what depends on each other cannot be read apart."""
    graph = {
        name_of(x): imports(x, ast.walk(parsed(x))) - {name_of(x)} for x in SOURCES
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names a cycle


@pytest.mark.parametrize(
    "path", [x for x in SOURCES if name_of(x).startswith("zim_app")], ids=name_of
)
def test_application_imports_nothing_slow_at_module_level(path: Path) -> None:
    assert not roots(imports(path, run_at_import(parsed(path)))) & SLOW


@pytest.mark.parametrize("package", ["zim_app", "zim_model"])
def test_importing_does_not_load_torch(package: str) -> None:
    """The window appears before the model loads: nothing may pull torch in early."""
    modules = {x for x in MODULES if x.startswith("zim_app")}
    names = sorted(modules if package == "zim_app" else {package})
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        f"    loaded = {SLOW!r} & set(sys.modules)\n"
        "    assert not loaded, f'{name} loads {loaded}'\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_window_starts_without_qtpy() -> None:
    """qtawesome and superqt cost it up to half a second, see docs/adr/0020."""
    code = (
        "import sys, zim_app.gui.app\n"
        "assert not {'qtpy', 'qtawesome', 'superqt'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_file_keeps_the_budgets(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= FILE_BUDGET
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            assert lines <= FUNCTION_BUDGET, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_file_leaves_nothing_for_later(path: Path) -> None:
    assert path.stem not in ("utils", "helpers", "misc", "common")
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline)
    for token in tokens:
        if token.type == tokenize.COMMENT:
            assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", token.string), token


def test_no_two_layers_may_import_each_other() -> None:
    pairs = {(layer, used) for layer in LAYERS for used in MAY_IMPORT[layer] - {layer}}
    assert not {(layer, used) for layer, used in pairs if (used, layer) in pairs}


def test_rules_see_the_packages() -> None:
    """An empty walk would pass every rule above."""
    assert {"zim_model.prompts", "zim_app.core.scene", "training"} <= MODULES
    assert layer_of("zim_app.core.scene") == "zim_app.core"
    assert layer_of("zim_model.inference.engine") == "zim_model.inference"
    assert all(any(layer_of(x) == layer for x in MODULES) for layer in LAYERS)
    assert layer_of("zim_app.cli.main") == "zim_app.cli"
    values = {x for x in MODULES if layer_of(x) in ("zim_model", "zim_app")}
    assert all(x.count(".") <= 1 for x in values), "a package that no layer names"
