"""Tuning of the C library's allocator for networks on a CPU."""

from __future__ import annotations

import ctypes
import sys


def tune_malloc(*, huge: bool = False) -> None:
    """Let glibc keep big freed blocks (Linux; elsewhere nothing happens).

    By default every large tensor is a fresh mmap whose pages fault one by one; on a CPU
    that is most of the time of a small network.

    Args:
        huge: keep blocks over 32 MB too, as large networks need.  Images of that size
            are then cleared by hand, which blocks other threads.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # musl
        return
    m_trim_threshold, m_top_pad, m_mmap_threshold, m_mmap_max = -1, -2, -3, -4
    mallopt(m_mmap_threshold, 32 << 20)  # glibc's largest
    mallopt(m_mmap_max, 0 if huge else 1 << 16)
    mallopt(m_trim_threshold, 1 << 30)
    mallopt(m_top_pad, 64 << 20)
