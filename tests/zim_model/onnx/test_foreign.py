"""Graphs of foreign code: transformers' image encoder, Meta's export of the decoder."""

import math
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.zim_model.conftest import random_model
from tests.zim_model.network.test_sam_parity import SIZE, TINY_ZIM, reference, sam_names
from tests.zim_model.onnx.test_convert import (
    FUSED,
    assert_same_weights,
    export,
    moved,
    without_names,
)
from zim_model import load_model

pytest.importorskip("transformers")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from zim_model.onnx.convert import convert_pair

__all__ = ["reference"]  # a fixture


class ForeignEncoder(nn.Module):
    """Transformers' vision encoder beside a plain stack of convolutions."""

    def __init__(self, vision, stream):
        super().__init__()
        self.vision, self.stream = vision, stream

    def forward(self, image):
        embeddings = self.vision(image)[0]
        d0 = self.stream.convs[0](image)
        d1 = self.stream.convs[1](d0)
        return embeddings, d0, d1, self.stream.convs[2](d1)


class MetaStyleDecoder(nn.Module):
    """The decoder's arithmetic as Meta's exporter writes it, on our parameters."""

    def __init__(self, model):
        super().__init__()
        self.prompt_encoder = model.prompt_encoder
        self.mask_decoder = model.mask_decoder

    def forward(self, d0, d1, d2, embeddings, coords, labels, mask):
        decoder = self.mask_decoder
        own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight], 0)
        own = own.unsqueeze(0).expand(coords.size(0), -1, -1)
        tokens = torch.cat((own, self.sparse(coords, labels)), dim=1)
        src = torch.repeat_interleave(embeddings, tokens.shape[0], dim=0)
        src = src + self.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        out, image = self.transform(src, tokens, mask)
        b, c, h, w = src.shape
        iou = self.mlp(decoder.iou_prediction_head, out[:, 0, :])
        up = image.transpose(1, 2).view(b, c, h, w)
        for fusion, detail in zip(
            decoder.pixel_decoder.fusions, (d2, d1, d0), strict=True
        ):
            size = detail.shape[-2:]
            up = F.interpolate(up, size=size, mode="bilinear", align_corners=False)
            detail = torch.repeat_interleave(detail, b, dim=0)
            up = fusion(torch.cat([detail, up], 1))
        hyper = torch.stack(
            [
                self.mlp(decoder.output_hypernetworks_mlps[i], out[:, 1 + i, :])
                for i in range(4)
            ],
            dim=1,
        )
        b, c, h, w = up.shape
        return (hyper @ up.view(b, c, h * w)).view(b, -1, h, w), iou

    @staticmethod
    def mlp(module, x):
        first, second, third = module.layers
        return third(F.relu(second(F.relu(first(x)))))

    def encoded(self, places):
        matrix = self.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix
        angles = 2 * math.pi * ((2 * places - 1) @ matrix)
        return torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1)

    def sparse(self, coords, labels):
        places = (coords + 0.5) / SIZE
        labels = labels.unsqueeze(-1).expand(-1, -1, 32)
        embeddings = self.encoded(places) * (labels != -1)
        embeddings = embeddings + self.prompt_encoder.not_a_point_embed.weight * (
            labels == -1
        )
        for i, embedding in enumerate(self.prompt_encoder.point_embeddings):
            embeddings = embeddings + embedding.weight * (labels == i)
        return embeddings

    def transform(self, src, tokens, mask):
        size = src.shape[-1]
        steps = (torch.ones(size, size).cumsum(0) - 0.5) / size
        pe = self.encoded(torch.stack([steps.T, steps], -1)).permute(2, 0, 1)[None]
        keys, pe = (x.flatten(2).permute(0, 2, 1) for x in (src, pe))
        mask, queries = mask.flatten(1)[:, None, None, :], tokens
        transformer = self.mask_decoder.transformer
        for i, layer in enumerate(transformer.layers):
            q = queries if i == 0 else queries + tokens
            attended = self.attend(layer.self_attn, q, q, queries)
            queries = layer.norm1(attended if i == 0 else queries + attended)
            q, k = queries + tokens, keys + pe
            cross = layer.cross_attn_token_to_image
            queries = layer.norm2(queries + self.attend(cross, q, k, keys, mask))
            queries = layer.norm3(queries + layer.mlp(queries))
            q, k = queries + tokens, keys + pe
            cross = layer.cross_attn_image_to_token
            keys = layer.norm4(keys + self.attend(cross, k, q, queries))
        q, k = queries + tokens, keys + pe
        final = transformer.final_attn_token_to_image
        queries = queries + self.attend(final, q, k, keys, mask)
        return transformer.norm_final_attn(queries), keys

    def attend(self, layer, q, k, v, mask=None):
        def separate(x):
            b, n, c = x.shape
            return x.reshape(b, n, layer.heads, c // layer.heads).transpose(1, 2)

        q, k, v = layer.q_proj(q), layer.k_proj(k), layer.v_proj(v)
        q, k, v = separate(q), separate(k), separate(v)
        logits = q @ k.permute(0, 1, 3, 2) / math.sqrt(q.shape[-1])
        if mask is not None:
            logits = (logits * mask).masked_fill(mask == 0, -1e4)
        out = torch.softmax(logits, dim=-1) @ v
        return layer.out_proj(out.transpose(1, 2).flatten(2))


@pytest.fixture(scope="module")
def model(reference):
    """A ZIM with the weights of transformers' encoder."""
    model = moved(random_model(TINY_ZIM))
    state = sam_names(reference.state_dict())
    encoder_state = {k: v for k, v in state.items() if k.startswith("image_encoder")}
    model.load_state_dict(encoder_state, strict=False)
    return model


@pytest.mark.parametrize("folding", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_graphs_of_other_code_come_back(model, reference, tmp_path, folding, named):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = export(
            model,
            tmp_path / "pair",
            encoder=ForeignEncoder(reference.vision_encoder, model.detail_stream),
            decoder=MetaStyleDecoder(model),
            do_constant_folding=folding,
        )
    if not named:
        for name in ("encoder.onnx", "decoder.onnx"):
            without_names(folder / name)
    result = convert_pair(folder, tmp_path / "back.safetensors")
    assert max(each.largest for each in result.differences) < 1e-4
    assert (result.matched_by_name > 0) == named
    back = load_model(tmp_path / "back.safetensors")
    assert_same_weights(back, model, FUSED)
