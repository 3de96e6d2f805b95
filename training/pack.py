"""Pack a training folder into one small tar, to copy it to another machine.

``python -m training.pack DATA/train -o slice.tar --max-mb 60`` downscales all images to
``--longest`` pixels, stores photos as JPEG, alphas and label maps as PNG, and
downscales further until the tar fits.  ``train_zim --data slice.tar`` reads it.
"""

from __future__ import annotations

import argparse
import io
import lzma
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

from zim_model.errors import ZimError
from zim_model.runtime.atomic_files import atomic_write

_TAR_ERRORS = (
    *(OSError, EOFError, ValueError, OverflowError, tarfile.TarError),
    *(zlib.error, lzma.LZMAError),
)
"""That the library raises for damaged tars, compressed ones included."""
FOLDERS = ("matte", "cutout", "seg", "background")
JPEG_QUALITY = 88
SHRINK_FACTOR = 0.85
"""Factor of the longest side when the tar is too large."""
MIN_SIDE = 96


@contextmanager
def open_training_folder(data: Path) -> Iterator[Path]:
    """Yield the training folder at ``data``; a tar is extracted to a temporary folder.

    A TOML file, which lists data sets, is yielded as it is.

    Raises:
        ZimError: the tar is damaged or has members outside its folder.
    """
    if data.is_dir() or data.suffix == ".toml":
        yield data
        return
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


def pack(root: Path, out: Path, max_bytes: int, longest: int) -> int:
    """Write the tar atomically and return the longest side of its images.

    Raises:
        ZimError: there are no images, one cannot be read, or they exceed ``max_bytes``
            even at MIN_SIDE.
    """
    paths = [p for name in FOLDERS for p in sorted((root / name).glob("*.*"))]
    if not paths:
        raise ZimError(f"{root} has no images in {', '.join(FOLDERS)}.")
    with atomic_write(out) as file:
        while longest >= MIN_SIDE:
            if _write_tar(file, paths, max_bytes, longest):
                return longest
            longest = int(longest * SHRINK_FACTOR)
        raise ZimError(
            f"{len(paths)} images do not fit into {max_bytes >> 20} MB.",
            "Increase --max-mb, or use fewer images.",
        )


def _write_tar(
    file: IO[bytes], paths: Sequence[Path], max_bytes: int, longest: int
) -> bool:
    """Write the images; return false once the tar is too large."""
    file.seek(0)
    file.truncate()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for path in tqdm(paths, desc=f"{longest} px", unit="file"):
            name, data = _pack_image(path, longest)
            entry = tarfile.TarInfo(str(Path(path.parent.name) / name))
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
            if tar.offset > max_bytes:
                return False
    return file.tell() <= max_bytes


def _pack_image(path: Path, longest: int) -> tuple[str, bytes]:
    """Return name and bytes of an image downscaled to ``longest``."""
    is_plane = path.name.endswith((".alpha.png", ".labels.png", ".fine.png"))
    is_labels = is_plane and not path.name.endswith(".alpha.png")
    buffer = io.BytesIO()
    try:
        with Image.open(path) as file:
            image = file if is_labels else file.convert("L" if is_plane else "RGB")
            scale = min(1.0, longest / max(image.size))
            size = [max(1, round(side * scale)) for side in image.size]
            method = Image.Resampling.NEAREST if is_labels else Image.Resampling.BOX
            image = image.resize((size[0], size[1]), method)
            if is_plane:
                image.save(buffer, "PNG", optimize=True)
                return path.name, buffer.getvalue()
            image.save(buffer, "JPEG", quality=JPEG_QUALITY)
            return path.stem + ".jpg", buffer.getvalue()
    except (OSError, ValueError) as error:
        raise ZimError(f"{path} cannot be read: {error}.", "Remove it.") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.pack")
    parser.add_argument("data", type=Path, help="a training folder")
    parser.add_argument("-o", "--out", type=Path, required=True, help="output tar")
    parser.add_argument(
        "--max-mb", type=float, default=60, help="largest size of the tar"
    )
    parser.add_argument("--longest", type=int, default=384, help="largest side in px")
    arguments = parser.parse_args(argv)
    try:
        longest = pack(
            arguments.data,
            arguments.out,
            int(arguments.max_mb * 2**20),
            arguments.longest,
        )
    except (OSError, ZimError) as error:
        print(f"pack: error: {error}", file=sys.stderr)
        return 1
    size = arguments.out.stat().st_size / 2**20
    print(f"{arguments.out}: {size:.1f} MB, images of at most {longest} px")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
