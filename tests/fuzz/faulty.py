"""Readers with faults, which the tests of the tests must find."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from random import Random

from tests.fuzz.mutation import OUTSIDE
from tests.fuzz.reader import Reader


def _make(rng: Random, folder: Path) -> Path:
    del rng
    return folder


def _raise(folder: Path) -> None:
    {}[folder]


def _hang(folder: Path) -> None:
    while folder:
        pass


def _crash(folder: Path) -> None:
    del folder
    ctypes.string_at(0)


def _leak(folder: Path) -> None:
    bytearray(8 << 30)[0] = len(folder.parts)


def _write(folder: Path) -> None:
    (folder.parent / "a").write_bytes(b"x")


def _read(folder: Path) -> None:
    del folder
    try:
        (OUTSIDE / "secret.png").read_bytes()
    except OSError:
        return


def _run(folder: Path) -> None:
    subprocess.run(["true"], cwd=folder, check=True)


READERS = tuple(
    Reader(name, _make, read)
    for name, read in (
        *(("raises", _raise), ("hangs", _hang), ("crashes", _crash)),
        *(("leaks", _leak), ("writes", _write), ("reads", _read), ("runs", _run)),
    )
)
