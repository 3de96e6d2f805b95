"""Hostile input for readers: ``python -m tests.fuzz --minutes 10 --reader png``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzz.reader import all_readers, load_family
from tests.fuzz.runner import Fuzzer, Tally, fuzz
from tests.fuzz.worker import make_input


def main() -> int:
    readers = all_readers()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=1.0, help="all readers together"
    )
    parser.add_argument("--reader", action="append", choices=readers, metavar="NAME")
    parser.add_argument("--seed", type=int, help="one input, with its traceback")
    parser.add_argument("--keep", type=Path, help="folder for the input of --seed")
    parser.add_argument("--first", type=int, default=0, help="seed to begin with")
    parser.add_argument("--most", type=int, default=10**9, help="inputs of each reader")
    args = parser.parse_args()
    chosen = {name: readers[name] for name in args.reader or readers}
    if args.seed is not None:
        return repeat(chosen, args.seed, args.keep)
    print(f"{'reader':<22}{'inputs':>9}{'accepted':>10}{'refused':>9}  faults")
    tallies = fuzz(chosen, args.minutes * 60, args.first, print_row, args.most)
    return 1 if any(tally.faults for tally in tallies.values()) else 0


def print_row(name: str, tally: Tally) -> None:
    counts = f"{tally.inputs:>9}{tally.accepted:>10}{tally.refused:>9}"
    print(f"{name:<22}{counts}  {len(tally.faults)}", flush=True)
    for text, fault in tally.faults.items():
        print(f"    {fault.count:>6} x {text}  (--reader {name} --seed {fault.seed})")


def repeat(readers: dict[str, str], seed: int, keep: Path | None) -> int:
    """Read one input again and print what it leads to."""
    with Fuzzer() as fuzzer:
        for name, family in readers.items():
            for result in fuzzer.run(family, name, [seed]):
                outcome = result.fault or ("accepted" if result.accepted else "refused")
                print(f"{name}: {outcome}\n{result.detail}")
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                make_input(load_family(family)[name], seed, keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
