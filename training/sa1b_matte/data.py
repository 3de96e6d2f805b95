"""Training samples as in the paper, and from shards of SA1B-Matte.

The picture is shown whole, perhaps mirrored, with two prompt sets for one of its
mattes: the box around it, and clicks as in RITM.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from training.prompt_sampling import bounding_box, sample_clicks
from training.sa1b_matte.shards import Item, Shards, read_matte, read_picture
from training.samples import Repeated, Samples
from training.sources import Scene
from zim_model.network.config import ZimConfig
from zim_model.prompts import PromptSet

MOST_CLICKS = 24
"""RITM's limit for clicks that are not on mistakes."""
TOKENS = MOST_CLICKS + 1
SMALLEST = 48
"""Pixels of a matte that one could click on."""
OTHERS = 3
"""Other objects of a picture on which negative clicks may fall."""
WINDOW = 8
"""Shards that are read at a time; their pictures come mixed."""


class PaperSamples(Samples):
    """Samples whose prompts are the paper's; see :class:`training.samples.Samples`."""

    def prompted(
        self, rng: np.random.Generator, scene: Scene
    ) -> tuple[Scene, Sequence[PromptSet], int]:
        if rng.random() < 0.5:
            scene = scene.cut(np.s_[:, ::-1])
        mask = scene.alpha > 0.5
        if mask.sum() < SMALLEST:
            return scene, (), TOKENS
        clicks = sample_clicks(rng, mask, scene.others, max_points=MOST_CLICKS)
        box = bounding_box(scene.alpha > 0)
        return scene, (PromptSet((), box), PromptSet(clicks)), TOKENS


class ShardSamples(PaperSamples):
    """Samples from shards: every picture once an epoch, with one of its mattes.

    Sample i is a function of the seed and i alone, and yet a few shards are read at a
    time, so that disks and networks read long stretches.
    """

    def __init__(
        self, shards: Shards, config: ZimConfig, sizes: Sequence[int], seed: int
    ) -> None:
        Repeated.__init__(self, len(sizes), seed)  # there are no loose pictures
        self.config, self.sizes = config, sizes
        self.order = Order(shards, seed)

    def attempted(
        self, rng: np.random.Generator, index: int, attempt: int
    ) -> dict[str, Tensor] | None:
        # After a damaged picture, another one.
        item = self.order.at(index) if attempt == 0 else self.order.drawn(rng)
        return self.sample(rng, scene_of(rng, item), int(self.sizes[index]))


def scene_of(rng: np.random.Generator, item: Item) -> Scene:
    """A picture of a shard with one of its mattes as the object.

    Raises:
        ZimError: the shard is damaged.
    """
    record, image = read_picture(item)
    first, *rest = rng.permutation(len(record.mattes)).tolist()
    alpha = np.asarray(read_matte(item, record, first) / 255, np.float32)
    others = np.zeros(alpha.shape, bool)
    for number in rest[:OTHERS]:
        others |= read_matte(item, record, number) > 127
    others &= alpha <= 0.5
    return Scene(image, alpha, np.ones(alpha.shape, bool), others, True)


class Order:
    """The order of a set's pictures, epoch after epoch.

    An epoch takes the shards in random order, :data:`WINDOW` at a time, and mixes the
    pictures of a window.
    """

    def __init__(self, shards: Shards, seed: int) -> None:
        self.seed = seed
        self.items: list[Item] = [item for shard in shards.shards for item in shard]
        ends = np.cumsum([len(shard) for shard in shards.shards])
        self._ranges = [
            np.arange(end - len(shard), end)
            for shard, end in zip(shards.shards, ends, strict=True)
        ]
        self._epoch, self._order = -1, np.arange(0)

    def at(self, number: int) -> Item:
        """The picture of a sample."""
        epoch, place = divmod(number, len(self.items))
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._shuffled(epoch)
        return self.items[int(self._order[place])]

    def drawn(self, rng: np.random.Generator) -> Item:
        """Any picture."""
        return self.items[int(rng.integers(len(self.items)))]

    def _shuffled(self, epoch: int) -> npt.NDArray[np.int64]:
        rng = np.random.default_rng((self.seed, epoch))
        shards = rng.permutation(len(self._ranges))
        windows = [
            rng.permutation(
                np.concatenate([self._ranges[i] for i in shards[k : k + WINDOW]])
            )
            for k in range(0, len(shards), WINDOW)
        ]
        return np.concatenate(windows)
