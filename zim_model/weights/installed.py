"""Models on this computer: the bundled ones and those in the user's models folder.

Each installed model is a folder of its own there, named as the model, with one
``.safetensors`` or ``.pth`` file, the pair ``encoder.onnx`` and ``decoder.onnx`` or
another single graph in it.  A folder appears under that name only once it is complete.

Four kinds of networks lie there: those that answer prompts, trimap networks, which
refine mattes, automatic networks, which find the main object, and inpainting networks,
which fill holes.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path

from zim_model.assets import bundled_weights
from zim_model.errors import WeightsError, ZimError, msg
from zim_model.runtime.atomic_files import delete_error, write_error

MODELS_VARIABLE = "ZIM_STUDIO_MODELS"
"""Environment variable that names another models folder."""
ONNX_FILES = ("encoder.onnx", "decoder.onnx")
PRETRAINED_FILE = "model.safetensors"
"""The weights in a folder as repositories of the Hugging Face hub have it."""
INPAINTING_FILE = "inpainting.onnx"
"""The graph of an inpainting network that was added from the disk."""
_INPAINTING_NAMES = ("inpainting", "lama")
"""Beginnings of the names of inpainting networks' graphs."""
PICKLE_SUFFIXES = (".pth", ".pt")
"""Of SAM checkpoints that torch saved."""
WEIGHT_SUFFIXES = (".safetensors", *PICKLE_SUFFIXES)
HUB_SUFFIX = ".bin"
"""Of checkpoints that transformers saved as pickles; only trimap networks' are used."""
OVERWRITE_CURE = msg("Choose another folder, or say overwrite=True.")
"""Of the error that a folder to write to holds such files already."""
Kind = Literal["prompt", "trimap", "automatic", "inpainting"]
"""What a model takes beside the image: prompts, a trimap, nothing, or a hole."""
PART_FOLDER = ".part"
"""Suffix of the names of incomplete folders and files."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SPARE = 64 << 20
"""Bytes that a disk keeps free."""
_NAMES_BYTES = 1 << 18
"""At the beginning of a weight file, in which the names of its tensors lie."""
_TRIMAP_SIGN = b"decoder.convstream."
"""Beginning of the names of tensors that only ViTMatte has."""


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that can be used.

    Attributes:
        name: its name in requests.
        path: its weight file, or the folder of a pair of graphs.
        size: bytes on the disk.
        bundled: whether it comes with the package and cannot be removed.
        kind: what it takes beside the image.
    """

    name: str
    path: Path
    size: int
    bundled: bool = False
    kind: Kind = "prompt"


def models_folder() -> Path:
    """The folder of installed models; it need not exist."""
    named = os.environ.get(MODELS_VARIABLE)
    return Path(named) if named else user_data_path("zim-studio", False) / "models"


def installed_models(kind: Kind | None = "prompt") -> tuple[InstalledModel, ...]:
    """All models that can be used, the bundled ones first, then by name.

    Args:
        kind: of the models; None for all.
    """
    own = [InstalledModel(p.stem, p, p.stat().st_size, True) for p in bundled_weights()]
    names = {model.name for model in own}
    try:
        folders = sorted(models_folder().iterdir())
    except OSError:  # nothing was ever installed, or the disk is not there now
        folders = []
    models = (
        _read_model_folder(folder) for folder in folders if folder.name not in names
    )
    found = (*own, *(model for model in models if model is not None))
    return tuple(model for model in found if kind in (model.kind, None))


def find_installed(name: str, kind: Kind | None = "prompt") -> InstalledModel | None:
    """The installed model of that name and kind; None as kind for any."""
    return next((model for model in installed_models(kind) if model.name == name), None)


def holds_trimap_network(path: Path) -> bool:
    """Whether a weight file is a ViTMatte's, by the names of its tensors.

    Only the beginning is read; a file that cannot be read is none.
    """
    try:
        with path.open("rb") as file:
            return _TRIMAP_SIGN in file.read(_NAMES_BYTES)
    except OSError:
        return False


def is_inpainting_file(path: Path) -> bool:
    """Whether a graph fills holes, by its name."""
    return path.name.lower().startswith(_INPAINTING_NAMES)


def check_weight_file(path: Path) -> None:
    """Check that a path is not of something else that models come as.

    Raises:
        WeightsError: it is a folder or an ONNX graph.
    """
    is_folder = os.path.isdir(path)  # of a name that is too long, too
    if not is_folder and path.suffix != ".onnx":
        return
    raise WeightsError(
        msg("{path} is no weight file, but a folder.", path=path)
        if is_folder
        else msg("{path} is no weight file, but an ONNX graph.", path=path),
        msg(
            "A pair of graphs is converted by: "
            "zim-studio models convert FOLDER -o FILE.safetensors"
        ),
    )


def _read_model_folder(folder: Path) -> InstalledModel | None:
    """The model in a folder, if it is one."""
    if not _NAME.fullmatch(folder.name) or folder.name.endswith(PART_FOLDER):
        return None
    try:
        files = [path for path in folder.iterdir() if path.is_file()]
        size = sum(path.stat().st_size for path in files)
    except OSError:
        return None
    if {path.name for path in files} >= set(ONNX_FILES):
        return InstalledModel(folder.name, folder, size)
    graphs = [path for path in files if path.suffix == ".onnx"]
    if len(graphs) == 1 and graphs[0].name not in ONNX_FILES:
        kind: Kind = "inpainting" if is_inpainting_file(graphs[0]) else "automatic"
        return InstalledModel(folder.name, graphs[0], size, kind=kind)
    weights = [path for path in files if path.suffix in WEIGHT_SUFFIXES]
    weights = weights or [path for path in files if path.suffix == HUB_SUFFIX]
    if len(weights) != 1:
        return None
    kind = "trimap" if holds_trimap_network(weights[0]) else "prompt"
    if kind == "prompt" and weights[0].suffix == HUB_SUFFIX:
        return None
    return InstalledModel(folder.name, weights[0], size, kind=kind)


