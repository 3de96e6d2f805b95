"""The documentation's site: its pages, the table of models, and the notebook."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from docs.site_hooks import ROLE, notebook_page, site_files
from zim_model.evaluation.published import MICROMAT
from zim_model.weights.catalogue import MODELS, ModelInfo

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
ELSEWHERE = {"docs/adr"}
"""Folders whose pages are reached from a list on another page."""


def nav_pages(entries: list[object]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for value in entry.values():
                yield from nav_pages(value if isinstance(value, list) else [value])


@pytest.fixture(scope="module")
def config() -> dict[str, object]:
    found = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def pages() -> set[str]:
    files = site_files()
    notebooks = {p.with_suffix(".md") for p in files if p.suffix == ".ipynb"}
    return {p.as_posix() for p in {*files, *notebooks} if p.suffix == ".md"}


def test_every_page_is_in_the_navigation_once(config: dict, pages: set[str]) -> None:
    listed = list(nav_pages(config["nav"]))
    assert len(listed) == len(set(listed))
    folders = {page for page in pages if page.rpartition("/")[0] in ELSEWHERE}
    assert {*listed} == pages - folders


def test_links_of_pages_lead_to_files_of_the_site(pages: set[str]) -> None:
    """With their anchors; MkDocs says so too, where it is installed."""
    known = {path.as_posix() for path in site_files()} | pages
    for page in pages:
        path = ROOT / page
        if not path.is_file():
            continue
        text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if link.startswith(("http:", "https:")):
                continue
            target, _, anchor = link.partition("#")
            found = os.path.normpath(path.parent / target) if target else str(path)
            name = Path(found).relative_to(ROOT).as_posix()
            assert name in known, f"{page}: {link}"
            if anchor:
                assert anchor in anchors(ROOT / name), f"{page}: {link}"


def anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {
        re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title.lower())).strip("-")
        for title in titles
    }


def test_names_of_the_reference_exist_and_are_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    names = re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE)
    assert len(names) > 20
    for name in names:
        module, _, attribute = name.rpartition(".")
        found = getattr(importlib.import_module(module), attribute)
        assert found.__doc__, name
        assert found.__module__ == module, f"{name} is defined elsewhere"


def test_the_reference_has_every_public_name() -> None:
    import zim_model

    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    for name in set(zim_model.__all__) - {"__version__"}:
        assert re.search(rf"^::: [\w.]+\.{name}$", text, re.MULTILINE), name
        assert name in dir(zim_model)


def test_roles_become_code() -> None:
    assert ROLE.sub(r"<code>\1</code>", "see :func:<code>~.x.run</code>") == (
        "see <code>x.run</code>"
    )


# --- Models ---------------------------------------------------------------------------


def line(model: ModelInfo) -> str:
    """The line of a model in the table of docs/model_zoo.md."""
    licence = f"[{model.licence.name}]({model.licence.url})"
    paid = "yes" if model.licence.commercial else "no"
    size = f"{model.size / 1e6:,.0f} MB"
    return (
        f"| [{model.title}]({model.source}) | `{model.name}` | {model.description} "
        f"| {licence} | {paid} | {size} |"
    )


def test_the_model_zoo_is_the_catalogue() -> None:
    text = (ROOT / "docs" / "model_zoo.md").read_text("utf-8")
    table = text.partition("## Weights")[2].partition("## ")[0]
    lines = [x for x in table.splitlines() if x.startswith("| [")]
    assert lines == [line(model) for model in MODELS]


def test_the_numbers_of_the_model_zoo_are_those_of_their_sources() -> None:
    text = (ROOT / "docs" / "model_zoo.md").read_text("utf-8")
    rows = re.findall(r"^\| (ZIM|SAM) ViT-B \| (point|box) \| (.*) \|$", text, re.M)
    assert len(rows) == 4
    for system, prompt, cells in rows:
        values = [float(cell) for cell in cells.split(" | ")]
        published = [
            row.means[name]
            for subset in ("fine", "coarse")
            for row in MICROMAT
            if (row.system, row.prompt, row.subset) == (system, prompt, subset)
            for name in ("SAD", "MSE", "Grad")
        ]
        assert values == published
    card = (ROOT / "assets" / "models" / "zim-tiny.md").read_text("utf-8")
    (own,) = re.findall(r"^\| zim-tiny, 377 regions \| (.*) \|$", text, re.M)
    assert f"| zim-tiny | {own} |" in card
    (own,) = re.findall(r"^\| zim-tiny, 180 regions \| (.*) \|$", text, re.M)
    assert f"| zim-tiny | {own} |" in card


# --- Notebooks ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    """All its code, in order, in a process of its own."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    assert len(code) > 4
    (tmp_path / "notebook.py").write_text("\n".join(code), "utf-8")
    done = subprocess.run(
        [sys.executable, "notebook.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "3 clicks:" in done.stdout
    assert "95 %" in done.stdout
    (report,) = tmp_path.glob("*/results/report.html")
    assert "Wilcoxon" in report.read_text("utf-8")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_stored_without_results(notebook: Path) -> None:
    data = json.loads(notebook.read_text("utf-8"))
    assert data["nbformat"] == 4
    for cell in data["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    page = notebook_page(notebook)
    assert page.startswith("# ")
    assert page.count("```") == 2 * sum(
        cell["cell_type"] == "code" for cell in data["cells"]
    )
