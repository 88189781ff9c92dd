# SPDX-License-Identifier: Apache-2.0
"""Sets of tokens that `vqcodec tokenize` wrote, in any of its formats."""
from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, Callable, Iterator, Optional, Sequence, Union

import numpy as np

from vqcodec import _core
from vqcodec.errors import UsageError
from vqcodec.model import Tokens

Paths = Union[str, os.PathLike, Sequence[Union[str, os.PathLike]]]


@dataclasses.dataclass
class Item:
    """key: of the item in its set; tokens: ids and facts; sidecars: bytes by extension, e.g. a caption in "txt"."""

    key: str
    tokens: Tokens
    sidecars: dict[str, bytes]

    @property
    def ids(self) -> np.ndarray:
        return self.tokens.ids


class TokenSet:
    """The shards of a folder, or single files of one: `for item in TokenSet("tokens"): ...`, in their order."""

    def __init__(self, paths: Paths) -> None:
        several = not isinstance(paths, (str, os.PathLike))
        self._shards = _core.Shards([os.fspath(p) for p in paths] if several else [os.fspath(paths)])

    @property
    def model(self) -> str:
        """Name of the model that made the tokens."""
        return self._shards.model

    @property
    def vocab(self) -> list[int]:
        """Entries of the codebook, for each level."""
        return self._shards.vocab

    @property
    def shards(self) -> list[str]:
        """Paths of the shards."""
        return [self._shards.name(i) for i in range(len(self._shards))]

    def __len__(self) -> int:
        """Items of all shards. Raises UsageError where no manifest tells."""
        counts = [self._shards.items(i) for i in range(len(self._shards))]
        if min(counts, default=0) < 0:
            raise UsageError("the set has no manifest.json yet; the number of its items is not known")
        return sum(counts)

    def verify(self) -> None:
        """Compares every file with the manifest's checksum. Raises CorruptDataError."""
        for i in range(len(self._shards)):
            self._shards.verify(i)

    def read(self, shard: int) -> Iterator[Item]:
        """The items of one shard."""
        reader = self._shards.open(shard)
        while (item := reader.next()) is not None:
            key, ids, facts, sidecars = item
            yield Item(key, Tokens(ids, json.loads(facts)), sidecars)

    def __iter__(self) -> Iterator[Item]:
        for shard in range(len(self._shards)):
            yield from self.read(shard)


def _base() -> type:
    try:
        from torch.utils.data import IterableDataset
    except ImportError:
        return object
    return IterableDataset


class Dataset(_base()):  # type: ignore[misc]
    """A set of tokens for torch.utils.data.DataLoader: workers and processes share out its shards.

    paths: as for TokenSet. transform: what becomes of an Item; None: the ids as int64, a tensor where torch is there.
    rank, world: this process and how many there are; shards go to all their workers in turn, each to one.
    """

    def __init__(self, paths: Paths, transform: Optional[Callable[[Item], Any]] = None, *, rank: int = 0,
                 world: int = 1) -> None:
        if not 0 <= rank < world:
            raise UsageError(f"rank is {rank}, it has to be from 0 to world - 1 = {world - 1}")
        self._paths, self._transform, self._rank, self._world = paths, transform, rank, world

    def __iter__(self) -> Iterator[Any]:
        index, count = self._rank, self._world
        make = self._transform or _ids
        if _base() is not object:
            from torch.utils.data import get_worker_info
            if (worker := get_worker_info()) is not None:
                index, count = self._rank * worker.num_workers + worker.id, self._world * worker.num_workers
        tokens = TokenSet(self._paths)
        for shard in range(index, len(tokens.shards), count):
            for item in tokens.read(shard):
                yield make(item)


def _ids(item: Item) -> Any:
    ids = item.ids.astype(np.int64)
    if _base() is object:
        return ids
    import torch
    return torch.from_numpy(ids)