def check_name(name: str) -> None:
    """Check that a text can be the name of a model.

    Raises:
        WeightsError: other characters than letters, digits, ".", "_" and "-", or a
            name with a meaning of its own.
    """
    if not _NAME.fullmatch(name) or name.endswith(PART_FOLDER):
        raise WeightsError(
            msg("{name!r} is no name for a model.", name=name),
            msg(
                'Use letters, digits, ".", "_" and "-", beginning with a letter or '
                "digit."
            ),
        )


def check_free_name(name: str) -> None:
    """Check that a model can be installed under a name.

    Raises:
        WeightsError: see :func:`check_name`, or there is such a model already.
    """
    check_name(name)
    if find_installed(name, None) is not None:
        raise WeightsError(
            msg("There is a model called {name} already.", name=name),
            msg("Remove it first, or give the new one another name."),
        )


def check_space(folder: Path, nbytes: int, *, model: bool = True) -> None:
    """Check that a disk has enough space.

    Args:
        folder: on the disk.
        nbytes: that will be written.
        model: whether they are for the folder of models.

    Raises:
        WeightsError: fewer than ``nbytes`` are free where ``folder`` lies.
    """
    free = shutil.disk_usage(folder).free - _SPARE
    if free < nbytes:
        raise WeightsError(
            msg(
                "The disk of {folder} is too full: {needed:,.0f} MB are needed, "
                "{free:,.0f} MB are free.",
                folder=folder,
                needed=nbytes / 1e6,
                free=max(0, free) / 1e6,
            ),
            msg(
                "Free some space, or name a folder on another disk in {variable}.",
                variable=MODELS_VARIABLE,
            )
            if model
            else msg("Free some space, or choose a folder on another disk."),
        )


@contextmanager
def translate_os_errors(
    path: Path, describe: Callable[..., ZimError] = write_error
) -> Iterator[None]:
    """Turn system errors into errors for the user.

    Args:
        path: what is read or written.
        describe: makes the error, such as
            :func:`zim_model.runtime.atomic_files.read_error`.

    Raises:
        WeightsError: instead of any OSError.
    """
    try:
        yield
    except OSError as error:
        raise describe(path, error, WeightsError) from error


def require_onnx() -> None:
    """Check that the optional packages for ONNX are installed.

    Raises:
        WeightsError: naming the one that is missing.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError)
        raise WeightsError(
            msg(
                "This needs the package {name}, which is not installed.",
                name=error.name,
            )
            if missing
            else msg("What ONNX needs cannot be loaded: {error}.", error=str(error)),
            msg("Install what ONNX needs: pip install 'zim-studio[onnx]'."),
        ) from error


def install_files(
    name: str,
    files: Sequence[Path],
    check: Callable[[Path], object] | None = None,
    *,
    renamed: str | None = None,
) -> InstalledModel:
    """Link or copy files into a model's folder, all or none.

    Args:
        name: of the model.
        files: to install.
        check: called with the folder of the copies before they are installed.
        renamed: name of the one file in the model's folder; None keeps its own.

    Raises:
        WeightsError: the name is taken or no name, or the files cannot be written, or
            ``check`` says so.
    """
    check_free_name(name)
    folder = models_folder()
    staging = folder / f"{secrets.token_hex(8)}{PART_FOLDER}"
    with translate_os_errors(folder):
        staging.mkdir(parents=True)
        try:
            check_space(folder, sum(path.stat().st_size for path in files))
            for path in files:
                link_or_copy(path.resolve(), staging / (renamed or path.name))
            if check is not None:
                check(staging)
            staging.rename(folder / name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    model = find_installed(name, None)
    assert model is not None
    return model


def link_or_copy(source: Path, target: Path) -> None:
    """Link a file, or copy it where the disk has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def remove_model(name: str) -> None:
    """Delete an installed model, and the rest of its download.

    Raises:
        WeightsError: it is bundled, not installed, or cannot be deleted.
    """
    check_name(name)
    model = find_installed(name, None)
    if model is not None and model.bundled:
        raise WeightsError(
            msg("{name} belongs to the program and cannot be removed.", name=name)
        )
    folder = models_folder()
    doomed = [path for path in (folder / name, part_folder(name)) if path.is_dir()]
    if not doomed:
        raise WeightsError(msg("No model called {name} is installed.", name=name))
    for path in doomed:
        with translate_os_errors(path, delete_error):
            shutil.rmtree(path)


def part_folder(name: str) -> Path:
    """Folder of a model's files until its download is complete."""
    return models_folder() / f"{name}{PART_FOLDER}"


def sha256(path: Path, check: Callable[[], None] = lambda: None) -> str:
    """The SHA-256 of a file in hexadecimal; ``check`` is called between pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(4 << 20):
            check()
            digest.update(piece)
    return digest.hexdigest()
