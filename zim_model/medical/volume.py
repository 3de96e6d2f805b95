"""Volumes and single images of DICOM and NIfTI files, as stacks of slices.

The packages that read them are those of the extra ``[medical]``.  Nothing but pixels,
their scaling and the window is taken from a file: no name, no date.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from zim_model.arrays import ByteArray
from zim_model.errors import ImageError, msg
from zim_model.medical.window import GreyImage, Window

Axis = Literal["axial", "coronal", "sagittal"]
"""What slices of NIfTI are perpendicular to."""

DICOM_SUFFIXES = (".dcm", ".dicom")
NIFTI_SUFFIXES = (".nii", ".nii.gz")
MEDICAL_SUFFIXES = (*DICOM_SUFFIXES, *NIFTI_SUFFIXES)
MAX_VOXELS = 1_000_000_000
"""Larger volumes are refused before they are decoded."""
GRID_TOLERANCE = 0.01
"""Largest distance of the voxels of two files of one grid, in voxels."""
_DICOM_MARK = (128, b"DICM")
"""Where the mark of a DICOM file stands, and what it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Slices of one file.

    Attributes:
        slices: (N, H, W) grey values, or (N, H, W, 3) uint8 colours.
        window, inverted, hounsfield: see :class:`GreyImage`.
        affine: (4, 4) of NIfTI, from indices (right, anterior, superior) of voxels to
            millimetres; None if the file has none.
        lossy: the name of a compression that has changed the values; "" without one.
    """

    slices: npt.NDArray[Any]
    window: Window | None = None
    inverted: bool = False
    hounsfield: bool = False
    affine: npt.NDArray[np.float64] | None = None
    lossy: str = ""

    def __len__(self) -> int:
        return len(self.slices)

    @property
    def is_grey(self) -> bool:
        """Whether the slices have grey values, not colours."""
        return self.slices.ndim == 3

    def lies_on(self, other: Volume) -> bool:
        """Whether the voxels of two files of one shape are at the same places.

        Files without an affine cannot be told apart.
        """
        if self.affine is None or other.affine is None:
            return True
        # Sides in any order: the corners of the cube of the longest are compared.
        corners = np.indices((2, 2, 2)).reshape(3, 8) * (max(self.slices.shape[:3]) - 1)
        shift = (self.affine - other.affine) @ np.vstack((corners, np.ones(8)))
        voxel = np.linalg.norm(other.affine[:3, :3], axis=0).min()
        return bool(np.abs(shift).max() <= GRID_TOLERANCE * voxel)

    def grey(self, index: int) -> GreyImage:
        """Slice ``index`` of a grey volume."""
        return GreyImage(
            self.slices[index], self.window, self.inverted, self.hounsfield
        )

    def render(self, index: int, window: Window | None = None) -> ByteArray:
        """Slice ``index``, (H, W, 3) uint8, in a window; colours as they are."""
        if not self.is_grey:
            return np.array(self.slices[index], np.uint8)
        grey = self.grey(index).render(np.uint8, window)
        return np.repeat(grey[..., None], 3, axis=2)


def file_stem(path: Path) -> str:
    """A file's name without its suffix; ``.nii.gz`` is one suffix."""
    name = path.name
    for suffix in MEDICAL_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return path.stem


def is_medical_name(path: Path) -> bool:
    """Whether a file's name is that of a DICOM or NIfTI file."""
    return path.name.lower().endswith(MEDICAL_SUFFIXES)


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins with these (132 or more) bytes is DICOM."""
    at, mark = _DICOM_MARK
    return head[at : at + len(mark)] == mark


def missing_package(path: Path, package: str) -> ImageError:
    """The error for a file whose reader is not installed."""
    return ImageError(
        msg("{path} needs the package {package}.", path=path, package=package),
        msg('Install the extra [medical]: pip install "zim-studio[medical]".'),
    )


def check_voxels(path: Path, *sides: int) -> None:
    """Check the size that a header states, before anything is allocated.

    Raises:
        ImageError: it is empty, or above MAX_VOXELS.
    """
    count = 1
    for side in sides:
        count *= side
    if min(sides, default=0) < 1 or count > MAX_VOXELS:
        raise ImageError(
            msg(
                "{path} has {sides} voxels, which cannot be used.",
                path=path,
                sides=" x ".join(map(str, sides)),
            ),
            msg("The limit is {limit} million in all.", limit=MAX_VOXELS // 1_000_000),
        )
