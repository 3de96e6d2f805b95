"""SAM's ViT encoder: ours, Meta's, and the machine's speed of multiplication.

``python benchmarks/encoder.py [--reference DIR] [--rounds 2] [--threads 2]`` gives both
the same random weights, checks that they agree, and prints seconds, their ratio, and
the ratio of each to the time of its 972 GFLOP of products alone.

The reference is Meta's package: ``pip download segment-anything --no-deps`` gives a
wheel to unpack, whose folder ``--reference`` names.  Without it, ``transformers``' own
implementation is used.  It is measured unchanged, and again with the memory allocation
that our backend sets, which makes it faster too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from timing import interleaved

from zim_model.network.config import CONFIGS, VitConfig, ZimConfig
from zim_model.network.encoder import VitEncoder
from zim_model.runtime.malloc import tune_malloc

GFLOP = {"sam-vit-b": 972.0, "sam-vit-l": 2985.6, "sam-vit-h": 5961.0}
CALIBRATION = (4096, 768, 3072)


def meta_encoder(folder: Path, config: ZimConfig, encoder: VitConfig):
    """Meta's module; the package itself would want torchvision."""
    sys.path.insert(0, str(folder / "segment_anything"))
    from functools import partial

    from modeling.image_encoder import ImageEncoderViT

    return ImageEncoderViT(
        depth=encoder.depth,
        embed_dim=encoder.dim,
        img_size=config.image_size,
        mlp_ratio=encoder.mlp_ratio,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        num_heads=encoder.heads,
        patch_size=16,
        qkv_bias=True,
        use_rel_pos=True,
        global_attn_indexes=encoder.global_blocks,
        window_size=encoder.window,
        out_chans=config.embed_dim,
    )


def transformers_encoder(config: ZimConfig, encoder: VitConfig):
    """The implementation of ``transformers``, with its usual (SDPA) attention."""
    from transformers import SamVisionConfig, SamVisionModel

    settings = SamVisionConfig(
        hidden_size=encoder.dim,
        output_channels=config.embed_dim,
        num_hidden_layers=encoder.depth,
        num_attention_heads=encoder.heads,
        image_size=config.image_size,
        global_attn_indexes=list(encoder.global_blocks),
        window_size=encoder.window,
        mlp_dim=int(encoder.dim * encoder.mlp_ratio),
    )
    return SamVisionModel(settings)


def randomise(model: torch.nn.Module) -> torch.nn.Module:
    """Weights of about a trained model's size, biases and positions not zero."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            torch.nn.init.normal_(parameter, float("norm" in name), 0.02)
    return model.eval()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=Path, help="where Meta's wheel is unpacked")
    parser.add_argument("--model", default="sam-vit-b", choices=sorted(GFLOP))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=0, help="0: as torch has them")
    parser.add_argument("--bf16", action="store_true", help="measure bf16 too")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    config = CONFIGS[args.model]
    assert isinstance(config.encoder, VitConfig)
    ours = randomise(VitEncoder(config.encoder, config.grid, config.embed_dim))
    if args.reference:
        label = "Meta's reference"
        reference = meta_encoder(args.reference, config, config.encoder).eval()
        reference.load_state_dict(ours.state_dict())
    else:
        label = "transformers"
        reference = transformers_encoder(config, config.encoder).eval()
        reference.vision_encoder.load_state_dict(rename_state(ours.state_dict()))
    ours = ours.to(memory_format=torch.channels_last)
    image = torch.randn(1, 3, config.image_size, config.image_size)

    def run_reference(i: int) -> torch.Tensor:
        output = reference(image)
        return output if isinstance(output, torch.Tensor) else output[0]

    def run_ours(i: int) -> torch.Tensor:
        return ours(image, [])

    def run_bf16(i: int) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return ours(image, [])

    left = torch.randn(CALIBRATION[:2])
    right = torch.randn(CALIBRATION[1:])
    products = 2 * torch.tensor(CALIBRATION).prod().item() / 1e9
    actions = {
        f"{label}, malloc tuned": run_reference,
        "ours": run_ours,
        "product": lambda i: left @ right,
    }
    if args.bf16:
        actions["ours in bf16"] = run_bf16
    with torch.inference_mode():
        expected, actual = run_reference(0), run_ours(0)
        scale = expected.abs().max()
        print(
            f"largest difference {(actual - expected).abs().max() / scale:.1e} of all"
        )
        torch.testing.assert_close(
            actual, expected, rtol=1e-4, atol=1e-4 * scale.item()
        )
        if args.bf16:
            off = (run_bf16(0) - expected).abs() / scale
            print(f"bf16: largest {off.max():.1e}, mean {off.mean():.1e} of all")
        # All have run once by now.
        rows = interleaved(args.rounds, {label: run_reference}, warm=True)
        tune_malloc(huge=True)
        rows |= interleaved(args.rounds, actions, warm=True)
    rates = [products / seconds for seconds in rows.pop("product")]
    print(f"{args.model}, {torch.get_num_threads()} threads; one matrix product:")
    print(f"{rates[0]:.0f} GFLOP/s by the clock, {rates[1]:.0f} by processor time")
    ideal = [GFLOP[args.model] / rate for rate in rates]
    for name, seconds in rows.items():
        texts = [
            f"{spent:6.1f} s {base / spent:5.2f} x as fast, {spent / least:.2f} limits"
            for spent, base, least in zip(seconds, rows[label], ideal, strict=True)
        ]
        print(f"{name:30}{texts[0]} | processor{texts[1]}")
    return 0


def rename_state(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Our (Meta's) names as ``transformers`` calls them."""
    names = {
        "patch_embed.proj": "patch_embed.projection",
        "blocks.": "layers.",
        "norm1": "layer_norm1",
        "norm2": "layer_norm2",
        "neck.0": "neck.conv1",
        "neck.1": "neck.layer_norm1",
        "neck.2": "neck.conv2",
        "neck.3": "neck.layer_norm2",
    }
    out = {}
    for key, value in state.items():
        for old, new in names.items():
            key = key.replace(old, new)
        out[key] = value
    return out


if __name__ == "__main__":
    raise SystemExit(main())
