"""Read NIfTI files with nibabel."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from zim_model.errors import ImageError, msg
from zim_model.medical.volume import Axis, Volume, check_voxels, missing_package
from zim_model.runtime.atomic_files import read_error

_AXES: dict[Axis, int] = {"sagittal": 0, "coronal": 1, "axial": 2}
_AIR = -500
"""Tissue and bone have more Hounsfield units; only tomography has less than this."""

# Its own handler prints what it repairs in a damaged header.
logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)


def read_nifti(path: Path, axis: Axis = "axial") -> Volume:
    """Read a NIfTI file as slices, see :func:`~zim_model.medical.reading.read_volume`.

    Raises:
        ImageError: see there.
    """
    try:
        import nibabel
    except ImportError as error:
        raise missing_package(path, "nibabel") from error
    try:
        return _to_volume(path, nibabel.load(path), axis)
    except ImageError:
        raise
    except OSError as error:
        if error.errno is not None:
            raise read_error(path, error, ImageError) from error
        raise _damaged(path, error) from error
    except MemoryError:
        raise
    except Exception as error:  # nibabel raises many kinds for a damaged file
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ImageError:
    return ImageError(
        msg(
            "{path} is damaged or no NIfTI file ({error}).",
            path=path,
            error=" ".join(str(error).split()) or type(error).__name__,
        ),
        msg("Copy or export it again."),
    )


def _to_volume(path: Path, file: Any, axis: Axis) -> Volume:
    import nibabel

    shape = tuple(map(int, file.shape))
    check_voxels(path, *shape)
    if any(side > 1 for side in shape[3:]):
        raise ImageError(
            msg(
                "{path} holds {count} volumes.",
                path=path,
                count=int(np.prod(shape[3:])),
            ),
            msg("Write one of them as a file of its own."),
        )
    if file.get_data_dtype().names is not None:
        raise ImageError(
            msg("{path} holds colours, not grey values.", path=path),
            msg("Export it as one value a voxel."),
        )
    values = np.asarray(file.dataobj)
    values = values.reshape((*shape, 1, 1)[:3])
    # From the order in the file to right, anterior, superior.
    turn = nibabel.io_orientation(file.affine)
    if np.isnan(turn).any():
        raise ImageError(
            msg("{path} does not say how the patient lies.", path=path),
            msg("Export it again, with a valid affine."),
        )
    affine = file.affine @ nibabel.orientations.inv_ornt_aff(turn, values.shape)
    values = nibabel.apply_orientation(values, turn)
    slices = np.moveaxis(values, _AXES[axis], 0)
    slices = slices.swapaxes(1, 2)[:, ::-1, ::-1]
    return Volume(slices, hounsfield=bool(values.min() < _AIR), affine=affine)
