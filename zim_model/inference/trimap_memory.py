"""What a trimap refinement needs, known before it runs; imports nothing slow."""

from __future__ import annotations

TILE_SIDE = 1024
"""Side of a tile, in pixels."""
TILE_OVERLAP = 128
"""Smallest overlap of neighbouring tiles, and context around the unknown band."""
MAX_PIXELS = 32_000_000
"""A larger part of an image is scaled down to so many."""

NETWORK_BYTES = 900
"""Per pixel of a tile: the features at full resolution outweigh all others, in ViTMatte
small and base alike.  Measured in fp32; half precision needs less."""
IMAGE_BYTES = 24
"""Per pixel of the image: trimap, distances, and the sum of the tiles."""


LOADED = 1.3
"""The weights' bytes, so many times: loading holds them twice, and of what it frees the
allocator keeps some."""


def memory_needed(weight_bytes: int, height: int, width: int) -> int:
    """Bytes that the refinement of a matte takes at its peak, beside the image.

    Args:
        weight_bytes: of the trimap network's file.
        height, width: of the image, in pixels.
    """
    tile = min(height, TILE_SIDE) * min(width, TILE_SIDE)
    running = NETWORK_BYTES * tile + IMAGE_BYTES * height * width
    return max(2 * weight_bytes, round(LOADED * weight_bytes) + running)
