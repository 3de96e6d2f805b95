"""Our ZIM as the official pair of ONNX graphs.

Names, order and shapes are those of the pair that ZIM's authors publish, so that the
official package and programs made for it can run our weights.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from zim_model.errors import WeightsError, msg
from zim_model.network.decoder import PADDING
from zim_model.network.zim import Zim
from zim_model.onnx.backend import (
    DECODER_OUTPUTS,
    ENCODER_OUTPUTS,
    IMAGE,
    PROMPTS,
    SIGMA_KEY,
)
from zim_model.onnx.parity import (
    ParityDifference,
    check_parity,
    decoder_differences,
    decoder_outputs,
    encoder_differences,
)
from zim_model.onnx.sessions import open_session
from zim_model.runtime.atomic_files import check_absent, rename_to_new
from zim_model.weights.installed import (
    ONNX_FILES,
    OVERWRITE_CURE,
    check_space,
    require_onnx,
    translate_os_errors,
)

OPSET = 17
"""The oldest with layer normalisation as one operator; supported by ONNX Runtime
1.12."""
DECODER_INPUTS = (*ENCODER_OUTPUTS[1:], ENCODER_OUTPUTS[0], *PROMPTS)
"""In the official order."""


class OfficialEncoder(nn.Module):
    """The image (1, 3, S, S) to the embeddings and three detail maps."""

    def __init__(self, model: Zim) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        features = self.model.encode(image)
        return (features.embeddings, *features.details)


class OfficialDecoder(nn.Module):
    """Features of one image and B prompt sets to mask logits and predicted IoU.

    The attention mask is an input; there is no mask input.
    """

    def __init__(self, model: Zim) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        d0: Tensor,
        d1: Tensor,
        d2: Tensor,
        embeddings: Tensor,
        coords: Tensor,
        labels: Tensor,
        mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Decode prompts.

        Args:
            d0, d1, d2: (1 or B, c, S/2, S/2), (…, S/4, S/4), (…, S/8, S/8).
            embeddings: (1 or B, C, G, G).
            coords: (B, N, 2), input pixels.
            labels: (B, N) float.
            mask: (B, G, G) in [0, 1].

        Returns:
            (B, 4, S/2, S/2) logits and (B, 4).
        """
        config, prompts = self.model.config, self.model.prompt_encoder
        count = coords.shape[0]
        tokens = prompts.tokens(coords, labels.long(), config.image_size)
        if config.masked_attention == "none":
            tokens = tokens + 0 * mask.mean()  # an input without use is left out
        dense = prompts.no_mask_embed.weight[:, :, None, None]
        image, *details = (
            each.expand(count, -1, -1, -1) for each in (embeddings + dense, d0, d1, d2)
        )
        place = prompts.pe_layer.grid(config.grid)
        logits, iou = self.model.mask_decoder(image, place, tokens, None, mask, details)
        return logits, iou


def export_pair(
    model: Zim, folder: Path, *, overwrite: bool = False
) -> list[ParityDifference]:
    """Write ``encoder.onnx`` and ``decoder.onnx``, both or neither.

    The graphs are compared with the network before they replace earlier ones.

    Args:
        model: one with ZIM's pixel decoder.
        folder: made if it does not exist.
        overwrite: replace graphs that are in the folder.

    Returns:
        Differences between the results of the graphs and the network.

    Raises:
        WeightsError: the official interface does not suit the model, the packages for
            ONNX are missing, the folder has such graphs already, the new ones give
            other numbers, or the disk is full.
    """
    check_exportable(model)
    require_onnx()
    files = with_external_data(folder, ONNX_FILES)
    if not overwrite:
        check_absent(files, OVERWRITE_CURE, WeightsError)
    model = model.cpu().float().eval()
    size = sum(t.numel() * t.element_size() for t in model.state_dict().values())
    with staging_folder(folder, overwrite=overwrite) as staging:
        check_space(folder, int(1.2 * size), model=False)
        _write_encoder(model, staging / ONNX_FILES[0])
        _write_decoder(model, staging / ONNX_FILES[1])
        _store_sigma(model.config.attention_sigma, staging / ONNX_FILES[1])
        return _check_parity(model, staging)


