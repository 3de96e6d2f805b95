"""The catalogue of known models, with licence, files and checksums."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from zim_model.assets import asset_path
from zim_model.errors import WeightsError, msg
from zim_model.weights.installed import (
    ONNX_FILES,
    PRETRAINED_FILE,
    WEIGHT_SUFFIXES,
    Kind,
    check_weight_file,
    find_installed,
    installed_models,
)

DEFAULT_MODEL = "zim-tiny"

Format = Literal["safetensors", "sam", "onnx", "vitmatte", "automatic", "inpainting"]
"""Our own weights, the published checkpoint of a SAM, MobileSAM or SAM 2, ZIM's
official pair of graphs, transformers' weights of a ViTMatte, one graph that needs no
prompts, or one that fills holes."""


@dataclass(frozen=True, slots=True)
class Licence:
    """The terms of a model's weights.

    Attributes:
        name: as published.
        url: its text.
        commercial: whether it allows commercial use.
    """

    name: str
    url: str
    commercial: bool = True


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file to download.

    Attributes:
        name: in the model's folder.
        url: https.
        size: in bytes.
        sha256: of its content, in hexadecimal.
    """

    name: str
    url: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A known model.

    Attributes:
        name: in requests, recipes and on the command line.
        title: for display.
        description: one sentence on its use.
        licence: of the weights.
        source: the web page of its authors.
        format: of its files.
        files: to download; empty for a bundled model.
        cpu_seconds: of one core, for a new photo of 12 megapixels and for each click on
            it, measured by ``benchmarks/promptable.py``; None where it was not.
    """

    name: str
    title: str
    description: str
    licence: Licence
    source: str
    format: Format
    files: tuple[ModelFile, ...] = ()
    cpu_seconds: tuple[float, float] | None = None

    @property
    def kind(self) -> Kind:
        """What it takes beside the image."""
        kinds: dict[Format, Kind] = {
            "vitmatte": "trimap",
            "automatic": "automatic",
            "inpainting": "inpainting",
        }
        return kinds.get(self.format, "prompt")

    @property
    def bundled(self) -> bool:
        """Whether it comes with the package."""
        return not self.files

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        if self.bundled:
            return asset_path("models", f"{self.name}.safetensors").stat().st_size
        return sum(file.size for file in self.files)


APACHE = Licence("Apache 2.0", "https://www.apache.org/licenses/LICENSE-2.0")
MIT = Licence("MIT", "https://opensource.org/license/mit")
CC_BY_NC = Licence(
    "CC BY-NC 4.0",
    "https://creativecommons.org/licenses/by-nc/4.0/",
    commercial=False,
)


def _sam(
    size: str,
    description: str,
    file: str,
    nbytes: int,
    sha256: str,
    cpu_seconds: tuple[float, float] | None = None,
) -> ModelInfo:
    # Sizes and digests are those that public mirrors record for Meta's own files; the
    # digits in the file names are not the beginning of any SHA-256.
    url = f"https://dl.fbaipublicfiles.com/segment_anything/{file}"
    return ModelInfo(
        name=f"sam-vit-{size}",
        title=f"SAM ViT-{size.upper()}",
        description=description,
        licence=APACHE,
        source="https://github.com/facebookresearch/segment-anything",
        format="sam",
        files=(ModelFile(file, url, nbytes, sha256),),
        cpu_seconds=cpu_seconds,
    )


def _mobile_sam() -> ModelInfo:
    # The digest is that of the mirrors on the Hugging Face hub, too.
    source = "https://github.com/ChaoningZhang/MobileSAM"
    revision = "f706ad9c4eb7f219c00d9050e46328518ffb65d2"
    return ModelInfo(
        name="mobile-sam",
        title="MobileSAM",
        description=msg("Segmentation: SAM with a small encoder, with hard edges."),
        licence=APACHE,
        source=source,
        format="sam",
        files=(
            ModelFile(
                "mobile_sam.pt",
                f"{source}/raw/{revision}/weights/mobile_sam.pt",
                40_728_226,
                "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f",
            ),
        ),
        cpu_seconds=(2.1, 0.37),
    )


def _sam2(
    size: str,
    description: str,
    nbytes: int,
    sha256: str,
    cpu_seconds: tuple[float, float],
) -> ModelInfo:
    # Sizes and digests are those of the mirrors on the Hugging Face hub.
    file = f"sam2.1_hiera_{size.replace('-', '_')}.pt"
    url = f"https://dl.fbaipublicfiles.com/segment_anything_2/092824/{file}"
    return ModelInfo(
        name=f"sam2.1-hiera-{size}",
        title=f"SAM 2.1 Hiera {size.replace('-plus', '+')}",
        description=description,
        licence=APACHE,
        source="https://github.com/facebookresearch/sam2",
        format="sam",
        files=(ModelFile(file, url, nbytes, sha256),),
        cpu_seconds=cpu_seconds,
    )


def _zim(
    size: str,
    description: str,
    revision: str,
    folder: str,
    sizes: tuple[int, int],
    digests: tuple[str, str],
) -> ModelInfo:
    # The revision holds the very files whose digests are recorded here.
    source = f"https://huggingface.co/naver-iv/zim-anything-vit{size}"
    return ModelInfo(
        name=f"zim-vit-{size}-official",
        title=f"ZIM ViT-{size.upper()} (official)",
        description=description,
        licence=CC_BY_NC,
        source=source,
        format="onnx",
        files=tuple(
            ModelFile(name, f"{source}/resolve/{revision}/{folder}/{name}", n, digest)
            for name, n, digest in zip(ONNX_FILES, sizes, digests, strict=True)
        ),
    )


def _automatic(
    name: str,
    title: str,
    description: str,
    licence: Licence,
    source: str,
    file: str,
    nbytes: int,
    sha256: str,
) -> ModelInfo:
    # The release publishes MD5 sums only; these digests are those that many projects
    # record which download the same files.
    url = f"https://github.com/danielgatis/rembg/releases/download/v0.0.0/{file}"
    files = (ModelFile(file, url, nbytes, sha256),)
    return ModelInfo(name, title, description, licence, source, "automatic", files)


def _vitmatte(
    variant: str,
    title: str,
    description: str,
    revision: str,
    nbytes: int,
    sha256: str,
) -> ModelInfo:
    # Published under Apache 2.0; the terms of the training images exclude commerce.
    source = f"https://huggingface.co/hustvl/vitmatte-{variant}"
    url = f"{source}/resolve/{revision}/model.safetensors"
    return ModelInfo(
        name=f"vitmatte-{variant}",
        title=title,
        description=description,
        licence=replace(APACHE, commercial=False),
        source=source,
        format="vitmatte",
        files=(ModelFile("model.safetensors", url, nbytes, sha256),),
    )


def _lama() -> ModelInfo:
    # The authors publish no graph; size and digest are those that many projects record
    # for this revision of it.
    revision = "c3c0c9e468934d62e79c329e35d82dd09ff8c444"
    file = "lama_fp32.onnx"
    url = f"https://huggingface.co/Carve/LaMa-ONNX/resolve/{revision}/{file}"
    digest = "1faef5301d78db7dda502fe59966957ec4b79dd64e16f03ed96913c7a4eb68d6"
    return ModelInfo(
        name="lama",
        title="LaMa",
        description=msg("Draws what was behind a removed object, at 512 pixels."),
        licence=APACHE,
        source="https://github.com/advimman/lama",
        format="inpainting",
        files=(ModelFile(file, url, 208_044_816, digest),),
    )


MODELS = (
    ModelInfo(
        DEFAULT_MODEL,
        "ZIM tiny",
        msg("Small and fast; runs on any computer."),
        APACHE,
        "https://arxiv.org/abs/2411.00626",
        "safetensors",
    ),
    ModelInfo(
        "zim-tiny-research",
        "ZIM tiny (research)",
        msg("As ZIM tiny, but more accurate; trained on images for research only."),
        CC_BY_NC,
        "https://arxiv.org/abs/2411.00626",
        "safetensors",
    ),
    _zim(
        "b",
        msg("The authors' matting model: fine hair and soft edges."),
        "0301cddf0a971bd9c7c513f296e5de649e5ad706",
        "zim_vit_b_2043",
        (360_680_416, 19_330_176),
        (
            "6123ea10722dd43a0f8bbb96cd6a0532d8a65e2b1e8339f0cd6593d494807809",
            "a99d14bac3dc28b17809020b1711b1991bd5b7eb18f678c3624ce508748cfa11",
        ),
    ),
    _zim(
        "l",
        msg("The authors' larger matting model: finest details, wants a GPU."),
        "c4a141691227f36467200002163b659991226bb6",
        "zim_vit_l_2092",
        (1_235_692_110, 19_330_176),
        (
            "6b0360b3c32dfa11555fb1de27cd3533cec1e932204da0dec2b3772045dc7db3",
            "c24a42d79053d20594760ad9afdef9cca985f29493f3e1e0fe3462ca291b57f7",
        ),
    ),
    _sam(
        "b",
        msg("Segmentation: finds objects well, with hard edges."),
        "sam_vit_b_01ec64.pth",
        375_042_383,
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
        (15.5, 0.39),
    ),
    _sam(
        "l",
        msg("Segmentation: finds more objects, with hard edges; wants a GPU."),
        "sam_vit_l_0b3195.pth",
        1_249_524_607,
        "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    ),
    _sam(
        "h",
        msg("Segmentation: the largest SAM, with hard edges; wants a GPU."),
        "sam_vit_h_4b8939.pth",
        2_564_550_879,
        "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
    ),
    _mobile_sam(),
    _sam2(
        "tiny",
        msg("Segmentation: newer and faster than SAM ViT-B, with hard edges."),
        156_008_466,
        "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69",
        (5.3, 0.36),
    ),
    _sam2(
        "small",
        msg("Segmentation: a little more exact than tiny, with hard edges."),
        184_416_285,
        "6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38",
        (6.6, 0.39),
    ),
    _sam2(
        "base-plus",
        msg("Segmentation: finds more objects, with hard edges."),
        323_606_802,
        "a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5",
        (11.5, 0.39),
    ),
    _sam2(
        "large",
        msg("Segmentation: the largest SAM 2.1, with hard edges; wants a GPU."),
        898_083_611,
        "2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318",
        (29.8, 0.43),
    ),
    _vitmatte(
        "small-composition-1k",
        "ViTMatte small (Composition-1k)",
        msg(
            "Refines soft edges, as detail. The weights are under Apache 2.0; the "
            "training images, Adobe's, are for non-commercial use only."
        ),
        "6a58ad7646403c1df626fbd746900aec7361ea1d",
        103_294_572,
        "bda9289db1bb6762d978b42d1c62ae3f34daf7497171a347a1d09657efd788cb",
    ),
    _vitmatte(
        "base-distinctions-646",
        "ViTMatte base (Distinctions-646)",
        msg(
            "Refines soft edges, as detail; larger, wants a GPU. The weights are under "
            "Apache 2.0; the training images are for research only."
        ),
        "b58373f8dbbfbeb58157456e2e4949f9f872aa18",
        386_782_180,
        "0d1e43962bfc6daecec29a76b90194b51902ad0286dfaaf91e1b8a4f17d15348",
    ),
    _automatic(
        "u2netp",
        "U²-Net small",
        msg("Finds the main object; small and fast, with rough edges."),
        APACHE,
        "https://github.com/xuebinqin/U-2-Net",
        "u2netp.onnx",
        4_574_861,
        "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
    ),
    _automatic(
        "isnet-general-use",
        "IS-Net",
        msg("Finds the main object, with good edges."),
        APACHE,
        "https://github.com/xuebinqin/DIS",
        "isnet-general-use.onnx",
        178_648_008,
        "60920e99c45464f2ba57bee2ad08c919a52bbf852739e96947fbb4358c0d964a",
    ),
    _automatic(
        "birefnet-general-lite",
        "BiRefNet lite",
        msg("Finds the main object, with fine edges; takes seconds on a CPU."),
        MIT,
        "https://github.com/ZhengPeng7/BiRefNet",
        "BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx",
        224_005_088,
        "5600024376f572a557870a5eb0afb1e5961636bef4e1e22132025467d0f03333",
    ),
    _automatic(
        "birefnet-general",
        "BiRefNet",
        msg("Finds the main object, with the finest edges; large, wants a GPU."),
        MIT,
        "https://github.com/ZhengPeng7/BiRefNet",
        "BiRefNet-general-epoch_244.onnx",
        972_666_916,
        "58f621f00f5d756097615970a88a791584600dcf7c45b18a0a6267535a1ebd3c",
    ),
    _lama(),
)
"""All known models; a new one is added here only."""


def find_known(name: str) -> ModelInfo | None:
    """The known model of that name."""
    return next((info for info in MODELS if info.name == name), None)


def locate(model: str) -> Path:
    """The weight file of a model, or the folder of a pair of graphs.

    Args:
        model: a name of :func:`zim_model.weights.installed.installed_models`; or the
            path of a file, of a pair of graphs, or of what ``save_pretrained`` wrote.

    Raises:
        WeightsError: there is no such model here, or it takes no prompts.
    """
    installed = find_installed(model, None)
    if installed is not None and installed.kind == "trimap":
        raise WeightsError(
            msg("{model} takes a trimap, no prompts.", model=model),
            msg("Choose it as detail, with another model."),
        )
    if installed is not None and installed.kind == "automatic":
        raise WeightsError(
            msg("{model} finds the main object and takes no prompts.", model=model),
            msg("Choose it for Select subject, with another model."),
        )
    if installed is not None and installed.kind == "inpainting":
        raise WeightsError(
            msg("{model} fills holes and takes no prompts.", model=model),
            msg("Choose it to remove objects, with another model."),
        )
    if installed is not None:
        return installed.path
    if model.startswith(("//", "\\\\")):  # such as in a stranger's recipe
        raise WeightsError(
            msg("{model} lies on another computer.", model=model),
            msg("Add it to the installed models first."),
        )
    path = Path(model)
    is_file = path.suffix in WEIGHT_SUFFIXES and not os.path.isdir(path)
    if is_file or os.path.isfile(path / ONNX_FILES[0]):
        return path
    if os.path.isfile(path / PRETRAINED_FILE):
        return path / PRETRAINED_FILE
    info = find_known(model)
    if info is not None:
        raise WeightsError(
            msg("{title} is not installed.", title=info.title),
            msg(
                "Download it under Model › Manage models, or with: zim-studio models "
                "download {model}",
                model=model,
            ),
        )
    check_weight_file(path)
    names = ", ".join(each.name for each in installed_models())
    raise WeightsError(
        msg("There is no model called {model!r}.", model=model),
        msg(
            "Installed: {names}; or give a .safetensors, .pth or .pt file.", names=names
        ),
    )
