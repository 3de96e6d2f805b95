"""Write a made-up scene: ``python -m training.sa3d.made_up FOLDER``.

A ball, a box and a second ball on a floor, with textures, rendered with exact poses and
masks from cameras on an arc, in the layout of LLFF.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from training.arguments import number_between
from training.sa3d.scene import IMAGES_FOLDER, Array, Camera, write_poses
from zim_model.arrays import BoolArray, ByteArray
from zim_model.errors import ZimError
from zim_model.prompts import Box
from zim_model.runtime.atomic_files import explained_write

TRUTH_FOLDER = "truth"
FLOOR_RADIUS = 1.6
LIGHT = np.array((0.4, 0.3, 0.87)) / np.linalg.norm((0.4, 0.3, 0.87))
SKY = np.array((0.62, 0.72, 0.85))
DISTANCE, HEIGHT = 3.2, 1.5
"""Of the cameras from the scene's middle, and above its floor."""
SUPERSAMPLING = 2


@dataclass(frozen=True, slots=True)
class Ball:
    """A ball with rings of two colours."""

    name: str
    centre: tuple[float, float, float]
    radius: float
    colours: tuple[tuple[float, float, float], tuple[float, float, float]]

    def hit(self, origin: Array, directions: Array) -> tuple[Array, Array]:
        """Distances (N,) along rays from (3,) or (N, 3), inf without, and normals."""
        offset = origin - np.array(self.centre)
        a = (directions**2).sum(-1)
        b = (directions * offset).sum(-1)
        discriminant = b**2 - a * ((offset**2).sum(-1) - self.radius**2)
        with np.errstate(invalid="ignore"):
            t = (-b - np.sqrt(discriminant)) / a
        t = np.where((discriminant > 0) & (t > 0), t, np.inf)
        reached = np.where(np.isfinite(t), t, 0)[:, None] * directions
        return t, (offset + reached) / self.radius

    def colour(self, points: Array) -> Array:
        """Colours (N, 3) of points (N, 3) on it."""
        along = (points - np.array(self.centre)) @ np.array((0.5, 0.2, 0.84))
        return _stripes(along / self.radius * 5, self.colours)


@dataclass(frozen=True, slots=True)
class Block:
    """A box along the axes with stripes of two colours."""

    name: str
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    colours: tuple[tuple[float, float, float], tuple[float, float, float]]

    def hit(self, origin: Array, directions: Array) -> tuple[Array, Array]:
        """Distances (N,) along rays from (3,) or (N, 3), inf without, and normals."""
        safe = np.where(np.abs(directions) < 1e-9, 1e-9, directions)
        planes = np.sort(
            [(np.array(p) - origin) / safe for p in (self.low, self.high)], 0
        )
        t, leave = planes[0].max(-1), planes[1].min(-1)
        axis = planes[0].argmax(-1)
        normals = -np.sign(safe) * np.eye(3)[axis]
        return np.where((t < leave) & (t > 0), t, np.inf), normals

    def colour(self, points: Array) -> Array:
        """Colours (N, 3) of points (N, 3) on it."""
        return _stripes(points @ np.array((5.0, 4.0, 9.0)), self.colours)


OBJECTS: tuple[Ball | Block, ...] = (
    Ball("ball", (-0.45, 0.1, 0.42), 0.42, ((0.85, 0.2, 0.15), (0.95, 0.45, 0.2))),
    Block(
        *("block", (0.15, -0.3, 0.0), (0.75, 0.25, 0.7)),
        ((0.15, 0.3, 0.7), (0.2, 0.5, 0.8)),
    ),
    Ball("marble", (0.1, -0.75, 0.22), 0.22, ((0.9, 0.8, 0.2), (0.75, 0.6, 0.1))),
)


def _stripes(phase: Array, colours: tuple[tuple[float, ...], ...]) -> Array:
    share = (0.5 + 0.5 * np.sin(phase))[:, None]
    mixed = share * np.array(colours[0]) + (1 - share) * np.array(colours[1])
    return np.asarray(mixed, np.float64)


def arc_cameras(views: int, side: int, degrees: float) -> list[Camera]:
    """Cameras of square images on an arc around the scene's middle."""
    target = np.array((0.05, -0.1, 0.3))
    cameras = []
    for index, angle in enumerate(np.deg2rad(np.linspace(-degrees, degrees, views))):
        height = HEIGHT + 0.35 * np.sin(2.4 * index)
        position = np.array((np.sin(angle), -np.cos(angle), 0)) * DISTANCE
        position += np.array((0, 0, height))
        forward = (target - position) / np.linalg.norm(target - position)
        right = np.cross(forward, (0, 0, 1))
        right = right / np.linalg.norm(right)
        rotation = np.stack((right, np.cross(forward, right), forward), 1)
        middle = float(np.linalg.norm(target - position))
        near, far = middle - FLOOR_RADIUS, middle + FLOOR_RADIUS
        cameras.append(Camera(rotation, position, 1.35 * side, side, side, near, far))
    return cameras


