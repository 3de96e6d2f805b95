"""The engine of a worker process."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from zim_model.runtime.devices import DeviceChoice

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine


@functools.cache
def process_engine(device: DeviceChoice) -> Engine:
    """The engine of this process for a device, with the models that it has loaded."""
    from zim_model.inference.engine import Engine  # imports torch

    engine = Engine()
    if device != DeviceChoice():
        engine.set_device(device)
    return engine
