"""One process or many: what ``torchrun`` says about this one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from zim_model.runtime.devices import default_device


@dataclass(frozen=True, slots=True)
class Team:
    """The processes of a run.

    Attributes:
        rank: number of this process; process 0 writes the files.
        size: how many there are.
        device: where this one computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def agreed(self, stop: bool) -> bool:
        """Whether any process wants to stop, the same answer in all."""
        if self.size == 1:
            return stop
        wish = torch.tensor(float(stop), device=self.device)
        dist.all_reduce(wish, dist.ReduceOp.MAX)
        return bool(wish)


@contextmanager
def team() -> Iterator[Team]:
    """Join the processes that ``torchrun`` started; alone without it."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    kind = default_device()
    if size == 1:
        yield Team(0, 1, torch.device(kind))
        return
    local = int(os.environ["LOCAL_RANK"])
    device = torch.device("cuda", local) if kind == "cuda" else torch.device("cpu")
    if kind == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if kind == "cuda" else "gloo")
    try:
        yield Team(int(os.environ["RANK"]), size, device)
    finally:
        dist.destroy_process_group()
