"""``zim-studio models``: list and manage models; shared device options.

Imports neither Qt nor torch.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from zim_app.cli import export_onnx
from zim_app.cli.progress import advance_to, one_line, print_line, progress_bar
from zim_app.cli.replacing import OTHER_NAME, add_replace_argument, check_free
from zim_model.errors import WeightsError, ZimError, msg
from zim_model.request import never_cancelled
from zim_model.runtime.devices import DeviceChoice, Precision
from zim_model.weights.catalogue import MODELS, ModelInfo, find_known, locate
from zim_model.weights.installed import (
    ONNX_FILES,
    InstalledModel,
    find_installed,
    installed_models,
    models_folder,
    remove_model,
    require_onnx,
)

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine
    from zim_model.weights.download import DownloadProgress, ProgressCallback


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zim-studio models``."""
    parser.set_defaults(verb=_list, json=False)
    parser.add_argument("--json", action="store_true", help="print JSON")
    subcommands = parser.add_subparsers(metavar="VERB")
    for verb in _SUBCOMMANDS:
        sub = subcommands.add_parser(
            verb.name, help=verb.summary, description=verb.summary
        )
        sub.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print JSON"
        )
        verb.configure(sub)
        sub.set_defaults(verb=verb.run)


def run(args: argparse.Namespace) -> int:
    """Run the subcommand; return the exit code.

    Raises:
        ZimError: the model is unknown, or cannot be downloaded, added or removed.
    """
    result: int = args.verb(args)
    return result


# --- list -----------------------------------------------------------------------------


def _list(args: argparse.Namespace) -> int:
    here = {model.name: model for model in installed_models(None)}
    names = [info.name for info in MODELS]
    rows = [
        _describe(name, find_known(name), here.get(name))
        for name in [*names, *(name for name in here if name not in names)]
    ]
    if args.json:
        print(json.dumps(rows, indent=1))
        return 0
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        print(f"{row['name']:{width}}  {row['state']:13}  {_format_row(row)}")
    print(f"\nInstalled models lie in {models_folder()}")
    return 0


def _describe(
    name: str, info: ModelInfo | None, model: InstalledModel | None
) -> dict[str, Any]:
    if model is None:
        state = "available"
    else:
        state = "bundled" if model.bundled else "installed"
    size = model.size if model else info.size if info else 0
    terms = _origin(model) if info is None and model is not None else info
    return {
        "name": name,
        "title": info.title if info else name,
        "state": state,
        "kind": model.kind if model else info.kind if info else None,
        "bytes": size,
        "path": str(model.path) if model else None,
        "licence": terms.licence.name if terms else _stated_licence(model),
        "licence_url": terms.licence.url if terms else None,
        "commercial_use": terms.licence.commercial if terms else None,
        "source": info.source if info else None,
        "cpu_seconds": info.cpu_seconds if info else None,
    }


def _origin(model: InstalledModel) -> ModelInfo | None:
    """The known model that an adapted one began with, whose licence holds."""
    from zim_model.weights.adapted import read_adaptation  # imports safetensors

    adaptation = read_adaptation(model.path)
    return find_known(adaptation.origin) if adaptation else None


def _stated_licence(model: InstalledModel | None) -> str | None:
    """The licence that a weight file of no known model states."""
    from zim_model.weights.adapted import stated_licence  # imports safetensors

    return stated_licence(model.path) if model else None


def _format_row(row: dict[str, Any]) -> str:
    words = [f"{row['bytes'] / 1e6:7.1f} MB", row["licence"] or "licence not known"]
    if row["kind"] in ("trimap", "automatic", "inpainting"):
        words.insert(1, f"{row['kind']} network")
    if row["commercial_use"] is False:
        words.append("not for commercial use")
    if row["cpu_seconds"]:
        photo, click = row["cpu_seconds"]
        words.append(f"{photo:.0f} s per photo and {click:.1f} s per click on one core")
    return ", ".join(words)


# --- add, remove ----------------------------------------------------------------------


def _configure_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="PATH")
    parser.add_argument(
        "--name",
        help="of the installed model (default: the known model's or file's name)",
    )


def _add(args: argparse.Namespace) -> int:
    from zim_model.install import (
        install_from_disk,  # imports network modules
    )

    return _print_installed(args, install_from_disk(args.path, args.name))


def _print_installed(args: argparse.Namespace, model: InstalledModel) -> int:
    report = _describe(model.name, find_known(model.name), model)
    use = f"--model {model.name}"
    if model.kind == "trimap":
        use = f"--upsampling trimap --trimap-network {model.name}"
    elif model.kind == "automatic":
        use = f"--subject {model.name}"
    elif model.kind == "inpainting":
        use = f"zim-studio erase --fill {model.name}"
    sentence = f"{model.name} is installed; use it with: {use}"
    print(json.dumps(report) if args.json else sentence)
    return 0


def _configure_remove(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")


def _remove(args: argparse.Namespace) -> int:
    remove_model(args.name)
    gone = {"name": args.name, "state": "removed"}
    print(json.dumps(gone) if args.json else f"{args.name} is removed.")
    return 0


# --- convert --------------------------------------------------------------------------


def _configure_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="SRC",
        help="a folder with encoder.onnx and decoder.onnx, or an installed model that "
        "is such a pair",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT.safetensors"
    )
    add_replace_argument(parser)


