"""Make SA1B-Matte: ``python -m training.sa1b_matte SA-1B -o DIR``.

A label converter turns every mask of (a fraction of) SA-1B into a soft matte.  The
same command goes on where an earlier one was stopped; how is in
``training.sa1b_matte.building``.
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

from training.sa1b_matte.building import Job, build
from training.sa1b_matte.labels import Filters, load_labeller
from training.sa1b_matte.sa1b import find_sources
from training.sa1b_matte.shards import MANIFEST
from zim_model.errors import ZimError


def _summary(out: Path, manifest: dict[str, Any]) -> str:
    counts = Counter(manifest["counts"])
    dropped = ", ".join(f"{n} {why}" for why, n in sorted(manifest["dropped"].items()))
    size = sum(shard["bytes"] for shard in manifest["shards"])
    return (
        f"{out / MANIFEST}: {counts['mattes']} mattes of {counts['pictures']} pictures"
        f" in {counts['shards']} shards, {size / 2**20:.1f} MB;"
        f" left out: {dropped or 'none'}; could not be used: {counts['faults']}"
    )


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.sa1b_matte")
    parser.add_argument("source", type=Path, nargs="+", help="tars or folders of SA-1B")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder")
    parser.add_argument(
        "--converter",
        default="converter-tiny",
        help="name or file of a label converter; labels: keep the masks as they are",
    )
    parser.add_argument(
        "--fraction", type=float, default=0.01, help="share of the pictures, to 1"
    )
    parser.add_argument(
        "--shard-size", type=int, default=100, help="pictures a shard (100)"
    )
    limits = Filters()
    parser.add_argument("--min-area", type=int, default=limits.min_area, help="pixels")
    for name in ("predicted_iou", "stability_score", "agreement"):
        default = getattr(limits, f"min_{name}")
        flag = f"--min-{name.replace('_', '-')}"
        parser.add_argument(flag, type=float, default=default, help=f"({default})")
    parser.add_argument(
        "--faulty-again", action="store_true", help="make shards with faults again"
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="processes on this machine"
    )
    parser.add_argument(
        "--cluster", help="a Ray cluster: auto, HOST:PORT, or local:N to start one"
    )
    given = parser.parse_args(argv)
    if not 0 < given.fraction <= 1:
        parser.error("--fraction is more than 0 and at most 1")
    if given.shard_size < 1 or given.workers < 1:
        parser.error("--shard-size and --workers are 1 or more")
    return given


def _job(given: argparse.Namespace) -> Job:
    load = partial(load_labeller, given.converter)
    return Job(
        given.out.resolve(),
        load,
        load().fingerprint,
        given.fraction,
        given.shard_size,
        Filters(
            given.min_area,
            given.min_predicted_iou,
            given.min_stability_score,
            given.min_agreement,
        ),
        given.faulty_again,
    )


def _stop(number: int, frame: object) -> None:
    del frame
    raise KeyboardInterrupt(number)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    given = _parsed(argv)
    # As a cluster's scheduler asks a job to go: leave nothing half written.
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        job, sources = (
            _job(given),
            find_sources(path.resolve() for path in given.source),
        )
        manifest = build(job, sources, cluster=given.cluster, workers=given.workers)
    except ZimError as error:
        print(f"build_sa1b_matte: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)
    print(_summary(job.out, manifest))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
