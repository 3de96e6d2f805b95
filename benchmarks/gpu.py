"""First image and click on a GPU, and differences of the matte in half precision.

``python benchmarks/gpu.py [--model zim-vit-b] [--rounds 50]`` prints milliseconds of
encoding and of clicks, recorded as a graph and not, in every precision, and the
differences of the mattes from fp32's.  Goals on an H200: image 10 ms, click 1.5 ms.
The weights are random unless ``--weights`` names a file.

``--device cpu`` measures the mattes of bf16 where there is no GPU; its times are
meaningless.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from timing import scaled_photo

from zim_model.backends.torch_backend import TorchBackend
from zim_model.backends.view import View
from zim_model.inference.prediction import logits_to_alphas
from zim_model.network.config import CONFIGS
from zim_model.network.zim import Zim
from zim_model.prompts import Box, Point, PromptSet
from zim_model.runtime.devices import default_device, torch_dtype
from zim_model.weights.checkpoint import load_model


def milliseconds(backend: TorchBackend, rounds: int, action: Callable[[], object]):
    """Median milliseconds of an action, including its work on the GPU."""
    on_gpu = backend.device.type == "cuda"
    wait = torch.cuda.synchronize if on_gpu else lambda: None
    times = []
    for _ in range(rounds + 3 if on_gpu else rounds):
        wait()
        started = time.perf_counter()
        action()
        wait()
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times[-rounds:])


def measure_and_print(name: str, backend: TorchBackend, image: np.ndarray, rounds: int):
    """Print the times of a backend; return its mattes of a few prompt sets."""
    height, width = image.shape[:2]
    view = View.whole_for(backend.config, height, width)
    encoded = backend.encode(image, view)
    prompt_sets = [
        PromptSet((Point(0.45 * width, 0.3 * height),)),
        PromptSet((), Box(0.1 * width, 0.1 * height, 0.8 * width, 0.9 * height)),
        PromptSet(tuple(Point(0.1 * i * width, 0.4 * height) for i in range(2, 9))),
    ]
    inputs = [view.apply(prompts) for prompts in prompt_sets]
    encode = milliseconds(backend, rounds, lambda: backend.encode(image, view))
    click = milliseconds(backend, rounds, lambda: backend.decode(encoded, inputs[0]))
    graphs = backend._graphs
    recorded = "recorded" if graphs is not None and graphs.usable else "not recorded"
    print(f"{name:22}image {encode:9.2f} ms   click {click:9.2f} ms   {recorded}")
    return np.stack([logits_to_alphas(backend.decode(encoded, p)[0]) for p in inputs])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="zim-vit-b", choices=sorted(CONFIGS))
    parser.add_argument("--weights", help="a weight file in place of random ones")
    parser.add_argument("--device", default=default_device())
    parser.add_argument("--rounds", type=int, default=50)
    args = parser.parse_args()
    torch.manual_seed(0)
    model = load_model(args.weights) if args.weights else Zim(CONFIGS[args.model])
    image = scaled_photo(1)
    on_gpu = args.device.startswith("cuda")
    name = torch.cuda.get_device_name(args.device) if on_gpu else args.device
    print(f"{model.config.name} on {name}, {image.shape[1]} x {image.shape[0]}")
    exact = None
    for precision in ("fp32", "fp16", "bf16") if on_gpu else ("fp32", "bf16"):
        backend = TorchBackend(copy.deepcopy(model), args.device, precision)
        if not on_gpu:  # also where it is no faster
            backend.dtype = torch_dtype(precision)
        mattes = measure_and_print(precision, backend, image, args.rounds)
        if exact is None:
            exact = mattes
        difference = np.abs(mattes - exact)
        mean, most = difference.mean(), difference.max()
        print(f"{'':22}off by {mean:.1e} on average, {most:.1e} at most")
        if backend._graphs is not None:
            backend._graphs = None
            measure_and_print(f"{precision}, no graph", backend, image, args.rounds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
