"""Tuning of the C library's allocator for networks on a CPU."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any


def tune_malloc(*, huge: bool = False) -> None:
    """Let glibc keep big freed blocks (Linux; elsewhere nothing happens).

    By default every large tensor is a fresh mmap whose pages fault one by one; on a CPU
    that is most of the time of a small network.

    Args:
        huge: keep blocks over 32 MB too, as large networks need.  Images of that size
            are then cleared by hand, which blocks other threads.
    """
    mallopt = _glibc_function("mallopt")
    if mallopt is None:
        return
    m_trim_threshold, m_top_pad, m_mmap_threshold, m_mmap_max = -1, -2, -3, -4
    mallopt(m_mmap_threshold, 32 << 20)  # glibc's largest
    mallopt(m_mmap_max, 0 if huge else 1 << 16)
    mallopt(m_trim_threshold, 1 << 30)
    mallopt(m_top_pad, 64 << 20)


def release_freed_memory() -> None:
    """Give what was freed back to the system (glibc; elsewhere nothing happens).

    Takes milliseconds, in which no thread can allocate memory.
    """
    trim = _glibc_function("malloc_trim")
    if trim is not None:
        trim(0)


def _glibc_function(name: str) -> Callable[..., Any] | None:
    """A function of glibc; None with another C library."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        function: Callable[..., Any] = getattr(ctypes.CDLL("libc.so.6"), name)
    except (OSError, AttributeError):  # musl
        return None
    return function
