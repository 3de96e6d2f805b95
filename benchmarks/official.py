"""A click of ours and of the official predictor, with the same random weights.

``python benchmarks/official.py [--megapixels 12] [--rounds 5]`` prints medians of one
run in which both alternate.  The official predictor is written out here in plain
modules: all features in fp32, whole fusion convolutions, four masks, logits
interpolated to the input's size, cropped, interpolated to the photo's, and the sigmoid
last.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
import torch.nn.functional as F
from timing import interleaved, scaled_photo

from zim_model.backends.torch_backend import TorchBackend, prompt_tokens
from zim_model.backends.view import View, normalise
from zim_model.inference.engine import Engine
from zim_model.network.config import CONFIGS
from zim_model.network.zim import Zim
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import Request


class OfficialPredictor:
    """The official predictor's decoding, after its ``set_image``."""

    @torch.inference_mode()
    def __init__(self, model: Zim, view: View, pixels: np.ndarray) -> None:
        self.model, self.view = model, view
        image = torch.from_numpy(normalise(pixels, view.image_size))[None]
        self.features = model.encode(image)

    @torch.inference_mode()
    def predict(self, prompts: PromptSet, count: int = 1) -> np.ndarray:
        """Alpha (count, H, W) float32 of the first mattes."""
        coords, labels = prompt_tokens(self.view.apply(prompts))
        logits, _ = self.model.decode(
            self.features,
            torch.from_numpy(coords)[None],
            torch.from_numpy(labels)[None],
        )
        logits = logits[:, :count]
        side = self.view.image_size
        height, width = self.view.input_size
        logits = F.interpolate(logits, (side, side), mode="bilinear")
        logits = logits[..., :height, :width]
        size = (self.view.height, self.view.width)
        return F.interpolate(logits, size, mode="bilinear").sigmoid()[0].numpy()


class DiscModel:
    """A backend that decodes, and then returns a disc.

    The mattes of random weights are soft everywhere, unlike those of photos.
    """

    def __init__(self, backend: TorchBackend) -> None:
        self.backend = backend

    def __getattr__(self, name: str) -> object:
        return getattr(self.backend, name)

    def decode(self, *arguments: object) -> tuple[np.ndarray, np.ndarray]:
        logits, scores = self.backend.decode(*arguments)
        height, width = logits.shape[1:]
        y, x = np.mgrid[:height, :width].astype(np.float32)
        radius = np.hypot(y - height / 2, x - width / 2)
        disc = np.clip(0.3 * height - radius, -9, 9)
        return np.broadcast_to(disc, logits.shape).astype(np.float32), scores


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="zim-vit-b", choices=sorted(CONFIGS))
    args = parser.parse_args()
    image = scaled_photo(args.megapixels)
    height, width = image.shape[:2]
    torch.manual_seed(0)
    model = Zim(CONFIGS[args.model]).eval()
    backend = TorchBackend(model, "cpu")
    engine = Engine(lambda name, placement: DiscModel(backend))

    view = View.whole_for(model.config, height, width)
    encoded = backend.encode(image, view)
    official = OfficialPredictor(model, view, encoded.pixels)

    def make_prompts(i: int) -> PromptSet:
        box = Box(0.05 * width, 0.02 * height, 0.85 * width, 0.98 * height)
        return PromptSet((Point(0.45 * width + i, 0.3 * height),), box)

    def solve(i: int, upsampling: str) -> object:
        options = Options(upsampling=upsampling)
        # Other clicks than the other method's: the engine caches predictions.
        clicks = make_prompts(2 * i + (upsampling == "guided"))
        return engine.solve(Request(image, "photo", Recipe(clicks, "it", options)))

    rows = interleaved(
        args.rounds,
        {
            "official, first matte": lambda i: official.predict(make_prompts(i), 1),
            "official, four mattes": lambda i: official.predict(make_prompts(i), 4),
            "ours, bilinear": lambda i: solve(i, "bilinear"),
            "ours, guided": lambda i: solve(i, "guided"),
            "decode alone": lambda i: backend.decode(
                encoded, view.apply(make_prompts(i))
            ),
        },
    )
    print(f"{args.model}, {backend.device_label}, {width} x {height}, random weights")
    wall, processor = rows["official, first matte"]
    for name, (seconds, spent) in rows.items():
        print(
            f"{name:24}{seconds * 1e3:8.0f} ms   x {wall / seconds:5.2f}"
            f"{spent * 1e3:10.0f} ms of processor time   x {processor / spent:5.2f}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
