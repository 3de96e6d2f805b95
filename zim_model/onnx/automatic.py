"""Automatic networks: the main object's matte from an image alone, without prompts."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from zim_model.arrays import ByteArray, FloatArray
from zim_model.errors import DOWNLOAD_AGAIN, WeightsError, msg
from zim_model.onnx.sessions import open_session, providers_of, run_graph
from zim_model.weights.automatic import AutomaticModel, read_config


class AutomaticNetwork:
    """An automatic network that is loaded.

    Args:
        model: see :func:`~zim_model.weights.automatic.find_automatic`.
        device: ``cpu``, ``cuda:0`` or ``mps``; None takes the best that is usable.

    Raises:
        WeightsError: the file is damaged or of another kind, is not described, or ONNX
            Runtime is not installed.
        DeviceError: ONNX Runtime cannot use that device here.
    """

    def __init__(self, model: AutomaticModel, device: str | None = None) -> None:
        self.model, self.device, self.config = model, device, read_config(model)
        self._session = open_session(model.path, providers_of(device))
        self._input, self._size = self._check_graph()

    def _check_graph(self) -> tuple[str, tuple[int, int]]:
        """Name of the graph's input, and its height and width."""
        inputs = self._session.get_inputs()
        shape = list(inputs[0].shape) if len(inputs) == 1 else []
        if len(shape) != 4 or (shape[1] not in (3, None) and isinstance(shape[1], int)):
            raise WeightsError(
                msg("{path} takes no image alone.", path=self.model.path),
                msg("Automatic models have one input of 1 x 3 x H x W."),
            )
        if inputs[0].type != "tensor(float)":
            raise WeightsError(
                msg(
                    "{path} takes {kind}, not 32-bit numbers.",
                    path=self.model.path,
                    kind=inputs[0].type,
                ),
                msg("Export the model in fp32."),
            )
        side = self.config.side
        height, width = (
            value if isinstance(value, int) and value > 0 else side
            for value in shape[2:]
        )
        return inputs[0].name, (height, width)

    def predict(self, image: ByteArray) -> ByteArray:
        """The matte of an image's main object.

        Args:
            image: (H, W, 3) uint8, red first.

        Returns:
            (H, W) uint8, 255 on the object.

        Raises:
            WeightsError: the network fails, or its output is no matte.
        """
        output = self._run(self._prepare(image))
        matte = output.reshape(-1, *output.shape[-2:])[0].astype(np.float32)
        if not np.isfinite(matte).all():
            raise WeightsError(
                msg("{path} gives numbers that are not finite.", path=self.model.path),
                DOWNLOAD_AGAIN,
            )
        if self.config.sigmoid:
            matte = 1 / (1 + np.exp(-matte.clip(-60, 60)))
        if self.config.stretch:
            low, high = float(matte.min()), float(matte.max())
            matte = (matte - low) / max(high - low, 1e-6)
        height, width = image.shape[:2]
        matte = cv2.resize(matte, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(np.rint(matte.clip(0, 1) * 255), np.uint8)

    def _prepare(self, image: ByteArray) -> FloatArray:
        height, width = self._size
        shrinks = image.shape[0] > height and image.shape[1] > width
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        pixels = cv2.resize(image, (width, height), interpolation=method)
        scaled = pixels.astype(np.float32) / max(float(pixels.max()), 1.0)
        mean, std = (
            np.array(x, np.float32) for x in (self.config.mean, self.config.std)
        )
        planes = ((scaled - mean) / std).transpose(2, 0, 1)[None]
        return np.ascontiguousarray(planes)

    def _run(self, planes: FloatArray) -> Any:
        cure = msg("Check how its JSON file describes it, or download it again.")
        given = {self._input: planes}
        output = run_graph(self._session, self.model.path, given, cure=cure)
        if getattr(output, "ndim", 0) < 2:
            raise WeightsError(
                msg("The output of {path} is no matte.", path=self.model.path),
                msg("Automatic models give one plane of H x W."),
            )
        return output
