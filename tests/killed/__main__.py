"""Kill programs at any moment: ``python -m tests.killed --times 100 --what batch``."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.killed.runs import RUNS
from tests.killed.victim import Kills, kill_run, kill_writer
from tests.killed.writers import WRITERS

NAMES = tuple(each.name for each in (*WRITERS, *RUNS))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.killed", description=__doc__)
    parser.add_argument("--times", type=int, default=10, help="kills of each kind")
    parser.add_argument("--what", action="append", choices=NAMES)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    for name in args.what or NAMES:
        started = time.monotonic()
        kills = kill(name, args.times, args.seed)
        seconds = time.monotonic() - started
        print(f"{name:<10}{kills.kills:>5} kills{kills.ends:>5} ends{seconds:>7.0f} s")


def kill(name: str, times: int, seed: int = 0) -> Kills:
    """Kill what has that name so often; raises where something is lost."""
    with tempfile.TemporaryDirectory(prefix="zim-killed-") as folder:
        root = Path(folder)

        def make(part: str) -> Path:
            (root / part).mkdir()
            return root / part

        for writer in WRITERS:
            if writer.name == name:
                return kill_writer(writer, make("files"), times, seed)
        (run,) = (each for each in RUNS if each.name == name)
        return kill_run(run, make, times, seed)


if __name__ == "__main__":
    main()
