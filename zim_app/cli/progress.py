"""Progress bars on the standard error stream, and lines printed beside them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(unit: str, *, total: int | None = None, **options: Any) -> tqdm[Any]:
    """A bar to use as a context manager; shows nothing where there is no terminal.

    Args:
        unit: of what is counted, such as ``photo``.
        total: None while unknown.
        options: of ``tqdm``.
    """
    from tqdm import tqdm  # slow to import

    return tqdm(
        total=total,
        unit=unit,
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        dynamic_ncols=True,
        **options,
    )


def advance_to(bar: tqdm[Any], done: int, total: int, detail: str = "") -> None:
    """Show that ``done`` of ``total`` are finished, with a detail after the times."""
    bar.total = total
    if detail:
        bar.set_postfix_str(detail, refresh=False)
    bar.update(done - bar.n)


def start_at(bar: tqdm[Any], done: int, total: int) -> None:
    """Begin with ``done`` of ``total`` finished before; the time left ignores them."""
    bar.reset(total)
    bar.n = bar.initial = bar.last_print_n = done
    bar.refresh()


def one_line(text: str) -> str:
    """A text as one line that does not control the terminal, as a file's name may."""
    shown = (c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))
    return "".join(shown)


def about(name: object, text: str) -> str:
    """A sentence about a file, as one line that names the file once, in front.

    Args:
        name: of the file, or its path.
        text: may begin with either by itself, as errors about a whole file do.
    """
    path, line = one_line(str(name)), one_line(text)
    for known in filter(None, (path, one_line(Path(str(name)).name))):
        if line.startswith((f"{known} ", f"{known}:", f"{known},")):
            return path + line[len(known) :]
    return f"{path}: {line}"


def print_line(line: str, file: TextIO | None = None) -> None:
    """Print a line above the bars, by default on the standard error stream."""
    from tqdm import tqdm

    file = file or sys.stderr
    with tqdm.external_write_mode(file):
        print(line, file=file, flush=True)
