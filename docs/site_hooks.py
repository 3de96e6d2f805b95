"""Hooks of MkDocs: the repository's documents become the pages of the site.

Pages have the paths of their files, so that links between them hold as they stand, on
the site and where the repository is read.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CONTEXT.md"),
    *("LICENSE", "NOTICE", "CITATION.cff", "Dockerfile"),
    *("docs/**/*.md", "docs/images/**/*.*", "docs/notebooks/*.ipynb"),
    *("training/*.md", "assets/models/*.md", "assets/samples/*.*"),
)
"""What the site consists of, as patterns of files in the repository."""
ROLE = re.compile(r":(?:func|class|mod|meth|data|attr|exc):<code>[~.]*([^<]+)</code>")


def site_files() -> list[Path]:
    """The files of the site, relative to the repository, without the notebooks' pages.

    A notebook ``x.ipynb`` is a page ``x.md`` as well, see :func:`notebook_page`.
    """
    found = (path for pattern in SOURCES for path in sorted(ROOT.glob(pattern)))
    return [path.relative_to(ROOT) for path in found]


def notebook_page(notebook: Path) -> str:
    """A notebook as Markdown: texts as they are, code as examples."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    parts = [
        f"```python\n{''.join(cell['source'])}\n```"
        if cell["cell_type"] == "code"
        else "".join(cell["source"])
        for cell in cells
    ]
    return "\n\n".join([*parts, f"[Download this notebook]({notebook.name})\n"])


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the files below docs_dir with those of the repository."""
    from mkdocs.structure.files import File

    for file in list(files):
        if file.src_dir == config.docs_dir:  # others are the theme's
            files.remove(file)
    for path in site_files():
        uri = path.as_posix()
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / path)))
        if path.suffix == ".ipynb":
            page = File.generated(
                config,
                path.with_suffix(".md").as_posix(),
                content=notebook_page(ROOT / path),
            )
            files.append(page)
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Show roles of Sphinx in docstrings as code, and no marks of literal blocks."""
    return ROLE.sub(r"<code>\1</code>", html).replace("<p>::</p>", "")
