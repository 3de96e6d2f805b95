"""Independent parts of one computation on several threads, each of which works alone.

Torch's own threads synchronise after every step.  Where steps are short that costs as
much as it saves, and beside another busy program they wait for threads without a core.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

Parts = list[tuple[int, int]]


def parallel_for(work: Callable[[int, int], None], parts: Parts) -> None:
    """Call ``work(*part)`` for all parts, on as many threads as torch has.

    Args:
        work: uses torch, without gradients or autocast; parts do not depend on each
            other.  An error in it is raised here.
        parts: about equally long.
    """
    count = min(torch.get_num_threads(), len(parts))
    if count <= 1:
        for part in parts:
            work(*part)
        return
    inference = torch.is_inference_mode_enabled()

    def work_chunk(first: int) -> None:
        # Both are per thread.
        torch.set_num_threads(1)
        with torch.inference_mode(inference), torch.no_grad():
            for part in parts[first::count]:
                work(*part)

    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(count, "side-by-side") as pool:
            list(pool.map(work_chunk, range(count)))
    finally:
        torch.set_num_threads(threads)  # the default of later threads
