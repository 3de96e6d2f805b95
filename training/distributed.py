"""Process group of a distributed run started by ``torchrun``, or a single process."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

# Before there is a group: DistributedDataParallel imports it, and functions that are
# defined while there is one hold it as the default of an argument.
import torch.distributed.nn

from zim_model.runtime.devices import default_device


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes of a run.

    Attributes:
        rank: number of this process; process 0 is the main process.
        size: number of processes.
        device: device of this process.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this is the main process, which writes the files."""
        return self.rank == 0

    def any_rank(self, stop: bool) -> bool:
        """Return whether ``stop`` is true in any process; the same in all of them."""
        if self.size == 1:
            return stop
        stop_flag = torch.tensor(float(stop), device=self.device)
        dist.all_reduce(stop_flag, dist.ReduceOp.MAX)
        return bool(stop_flag)


@contextmanager
def join_process_group() -> Iterator[ProcessGroup]:
    """Join the process group of ``torchrun``; a group of one process without it.

    What holds the group, such as a module in ``DistributedDataParallel``, is to be
    dropped before the end: the group's threads end with the last reference.  One that
    is still at work at Python's end aborts the process.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    kind = default_device()
    if size == 1:
        yield ProcessGroup(0, 1, torch.device(kind))
        return
    local = int(os.environ["LOCAL_RANK"])
    device = torch.device("cuda", local) if kind == "cuda" else torch.device("cpu")
    if kind == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if kind == "cuda" else "gloo")
    try:
        yield ProcessGroup(int(os.environ["RANK"]), size, device)
    finally:
        dist.destroy_process_group()
        gc.collect()  # a wrapped module is part of reference cycles
