"""Reading SA-1B in its published layout: photos with masks, in tars or folders.

A source is a tar (``sa_000000.tar``) or a folder with ``sa_N.jpg`` and ``sa_N.json``.
The headers of a tar are scanned once; images are then read at their offsets.
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
from zim_model.errors import MALFORMED, ZimError

IMAGE, ANNOTATIONS = ".jpg", ".json"


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range of bytes of a file; ``size`` -1 means to the end of the file."""

    path: Path
    offset: int = 0
    size: int = -1

    def read(self) -> bytes:
        """Read the bytes.

        Raises:
            ZimError: the file cannot be read, or ends too early.
        """
        return read_at(self.path, self.offset, self.size)


@dataclass(frozen=True, slots=True)
class Sa1bEntry:
    """An image of a source: its id, such as ``sa_223750``, and its two files."""

    name: str
    image: ByteRange
    annotations: ByteRange


@dataclass(frozen=True, slots=True)
class Sa1bSource:
    """A tar or a folder of images."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedImage:
    """An image with its masks.

    Attributes:
        encoded: bytes of the JPEG file.
        pixels: (H, W, 3) uint8.
        annotations: SA-1B's records; ``segmentation`` is a run-length encoded mask.
    """

    encoded: bytes
    pixels: ByteArray
    annotations: Sequence[dict[str, Any]]


def find_sources(paths: Iterable[Path]) -> list[Sa1bSource]:
    """Find the tars and image folders at and below some paths, sorted by name.

    Raises:
        ZimError: there are none, or two have the same name.
    """
    by_name: dict[str, Sa1bSource] = {}
    for path in paths:
        for source in _sources_at(path):
            other = by_name.setdefault(source.name, source)
            if other.path.resolve() != source.path.resolve():
                raise ZimError(
                    f"{other.path} and {source.path} have the same name.",
                    "Pass only one of them: images would be duplicated.",
                )
    if not by_name:
        raise ZimError(
            f"{', '.join(map(str, paths))}: no SA-1B data found.",
            "Expected tars, or folders with sa_N.jpg and sa_N.json.",
        )
    return [by_name[name] for name in sorted(by_name)]


def _sources_at(path: Path) -> Iterator[Sa1bSource]:
    if path.is_file():
        yield Sa1bSource(path.stem, path)
        return
    for folder, folders, files in os.walk(path):
        folders.sort()
        root = Path(folder)
        for file in sorted(files):
            if file.endswith(".tar"):
                yield Sa1bSource(root.joinpath(file).stem, root / file)
        if any(file.endswith((IMAGE, ANNOTATIONS)) for file in files):
            yield Sa1bSource(root.resolve().name, root)


def list_entries(source: Sa1bSource) -> tuple[list[Sa1bEntry], list[str]]:
    """Return the images of a source, sorted by name, and descriptions of its faults.

    A truncated tar yields the images before the damage.
    """
    faults: list[str] = []
    members = _in_folder(source) if source.path.is_dir() else _in_tar(source, faults)
    files: dict[str, dict[str, ByteRange]] = {}
    for name, byte_range in members:
        stem, suffix = os.path.splitext(name)
        if suffix in (IMAGE, ANNOTATIONS):
            files.setdefault(stem, {})[suffix] = byte_range
    entries = []
    for stem, pair in sorted(files.items()):
        if len(pair) == 2:
            entries.append(Sa1bEntry(stem, pair[IMAGE], pair[ANNOTATIONS]))
        else:
            (missing,) = {IMAGE, ANNOTATIONS} - set(pair)
            faults.append(f"{source.path}: {stem}{missing} is missing.")
    return entries, faults


def _in_folder(source: Sa1bSource) -> Iterator[tuple[str, ByteRange]]:
    for file in os.scandir(source.path):
        yield file.name, ByteRange(Path(file.path))


def _in_tar(source: Sa1bSource, faults: list[str]) -> Iterator[tuple[str, ByteRange]]:
    last = "its start"
    try:
        # Uncompressed only: images are read at their offsets.
        with tarfile.open(source.path, "r:") as tar:
            for member in tar:
                if member.isreg():
                    last = PurePosixPath(member.name).name
                    yield last, ByteRange(source.path, member.offset_data, member.size)
    except (OSError, ValueError, OverflowError, tarfile.TarError) as error:
        faults.append(f"{source.path} is damaged after {last}: {error}.")


def is_selected(name: str, fraction: float) -> bool:
    """Return whether an image or mask belongs to a fraction of the data set.

    The selection is a hash of its name: a larger fraction contains each smaller one.
    """
    encoded = name.encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(encoded, digest_size=8).digest()
    return int.from_bytes(digest, "big") < fraction * 2**64


def read_entry(entry: Sa1bEntry) -> AnnotatedImage:
    """Read an image with its masks; these stay encoded.

    Raises:
        ZimError: a file is damaged, or the sizes in the two files differ.
    """
    encoded = entry.image.read()
    try:
        with Image.open(io.BytesIO(encoded)) as file:
            pixels = np.asarray(file.convert("RGB"), np.uint8)
    except Exception as error:  # Pillow raises many kinds for a bad file
        raise ZimError(f"{entry.name}{IMAGE} cannot be read: {error}.") from error
    try:
        data = json.loads(entry.annotations.read())
        size = (int(data["image"]["height"]), int(data["image"]["width"]))
        annotations = [dict(each) for each in data["annotations"]]
    except MALFORMED as error:
        raise ZimError(
            f"{entry.name}{ANNOTATIONS} cannot be read: {error!r}."
        ) from error
    if size != pixels.shape[:2]:
        raise ZimError(
            f"{entry.name}{ANNOTATIONS} belongs to an image of {size[1]} x {size[0]}"
            f" pixels, but {entry.name}{IMAGE} has"
            f" {pixels.shape[1]} x {pixels.shape[0]}."
        )
    return AnnotatedImage(encoded, pixels, annotations)
