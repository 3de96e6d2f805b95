"""Installing a model from the disk: checked first, and never executed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from zim_model.errors import WeightsError, msg
from zim_model.runtime.atomic_files import read_error
from zim_model.weights.catalogue import MODELS, ModelInfo
from zim_model.weights.installed import (
    HUB_SUFFIX,
    INPAINTING_FILE,
    ONNX_FILES,
    WEIGHT_SUFFIXES,
    InstalledModel,
    holds_trimap_network,
    install_files,
    sha256,
    translate_os_errors,
)

_HUB_STEMS = ("model", "pytorch_model")
"""Names of all weight files on the Hugging Face hub, whatever the model."""


def install_from_disk(path: Path, name: str | None = None) -> InstalledModel:
    """Install a model from a file, or from a folder with a pair of ONNX graphs.

    The file is linked where the disk allows it, else copied.

    Args:
        path: a ``.safetensors`` file of ours, a SAM checkpoint, a ViTMatte's weights,
            an inpainting network's graph, or ``encoder.onnx`` or ``decoder.onnx`` of a
            pair, or their folder.
        name: of the model; None takes the name of the known model with the
            same files, else the name of the file.

    Raises:
        WeightsError: the files are missing, damaged, unsafe or of another kind, or the
            name is taken.
    """
    files, check = _recognise_files(path)
    with translate_os_errors(path, read_error):
        check()
        if name is None:
            info = _find_by_checksums(files)
            name = info.name if info else _default_name(path, files)
    if _is_single_graph(path):
        return install_files(name, files, renamed=INPAINTING_FILE)
    is_pair = files[0].suffix == ".onnx"
    return install_files(name, files, _self_contained_check(path) if is_pair else None)


def _is_single_graph(path: Path) -> bool:
    """Whether a path is of one graph, not of a pair or its folder."""
    return path.suffix == ".onnx" and path.name not in ONNX_FILES


def _recognise_files(path: Path) -> tuple[list[Path], Callable[[], object]]:
    """The files of a model, and a function that checks them."""
    if not path.exists():
        raise WeightsError(
            msg("{path} does not exist.", path=path), msg("Check the spelling.")
        )
    if _is_single_graph(path):
        from zim_model.onnx.inpainting import InpaintingNetwork

        return [path], lambda: InpaintingNetwork(path, "cpu")
    if path.is_dir() or path.suffix == ".onnx":
        return _onnx_pair(path if path.is_dir() else path.parent)
    if path.suffix in (*WEIGHT_SUFFIXES, HUB_SUFFIX) and holds_trimap_network(path):
        from zim_model.weights.vitmatte_checkpoint import check_vitmatte

        return [path], lambda: check_vitmatte(path)
    if path.suffix not in WEIGHT_SUFFIXES:
        raise WeightsError(
            msg("{name} is no kind of model file that is known here.", name=path.name),
            msg(
                "Give a .safetensors, .pth or .pt file, or a folder with {files}.",
                files=" and ".join(ONNX_FILES),
            ),
        )
    from zim_model.weights.checkpoint import check_weights

    return [path], lambda: check_weights(path)


def _onnx_pair(folder: Path) -> tuple[list[Path], Callable[[], object]]:
    files = [folder / name for name in ONNX_FILES]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise WeightsError(
            msg(
                "{folder} has no {missing}.",
                folder=folder,
                missing=" and no ".join(missing),
            ),
            msg("A ZIM model in ONNX format is a folder with both files."),
        )
    # Graphs of more than 2 GB keep their weights beside them.
    beside = [file.with_name(f"{file.name}.data") for file in files]
    files += [file for file in beside if file.is_file()]
    from zim_model.onnx.backend import check_pair

    return files, lambda: check_pair(folder)


def _self_contained_check(path: Path) -> Callable[[Path], None] | None:
    """A check that graphs need no other files of their folder; None if it has none."""
    folder = path if path.is_dir() else path.parent
    if not any(each.suffix != ".onnx" for each in folder.iterdir()):
        return None

    def check(copies: Path) -> None:
        from zim_model.onnx.backend import check_pair

        try:
            check_pair(copies)
        except WeightsError as error:
            beside = " and ".join(f"{name}.data" for name in ONNX_FILES)
            raise WeightsError(
                msg(
                    "The graphs in {folder} keep weights in other files than {beside}.",
                    folder=folder,
                    beside=beside,
                ),
                msg(
                    "Save them again with all weights of a graph in one file beside it."
                ),
            ) from error

    return check


def _find_by_checksums(files: list[Path]) -> ModelInfo | None:
    """The known model whose files these are, byte for byte."""
    sizes = [file.stat().st_size for file in files]
    for info in MODELS:
        if info.files and sizes == [file.size for file in info.files]:
            digests = [file.sha256 for file in info.files]
            if digests == [sha256(file) for file in files]:
                return info
    return None


def _default_name(path: Path, files: list[Path]) -> str:
    """A name from the file's; for a pair or a file of the hub from its folder's."""
    folder = files[0].absolute().parent
    stem = path.stem if len(files) == 1 else files[0].resolve().parent.name
    if stem in _HUB_STEMS:
        repository = folder.parent.parent.name  # of a snapshot in the hub's cache
        in_cache = folder.parent.name == "snapshots" and "--" in repository
        stem = repository.rpartition("--")[2] if in_cache else folder.name
    characters = (
        c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in stem
    )
    return "".join(characters).strip("._-")[:64] or "model"
