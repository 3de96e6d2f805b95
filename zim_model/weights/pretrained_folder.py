"""Models as repositories of the Hugging Face hub hold them: weights and configuration.

>>> save_pretrained(load_model("zim-tiny"), Path("my-zim"))     # doctest: +SKIP

Such a folder is opened by its path, by ``load_model`` and ``from_pretrained``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from zim_model.errors import WeightsError, ZimError, msg
from zim_model.network.tiny import ZimTiny
from zim_model.network.zim import Zim
from zim_model.runtime.atomic_files import atomic_write, check_absent
from zim_model.weights.checkpoint import config_key, save_model
from zim_model.weights.installed import (
    OVERWRITE_CURE,
    PRETRAINED_FILE,
    translate_os_errors,
)

CONFIG_FILE = "config.json"
"""For readers and the hub; the weights have the configuration in their metadata."""


def save_pretrained(
    model: Zim | ZimTiny,
    folder: str | os.PathLike[str],
    *,
    half: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write a model as ``model.safetensors`` and ``config.json``; return the folder.

    What the metadata of its weight file tells of their licence and training is kept.

    Args:
        model: what ``load_model`` returns of a ZIM, a SAM or zim-tiny.
        folder: made if it is missing.
        half: store 16-bit floats, which takes half of the space and rounds.
        overwrite: replace a model that is in the folder.

    Raises:
        WeightsError: it is no such model, the folder has one already, or a file cannot
            be written.
    """
    if not isinstance(model, Zim | ZimTiny):
        raise WeightsError(
            msg("{model!r:.60} is not a model that can be saved.", model=model),
            msg("Give what load_model returns of a ZIM, a SAM or zim-tiny."),
        )
    place = Path(folder)
    if not overwrite:
        files = [place / name for name in (PRETRAINED_FILE, CONFIG_FILE)]
        check_absent(files, OVERWRITE_CURE, WeightsError)
    with translate_os_errors(place):
        place.mkdir(parents=True, exist_ok=True)
    told = model.provenance
    save_model(model, place / PRETRAINED_FILE, half=half, metadata=told)
    text = json.dumps({config_key(model): model.config.to_json()}, indent=2)
    path = place / CONFIG_FILE
    with translate_os_errors(path), atomic_write(path) as file:
        file.write(f"{text}\n".encode())
    return place


def push_to_hub(
    model: Zim | ZimTiny,
    repository: str,
    *,
    private: bool | None = None,
    token: str | None = None,
    message: str = "Upload model",
    half: bool = False,
) -> str:
    """Upload a model to the Hugging Face hub with its own client; return the address.

    Args:
        model: see :func:`save_pretrained`.
        repository: ``owner/name``, made if it is missing.
        private: of a new repository; None takes the account's default.
        token: of the account; None takes that of the client's login.
        message: of the commit.
        half: see :func:`save_pretrained`.

    Raises:
        ZimError: the package ``huggingface_hub`` is not installed, or the hub refuses.
        WeightsError: see :func:`save_pretrained`.
    """
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise ZimError(
            msg(
                "This needs the package {name}, which is not installed.",
                name="huggingface_hub",
            ),
            msg("Install it with: pip install huggingface_hub."),
        ) from error
    with TemporaryDirectory() as folder:
        save_pretrained(model, folder, half=half)
        client: Any = HfApi(token=token)
        try:
            client.create_repo(repository, private=private, exist_ok=True)
            done = client.upload_folder(
                repo_id=repository, folder_path=folder, commit_message=message
            )
        except Exception as error:  # also of the HTTP library, another by version
            raise ZimError(
                msg(
                    "{repository} cannot be uploaded: {reason}.",
                    repository=repository,
                    reason=str(error).strip().rstrip("."),
                ),
                msg("Log in with: hf auth login, and check the name."),
            ) from error
    return str(done.commit_url)
