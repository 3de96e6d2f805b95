"""Merge two weights of zim-tiny: ``python -m training.merge_weights A B --out FILE``.

Weights between those before and after a run often keep the skills of both (model soups,
Wortsman et al. 2022; WiSE-FT, 2022).  The detail stage, which sees nothing but an image
and a coarse matte, is B's.  What is made of weights for research only is so, too, and
its metadata says it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.adaptation.blending import blend
from training.arguments import number_between
from training.run_record import TRAINING_KEY
from training.tiny.licences import RESEARCH_ONLY, is_for_research
from zim_model.errors import WeightsError, ZimError
from zim_model.network.tiny import ZimTiny
from zim_model.weights.catalogue import locate
from zim_model.weights.checkpoint import load_model, save_model

DETAIL = "detail."
"""Begin of the names of the detail stage's weights."""


def merge(first: ZimTiny, second: ZimTiny, share: float) -> ZimTiny:
    """A model between two: weights (1 - share) * first + share * second.

    Args:
        first: changed in place, and returned.
        second: of the same configuration; its detail stage is taken as it is.
        share: 0 to 1.

    Raises:
        WeightsError: the configurations differ.
    """
    if first.config != second.config:
        raise WeightsError(
            "The two models have different configurations.",
            "Merge weights that one run made from the other.",
        )
    other = second.state_dict()
    merged = blend(first.state_dict(), other, share)
    detail = {name: other[name] for name in other if name.startswith(DETAIL)}
    first.load_state_dict(merged | detail)
    return first


def spdx_identifier(text: str) -> str:
    """The text, if it has the form of an SPDX licence identifier.

    Raises:
        argparse.ArgumentTypeError: it has not.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no SPDX identifier")
    return text


def _load(name: str) -> ZimTiny:
    model = load_model(locate(name))
    if not isinstance(model, ZimTiny):
        raise WeightsError(
            f"{name} holds a {model.config.name}, not a zim-tiny.",
            "Give two weights of zim-tiny.",
        )
    return model


def _metadata(
    names: tuple[str, str], share: float, licence: str | None
) -> dict[str, str]:
    """What the merged file tells of its making.

    Raises:
        ZimError: the licence allows more than that of what is merged.
    """
    told: dict[str, Any] = {"merged": names, "share": share}
    if any(map(is_for_research, names)):
        if licence is not None and "-NC" not in licence.upper():
            raise ZimError(
                f"The merged weights are for research only; {licence} allows more.",
                "Name a licence for non-commercial use, such as CC-BY-NC-4.0.",
            )
        told |= RESEARCH_ONLY
        print("The merged weights are for research only.", file=sys.stderr)
    metadata = {TRAINING_KEY: json.dumps(told)}
    return metadata if licence is None else metadata | {"license": licence}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.merge_weights")
    parser.add_argument("first", help="name or weight file")
    parser.add_argument("second", help="likewise; its detail stage is taken")
    parser.add_argument(
        "--share",
        type=number_between(0, 1, float),
        default=0.5,
        help="of the second, 0 to 1 (default: 0.5)",
    )
    parser.add_argument(
        "--license",
        metavar="SPDX",
        type=spdx_identifier,
        help="written to the metadata, such as Apache-2.0",
    )
    parser.add_argument("--out", type=Path, required=True, help="new weight file")
    arguments = parser.parse_args(argv)
    if arguments.out.exists():
        parser.error(f"{arguments.out} exists already; choose another name")
    if arguments.out.suffix != ".safetensors":
        parser.error(f"{arguments.out} does not end in .safetensors")
    try:
        names = (arguments.first, arguments.second)
        first, second = map(_load, names)
        merged = merge(first, second, arguments.share)
        metadata = _metadata(names, arguments.share, arguments.license)
        save_model(merged, arguments.out, metadata=metadata, exclusive=True)
    except ZimError as error:
        print(f"merge_weights: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
