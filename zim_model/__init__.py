"""ZIM, zero-shot image matting: the model and the engine around it.

The package imports quickly and without torch; names load on first use.

>>> import zim_model
>>> cut_out = zim_model.remove("photo.jpg")
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Threads that wait by spinning take the cores from those they wait for as soon as any
# other program runs: measured on two cores with one of them busy, five times slower.
# OpenMP reads this when torch loads it; see zim_model.runtime.threads.tune_threads.
if "torch" not in sys.modules:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

if TYPE_CHECKING:
    from zim_app.core.remove import matte, remove
    from zim_model.inference.mask_generator import ZimAutomaticMaskGenerator
    from zim_model.inference.predictor import ZimPredictor
    from zim_model.inference.pretrained import load_model
    from zim_model.weights.pretrained_folder import push_to_hub, save_pretrained

    __version__: str

__all__ = [
    "ZimAutomaticMaskGenerator",
    "ZimPredictor",
    "__version__",
    "load_model",
    "matte",
    "push_to_hub",
    "remove",
    "save_pretrained",
]

_MODULES = {
    "ZimAutomaticMaskGenerator": "zim_model.inference.mask_generator",
    "ZimPredictor": "zim_model.inference.predictor",
    "load_model": "zim_model.inference.pretrained",
    "matte": "zim_app.core.remove",
    "push_to_hub": "zim_model.weights.pretrained_folder",
    "remove": "zim_app.core.remove",
    "save_pretrained": "zim_model.weights.pretrained_folder",
}
"""Where the names above are defined."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    loaded = {name for name in globals() if f"{__name__}.{name}" in sys.modules}
    return sorted({*__all__, *loaded})


def _version() -> str:
    # Imported here: it takes a twentieth of the time until the window appears.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("zim-studio")
    except PackageNotFoundError:  # a copy of the sources on the import path
        return "0+unknown"
