"""Make a small synthetic SA-1B: ``python -m training.sa1b_matte.sample DIR``.

Rendered scenes with binary masks in SA-1B's layout, to test the pipeline without the
data set.  The output is one tar and one folder of images.
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

from training.arguments import number_between
from training.procedural import render
from training.sa1b_matte.sa1b import ANNOTATIONS, IMAGE
from zim_model.arrays import BoolArray, ByteArray
from zim_model.matting.rle import encoded
from zim_model.prompts import Box
from zim_model.runtime.atomic_files import atomic_write

MAX_OBJECTS = 3
SEED = 0


def make_sample(root: Path, images: int = 8) -> None:
    """Write a tar with the first half of the images and a folder with the others."""
    folder = root / "sa_000001"
    folder.mkdir(parents=True, exist_ok=True)
    files = list(_sample_files(images))
    half = 2 * (images // 2)
    with (
        atomic_write(root / "sa_000000.tar") as file,
        tarfile.open(fileobj=file, mode="w") as tar,
    ):
        for name, data in files[:half]:
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    for name, data in files[half:]:
        with atomic_write(folder / name) as file:
            file.write(data)


def _sample_files(images: int) -> Iterator[tuple[str, bytes]]:
    for number in range(1, images + 1):
        image, masks = draw_image(np.random.default_rng((SEED, number)))
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=92)
        yield f"sa_{number}{IMAGE}", buffer.getvalue()
        text = json.dumps(make_annotations(number, masks))
        yield f"sa_{number}{ANNOTATIONS}", text.encode()


def draw_image(rng: np.random.Generator) -> tuple[ByteArray, list[BoolArray]]:
    """Render a scene (H, W, 3) on a smooth background, and a mask (H, W) per object."""
    coarse = rng.integers(40, 216, (5, 5, 3), dtype=np.uint8)
    background = np.asarray(
        cv2.resize(coarse, (256, 256), interpolation=cv2.INTER_CUBIC), np.uint8
    )
    while True:
        image, alphas = render.render_scene(rng, background, MAX_OBJECTS)
        masks = [alpha > 0.5 for alpha in alphas if (alpha > 0.5).sum() > 400]
        if masks:
            return image, masks


def make_annotations(number: int, masks: Sequence[BoolArray]) -> dict[str, Any]:
    """Make the annotations of an image in SA-1B's format."""
    height, width = masks[0].shape
    records = []
    for i, mask in enumerate(masks):
        box = Box.around(mask)
        x, y, w, h = map(int, (box.x0, box.y0, box.width, box.height))
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
    parser.add_argument("--pictures", type=number_between(1), default=8)
    arguments = parser.parse_args(argv)
    make_sample(arguments.folder, arguments.pictures)
    print(f"{arguments.folder}: {arguments.pictures} images")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
