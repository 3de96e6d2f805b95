"""Cases: the objects of a data set, as files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

MASK = 0
"""Label of a case whose file is a mask: object is above half of its largest value."""


@dataclass(frozen=True, slots=True)
class Case:
    """One object of one image, with its ground truth.

    Attributes:
        name: unique in its data set, of ``/``-separated parts: ``fine/0001_01``.
        image: image file.
        matte: file of the ground truth, a matte or mask of the image's size.
        subset: part of the data set with means of its own; may be empty.
        seg: file of the binary segmentation, where there is one.
        prompts: JSON file of prompts; without one they are derived from the matte.
        trimap: file of the trimap, where there is one.
        label: None where ``matte`` is a matte; MASK where it is a mask with numbers of
            any range; else the object's number in a label map.
    """

    name: str
    image: Path
    matte: Path
    subset: str = ""
    seg: Path | None = None
    prompts: Path | None = None
    trimap: Path | None = None
    label: int | None = None

    def digest(self) -> str:
        """A digest of the case: equal digests mean equal metrics.

        The image counts by its name and size only, which is fast.
        """
        total = hashlib.sha256(
            f"{self.name}\0{self.image.name}".encode("utf-8", "surrogateescape")
        )
        total.update(str(_size(self.image)).encode())
        for path in (self.matte, self.prompts, self.trimap):
            total.update(_bytes(path))
        return total.hexdigest()[:16]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _bytes(path: Path | None) -> bytes:
    """A digest of a file, or of its absence."""
    try:
        content = b"none" if path is None else path.read_bytes()
    except OSError:
        content = b"missing"
    return hashlib.sha256(content).digest()
