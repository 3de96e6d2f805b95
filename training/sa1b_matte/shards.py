"""Shards of SA1B-Matte: tars of images with one soft matte per mask.

Of an image ``sa_1`` a shard holds the mattes' crops ``sa_1.000.png``, ``sa_1.001.png``,
..., then ``sa_1.jpg`` and ``sa_1.json``, in the order that WebDataset readers can
stream. ``NAME.json`` next to ``NAME.tar`` is its report, with the offset of each
image's JSON; ``manifest.json`` summarises the data set.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from os.path import isfile
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np

from zim_model.arrays import ByteArray
from zim_model.errors import MALFORMED, ZimError
from zim_model.runtime.atomic_files import atomic_write, describe_os_error

FORMAT = 1
MANIFEST = "manifest.json"
HEADER = 512
"""Bytes of a tar header before a member's data."""


@dataclass(frozen=True, slots=True)
class MatteRecord:
    """One matte of an image.

    Attributes:
        id: id of its annotation in SA-1B.
        box: left, top, right and bottom of the crop in image pixels; alpha is 0
            outside.
        agreement: IoU of the matte above 1/2 with the mask.
        soft: share of the matte's pixels that are neither 0 nor 1.
        predicted_iou, stability_score: SA-1B's scores.
        place: offset and length of its PNG file in the shard.
    """

    id: int
    box: tuple[int, int, int, int]
    agreement: float
    soft: float
    predicted_iou: float
    stability_score: float
    place: tuple[int, int] = (0, 0)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> MatteRecord:
        """Create a record from the shard's JSON."""
        left, top, right, bottom = (int(side) for side in data["box"])
        offset, size = (int(value) for value in data["place"])
        values = {**data, "box": (left, top, right, bottom), "place": (offset, size)}
        return cls(**values)


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """An image of a shard; ``place`` is offset and length of its JPEG file."""

    name: str
    width: int
    height: int
    place: tuple[int, int]
    mattes: tuple[MatteRecord, ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ImageRecord:
        """Create a record from the shard's JSON."""
        mattes = tuple(MatteRecord.from_json(matte) for matte in data["mattes"])
        place = (int(data["place"][0]), int(data["place"][1]))
        width, height = int(data["width"]), int(data["height"])
        return cls(str(data["name"]), width, height, place, mattes)


@dataclass(frozen=True, slots=True)
class ShardReport:
    """Report of one shard.

    Attributes:
        shard: its name, without ``.tar``.
        made_with: digest of the converter and the options.
        asked: ids of the images selected for it.
        sha256, size: of the tar, in bytes; "" and 0 if it has no images.
        pictures: id, and offset and length of the JSON, of each image in it.
        counts: numbers of images and mattes, and bytes of the mattes.
        dropped: numbers of mattes left out, by reason.
        faults: descriptions of unusable images and masks.
        again: whether it was already complete and not rebuilt.
    """

    shard: str
    made_with: str
    asked: tuple[str, ...]
    sha256: str = ""
    size: int = 0
    pictures: tuple[tuple[str, int, int], ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    again: bool = False

    @classmethod
    def read(cls, path: Path) -> ShardReport:
        """Read a shard's report.

        Raises:
            ZimError: the file is missing or malformed.
        """
        data = read_json(path)
        field_names = {item.name for item in fields(cls)}
        try:
            data["asked"], data["faults"] = tuple(data["asked"]), tuple(data["faults"])
            data["pictures"] = tuple(
                (str(name), int(offset), int(size))
                for name, offset, size in data["pictures"]
            )
            return cls(
                **{key: value for key, value in data.items() if key in field_names}
            )
        except MALFORMED as error:
            raise ZimError(
                f"{path} is not the report of a shard: {error!r}."
            ) from error

    def write(self, folder: Path) -> None:
        """Write the report next to its shard."""
        write_json(folder / f"{self.shard}.json", asdict(self))


def read_json(path: Path) -> dict[str, Any]:
    """Read an object from a JSON file.

    Raises:
        ZimError: the file is missing or malformed.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise ZimError(
            f"{path} cannot be read: {describe_os_error(error)[0]}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ZimError(f"{path} is damaged: {error}.") from error
    if not isinstance(data, dict):
        raise ZimError(f"{path} is damaged: it is not an object.")
    return data


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write an object as JSON with sorted keys."""
    text = json.dumps(data, indent=1, sort_keys=True) + "\n"
    with atomic_write(path) as file:
        file.write(text.encode())


class _HashingFile(io.RawIOBase):
    """A writable file that computes the digest of its content."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest, self.size = file, hashlib.sha256(), 0

    def tell(self) -> int:
        return self.size

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self.file.write(data)


class ShardWriter:
    """Writes one shard sequentially; equal images give equal bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._out = _HashingFile(file)
        self._tar = tarfile.TarFile(
            fileobj=self._out, mode="w", format=tarfile.USTAR_FORMAT
        )
        self.images: list[tuple[str, int, int]] = []
        self.mattes = self.matte_bytes = 0

    def add(
        self,
        name: str,
        encoded: bytes,
        shape: tuple[int, int],
        mattes: Iterable[tuple[MatteRecord, bytes]],
    ) -> None:
        """Add an image, unless it has no mattes.

        Args:
            name: its id.
            encoded: bytes of its JPEG file.
            shape: height and width.
            mattes: record and PNG file of each; consumed one by one.
        """
        records = []
        for number, (record, png) in enumerate(mattes):
            byte_range = self._file(f"{name}.{number:03}.png", png)
            records.append({**asdict(record), "place": byte_range})
            self.matte_bytes += len(png)
        if not records:
            return
        self.mattes += len(records)
        place = self._file(f"{name}.jpg", encoded)
        data = {
            "name": name,
            "width": shape[1],
            "height": shape[0],
            "place": place,
            "mattes": records,
        }
        byte_range = self._file(
            f"{name}.json", json.dumps(data, sort_keys=True).encode()
        )
        self.images.append((name, *byte_range))

    def _file(self, name: str, data: bytes) -> tuple[int, int]:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        place = (self._tar.offset + HEADER, len(data))
        self._tar.addfile(member, io.BytesIO(data))
        return place

    def close(self) -> tuple[str, int]:
        """Finish the tar and return its SHA-256 and size."""
        self._tar.close()
        return self._out.digest.hexdigest(), self._out.size


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, "" if it does not exist."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def write_manifest(
    folder: Path, head: dict[str, Any], reports: Iterable[ShardReport]
) -> dict[str, Any]:
    """Write ``manifest.json`` from the reports and return its content.

    Args:
        folder: folder of the shards.
        head: options of the build.
        reports: reports of all shards.
    """
    counts: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    shards: list[dict[str, Any]] = []
    faults: list[str] = []
    for report in sorted(reports, key=lambda each: each.shard):
        counts.update(report.counts)
        dropped.update(report.dropped)
        faults += report.faults
        if report.size:
            shards.append(
                {
                    "name": report.shard,
                    "sha256": report.sha256,
                    "bytes": report.size,
                    **report.counts,
                }
            )
    manifest = {
        "format": FORMAT,
        **head,
        "counts": {**counts, "shards": len(shards), "faults": len(faults)},
        "dropped": dict(dropped),
        "faults": faults,
        "shards": shards,
    }
    write_json(folder / MANIFEST, manifest)
    return manifest


@dataclass(frozen=True, slots=True)
class ShardItem:
    """An image of a data set: its shard, and offset and size of its JSON."""

    shard: Path
    name: str
    offset: int
    size: int


class Shards:
    """The images of a finished data set of shards.

    Args:
        root: folder with ``manifest.json``.
        keep: selects images by id.

    Raises:
        ZimError: the data set is unfinished, or a shard is missing or incomplete.
    """

    def __init__(
        self, root: Path, keep: Callable[[str], bool] = lambda name: True
    ) -> None:
        manifest = read_json(root / MANIFEST)
        if manifest.get("format") != FORMAT or not isinstance(
            manifest.get("shards"), list
        ):
            raise ZimError(f"{root / MANIFEST} is of another format.")
        self.shards: list[list[ShardItem]] = []
        for entry in manifest["shards"]:
            items = [item for item in _items(root, entry) if keep(item.name)]
            if items:
                self.shards.append(items)

    def __len__(self) -> int:
        return sum(map(len, self.shards))


def _items(root: Path, entry: dict[str, Any]) -> list[ShardItem]:
    try:
        name, size = str(entry["name"]), entry["bytes"]
    except MALFORMED as error:
        raise ZimError(f"{root / MANIFEST} is damaged: {error!r}.") from error
    if Path(name).name != name:
        raise ZimError(f"{root / MANIFEST}: {name!r} is not the name of a shard.")
    path = root / f"{name}.tar"
    report = ShardReport.read(root / f"{name}.json")
    if not isfile(path) or path.stat().st_size != size:
        raise ZimError(
            f"{path} is missing or incomplete.",
            "Copy it again, or run the same command of training.sa1b_matte.",
        )
    return [ShardItem(path, *image) for image in report.pictures]


def read_image(item: ShardItem) -> tuple[ImageRecord, ByteArray]:
    """Read the record and the pixels (H, W, 3) of an image.

    Raises:
        ZimError: the shard is damaged.
    """
    try:
        data = json.loads(read_at(item.shard, item.offset, item.size))
        record = ImageRecord.from_json(data)
    except MALFORMED as error:
        raise ZimError(f"{item.shard}: {item.name} is damaged: {error!r}.") from error
    decoded = _decode_image(item, record.place, cv2.IMREAD_COLOR)
    if decoded is None or decoded.shape[:2] != (record.height, record.width):
        raise ZimError(f"{item.shard}: {item.name}.jpg is damaged.")
    return record, np.ascontiguousarray(decoded[..., ::-1])


def read_matte(item: ShardItem, record: ImageRecord, number: int) -> ByteArray:
    """Read a matte of an image, (H, W) uint8.

    Raises:
        ZimError: the shard is damaged.
    """
    matte = record.mattes[number]
    left, top, right, bottom = matte.box
    crop = _decode_image(item, matte.place, cv2.IMREAD_GRAYSCALE)
    inside = min(left, top) >= 0 and right <= record.width and bottom <= record.height
    if not inside or crop is None or crop.shape != (bottom - top, right - left):
        raise ZimError(f"{item.shard}: matte {number} of {item.name} is damaged.")
    out = np.zeros((record.height, record.width), np.uint8)
    out[top:bottom, left:right] = crop
    return out


def _decode_image(
    item: ShardItem, place: tuple[int, int], flags: int
) -> ByteArray | None:
    data = np.frombuffer(read_at(item.shard, *place), np.uint8)
    if not len(data):
        return None
    try:
        # SA-1B's masks ignore the EXIF orientation.
        decoded = cv2.imdecode(data, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:  # such as of a size beyond its limits
        return None
    return None if decoded is None else np.asarray(decoded, np.uint8)


def read_at(path: Path, offset: int, size: int) -> bytes:
    """Read a range of bytes of a file.

    Raises:
        ZimError: the file cannot be read, or ends too early.
    """
    try:
        with path.open("rb") as file:
            end = os.fstat(file.fileno()).st_size
            # Before the memory is taken that a malformed header names.
            if offset < 0 or offset + max(0, size) > end:
                raise ZimError(f"{path} ends too early.")
            file.seek(offset)
            data = file.read(size)
    except OSError as error:
        raise ZimError(
            f"{path} cannot be read: {describe_os_error(error)[0]}."
        ) from error
    if 0 <= size != len(data):
        raise ZimError(f"{path} ends too early.")
    return data
