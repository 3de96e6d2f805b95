"""The sheet of previews."""

import torch
from PIL import Image
from torch import nn

from training.tiny.previews import write_sheet


class Elsewhere(nn.Module):
    """A network on another device than the samples, without a detail stage."""

    detail = None

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, device="meta"))

    def forward(self, pixels, maps):
        assert pixels.device == maps.device == self.weight.device
        return torch.zeros(1, 4, 16, 16), torch.zeros(1, 4)


def test_samples_go_to_the_device_of_the_network(tmp_path):
    sample = {
        "image": torch.zeros(3, 32, 32, dtype=torch.uint8),
        "maps": torch.zeros(3, 32, 32, dtype=torch.uint8),
        "target": torch.ones(16, 16),
    }
    write_sheet(Elsewhere(), [sample] * 2, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (96, 64)
        assert sheet.getpixel((48, 16)) == (127, 127, 127)
        assert sheet.getpixel((80, 16)) == (255, 255, 255)


def test_without_samples_nothing_is_written(tmp_path):
    write_sheet(Elsewhere(), [], tmp_path / "sheet.png")
    assert not any(tmp_path.iterdir())
