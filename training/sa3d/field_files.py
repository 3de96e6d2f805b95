"""Files of radiance fields, so that another object needs no new fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError

from training.sa3d.field import RadianceField
from training.sa3d.frame import GridFrame
from zim_model.errors import MALFORMED, ZimError
from zim_model.runtime.atomic_files import atomic_write, read_error


def save_field(path: Path, field: RadianceField, frame: GridFrame) -> None:
    """Write a field and the frame of its grid."""
    tensors = {name: value.cpu() for name, value in field.state_dict().items()}
    tensors["frame"] = torch.from_numpy(frame.matrix)
    with atomic_write(path) as file:
        file.write(safetensors.torch.save(tensors))


def load_field(path: Path, frame: GridFrame) -> RadianceField:
    """Read a field.

    Raises:
        ZimError: the file is missing or malformed, or its field is of a scene with
            another frame.
    """
    try:
        tensors = safetensors.torch.load(path.read_bytes())
    except OSError as error:
        raise read_error(path, error) from error
    except (SafetensorError, *MALFORMED) as error:
        raise ZimError(f"{path} is no field.", "Fit without --field.") from error
    matrix = tensors.pop("frame", torch.zeros(4, 4))
    try:
        field = RadianceField(tensors["values"].shape[-1])
        field.occupied = tensors["occupied"]
        field.load_state_dict(tensors)
    except (*MALFORMED, RuntimeError) as error:
        raise ZimError(f"{path} is no field.", "Fit without --field.") from error
    if not np.allclose(matrix.numpy(), frame.matrix, rtol=1e-6, atol=1e-9):
        raise ZimError(
            f"{path} is the field of another scene, or of other poses.",
            "Give that of this scene, or fit without --field.",
        )
    return field.requires_grad_(False)
