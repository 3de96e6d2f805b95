"""Imports slow modules on worker threads without blocking the window.

A plain ``import torch`` holds the interpreter's lock for some 300 ms while the dynamic
linker loads libtorch, and again for 100 ms at a time while the garbage collector walks
the many new objects.  Measured on two cores: longest stall 336 ms before, 37 ms after.
"""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import os
import sys
import threading
from pathlib import Path

_LIBRARIES = ("libc10.so", "libtorch_cpu.so", "libtorch.so", "libtorch_python.so")

_IMPORT_LOCK = threading.Lock()
"""The linker serves one thread at a time, and an import of an extension module would
wait for it with the interpreter's lock held.  With this lock, it waits without that."""


def import_readers() -> None:
    """Import the modules that read images; call it on a worker thread."""
    with _IMPORT_LOCK:
        import cv2  # noqa: F401
        import PIL.TiffImagePlugin
        import PIL.WebPImagePlugin

        import zim_app.core.images  # noqa: F401

        PIL.Image.preinit()


def import_torch() -> None:
    """Import torch; call it on a worker thread, before anything that needs torch."""
    if "torch" in sys.modules:
        return
    with _IMPORT_LOCK:
        _load_libraries()
    gc.disable()
    try:
        import torch  # noqa: F401
    finally:
        gc.enable()
    # Modules live as long as the process: exclude them from garbage collection.
    gc.freeze()


def _load_libraries() -> None:
    """Load libtorch through a foreign call, which releases the interpreter's lock."""
    spec = importlib.util.find_spec("torch")
    if not sys.platform.startswith("linux") or spec is None or spec.origin is None:
        return
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype = ctypes.c_void_p
    for name in _LIBRARIES:
        # If a library is missing here, the import itself finds it or fails.
        dlopen(os.fsencode(Path(spec.origin).parent / "lib" / name), os.RTLD_NOW)
