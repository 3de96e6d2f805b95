"""Reading SA-1B as it is published: photographs with masks, in tars or folders.

A source is a tar (``sa_000000.tar``) or a folder with ``sa_N.jpg`` and ``sa_N.json``.
A tar is looked through once by its headers; pictures are then read where they lie.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from training.sa1b_matte.shards import read_at
from zim_model.arrays import ByteArray
from zim_model.errors import ZimError

IMAGE, ANNOTATIONS = ".jpg", ".json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where some bytes lie; ``size`` -1 means to the end of the file."""

    path: Path
    offset: int = 0
    size: int = -1

    def read(self) -> bytes:
        """The bytes.

        Raises:
            ZimError: the file cannot be read, or ends too early.
        """
        return read_at(self.path, self.offset, self.size)


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture of a source: its id, such as ``sa_223750``, and its two files."""

    name: str
    image: Place
    annotations: Place


@dataclass(frozen=True, slots=True)
class Source:
    """A tar or a folder of pictures."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True, eq=False)
class Annotated:
    """A picture with its masks.

    Attributes:
        encoded: the JPEG file's bytes.
        pixels: (H, W, 3) uint8.
        annotations: SA-1B's records, ``segmentation`` being a run-length mask.
    """

    encoded: bytes
    pixels: ByteArray
    annotations: Sequence[dict[str, Any]]


def find_sources(paths: Iterable[Path]) -> list[Source]:
    """The tars and folders of pictures at and below some paths, by name.

    Raises:
        ZimError: there are none, or two have the same name.
    """
    named: dict[str, Source] = {}
    for path in paths:
        for source in _sources_at(path):
            other = named.setdefault(source.name, source)
            if other.path.resolve() != source.path.resolve():
                raise ZimError(
                    f"{other.path} and {source.path} have the same name.",
                    "Give one of them alone: pictures would come twice.",
                )
    if not named:
        raise ZimError(
            f"{', '.join(map(str, paths))}: no SA-1B here.",
            "It needs tars, or folders with sa_N.jpg and sa_N.json.",
        )
    return [named[name] for name in sorted(named)]


def _sources_at(path: Path) -> Iterator[Source]:
    if path.is_file():
        yield Source(path.stem, path)
        return
    for folder, folders, files in os.walk(path):
        folders.sort()
        here = Path(folder)
        for file in sorted(files):
            if file.endswith(".tar"):
                yield Source(here.joinpath(file).stem, here / file)
        if any(file.endswith((IMAGE, ANNOTATIONS)) for file in files):
            yield Source(here.resolve().name, here)


def entries_of(source: Source) -> tuple[list[Entry], list[str]]:
    """The pictures of a source, by name, and what is wrong with it, in words.

    A broken tar gives what lies before the break.
    """
    faults: list[str] = []
    found = _in_folder(source) if source.path.is_dir() else _in_tar(source, faults)
    files: dict[str, dict[str, Place]] = {}
    for name, place in found:
        stem, suffix = os.path.splitext(name)
        if suffix in (IMAGE, ANNOTATIONS):
            files.setdefault(stem, {})[suffix] = place
    entries = []
    for stem, pair in sorted(files.items()):
        if len(pair) == 2:
            entries.append(Entry(stem, pair[IMAGE], pair[ANNOTATIONS]))
        else:
            (missing,) = {IMAGE, ANNOTATIONS} - set(pair)
            faults.append(f"{source.path}: {stem}{missing} is missing.")
    return entries, faults


def _in_folder(source: Source) -> Iterator[tuple[str, Place]]:
    for file in os.scandir(source.path):
        yield file.name, Place(Path(file.path))


def _in_tar(source: Source, faults: list[str]) -> Iterator[tuple[str, Place]]:
    last = "its start"
    try:
        # No compression: pictures are read where they lie.
        with tarfile.open(source.path, "r:") as tar:
            for member in tar:
                if member.isreg():
                    last = PurePosixPath(member.name).name
                    yield last, Place(source.path, member.offset_data, member.size)
    except (OSError, tarfile.TarError) as error:
        faults.append(f"{source.path} is broken after {last}: {error}.")


def chosen(name: str, fraction: float) -> bool:
    """Whether a picture belongs to the fraction.

    The choice depends on the id alone: it is the same everywhere, and a larger
    fraction holds all of a smaller one.
    """
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < fraction * 2**64


def read_entry(entry: Entry) -> Annotated:
    """A picture with its masks, which are not decoded yet.

    Raises:
        ZimError: a file is damaged, or the two are not of one picture.
    """
    encoded = entry.image.read()
    try:
        with Image.open(io.BytesIO(encoded)) as file:
            pixels = np.asarray(file.convert("RGB"), np.uint8)
    except (OSError, ValueError, SyntaxError) as error:
        raise ZimError(f"{entry.name}{IMAGE} cannot be read: {error}.") from error
    try:
        data = json.loads(entry.annotations.read())
        size = (int(data["image"]["height"]), int(data["image"]["width"]))
        annotations = [dict(each) for each in data["annotations"]]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ZimError(
            f"{entry.name}{ANNOTATIONS} cannot be read: {error!r}."
        ) from error
    if size != pixels.shape[:2]:
        raise ZimError(
            f"{entry.name}{ANNOTATIONS} is of a picture of {size[1]} x {size[0]}"
            f" pixels, and {entry.name}{IMAGE} has"
            f" {pixels.shape[1]} x {pixels.shape[0]}."
        )
    return Annotated(encoded, pixels, annotations)
