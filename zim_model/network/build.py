"""Networks from configurations."""

from __future__ import annotations

from zim_model.network.config import ModelConfig, TinyConfig
from zim_model.network.hq_sam import HqSam
from zim_model.network.sam2 import Sam2
from zim_model.network.tiny import ZimTiny
from zim_model.network.zim import Zim


def build(config: ModelConfig) -> Zim | ZimTiny:
    """A new network of an architecture."""
    return ZimTiny(config) if isinstance(config, TinyConfig) else build_zim(config)


def build_zim(config: ModelConfig) -> Zim:
    """A new network of an architecture that is not zim-tiny's."""
    assert not isinstance(config, TinyConfig)
    kinds: dict[str, type[Zim]] = {"sam2": Sam2, "hq": HqSam}
    return kinds.get(config.pixel_decoder, Zim)(config)
