"""ViTMatte equals an independent implementation (transformers), random weights."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.zim_model.conftest import TINY_VITMATTE, hub_names, random_vitmatte
from zim_model.backends.trimap_network import TrimapNetwork, network_input
from zim_model.errors import Cancelled, ImageError, PrecisionOverflow, WeightsError
from zim_model.network.vitmatte import VITMATTE_BASE, VITMATTE_SMALL, VitMatte
from zim_model.weights.vitmatte_checkpoint import check_vitmatte, load_vitmatte

SIZES = [(64, 64), (50, 90), (33, 31), (128, 96)]


def image_and_trimap(height, width, seed=0):
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (height, width, 3), np.uint8)
    trimap = random.choice(np.array([0, 128, 255], np.uint8), (height, width))
    return image, trimap


@pytest.fixture(scope="module")
def reference():
    """Transformers' network of the tiny configuration, with random weights."""
    transformers = pytest.importorskip("transformers")
    vit = TINY_VITMATTE.encoder
    blocks = set(range(vit.depth))
    backbone = transformers.VitDetConfig(
        num_channels=4,
        image_size=16 * TINY_VITMATTE.grid,
        pretrain_image_size=16 * TINY_VITMATTE.position_grid,
        hidden_size=vit.dim,
        num_hidden_layers=vit.depth,
        num_attention_heads=vit.heads,
        use_relative_position_embeddings=True,
        window_size=vit.window,
        window_block_indices=sorted(blocks - set(vit.global_blocks)),
        residual_block_indices=list(vit.global_blocks),
        out_features=[f"stage{vit.depth}"],
    )
    config = transformers.VitMatteConfig(
        backbone_config=backbone,
        hidden_size=vit.dim,
        convstream_hidden_sizes=list(TINY_VITMATTE.detail_channels),
        fusion_hidden_sizes=list(TINY_VITMATTE.fusion_channels),
    )
    network = transformers.VitMatteForImageMatting(config).eval()
    network.load_state_dict(hub_names(random_vitmatte()))
    return network


@pytest.fixture
def published(reference, tmp_path):
    """A checkpoint as transformers saves it."""
    path = tmp_path / "model.safetensors"
    save_file(reference.state_dict(), path, metadata={"format": "pt"})
    return path


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_equals_transformers_with_its_processor(reference, published, height, width):
    from transformers import VitMatteImageProcessor

    image, trimap = image_and_trimap(height, width)
    processor = VitMatteImageProcessor(image_mean=[0.5] * 3, image_std=[0.5] * 3)
    inputs = processor(images=image, trimaps=trimap, return_tensors="pt")
    with torch.no_grad():
        expected = reference(**inputs).alphas[0, 0, :height, :width].numpy()
    unknown = trimap == 128
    assert float(np.ptp(expected[unknown])) > 0.2, "the weights hardly matter"

    np.testing.assert_allclose(
        network_input(image, trimap).numpy(), inputs.pixel_values.numpy(), atol=1e-6
    )
    alpha = TrimapNetwork(load_vitmatte(published), "cpu").predict(image, trimap)
    assert float(np.abs(alpha - expected)[unknown].max()) <= 1e-5


def test_published_architectures_have_their_numbers_of_weights():
    """As the model cards state them: 25.8 and 96.7 million."""
    with torch.device("meta"):
        networks = [VitMatte(VITMATTE_SMALL), VitMatte(VITMATTE_BASE)]
    counts = [sum(p.numel() for p in n.parameters()) for n in networks]
    assert counts == [25_814_753, 96_686_561]


def test_known_pixels_are_exact():
    image, trimap = image_and_trimap(40, 70)
    network = TrimapNetwork(random_vitmatte(), "cpu")
    alpha = network.predict(image, trimap)
    assert alpha.shape == (40, 70)
    assert alpha.dtype == np.float32
    assert set(np.unique(alpha[trimap == 0])) == {0}
    assert set(np.unique(alpha[trimap == 255])) == {1}
    assert 0 < alpha[trimap == 128].min() < alpha[trimap == 128].max() < 1


