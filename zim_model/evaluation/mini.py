"""A small procedural data set in MicroMat-3K's layout, the same on every machine.

For tests, and to try the evaluation without data: shapes with hair, holes and soft
edges (``fine``) and with crisp outlines (``coarse``) over textured backgrounds, with
points, boxes and segmentations.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.evaluation.clicks import matte_box, next_click
from zim_model.evaluation.datasets import LIST, SUBSETS
from zim_model.evaluation.writing import write_png
from zim_model.runtime.atomic_files import (
    OTHER_FOLDER,
    atomic_write,
    check_absent,
    write_error,
)

FOLDER = "MicroMat3K"
SIZE = (300, 420)
"""Height and width of an image."""
POINTS = 5
_SEED = 3000


def write_mini_dataset(folder: str | os.PathLike[str], images: int = 4) -> Path:
    """Write the set and return its root, ``folder/MicroMat3K``.

    Args:
        images: each has one ``fine`` object and one or two ``coarse`` ones.

    Raises:
        ZimError: the set is there already, or cannot be written.
    """
    root = Path(folder, FOLDER)
    check_absent([root], OTHER_FOLDER)
    lines = []
    try:
        for number in range(images):
            lines += list(_write(root, f"{number + 1:04}", number))
        with atomic_write(root / LIST) as stream:
            stream.write("\n".join(sorted(lines)).encode() + b"\n")
    except OSError as error:
        shutil.rmtree(root, ignore_errors=True)  # half a set is none
        raise write_error(root, error) from error
    return root


def _write(root: Path, name: str, number: int) -> Iterator[str]:
    """Write one image and its objects; their lines of the list."""
    rng = np.random.default_rng(_SEED + number)
    rgb = draw_texture(rng)
    mattes: list[tuple[str, FloatArray]] = []
    for subset in (SUBSETS[0], *(SUBSETS[1],) * (1 + number % 2)):
        alpha = draw_hairy(rng) if subset == SUBSETS[0] else _draw_crisp(rng)
        for index, (_, earlier) in enumerate(mattes):  # what lies behind is covered
            mattes[index] = (mattes[index][0], earlier * (1 - alpha))
        shade = alpha[..., None]
        rgb = rgb * (1 - shade) + draw_texture(rng) * shade
        mattes.append((subset, alpha))
    image = f"img/{name}.png"
    write_png(root / image, (rgb[..., ::-1] * 255 + 0.5).astype(np.uint8))
    for index, (subset, alpha) in enumerate(mattes, 1):
        stem = f"{subset}/{name}_{index}"
        grey = (alpha * 255 + 0.5).astype(np.uint8)
        write_png(root / f"matte/{stem}.png", grey)
        mask = grey > 127
        write_png(root / f"seg/{stem}.png", mask.astype(np.uint8) * 255)
        _json(root / f"prompt/{stem}.json", _prompts(grey, mask))
        yield f"{image} matte/{stem}.png prompt/{stem}.json seg/{stem}.png"


def _prompts(
    grey: ByteArray, mask: BoolArray
) -> dict[str, list[list[int]] | list[int]]:
    """Clicks on the object and beside it, filled up with a label of -1, and its box."""
    prompts, used = np.zeros_like(mask), np.zeros_like(mask)
    rows = []
    for index in range(POINTS):
        # A click that is wrong on purpose is one on the background.
        place = (
            next_click(~prompts, mask, ~used, used)
            if index % 2
            else next_click(prompts, mask, ~used, used)
        )
        x, y = int(place.x), int(place.y)
        cv2.circle(used.view(np.uint8), (x, y), 12, 1, -1)
        rows.append([x, y, int(place.positive)])
    box = matte_box(np.asarray(grey / 255, np.float32))
    edges = [int(box.x0), int(box.y0), int(box.x1) - 1, int(box.y1) - 1]
    return {"point": [*rows, [-1, -1, -1]], "bbox": edges}


def draw_texture(rng: np.random.Generator) -> FloatArray:
    """A colour with waves and grain, (H, W, 3) float32 in [0, 1]."""
    height, width = SIZE
    y, x = np.mgrid[:height, :width].astype(np.float32)
    out = np.empty((height, width, 3), np.float32)
    out[:] = rng.uniform(0.15, 0.85, 3)
    for _ in range(3):
        fx, fy, phase = (
            rng.uniform(-0.08, 0.08),
            rng.uniform(-0.08, 0.08),
            rng.uniform(0, 6),
        )
        out += rng.uniform(-0.08, 0.08, 3) * np.sin(x * fx + y * fy + phase)[..., None]
    out += cv2.GaussianBlur(
        rng.normal(0, 0.06, out.shape).astype(np.float32), (0, 0), 1
    )
    return np.clip(out, 0, 1).astype(np.float32)


def draw_hairy(rng: np.random.Generator) -> FloatArray:
    """A blob with a hole and hair, (H, W) float32 alpha."""
    big = np.zeros((SIZE[0] * 4, SIZE[1] * 4), np.uint8)
    centre = np.array(
        [rng.uniform(0.35, 0.65) * SIZE[1], rng.uniform(0.4, 0.6) * SIZE[0]]
    )
    radius = rng.uniform(0.16, 0.24) * SIZE[0]
    _outline(big, rng, centre, radius)
    for _ in range(160):
        angle = rng.uniform(0, 2 * np.pi)
        way = np.array([np.cos(angle), np.sin(angle)])
        path = [centre + way * radius * 0.8]
        for _ in range(6):
            way = way + rng.normal(0, 0.25, 2)
            path.append(path[-1] + way * radius * 0.12)
        places = (np.array(path) * 4).astype(np.int32)
        cv2.polylines(big, [places], False, 255, int(rng.integers(1, 4)))
    hole = centre + rng.uniform(-0.4, 0.4, 2) * radius
    cv2.circle(big, (hole * 4).astype(int).tolist(), int(radius), 0, -1)
    return _downscale(big)


def _draw_crisp(rng: np.random.Generator) -> FloatArray:
    """A smooth shape with an edge of a pixel, (H, W) float32 alpha."""
    big = np.zeros((SIZE[0] * 4, SIZE[1] * 4), np.uint8)
    centre = rng.uniform(0.15, 0.85, 2) * (SIZE[1], SIZE[0])
    _outline(big, rng, centre, rng.uniform(0.06, 0.16) * SIZE[0])
    return _downscale(big)


def _outline(
    big: ByteArray, rng: np.random.Generator, centre: np.ndarray, radius: float
) -> None:
    """Fill a wavy closed curve."""
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    waves = np.zeros_like(angles)
    for k in (2, 3, 5):
        waves += rng.uniform(0, 0.25) / k * np.sin(k * angles + rng.uniform(0, 6))
    reach = radius * (1 + waves)
    places = np.stack([np.cos(angles), np.sin(angles)], 1) * reach[:, None] + centre
    cv2.fillPoly(big, [(places * 4).astype(np.int32)], 255)


def _downscale(big: ByteArray) -> FloatArray:
    small = cv2.resize(big, SIZE[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small.astype(np.float32) / 255)


def _json(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as stream:
        stream.write(json.dumps(data).encode())