def check_exportable(model: Zim) -> None:
    """Check that a model fits the official interface.

    Raises:
        WeightsError: it has SAM's pixel decoder.
    """
    config = model.config
    if config.pixel_decoder != "hierarchical":
        raise WeightsError(
            msg(
                "{name} is a SAM: it has none of the detail maps that the official "
                "pair of graphs passes on.",
                name=config.name,
            ),
            msg("Export a ZIM with a ViT encoder, such as zim-vit-b."),
        )


def with_external_data(folder: Path, names: Sequence[str]) -> list[Path]:
    """The paths of graphs, and of the files beside them that may hold their weights."""
    named = [folder / name for name in names]
    return [*named, *(path.with_name(f"{path.name}.data") for path in named)]


@contextmanager
def staging_folder(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """A folder whose files are moved into ``folder`` after success.

    Args:
        overwrite: replace files of the same names.
    """
    staging = folder / f".zim-{secrets.token_hex(8)}.tmp"
    with translate_os_errors(folder):
        new = not folder.exists()
        staging.mkdir(parents=True)
        done = False
        try:
            yield staging
            move = os.replace if overwrite else rename_to_new
            for path in list(staging.iterdir()):
                move(path, folder / path.name)
            done = True
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            if new and not done:
                shutil.rmtree(folder, ignore_errors=True)


def _write_encoder(model: Zim, path: Path) -> None:
    side = model.config.image_size
    image = torch.zeros(1, 3, side, side)
    _write(OfficialEncoder(model), [image], path, [IMAGE], ENCODER_OUTPUTS, {})


def _write_decoder(model: Zim, path: Path) -> None:
    config, grid = model.config, model.config.grid
    details = zip(config.detail_channels, (8, 4, 2), strict=True)
    labels = torch.tensor([[1.0, 0.0, PADDING], [1.0, 0.0, PADDING]])
    inputs = [
        *(torch.zeros(1, width, grid * n, grid * n) for width, n in details),
        torch.zeros(1, config.embed_dim, grid, grid),
        torch.zeros(2, 3, 2),
        labels,
        torch.ones(2, grid, grid),
    ]
    axes: dict[str, dict[int, str]] = {name: {0: "images"} for name in ENCODER_OUTPUTS}
    axes |= {name: {0: "sets", 1: "points"} for name in PROMPTS[:2]}
    axes |= {name: {0: "sets"} for name in (PROMPTS[2], *DECODER_OUTPUTS)}
    _write(OfficialDecoder(model), inputs, path, DECODER_INPUTS, DECODER_OUTPUTS, axes)


def _write(
    module: nn.Module,
    inputs: Sequence[Tensor],
    path: Path,
    names: Sequence[str],
    outputs: Sequence[str],
    axes: dict[str, dict[int, str]],
) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as own:
        written = Path(own) / path.name
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of the exporter, about itself
            torch.onnx.export(
                module.eval(),
                tuple(inputs),
                str(written),
                input_names=list(names),
                output_names=list(outputs),
                dynamic_axes=axes,
                opset_version=OPSET,
                # The other exporter needs one package more.
                dynamo=False,
            )
        if len(os.listdir(own)) == 1:
            os.replace(written, path)
        else:
            _gather_weights(written, path)


def _gather_weights(written: Path, path: Path) -> None:
    """Store a graph over 2 GB, whose weights are in many files, as two files."""
    import onnx

    onnx.save_model(
        onnx.load(str(written)),
        str(path),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=f"{path.name}.data",
    )


def _store_sigma(sigma: float, path: Path) -> None:
    """Add the width of the attention mask to a graph's metadata."""
    import onnx

    graph = onnx.load(str(path), load_external_data=False)
    graph.metadata_props.add(key=SIGMA_KEY, value=repr(sigma))
    onnx.save(graph, str(path))


def _check_parity(model: Zim, folder: Path) -> list[ParityDifference]:
    """Compare the written graphs with the network."""
    encoder, decoder = (open_session(folder / name) for name in ONNX_FILES)
    differences, features = encoder_differences(model, encoder)
    outputs = decoder_outputs(model, decoder, features, counts=(1, 3))
    differences += decoder_differences(model, features, outputs)
    check_parity(differences, msg("{name} was exported", name=model.config.name))
    return differences