def test_other_sizes_of_image_and_trimap_are_refused():
    network = TrimapNetwork(random_vitmatte(), "cpu")
    image, _ = image_and_trimap(40, 70)
    _, trimap = image_and_trimap(40, 71)
    with pytest.raises(ImageError, match=r"\(40, 71\).*\(40, 70\)"):
        network.predict(image, trimap)


def test_a_withdrawn_prediction_stops_between_blocks():
    polled = []

    def cancelled():
        polled.append(True)
        return len(polled) == 3

    with pytest.raises(Cancelled):
        TrimapNetwork(random_vitmatte(), "cpu").predict(
            *image_and_trimap(40, 70), cancelled
        )
    assert len(polled) == 3


def test_damaged_weights_do_not_pass_as_a_matte():
    damaged = random_vitmatte()
    with torch.no_grad():
        damaged.head[3].bias.fill_(float("nan"))
    network = TrimapNetwork(damaged, "cpu")
    with pytest.raises(WeightsError, match="not answer with numbers"):
        network.predict(*image_and_trimap(32, 32))
    network.dtype = torch.bfloat16
    with pytest.raises(PrecisionOverflow):
        network.predict(*image_and_trimap(32, 32))


# --- Checkpoints ----------------------------------------------------------------------


def by_authors(name):
    """A tensor's name in the authors' own files."""
    for hub, authors in (
        ("backbone.encoder.layer", "backbone.blocks"),
        ("backbone.embeddings.position_embeddings", "backbone.pos_embed"),
        ("backbone.embeddings.projection", "backbone.patch_embed.proj"),
        ("attention", "attn"),
        ("fusion_blocks", "fusion_blks"),
        ("batch_norm", "bn"),
    ):
        name = name.replace(hub, authors)
    return name


@pytest.mark.parametrize("file", ["a.safetensors", "a.bin", "a.pth"])
def test_loads_what_was_saved(tmp_path, file):
    network, path = random_vitmatte(), tmp_path / file
    tensors = hub_names(network)
    if file == "a.safetensors":
        save_file(tensors, path)
    elif file == "a.bin":
        torch.save(tensors, path)
    else:
        torch.save({by_authors(name): x for name, x in tensors.items()}, path)
    loaded = load_vitmatte(path)
    assert check_vitmatte(path) == loaded.config
    assert loaded.config.encoder == TINY_VITMATTE.encoder
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


@pytest.mark.parametrize(
    "name",
    [
        "decoder.matting_head.matting_convs.3.weight",
        "backbone.encoder.layer.1.attention.qkv.bias",
        "backbone.embeddings.projection.weight",
        "decoder.fusion_blocks.2.conv.batch_norm.running_var",
    ],
)
def test_weights_load_whole_or_not_at_all(tmp_path, name):
    tensors = hub_names(random_vitmatte())
    path = tmp_path / "a.safetensors"
    lacking = {key: value for key, value in tensors.items() if key != name}
    assert len(lacking) == len(tensors) - 1
    save_file(lacking, path)
    for read in (load_vitmatte, check_vitmatte):
        with pytest.raises(WeightsError, match=r"a\.safetensors"):
            read(path)
    save_file({**tensors, "decoder.more": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"decoder\.more"):
        load_vitmatte(path)
    save_file({**tensors, name: torch.zeros(3, 5)}, path)
    with pytest.raises(WeightsError, match=r"a\.safetensors"):
        check_vitmatte(path)
    positions = "backbone.embeddings.position_embeddings"
    assert positions in tensors
    save_file({**tensors, positions: torch.zeros(1, 0, 8)}, path)
    with pytest.raises(WeightsError, match=r"a\.safetensors"):
        check_vitmatte(path)


def test_other_files_are_refused_with_what_is_expected(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"mask_decoder.weight": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match=r"holds no ViTMatte.*Hugging Face"):
        load_vitmatte(path)
    path.write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="damaged"):
        load_vitmatte(path)
