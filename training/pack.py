"""Pack a training folder into one small tar, to copy it to another machine.

``python -m training.pack DATA/train -o slice.tar --max-mb 60`` downscales all images to
``--longest`` pixels, stores photos as JPEG, alphas and label maps as PNG, and
downscales further until the tar fits.  ``train_zim --data slice.tar`` reads it.
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import os
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from PIL import Image
from tqdm import tqdm

from training.arguments import number_between
from training.datasets.table import FOLDERS
from training.manifest import MANIFEST, Manifest
from training.reading import decode
from zim_model.errors import ZimError
from zim_model.evaluation.datasets import MATTE_MARK, TARGET_MARKS, image_files
from zim_model.runtime.atomic_files import atomic_write, check_absent

_TAR_ERRORS = (
    *(OSError, EOFError, ValueError, OverflowError, tarfile.TarError),
    *(zlib.error, lzma.LZMAError),
)
"""That the library raises for damaged tars, compressed ones included."""
MANIFEST_KEYS = ("weights", "background_label")
"""What training asks a manifest for."""
JPEG_QUALITY = 88
SHRINK_FACTOR = 0.85
"""Factor of the longest side when the tar is too large."""
MIN_SIDE = 96


@contextmanager
def open_training_folder(data: Path) -> Iterator[Path]:
    """Yield the training folder at ``data``; a tar is extracted to a temporary folder.

    A TOML file, which lists data sets, is yielded as it is.

    Raises:
        ZimError: there is no such file or folder, or the tar is damaged or has members
            outside its folder.
    """
    if data.is_dir() or data.suffix == ".toml":
        yield data
        return
    if not os.path.exists(data):
        raise ZimError(
            f"{data} does not exist.", "Give a folder of photos, a TOML file or a tar."
        )
    with tempfile.TemporaryDirectory(prefix="zim-train-") as folder:
        try:
            with tarfile.open(data) as tar:
                tar.extractall(folder, filter="data")
        except _TAR_ERRORS as error:
            raise ZimError(
                f"{data} is neither a folder nor a tar of images: {error}.",
                "Make one with: python -m training.pack DATA -o slice.tar",
            ) from error
        yield Path(folder)


def pack(
    root: Path, out: Path, max_bytes: int, longest: int, *, overwrite: bool = False
) -> int:
    """Write the tar atomically and return the longest side of its images.

    Raises:
        ZimError: the tar exists already, without ``overwrite``; there are no images,
            one cannot be read, or they exceed ``max_bytes`` even at MIN_SIDE.
    """
    if not overwrite:
        check_absent([out], "Say --replace, or choose another name.")
    folders = [root / name for name in FOLDERS if (root / name).is_dir()]
    paths = [path for folder in folders or [root] for path in image_files(folder)]
    if not paths:
        raise ZimError(f"{root} has no images in {', '.join(FOLDERS)}.")
    with atomic_write(out, exclusive=not overwrite) as file:
        while longest >= MIN_SIDE:
            if _write_tar(file, root, paths, max_bytes, longest):
                return longest
            longest = int(longest * SHRINK_FACTOR)
        raise ZimError(
            f"{len(paths)} images do not fit into {max_bytes >> 20} MB.",
            "Increase --max-mb, or use fewer images.",
        )


def _write_tar(
    file: IO[bytes], root: Path, paths: Sequence[Path], max_bytes: int, longest: int
) -> bool:
    """Write the images and what the manifest says; false once the tar is too large."""
    file.seek(0)
    file.truncate()
    manifest, rows = Manifest(root), []
    with tarfile.open(fileobj=file, mode="w") as tar:
        for path in tqdm(paths, desc=f"{longest} px", unit="file"):
            name, data = _pack_image(path, longest)
            own = path.parent.relative_to(root) / name
            _add(tar, own, data)
            known = {k: v for k, v in manifest.row(path).items() if k in MANIFEST_KEYS}
            rows += [{"file": own.as_posix(), **known}] if known else []
            if tar.offset > max_bytes:
                return False
        if rows:
            _add(tar, Path(MANIFEST), json.dumps({"files": rows}).encode())
    return file.tell() <= max_bytes


def _add(tar: tarfile.TarFile, path: Path, data: bytes) -> None:
    entry = tarfile.TarInfo(path.as_posix())
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


def _pack_image(path: Path, longest: int) -> tuple[str, bytes]:
    """Return name and bytes of an image downscaled to ``longest``."""
    mark = next((mark for mark in TARGET_MARKS if path.stem.endswith(mark)), "")
    buffer = io.BytesIO()
    if not mark:
        image = Image.fromarray(decode(path, "photo", longest))
        image.save(buffer, "JPEG", quality=JPEG_QUALITY)
        return path.stem + ".jpg", buffer.getvalue()
    plane = decode(path, "alpha" if mark == MATTE_MARK else "labels", longest)
    Image.fromarray(plane).save(buffer, "PNG", optimize=True)
    return path.stem + ".png", buffer.getvalue()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.pack")
    parser.add_argument("data", type=Path, help="a training folder")
    parser.add_argument("-o", "--out", type=Path, required=True, help="output tar")
    parser.add_argument(
        "--max-mb",
        type=number_between(0, kind=float),
        default=60,
        help="largest size of the tar",
    )
    parser.add_argument(
        "--longest",
        type=number_between(MIN_SIDE),
        default=384,
        help=f"largest side in px, {MIN_SIDE} or more (384)",
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace the output tar if it exists"
    )
    arguments = parser.parse_args(argv)
    try:
        longest = pack(
            arguments.data,
            arguments.out,
            int(arguments.max_mb * 2**20),
            arguments.longest,
            overwrite=arguments.replace,
        )
    except (OSError, ZimError) as error:
        print(f"pack: error: {error}", file=sys.stderr)
        return 1
    size = arguments.out.stat().st_size / 2**20
    print(f"{arguments.out}: {size:.1f} MB, images of at most {longest} px")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
