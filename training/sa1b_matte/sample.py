"""Make a small made-up SA-1B: ``python -m training.sa1b_matte.sample DIR``.

Drawn scenes with hard masks in SA-1B's published layout, to try the pipeline without
the data.  The folder gets one tar and, beside it, one folder of pictures.
"""

from __future__ import annotations

import argparse
import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from training.procedural import render
from training.sa1b_matte.sa1b import ANNOTATIONS, IMAGE
from zim_model.arrays import BoolArray, ByteArray
from zim_model.matting.rle import encoded
from zim_model.runtime.atomic_files import replacing

LARGEST_OBJECTS = 3


def make_sample(root: Path, pictures: int = 8, seed: int = 0) -> None:
    """Write a tar of the first half of the pictures and a folder of the others."""
    folder = root / "sa_000001"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = list(_files(pictures, seed))
    half = 2 * (pictures // 2)
    with (
        replacing(root / "sa_000000.tar") as file,
        tarfile.open(fileobj=file, mode="w") as tar,
    ):
        for name, data in drawn[:half]:
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    for name, data in drawn[half:]:
        with replacing(folder / name) as file:
            file.write(data)


def _files(pictures: int, seed: int) -> Iterator[tuple[str, bytes]]:
    for number in range(1, pictures + 1):
        image, masks = drawn_picture(np.random.default_rng((seed, number)))
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=92)
        yield f"sa_{number}{IMAGE}", buffer.getvalue()
        text = json.dumps(annotations_of(number, masks))
        yield f"sa_{number}{ANNOTATIONS}", text.encode()


def drawn_picture(rng: np.random.Generator) -> tuple[ByteArray, list[BoolArray]]:
    """A scene (H, W, 3) on a cloudy background, and a mask (H, W) of each object."""
    coarse = rng.integers(40, 216, (5, 5, 3), dtype=np.uint8)
    background = np.asarray(
        cv2.resize(coarse, (256, 256), interpolation=cv2.INTER_CUBIC), np.uint8
    )
    while True:
        image, alphas = render.render_scene(rng, background, LARGEST_OBJECTS)
        masks = [alpha > 0.5 for alpha in alphas if (alpha > 0.5).sum() > 400]
        if masks:
            return image, masks


def annotations_of(number: int, masks: Sequence[BoolArray]) -> dict[str, Any]:
    """The JSON of a picture as SA-1B writes it."""
    height, width = masks[0].shape
    records = []
    for i, mask in enumerate(masks):
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        x, y = int(columns[0]), int(rows[0])
        w, h = int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y
        record = {
            "id": 1000 * number + i,
            "segmentation": encoded(mask),
            "bbox": [x, y, w, h],
            "area": int(mask.sum()),
            "predicted_iou": 0.95,
            "stability_score": 0.97,
            "crop_box": [0, 0, width, height],
            "point_coords": [[x + w / 2, y + h / 2]],
        }
        records.append(record)
    image = {
        "image_id": number,
        "width": width,
        "height": height,
        "file_name": f"sa_{number}{IMAGE}",
    }
    return {"image": image, "annotations": records}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.sa1b_matte.sample")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=8)
    given = parser.parse_args(argv)
    make_sample(given.folder, given.pictures)
    print(f"{given.folder}: {given.pictures} pictures")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