def render(camera: Camera) -> tuple[ByteArray, dict[str, BoolArray]]:
    """The image (H, W, 3) uint8 that a camera sees, and the mask (H, W) per object."""
    fine = camera.resized(camera.height * SUPERSAMPLING, camera.width * SUPERSAMPLING)
    directions = fine.pixel_directions()
    colours, hit = _shade(fine.position, directions)
    shape = (camera.height, SUPERSAMPLING, camera.width, SUPERSAMPLING)
    image = colours.reshape(*shape, 3).mean((1, 3))
    masks = {
        thing.name: (hit == index).reshape(shape).mean((1, 3)) >= 0.5
        for index, thing in enumerate(OBJECTS)
    }
    return np.round(image * 255).astype(np.uint8), masks


def _shade(origin: Array, directions: Array) -> tuple[Array, Array]:
    """Colours (N, 3) along rays, and the object that each hits, or -1."""
    colours = np.repeat(SKY[None], len(directions), 0)
    hit = np.full(len(directions), -1)
    with np.errstate(divide="ignore"):
        nearest = -origin[2] / directions[:, 2]
    points = origin + np.where(np.isfinite(nearest), nearest, 0)[:, None] * directions
    floor = (nearest > 0) & (np.hypot(points[:, 0], points[:, 1]) < FLOOR_RADIUS)
    nearest = np.where(floor, nearest, np.inf)
    tiles = np.sin(points[:, 0] * 6) * np.sin(points[:, 1] * 6)
    grey = 0.5 + 0.12 * np.tanh(4 * tiles)
    grey *= np.where(_is_shadowed(points, floor), 0.55, 1)
    colours[floor] = (grey[:, None] * np.array((1.0, 0.97, 0.9)))[floor]
    for index, thing in enumerate(OBJECTS):
        t, normals = thing.hit(origin, directions)
        closer = t < nearest
        reached = origin + t[closer, None] * directions[closer]
        brightness = 0.35 + 0.65 * np.clip(normals[closer] @ LIGHT, 0, 1)
        colours[closer] = thing.colour(reached) * brightness[:, None]
        nearest[closer], hit[closer] = t[closer], index
    return np.clip(colours, 0, 1), hit


def _is_shadowed(points: Array, floor: BoolArray) -> BoolArray:
    """Which of the points (N, 3) on the floor an object keeps the light from."""
    shadowed = np.zeros(len(points), np.bool_)
    to_light = np.repeat(LIGHT[None], np.count_nonzero(floor), 0)
    for thing in OBJECTS:
        shadowed[floor] |= np.isfinite(thing.hit(points[floor], to_light)[0])
    return shadowed


def write_made_up(
    folder: Path, views: int = 14, side: int = 112, degrees: float = 50
) -> dict[str, Box]:
    """Write a made-up scene and return the box of each object in its middle view.

    Args:
        folder: gets ``images/``, ``poses_bounds.npy`` and ``truth/OBJECT/``; it must
            not exist or be empty.
        views: number of cameras.
        side: of their square images, in pixels.
        degrees: of the arc, to either side.

    Raises:
        ZimError: the folder has files, or cannot be written.
    """
    with explained_write(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ZimError(f"{folder} has files.", "Choose a new or an empty folder.")
        cameras = arc_cameras(views, side, degrees)
        (folder / IMAGES_FOLDER).mkdir()
        boxes = {}
        for index, camera in enumerate(cameras):
            image, masks = render(camera)
            Image.fromarray(image).save(folder / IMAGES_FOLDER / view_name(index))
            for name, mask in masks.items():
                truth = folder / TRUTH_FOLDER / name
                truth.mkdir(parents=True, exist_ok=True)
                Image.fromarray(mask).save(truth / view_name(index))
            if index == views // 2:
                boxes = {n: Box.around(mask) for n, mask in masks.items() if mask.any()}
        write_poses(folder, cameras)
    return boxes


def view_name(index: int) -> str:
    """File name of a view."""
    return f"view_{index:02d}.png"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.sa3d.made_up")
    parser.add_argument("folder", type=Path, help="a new or an empty folder")
    parser.add_argument(
        "--views", type=number_between(1), default=14, help="cameras (14)"
    )
    parser.add_argument(
        "--side", type=number_between(1), default=112, help="pixels of a view (112)"
    )
    parser.add_argument(
        "--degrees",
        type=number_between(0, 180, float),
        default=50,
        help="of the arc, to either side (50)",
    )
    arguments = parser.parse_args(argv)
    folder = arguments.folder
    try:
        boxes = write_made_up(
            folder, arguments.views, arguments.side, arguments.degrees
        )
    except ZimError as error:
        print(f"made_up: error: {error}", file=sys.stderr)
        return 1
    middle = view_name(arguments.views // 2)
    print(f"{folder}: {arguments.views} views. Boxes of the objects in {middle}:")
    for name, box in boxes.items():
        edges = ",".join(f"{edge:g}" for edge in (box.x0, box.y0, box.x1, box.y1))
        print(
            f"--view {middle} --prompt {edges} --truth {folder / TRUTH_FOLDER / name}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
