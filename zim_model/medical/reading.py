"""Read DICOM and NIfTI files as volumes."""

from __future__ import annotations

from pathlib import Path

from zim_model.errors import ImageError, msg
from zim_model.medical.dicom import read_dicom
from zim_model.medical.nifti import read_nifti
from zim_model.medical.volume import NIFTI_SUFFIXES, Axis, Volume


def read_volume(path: Path, axis: Axis = "axial") -> Volume:
    """Read all slices of a DICOM or NIfTI file.

    DICOM's frames are in the order of the file.  Slices of NIfTI are turned as
    radiologists look at them: the patient's right side is on the left, anterior (in
    axial slices) or superior is up; voxels stay as they are, also where their sides
    differ.

    Args:
        axis: that slices of NIfTI are perpendicular to.

    Raises:
        ImageError: the file is missing, damaged, too large or of a variant that is not
            read, or the package that reads it is not installed.
    """
    if path.name.lower().endswith(NIFTI_SUFFIXES):
        return read_nifti(path, axis)
    return read_dicom(path)


def read_single(path: Path) -> Volume:
    """Read a file that holds one slice.

    Raises:
        ImageError: as :func:`read_volume`, or it holds several.
    """
    volume = read_volume(path)
    if len(volume) > 1:
        raise ImageError(
            msg("{path} holds {count} slices.", path=path, count=len(volume)),
            msg("Make images of them: zim-studio slices {path} -o FOLDER.", path=path),
        )
    return volume
