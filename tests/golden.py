"""Stored answers of algorithms to small made-up inputs, so that numerics stay.

A test module has a table of cases; a case's function gives named arrays, of which a
sample is stored, with a tolerance where floating point differs by CPU.  Write the files
anew with ``python -m tests.golden`` when an algorithm is changed on purpose.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from torch import nn

from zim_model.runtime import devices

FOLDER = Path(__file__).parent / "data" / "golden"
MODULES = {
    "zim_model": "tests.zim_model.test_golden",
    "core": "tests.zim_app.core.test_golden_core",
    "training": "tests.training.test_golden_training",
}
SAMPLE = 150
"""Most values stored of one array."""


@dataclass(frozen=True)
class Case:
    """Arrays by name, and how near they have to be to the stored ones.

    ``atol`` is in the arrays' own units; 0 with ``rtol`` 0 is exactly.
    """

    run: Callable[[], Mapping[str, object]]
    rtol: float = 0.0
    atol: float = 0.0


def thin(values: object) -> np.ndarray:
    """Evenly spread values of an array, at other columns in every row."""
    flat = np.asarray(values).ravel()
    step = max(1, -(-flat.size // SAMPLE)) | 1
    return flat[::step]


def stored(area: str) -> dict[str, np.ndarray]:
    with np.load(FOLDER / f"{area}.npz") as file:
        return dict(file)


def summarise(case: Case) -> dict[str, np.ndarray]:
    """Stored values of a case: a sample, the shape and the mean of each array."""
    summary = {}
    for name, values in case.run().items():
        array = np.asarray(values)
        summary[name] = thin(array)
        summary[f"{name}.shape"] = np.array(array.shape, np.int64)
        if array.dtype.kind in "fiub" and array.size:
            summary[f"{name}.mean"] = array.astype(np.float64).mean()
        if not case.rtol and not case.atol:
            digest = crc32(np.ascontiguousarray(array).tobytes())
            summary[f"{name}.crc"] = np.array(digest, np.int64)
    return summary


def check(area: str, name: str, case: Case) -> None:
    """Compare a case with its stored values."""
    expected = {
        key.removeprefix(f"{name}/"): value
        for key, value in stored(area).items()
        if key.startswith(f"{name}/")
    }
    actual = summarise(case)
    assert actual.keys() == expected.keys()
    for key, value in actual.items():
        assert value.dtype == expected[key].dtype, key
        exactly = key.endswith((".shape", ".crc")) or value.dtype.kind in "USb"
        if exactly or not (case.rtol or case.atol):
            np.testing.assert_array_equal(value, expected[key], err_msg=key)
        else:
            np.testing.assert_allclose(
                value.astype(np.float64),
                expected[key].astype(np.float64),
                case.rtol,
                case.atol,
                err_msg=key,
            )


def fill(module: nn.Module) -> nn.Module:
    """Give a network weights that depend on their names alone, not on any generator.

    The order in which layers are made, and how they are initialised, are of no account.
    """
    for name, tensor in module.state_dict().items():
        if not tensor.is_floating_point():
            continue
        rng = np.random.default_rng(crc32(name.encode()))
        noise = rng.standard_normal(tuple(tensor.shape)).astype(np.float32)
        if name.endswith("running_var"):
            noise = 1 + 0.3 * np.abs(noise)
        elif tensor.ndim == 1:
            noise = 0.1 * noise + (1 if name.endswith("weight") else 0)
        elif "gaussian" not in name:
            noise = noise / np.sqrt(max(1, noise[0].size))
        tensor.copy_(torch.from_numpy(np.asarray(noise)))
    return module.eval()


def photo(height: int = 96, width: int = 128, seed: int = 0) -> np.ndarray:
    """Two soft-edged shapes on a background with texture, (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    waves = np.sin(x / 7) * np.cos(y / 5) * 25
    image = np.stack([90 + waves, 120 - waves, 60 + x / 2], -1)
    for centre, radius, colour in (
        ((0.4, 0.55), 0.3, (210, 70, 40)),
        ((0.75, 0.3), 0.16, (40, 60, 200)),
    ):
        away = np.hypot(x - centre[0] * width, y - centre[1] * height)
        cover = np.clip((radius * height - away) / 6 + 0.5, 0, 1)[..., None]
        image = image * (1 - cover) + np.array(colour) * cover
    image += rng.normal(0, 4, image.shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def disc(height: int = 96, width: int = 128, soft: float = 6.0) -> np.ndarray:
    """The alpha of the larger shape of :func:`photo`, (H, W) float32 in [0, 1]."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    away = np.hypot(x - 0.4 * width, y - 0.55 * height)
    return np.clip((0.3 * height - away) / soft + 0.5, 0, 1).astype(np.float32)


def words(alpha: np.ndarray) -> np.ndarray:
    """Alpha in [0, 1] as uint16."""
    return np.rint(alpha * 65535).astype(np.uint16)


def write() -> None:
    """Store what the algorithms give now, in full precision as in the tests."""
    devices.bf16_time_on_cpu = lambda: math.inf
    FOLDER.mkdir(parents=True, exist_ok=True)
    for area, module in MODULES.items():
        cases: dict[str, Case] = importlib.import_module(module).CASES
        arrays = {
            f"{name}/{key}": value
            for name, case in cases.items()
            for key, value in summarise(case).items()
        }
        np.savez_compressed(FOLDER / f"{area}.npz", **arrays)
        print(f"{area}: {len(cases)} cases")


if __name__ == "__main__":
    write()
