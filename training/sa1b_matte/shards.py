"""Shards of SA1B-Matte: tars of pictures with one soft matte for each of their masks.

Of the picture ``sa_1`` a shard holds the mattes' crops ``sa_1.000.png``,
``sa_1.001.png`` ..., ``sa_1.jpg`` and ``sa_1.json``, one after the other, so that
readers of WebDataset's format can stream it.  Beside ``NAME.tar`` lies ``NAME.json``, a
report that also tells where each picture's JSON lies; ``manifest.json`` sums up the
whole set.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np

from zim_model.arrays import ByteArray
from zim_model.errors import ZimError
from zim_model.runtime.atomic_files import explain, replacing

FORMAT = 1
MANIFEST = "manifest.json"
HEADER = 512
"""Bytes of a tar before a file's data."""


@dataclass(frozen=True, slots=True)
class MatteRecord:
    """One matte of a picture.

    Attributes:
        id: of the annotation it was made from.
        box: left, top, right and bottom of the crop in the picture's pixels; all
            outside is 0.
        agreement: IoU of the matte above 1/2 with the mask.
        soft: share of the matte's pixels that are neither 0 nor 1.
        predicted_iou, stability_score: SA-1B's own numbers.
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
        """Read what the shard's JSON holds."""
        left, top, right, bottom = (int(side) for side in data["box"])
        offset, size = (int(value) for value in data["place"])
        values = {**data, "box": (left, top, right, bottom), "place": (offset, size)}
        return cls(**values)


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """A picture of a shard; ``place`` is that of its JPEG file."""

    name: str
    width: int
    height: int
    place: tuple[int, int]
    mattes: tuple[MatteRecord, ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> PictureRecord:
        """Read what the shard's JSON holds."""
        mattes = tuple(MatteRecord.from_json(matte) for matte in data["mattes"])
        place = (int(data["place"][0]), int(data["place"][1]))
        return cls(data["name"], data["width"], data["height"], place, mattes)


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one shard.

    Attributes:
        shard: its name, without ``.tar``.
        made_with: digest of the converter and the options.
        asked: ids of the pictures it was to hold.
        sha256, size: of the tar, in bytes; "" and 0 if it has no picture.
        pictures: id, and offset and length of the JSON, of each picture in it.
        counts: pictures, mattes and their bytes.
        dropped: mattes that were left out, by reason.
        faults: pictures and masks that could not be used, in words.
        again: whether it was found finished, and not made again.
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
    def read(cls, path: Path) -> Report:
        """Read a shard's report.

        Raises:
            ZimError: the file is missing or malformed.
        """
        data = read_json(path)
        known = {item.name for item in fields(cls)}
        try:
            data["asked"], data["faults"] = tuple(data["asked"]), tuple(data["faults"])
            data["pictures"] = tuple(
                (str(name), int(offset), int(size))
                for name, offset, size in data["pictures"]
            )
            return cls(**{key: value for key, value in data.items() if key in known})
        except (KeyError, TypeError, ValueError) as error:
            raise ZimError(f"{path} is no shard's report: {error!r}.") from error

    def write(self, folder: Path) -> None:
        """Write the report beside its shard."""
        write_json(folder / f"{self.shard}.json", asdict(self))


def read_json(path: Path) -> dict[str, Any]:
    """An object of a JSON file.

    Raises:
        ZimError: the file is missing or malformed.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise ZimError(f"{path} cannot be read: {explain(error)[0]}.") from error
    except ValueError as error:
        raise ZimError(f"{path} is damaged: {error}.") from error
    if not isinstance(data, dict):
        raise ZimError(f"{path} is damaged: it holds no object.")
    return data


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write an object, in the same bytes every time."""
    text = json.dumps(data, indent=1, sort_keys=True) + "\n"
    with replacing(path) as file:
        file.write(text.encode())


class _Hashed(io.RawIOBase):
    """A file to write on, which keeps the digest of all that was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest, self.size = file, hashlib.sha256(), 0

    def tell(self) -> int:
        return self.size

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self.file.write(data)


class ShardWriter:
    """Writes one shard from front to back; the same pictures give the same bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._out = _Hashed(file)
        self._tar = tarfile.TarFile(
            fileobj=self._out, mode="w", format=tarfile.USTAR_FORMAT
        )
        self.pictures: list[tuple[str, int, int]] = []
        self.mattes = self.matte_bytes = 0

    def add(
        self,
        name: str,
        encoded: bytes,
        shape: tuple[int, int],
        mattes: Iterable[tuple[MatteRecord, bytes]],
    ) -> None:
        """Add a picture, unless it has no mattes.

        Args:
            name: its id.
            encoded: its JPEG file.
            shape: height and width.
            mattes: a record and a PNG file of each; drawn one by one.
        """
        records = []
        for number, (record, png) in enumerate(mattes):
            where = self._file(f"{name}.{number:03}.png", png)
            records.append({**asdict(record), "place": where})
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
        where = self._file(f"{name}.json", json.dumps(data, sort_keys=True).encode())
        self.pictures.append((name, *where))

    def _file(self, name: str, data: bytes) -> tuple[int, int]:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        place = (self._tar.offset + HEADER, len(data))
        self._tar.addfile(member, io.BytesIO(data))
        return place

    def close(self) -> tuple[str, int]:
        """End the tar; its SHA-256 and size."""
        self._tar.close()
        return self._out.digest.hexdigest(), self._out.size


def sha256_of(path: Path) -> str:
    """The digest of a file, "" if there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def write_manifest(
    folder: Path, head: dict[str, Any], reports: Iterable[Report]
) -> dict[str, Any]:
    """Sum up finished shards in ``manifest.json``; returns what it holds.

    Args:
        folder: of the shards.
        head: what they were made with.
        reports: of all shards.
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
class Item:
    """A picture of a set: its shard, and where its JSON lies in it."""

    shard: Path
    name: str
    offset: int
    size: int


class Shards:
    """The pictures of a finished set of shards, read one by one where they lie.

    Args:
        root: folder with ``manifest.json``.
        keep: which pictures, by id.

    Raises:
        ZimError: the set is unfinished, or a shard is missing or of another size.
    """

    def __init__(
        self, root: Path, keep: Callable[[str], bool] = lambda name: True
    ) -> None:
        manifest = read_json(root / MANIFEST)
        if manifest.get("format") != FORMAT or not isinstance(
            manifest.get("shards"), list
        ):
            raise ZimError(f"{root / MANIFEST} is of another format.")
        self.shards: list[list[Item]] = []
        for entry in manifest["shards"]:
            items = [item for item in _items(root, entry) if keep(item.name)]
            if items:
                self.shards.append(items)

    def __len__(self) -> int:
        return sum(map(len, self.shards))


def _items(root: Path, entry: dict[str, Any]) -> list[Item]:
    path = root / f"{entry['name']}.tar"
    report = Report.read(root / f"{entry['name']}.json")
    if not path.is_file() or path.stat().st_size != entry["bytes"]:
        raise ZimError(
            f"{path} is missing or incomplete.",
            "Copy it again, or run the same build_sa1b_matte command again.",
        )
    return [Item(path, *picture) for picture in report.pictures]


def read_picture(item: Item) -> tuple[PictureRecord, ByteArray]:
    """A picture's record and pixels (H, W, 3).

    Raises:
        ZimError: the shard is damaged.
    """
    try:
        data = json.loads(read_at(item.shard, item.offset, item.size))
        record = PictureRecord.from_json(data)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ZimError(f"{item.shard}: {item.name} is damaged: {error!r}.") from error
    found = _decoded(item, record.place, cv2.IMREAD_COLOR)
    if found is None or found.shape[:2] != (record.height, record.width):
        raise ZimError(f"{item.shard}: {item.name}.jpg is damaged.")
    return record, np.ascontiguousarray(found[..., ::-1])


def read_matte(item: Item, record: PictureRecord, number: int) -> ByteArray:
    """A picture's matte (H, W) uint8.

    Raises:
        ZimError: the shard is damaged.
    """
    matte = record.mattes[number]
    left, top, right, bottom = matte.box
    crop = _decoded(item, matte.place, cv2.IMREAD_GRAYSCALE)
    if crop is None or crop.shape != (bottom - top, right - left):
        raise ZimError(f"{item.shard}: matte {number} of {item.name} is damaged.")
    out = np.zeros((record.height, record.width), np.uint8)
    out[top:bottom, left:right] = crop
    return out


def _decoded(item: Item, place: tuple[int, int], flags: int) -> ByteArray | None:
    data = np.frombuffer(read_at(item.shard, *place), np.uint8)
    if not len(data):
        return None
    # As the masks were drawn: an orientation that a camera noted is not applied.
    found = cv2.imdecode(data, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if found is None else np.asarray(found, np.uint8)


def read_at(path: Path, offset: int, size: int) -> bytes:
    """Some bytes of a file.

    Raises:
        ZimError: the file cannot be read, or ends too early.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(size)
    except OSError as error:
        raise ZimError(f"{path} cannot be read: {explain(error)[0]}.") from error
    if 0 <= size != len(data):
        raise ZimError(f"{path} ends too early.")
    return data
