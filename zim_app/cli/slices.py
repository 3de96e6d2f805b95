"""``zim-studio slices``: a volume as a folder of images, with the masks of another.

Imports neither Qt nor torch.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import numpy.typing as npt

from zim_app.cli import arguments
from zim_app.cli.progress import advance_to, progress_bar, start_at
from zim_model.errors import ZimError, msg
from zim_model.evaluation.mask_pairs import IMAGES, LABELS, MASKS
from zim_model.evaluation.modes import MODES
from zim_model.evaluation.reading import lossy_error
from zim_model.medical.reading import read_volume
from zim_model.medical.volume import Axis, Volume, file_stem
from zim_model.medical.window import PRESETS, Window, automatic_window
from zim_model.request import ALPHA_MAX
from zim_model.runtime.atomic_files import (
    OTHER_FOLDER,
    atomic_write,
    check_absent,
    write_error,
)

WHOLE_TOLERANCE = 1e-3
"""Of a mask's numbers, which a file may store scaled."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zim-studio slices``."""
    parser.add_argument(
        "volume", type=Path, metavar="VOLUME", help="a NIfTI or DICOM file"
    )
    parser.add_argument(
        "--mask",
        type=Path,
        metavar="VOLUME",
        help="a file of the same voxels, whose numbers mark objects; slices without "
        "any are left out",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="gets images/, and masks/ of a --mask",
    )
    parser.add_argument(
        "--axis",
        choices=get_args(Axis),
        default="axial",
        help="that slices of NIfTI are perpendicular to (default: axial)",
    )
    parser.add_argument(
        "--every", type=_step, default=1, metavar="N", help="take every N-th slice"
    )
    parser.add_argument(
        "--all", action="store_true", help="take slices without an object, too"
    )
    parser.add_argument(
        "--labels",
        action="store_true",
        help="write labels/, where each number of the mask is an object, not masks/",
    )
    parser.add_argument(
        "--window",
        type=arguments.window,
        metavar="LEVEL,WIDTH",
        help="grey values from black to white; or one of "
        f"{', '.join(PRESETS)} (default: the file's own, else percentiles of the whole "
        "volume)",
    )


def _step(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Run the subcommand; return 0.

    Raises:
        ZimError: a file cannot be read, the mask is on another grid or no label map, no
            slice has an object, or a file exists already or cannot be written.
    """
    volume = read_volume(args.volume, args.axis)
    marks = None if args.mask is None else _read_marks(args, volume)
    chosen = list(range(0, len(volume), args.every))
    if marks is not None and not args.all:
        chosen = [index for index in chosen if marks[index].any()]
    if not chosen:
        raise ZimError(
            msg("{mask} marks nothing in these slices.", mask=args.mask),
            msg("Take more slices (--every 1), or slices without an object (--all)."),
        )
    folders = [IMAGES] if marks is None else [IMAGES, LABELS if args.labels else MASKS]
    digits = len(str(len(volume) - 1))
    names = {i: f"{file_stem(args.volume)}_{i:0{digits}}.png" for i in chosen}
    _check_free(args.output, folders, list(names.values()))
    window = args.window or volume.window
    if window is None and volume.is_grey:
        window = automatic_window(volume.slices)
    with progress_bar("slice") as bar:
        start_at(bar, 0, len(chosen))
        for done, (index, name) in enumerate(names.items(), 1):
            pixels = _pixels(volume, index, window)
            _write(args.output / IMAGES / name, pixels)
            if marks is not None:
                _write(args.output / folders[1] / name, _target(marks, index, args))
            advance_to(bar, done, len(chosen), name)
    print(f"{args.output}: {len(chosen)} of {len(volume)} slices")
    if marks is not None:
        layout = " --layout labels" if args.labels else ""
        print(f"zim-studio evaluate {args.output}{layout} --prompts {','.join(MODES)}")
    return 0


def _read_marks(args: argparse.Namespace, volume: Volume) -> npt.NDArray[np.uint16]:
    """The numbers of the mask, (N, H, W), on the volume's grid.

    Raises:
        ZimError: it has another grid, or numbers that are not whole or that
            compression has changed.
    """
    marks = read_volume(args.mask, args.axis)
    if marks.lossy:
        raise lossy_error(args.mask, marks.lossy)
    if marks.slices.shape != volume.slices.shape[:3]:
        sides = (" x ".join(map(str, v.slices.shape[:3])) for v in (marks, volume))
        raise ZimError(
            msg(
                "{mask} has {own} voxels, but {volume} has {others}.",
                mask=args.mask,
                own=next(sides),
                volume=args.volume,
                others=next(sides),
            ),
            msg("Give the mask of this volume, on the same grid."),
        )
    if not marks.lies_on(volume):
        raise ZimError(
            msg(
                "The voxels of {mask} lie elsewhere than those of {volume}.",
                mask=args.mask,
                volume=args.volume,
            ),
            msg("Give the mask of this volume, on the same grid."),
        )
    values = np.nan_to_num(marks.slices.astype(np.float32))
    numbers = np.rint(values)
    if np.abs(values - numbers).max() > WHOLE_TOLERANCE:
        raise ZimError(
            msg("{mask} holds numbers that are not whole.", mask=args.mask),
            msg("Give a mask whose numbers mark objects, not probabilities."),
        )
    return np.clip(numbers, 0, ALPHA_MAX).astype(np.uint16)


def _target(
    marks: npt.NDArray[np.uint16], index: int, args: argparse.Namespace
) -> npt.NDArray[np.unsignedinteger]:
    """A slice of the mask: its numbers, or white where there is any."""
    own = marks[index]
    if args.labels:
        return np.asarray(own, np.uint16 if own.max() > 255 else np.uint8)
    return np.where(own > 0, 255, 0).astype(np.uint8)


def _pixels(volume: Volume, index: int, window: Window | None) -> npt.NDArray[np.uint8]:
    """A slice as OpenCV writes it: grey (H, W), or (H, W, 3) with blue first."""
    if volume.is_grey:
        return volume.grey(index).render(np.uint8, window)
    return np.ascontiguousarray(volume.render(index)[..., ::-1])


def _check_free(out: Path, folders: list[str], names: list[str]) -> None:
    paths = (out / folder / name for folder in folders for name in names)
    check_absent(paths, OTHER_FOLDER)


def _write(path: Path, pixels: npt.NDArray[np.unsignedinteger]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, exclusive=True) as stream:
            stream.write(cv2.imencode(".png", pixels)[1].tobytes())
    except OSError as error:
        raise write_error(path, error) from error
