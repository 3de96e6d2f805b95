"""Build SA1B-Matte: ``python -m training.sa1b_matte SA-1B -o DIR``.

A label converter converts every mask of (a fraction of) SA-1B to a soft matte.  After
an interruption the same command resumes; see ``training.sa1b_matte.building``.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from training.arguments import INTERRUPTED, number_between
from training.sa1b_matte.building import BuildConfig, build
from training.sa1b_matte.labels import Filters, load_labeller
from training.sa1b_matte.sa1b import find_sources
from training.sa1b_matte.shards import MANIFEST
from zim_model.errors import ZimError


def _summary(out: Path, manifest: dict[str, Any]) -> str:
    counts = Counter(manifest["counts"])
    dropped = ", ".join(f"{n} {why}" for why, n in sorted(manifest["dropped"].items()))
    size = sum(shard["bytes"] for shard in manifest["shards"])
    return (
        f"{out / MANIFEST}: {counts['mattes']} mattes of {counts['pictures']} images"
        f" in {counts['shards']} shards, {size / 2**20:.1f} MB;"
        f" left out: {dropped or 'none'}; unusable: {counts['faults']}"
    )


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.sa1b_matte")
    parser.add_argument("source", type=Path, nargs="+", help="tars or folders of SA-1B")
    parser.add_argument("-o", "--out", type=Path, required=True, help="output folder")
    parser.add_argument(
        "--converter",
        default="converter-tiny",
        help="name or weight file of a label converter; labels: keep the masks",
    )
    parser.add_argument(
        "--fraction", type=float, default=0.01, help="fraction of the images, up to 1"
    )
    parser.add_argument(
        "--mask-fraction",
        type=float,
        default=1.0,
        help="fraction of the masks of these images to convert, up to 1 (1); 0.2 gives"
        " about as many as the paper keeps of 1 %% of SA-1B",
    )
    parser.add_argument(
        "--shard-size",
        type=number_between(1),
        default=100,
        help="images per shard (100)",
    )
    limits = Filters()
    parser.add_argument(
        "--min-area", type=int, default=limits.min_area, help="pixels of a mask"
    )
    for name in ("predicted_iou", "stability_score", "agreement"):
        default = getattr(limits, f"min_{name}")
        flag = f"--min-{name.replace('_', '-')}"
        parser.add_argument(flag, type=float, default=default, help=f"({default})")
    parser.add_argument(
        "--faulty-again", action="store_true", help="rebuild shards with faults"
    )
    parser.add_argument(
        "--workers", type=number_between(1), default=1, help="processes on this machine"
    )
    parser.add_argument(
        "--cluster", help="a Ray cluster: auto, HOST:PORT, or local:N to start one"
    )
    arguments = parser.parse_args(argv)
    for name in ("fraction", "mask_fraction"):
        if not 0 < getattr(arguments, name) <= 1:
            flag = name.replace("_", "-")
            parser.error(f"--{flag} must be above 0 and at most 1")
    return arguments


def _build_config(arguments: argparse.Namespace) -> BuildConfig:
    load = partial(load_labeller, arguments.converter)
    return BuildConfig(
        arguments.out.resolve(),
        load,
        load().fingerprint,
        arguments.fraction,
        arguments.shard_size,
        Filters(
            arguments.min_area,
            arguments.min_predicted_iou,
            arguments.min_stability_score,
            arguments.min_agreement,
            arguments.mask_fraction,
        ),
        arguments.faulty_again,
    )


def _handle_sigterm(number: int, frame: object) -> None:
    del frame
    raise KeyboardInterrupt(number)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = _parse_arguments(argv)
    # Schedulers end jobs with SIGTERM: remove partial files.
    before = signal.signal(signal.SIGTERM, _handle_sigterm)
    try:
        config, sources = (
            _build_config(arguments),
            find_sources(path.resolve() for path in arguments.source),
        )
        manifest = build(
            config, sources, cluster=arguments.cluster, workers=arguments.workers
        )
    except ZimError as error:
        print(f"sa1b_matte: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; run the same command to resume", file=sys.stderr)
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)
    print(_summary(config.out, manifest))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
