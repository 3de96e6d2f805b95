"""What of the timm package an encoder uses, for where the package is not installed."""

from types import ModuleType, SimpleNamespace

from torch import nn

WIDTHS, REDUCTIONS = (4, 8, 12, 16, 20), (2, 4, 8, 16, 32)
NETWORKS = ("resnet18", "swin_tiny_patch4_window7_224", "vit_tiny_patch16_224")


class Stages(nn.Module):
    """Strided convolutions, whose outputs are all returned."""

    def __init__(self, reductions):
        super().__init__()
        widths = (3, *WIDTHS)
        self.stages = nn.ModuleList(
            nn.Conv2d(widths[i], widths[i + 1], 3, 2, 1) for i in range(5)
        )
        self.feature_info = SimpleNamespace(
            channels=lambda: list(WIDTHS), reduction=lambda: list(reductions)
        )

    def forward(self, x):
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


def create_model(name, *, pretrained, features_only):
    assert not pretrained, "nothing may be downloaded"
    assert features_only
    return Stages((16,) * 5 if name.startswith("vit") else REDUCTIONS)


def get_pretrained_cfg(name):
    return SimpleNamespace(fixed_input_size=name.startswith("swin"))


def module():
    """The stand-in as a module."""
    timm = ModuleType("timm")
    timm.is_model = lambda name: name in NETWORKS or name.startswith("hf-hub:")
    timm.list_models = lambda: list(NETWORKS)
    timm.create_model, timm.get_pretrained_cfg = create_model, get_pretrained_cfg
    return timm
