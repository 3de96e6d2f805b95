"""What a reader under test is: a generator of its input, and the call that reads it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from zim_model.errors import ZimError

FAMILIES = (
    *("documents", "tables", "journals", "labels", "models", "runs", "settings"),
    *("weights", "pictures"),
)
"""Modules of this package with ``READERS``, those that import quickly first."""


@dataclass(frozen=True)
class Reader:
    """A reader of files.

    Attributes:
        name: on the command line.
        make: writes an input into the folder; returns the argument of ``read``.  The
            same generator gives the same input.
        read: reads it, and uses what was read as the program does.
        refusals: exceptions that are documented for bad input.
        memory: bytes of address space that reading may take.
    """

    name: str
    make: Callable[[Random, Path], Any]
    read: Callable[[Any], object]
    refusals: tuple[type[Exception], ...] = (ZimError,)
    memory: int = 1 << 30


def all_readers() -> dict[str, str]:
    """The family of each reader, by its name."""
    return {name: family for family in FAMILIES for name in load_family(family)}


def load_family(family: str) -> dict[str, Reader]:
    """The readers of a module of this package, by name."""
    module = importlib.import_module(f"tests.fuzz.{family}")
    return {reader.name: reader for reader in module.READERS}
