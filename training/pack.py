"""Pack a training folder into one small tar, to train where the folder cannot go.

``python -m training.pack DATA/train -o slice.tar --max-mb 60`` writes every picture at
most ``--longest`` pixels long, photographs as JPEG, alphas and labels as PNG, and makes
them smaller until the tar is small enough.  ``train_zim --data slice.tar`` reads it.
"""

from __future__ import annotations

import argparse
import io
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from PIL import Image
from tqdm import tqdm

from zim_model.errors import ZimError
from zim_model.runtime.atomic_files import replacing

FOLDERS = ("matte", "cutout", "seg", "background")
JPEG_QUALITY = 88
SHRINK = 0.85
"""How much smaller pictures get when the tar came out too large."""
SMALLEST = 96


@contextmanager
def opened(data: Path) -> Iterator[Path]:
    """The folder of pictures at ``data``: itself, or a tar's contents for a while.

    A TOML file, which names data sets elsewhere, is passed on as it is.

    Raises:
        ZimError: the tar is damaged or wants to write outside its folder.
    """
    if data.is_dir() or data.suffix == ".toml":
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="zim-train-") as folder:
        try:
            with tarfile.open(data) as tar:
                tar.extractall(folder, filter="data")
        except (OSError, tarfile.TarError) as error:
            raise ZimError(
                f"{data} is no folder and no tar of pictures: {error}.",
                "Make one with: python -m training.pack DATA -o slice.tar",
            ) from error
        yield Path(folder)


def pack(root: Path, out: Path, max_bytes: int, longest: int) -> int:
    """Write the tar, whole or not at all; return its pictures' longest side.

    Raises:
        ZimError: there are no pictures, one cannot be read, or even very small ones
            need more than ``max_bytes``.
    """
    paths = [p for name in FOLDERS for p in sorted((root / name).glob("*.*"))]
    if not paths:
        raise ZimError(f"{root} has no pictures in {', '.join(FOLDERS)}.")
    with replacing(out) as file:
        while longest >= SMALLEST:
            if _written(file, paths, max_bytes, longest):
                return longest
            longest = int(longest * SHRINK)
        raise ZimError(
            f"{len(paths)} pictures do not fit into {max_bytes >> 20} MB.",
            "Give more room with --max-mb, or fewer pictures.",
        )


def _written(
    file: IO[bytes], paths: Sequence[Path], max_bytes: int, longest: int
) -> bool:
    """Write pictures until the tar is too large; whether all went in."""
    file.seek(0)
    file.truncate()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for path in tqdm(paths, desc=f"{longest} px", unit="file"):
            name, data = _packed(path, longest)
            entry = tarfile.TarInfo(str(Path(path.parent.name) / name))
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
            if tar.offset > max_bytes:
                return False
    return file.tell() <= max_bytes


def _packed(path: Path, longest: int) -> tuple[str, bytes]:
    """Name and bytes of a picture that is at most so long."""
    plane = path.name.endswith((".alpha.png", ".labels.png", ".fine.png"))
    labels = plane and not path.name.endswith(".alpha.png")
    buffer = io.BytesIO()
    try:
        with Image.open(path) as file:
            picture = file if labels else file.convert("L" if plane else "RGB")
            scale = min(1.0, longest / max(picture.size))
            size = [max(1, round(side * scale)) for side in picture.size]
            method = Image.Resampling.NEAREST if labels else Image.Resampling.BOX
            picture = picture.resize((size[0], size[1]), method)
            if plane:
                picture.save(buffer, "PNG", optimize=True)
                return path.name, buffer.getvalue()
            picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
            return path.stem + ".jpg", buffer.getvalue()
    except (OSError, ValueError) as error:
        raise ZimError(f"{path} cannot be read: {error}.", "Remove it.") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.pack")
    parser.add_argument("data", type=Path, help="a training folder")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the tar")
    parser.add_argument("--max-mb", type=float, default=60, help="its largest size")
    parser.add_argument("--longest", type=int, default=384, help="largest side in px")
    given = parser.parse_args(argv)
    try:
        longest = pack(given.data, given.out, int(given.max_mb * 2**20), given.longest)
    except (OSError, ZimError) as error:
        print(f"pack: error: {error}", file=sys.stderr)
        return 1
    size = given.out.stat().st_size / 2**20
    print(f"{given.out}: {size:.1f} MB, pictures of at most {longest} px")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
