"""Every reader withstands hostile input; ``python -m tests.fuzz`` tries more of it."""

from __future__ import annotations

import pytest

from tests.fuzz.reader import all_readers, load_family
from tests.fuzz.runner import Fuzzer, fuzz
from tests.fuzz.worker import has_limits

SECONDS = 12.0
"""For the inputs of all readers together."""

pytestmark = pytest.mark.skipif(not has_limits(), reason="limits are Linux's")


@pytest.mark.slow
def test_readers_withstand_hostile_input() -> None:
    tallies = fuzz(all_readers(), SECONDS, most=300)
    assert all(tally.inputs for tally in tallies.values())
    faults = {name: tally.faults for name, tally in tallies.items() if tally.faults}
    assert not faults


def test_faults_are_found_and_name_their_place() -> None:
    with Fuzzer(hang=2.0) as fuzzer:
        found = {
            name: next(iter(fuzzer.run("faulty", name, [0]))).fault
            for name in load_family("faulty")
        }
        (good,) = fuzzer.run("documents", "recipe", [1])
    assert found["raises"].startswith("KeyError at tests/fuzz/faulty.py")
    assert found["hangs"].startswith("hangs")
    assert found["crashes"].startswith("ends its process with -11")
    assert found["leaks"].startswith("MemoryError")
    assert found["writes"] == "open outside, to write"
    assert found["reads"] == "open outside"
    assert found["runs"].startswith("subprocess.Popen")
    assert not good.fault, "a new process goes on"


def test_seeds_repeat_inputs() -> None:
    with Fuzzer() as one, Fuzzer() as other:
        seeds = range(20, 30)
        first, second = (
            list(f.run("tables", "prompt-csv", seeds)) for f in (one, other)
        )
    assert first == second
    assert {result.accepted for result in first} == {True, False}
