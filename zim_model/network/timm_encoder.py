"""Image encoders of the timm package, for experiments with other architectures."""

from __future__ import annotations

from torch import Tensor, nn

from zim_model.errors import WeightsError, msg
from zim_model.network.encoder_configs import TimmConfig
from zim_model.network.hiera import Neck

STRIDES = (4, 8, 16, 32)
SUITABLE = msg(
    "Take a network with stages and for any size, such as convnext_tiny or resnet50."
)


class TimmEncoder(nn.Module):
    """A network of timm with a neck: (B, 3, S, S) to image embeddings (B, C, G, G).

    Its weights are those of the model's file, or random; nothing is downloaded.

    Attributes:
        img_size: side S of the input, by SAM's name for it.
    """

    def __init__(self, config: TimmConfig, image_size: int, embed_dim: int) -> None:
        """Build the network.

        Raises:
            WeightsError: timm is not installed, has no such network, or the network
                lacks features at one of STRIDES.
        """
        super().__init__()
        self.img_size = image_size
        self.trunk = _create(config.model)
        places = _places(self.trunk, config.model)
        widths = self.trunk.feature_info.channels()  # type: ignore[operator,union-attr]
        self.neck = Neck([widths[place] for place in places], embed_dim)
        self._places = places

    def pyramid(self, image: Tensor) -> list[Tensor]:
        """Features (B, C, h, w) at strides 4, 8 and 16."""
        stages = self.trunk(image)
        levels: list[Tensor] = self.neck([stages[place] for place in self._places])
        return levels

    def forward(self, image: Tensor) -> Tensor:
        return self.pyramid(image)[-1]


def _create(name: str) -> nn.Module:
    """A network of timm that returns the features of all its stages."""
    try:
        import timm
    except ImportError as error:
        raise WeightsError(
            msg("{name} needs the package timm, which is not installed.", name=name),
            msg("Install it: pip install 'zim-studio[timm]'."),
        ) from error
    # Only names of the package itself: others are addresses, which it would fetch from.
    if not timm.is_model(name) or not name.replace("_", "").isalnum():
        raise WeightsError(
            msg("The package timm has no network called {name!r}.", name=name),
            msg("Its names are listed by timm.list_models()."),
        )
    try:
        network: nn.Module = timm.create_model(
            name, pretrained=False, features_only=True
        )
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise _unsuitable(name) from error  # it has no stages
    if timm.get_pretrained_cfg(name).fixed_input_size:
        raise WeightsError(
            msg("{name} takes images of one size only.", name=name), SUITABLE
        )
    return network


def _places(network: nn.Module, name: str) -> list[int]:
    """Where among a network's features those at STRIDES are."""
    reductions = network.feature_info.reduction()  # type: ignore[operator,union-attr]
    if any(stride not in reductions for stride in STRIDES):
        raise _unsuitable(name)
    return [reductions.index(stride) for stride in STRIDES]


def _unsuitable(name: str) -> WeightsError:
    return WeightsError(
        msg("{name} has no features at strides 4, 8, 16 and 32.", name=name), SUITABLE
    )
