"""CLIP's image encoder as an ONNX graph, to compare what two images show."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from zim_model.arrays import ByteArray, FloatArray
from zim_model.errors import WeightsError, msg
from zim_model.onnx.sessions import open_session, run_graph

SIDE = 224
"""Of CLIP's input, in pixels, where the graph takes any."""
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
"""Of red, green and blue in CLIP's training."""


class ClipEncoder:
    """CLIP's image encoder.

    The graph takes ``pixel_values``, (1, 3, s, s) float32, and gives ``image_embeds``,
    (1, n), as transformers' export of ``CLIPVisionModelWithProjection`` does.

    Raises:
        WeightsError: the file is damaged or of another kind.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._session = path, open_session(path)
        inputs = self._session.get_inputs()
        outputs = [each.name for each in self._session.get_outputs()]
        takes = [each.name for each in inputs]
        if takes != ["pixel_values"] or "image_embeds" not in outputs:
            raise WeightsError(
                msg(
                    "{path} is no image encoder of CLIP: it takes {takes} and gives "
                    "{gives}.",
                    path=path,
                    takes=", ".join(takes) or "-",
                    gives=", ".join(outputs) or "-",
                ),
                msg("Give a graph that takes pixel_values and gives image_embeds."),
            )
        side = inputs[0].shape[-1]
        self._side = side if isinstance(side, int) and side > 0 else SIDE

    def encode(self, image: ByteArray) -> FloatArray:
        """The embedding of an image, (n,) float32 of length 1.

        Args:
            image: (H, W, 3) uint8 sRGB; scaled to a square, whatever its shape.

        Raises:
            WeightsError: the graph fails.
        """
        size = self._side, self._side
        shrinks = min(image.shape[:2]) > self._side
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        pixels = cv2.resize(image, size, interpolation=method).astype(np.float32) / 255
        planes = ((pixels - MEAN) / STD).transpose(2, 0, 1)[None]
        given = {"pixel_values": np.ascontiguousarray(planes, np.float32)}
        output = run_graph(self._session, self._path, given, "image_embeds")
        embedding = np.asarray(output, np.float32).ravel()
        return embedding / max(float(np.linalg.norm(embedding)), 1e-12)

    def distance(self, image: ByteArray, other: ByteArray) -> float:
        """How different two images are: 0 for the same, to 2; one less the cosine."""
        return 1 - float(self.encode(image) @ self.encode(other))