def _convert(args: argparse.Namespace) -> int:
    source, target = _pair(args.source), args.output
    if target.suffix != ".safetensors":
        raise WeightsError(
            msg("{name} must end in .safetensors.", name=target.name),
            msg("That is the format of this program's own weights."),
        )
    check_free(args, [target], OTHER_NAME)
    require_onnx()
    from zim_model.onnx.convert import convert_pair  # imports torch

    conversion = convert_pair(source, target, overwrite=args.replace)
    report = {
        "source": str(source),
        "output": str(target),
        "bytes": target.stat().st_size,
        "layers_by_name": conversion.matched_by_name,
        "layers_by_order": conversion.matched_by_order,
        "largest_difference": max(each.largest for each in conversion.differences),
        "config": conversion.config.to_json(),
    }
    if args.json:
        print(json.dumps(report))
        return 0
    print(
        f"{conversion.matched_by_name} layers were placed by their names, "
        f"{conversion.matched_by_order} by their order.\n"
        f"{export_onnx.format_table(conversion.differences)}\n{target} "
        f"({report['bytes'] / 1e6:,.1f} MB) holds a {conversion.config.name}."
    )
    return 0


def _pair(source: str) -> Path:
    """The folder of a pair of ONNX graphs."""
    path = Path(source)
    if path.is_file() and path.suffix == ".onnx":
        path = path.parent
    if not path.is_dir():
        path = locate(source)
    if not path.is_dir():
        raise WeightsError(
            msg("{source} is no pair of ONNX graphs.", source=source),
            msg("Give a folder with {files}.", files=" and ".join(ONNX_FILES)),
        )
    return path


# --- download -------------------------------------------------------------------------


def _configure_download(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--yes", action="store_true", help="accept the licence without asking"
    )


def _download(args: argparse.Namespace) -> int:
    info = find_known(args.name)
    if info is None:
        names = ", ".join(each.name for each in MODELS if not each.bundled)
        raise WeightsError(
            msg("There is no model called {name!r} to download.", name=args.name),
            msg("Known: {names}.", names=names),
        )
    if find_installed(info.name, None) is None:
        _confirm_model_licence(info, accepted=args.yes)
    from zim_model.weights.download import download  # imports network modules

    with download_progress() as on_progress:
        model = download(info, on_progress, never_cancelled)
    return _print_installed(args, model)


def _confirm_model_licence(info: ModelInfo, *, accepted: bool) -> None:
    """Show the licence of a model and ask for acceptance.

    Raises:
        ZimError: it is not accepted.
    """
    from zim_model.weights import hub

    terms = info.licence
    here = all(map(hub.find_cached, info.files))
    where = f"{hub.cache_folder()}, where it lies already" if here else info.source
    limits = "" if terms.commercial else ", not for commercial use"
    print(
        f"{info.title}: {info.size / 1e6:,.1f} MB from {where}\n"
        f"Licence: {terms.name}{limits} ({terms.url})",
        file=sys.stderr,
    )
    confirm_licence(accepted=accepted)


def confirm_licence(*, accepted: bool) -> None:
    """Ask for acceptance of the licence that was shown.

    Raises:
        ZimError: it is not accepted.
    """
    if accepted:
        return
    if sys.stdin is None or not sys.stdin.isatty():  # None: closed, as in a service
        raise ZimError(
            msg("The licence is not accepted."), msg("Read it, then say --yes.")
        )
    print("Download under this licence? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ZimError(msg("Nothing was downloaded."))


@contextmanager
def download_progress() -> Iterator[ProgressCallback]:
    """The progress callback of a download that the user may interrupt."""

    def show(progress: DownloadProgress) -> None:
        detail = "checking" if progress.verifying else ""
        advance_to(bar, progress.done, progress.total, detail)

    try:
        with progress_bar("B", unit_scale=True) as bar:
            yield show
    except KeyboardInterrupt:
        print("The partial download is kept: run it again to resume.", file=sys.stderr)
        raise


@dataclass(frozen=True, slots=True)
class _Subcommand:
    """``zim-studio models NAME ...``."""

    name: str
    summary: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def _configure_nothing(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


_SUBCOMMANDS = (
    _Subcommand("list", "List known and installed models.", _configure_nothing, _list),
    _Subcommand("download", "Download a known model.", _configure_download, _download),
    _Subcommand("add", "Install a model from the disk.", _configure_add, _add),
    _Subcommand(
        "convert",
        "Convert a pair of ONNX graphs to this program's own format.",
        _configure_convert,
        _convert,
    ),
    _Subcommand("remove", "Delete an installed model.", _configure_remove, _remove),
)


# --- where models run -----------------------------------------------------------------


def add_device_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--device`` and ``--precision``."""
    parser.add_argument(
        "--device",
        metavar="ID",
        help="where the model runs: cuda, cuda:1, mps or cpu (default: the fastest "
        "available)",
    )
    parser.add_argument(
        "--precision",
        choices=get_args(Precision),
        default="auto",
        help="of the arithmetic (default: depends on the device)",
    )


def make_engine(args: argparse.Namespace) -> Engine:
    """An engine on the device of the arguments."""
    from zim_model.inference.engine import Engine  # imports torch, which takes seconds

    engine = Engine()
    choice = DeviceChoice(args.device, args.precision)
    if choice != DeviceChoice():
        engine.set_device(choice)
    return engine


def print_notes(notes: tuple[str, ...]) -> None:
    """Print degradation notices on the standard error stream."""
    for note in notes:
        print_line(f"zim-studio: warning: {one_line(note)}")
