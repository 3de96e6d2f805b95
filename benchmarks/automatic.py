"""Everything-mode, compared with a straightforward generator with the same weights.

``python benchmarks/automatic.py [--model zim-vit-b] [--side 6] [--megapixels 4]``
prints seconds, their ratio, and how much the mattes differ, all in fp32.  The
straightforward generator works as the official ones: a batch of points is decoded,
every matte is upsampled to the image's size, and only then filtered, cropped and
compared.  The weights are random; half of the first few mattes reach the threshold of
the predicted IoU, and most of them that of stability.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
import torch.nn.functional as F
from timing import interleaved, scaled_photo

from zim_model.backends.torch_backend import TorchBackend, prompt_tokens
from zim_model.backends.view import View, normalise, resize_view
from zim_model.inference.generator_geometry import (
    non_maximum_suppression,
    point_grid,
)
from zim_model.inference.mask_generator import ZimAutomaticMaskGenerator
from zim_model.network.config import CONFIGS
from zim_model.network.zim import Zim
from zim_model.prompts import Point, PromptSet


@torch.inference_mode()
def straightforward(
    model: Zim,
    image: np.ndarray,
    side: int,
    threshold: float,
    steady: float,
    batch: int,
) -> list[np.ndarray]:
    """Mattes (H, W) uint8, as the official generators make them."""
    config = model.config
    height, width = image.shape[:2]
    view = View.whole_for(config, height, width)
    pixels = normalise(resize_view(config, image, view), config.image_size)
    features = model.encode(torch.from_numpy(pixels)[None])
    points = point_grid(side) * (width, height)
    margin = float(np.log(0.6 / 0.4))
    mattes, boxes, scores = [], [], []
    for start in range(0, len(points), batch):
        sets = [PromptSet((Point(*p),)) for p in points[start : start + batch].tolist()]
        tokens = [prompt_tokens(view.apply(prompts)) for prompts in sets]
        logits, iou = model.decode(
            features,
            torch.from_numpy(np.stack([t[0] for t in tokens])),
            torch.from_numpy(np.stack([t[1] for t in tokens])),
        )
        s = config.image_size
        logits = F.interpolate(logits, (s, s), mode="bilinear")
        rows, columns = view.input_size
        logits = logits[..., :rows, :columns]
        logits = F.interpolate(logits, (height, width), mode="bilinear").flatten(0, 1)
        iou = iou.flatten()
        logits, iou = logits[iou > threshold], iou[iou > threshold]
        low = (logits > -margin).sum((1, 2))
        stability = (logits > margin).sum((1, 2)) / low.clamp(min=1)
        good = (stability >= steady) & (logits > 0).flatten(1).any(1)
        for matte, score in zip(logits[good], iou[good].tolist(), strict=True):
            on = matte > 0
            y, x = on.any(1).nonzero(), on.any(0).nonzero()
            boxes.append([int(x[0]), int(y[0]), int(x[-1]) + 1, int(y[-1]) + 1])
            scores.append(score)
            mattes.append((matte.sigmoid() * 255).round().byte().numpy())
    selected = non_maximum_suppression(
        np.array(boxes, float).reshape(-1, 4), scores, 0.7
    )
    return [mattes[i] for i in selected]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=4)
    parser.add_argument("--side", type=int, default=6, help="points along each side")
    parser.add_argument("--batch", type=int, default=4, help="the other's, for memory")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--model", default="zim-vit-b", choices=sorted(CONFIGS))
    args = parser.parse_args()
    image = scaled_photo(args.megapixels)
    torch.manual_seed(0)
    model = Zim(CONFIGS[args.model]).eval()
    backend = TorchBackend(model, "cpu", "fp32")
    everything = {"pred_iou_thresh": -1e9, "stability_score_thresh": 0.0}
    limits = everything | {"box_nms_thresh": 1.0}
    probe = ZimAutomaticMaskGenerator(backend, 3, **limits).generate(image)
    threshold = float(np.median([record["predicted_iou"] for record in probe]))
    steady = float(np.quantile([record["stability_score"] for record in probe], 0.2))
    generator = ZimAutomaticMaskGenerator(
        backend,
        args.side,
        pred_iou_thresh=threshold,
        stability_score_thresh=steady,
    )
    found: dict[str, list[np.ndarray]] = {}

    def ours(i: int) -> None:
        found["ours"] = [record["matte"] for record in generator.generate(image)]

    def theirs(i: int) -> None:
        found["straightforward"] = straightforward(
            model, image, args.side, threshold, steady, args.batch
        )

    def encode(i: int) -> None:
        view = View.whole_for(model.config, *image.shape[:2])
        backend.encode(image, view)

    actions = {"straightforward": theirs, "ours": ours, "of which encoding": encode}
    rows = interleaved(args.rounds, actions, warm=True)
    print(f"{args.model}, {image.shape[1]} x {image.shape[0]}, {args.side}^2 points")
    for name, (wall, processor) in rows.items():
        base = rows["straightforward"]
        ratio = base[0] / wall, base[1] / processor
        count = len(found.get(name, ()))
        print(
            f"{name:20}{count:5} mattes {wall:8.1f} s  x {ratio[0]:.2f}"
            f"{processor:10.1f} s of processor time  x {ratio[1]:.2f}"
        )
    differences = [
        min(np.abs(a.astype(int) - b).mean() for b in found["straightforward"])
        for a in found["ours"]
    ]
    print(
        f"ours differ by {max(differences, default=0):.3f} of 255, on average, at most"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
