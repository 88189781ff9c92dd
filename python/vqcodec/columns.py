# SPDX-License-Identifier: Apache-2.0
"""Columns of media to columns of tokens, for data frames and batches of the cluster engines."""
from __future__ import annotations

import functools
from typing import Any, Iterable

from vqcodec.errors import Error
from vqcodec.model import Model, load


@functools.lru_cache(maxsize=4)
def loaded(model: str, device: str, threads: int) -> Model:
    """A model that this process keeps."""
    return load(model, device=device, threads=threads)


def encode(values: Iterable[Any], model: Model, keep_bad: bool) -> dict[str, list]:
    """tokens: ids in a row; shape: of the ids; error: "", or why a medium is bad and has no tokens.

    values: paths, bytes of files, or arrays. Raises the first error unless keep_bad.
    """
    columns: dict[str, list] = {"tokens": [], "shape": [], "error": []}
    for value in values:
        try:
            ids, error = model.encode(value).ids, ""
            tokens, shape = ids.ravel(), list(ids.shape)
        except Error as problem:
            if not keep_bad:
                raise
            tokens, shape, error = [], [], str(problem)
        for name, one in zip(columns, (tokens, shape, error)):
            columns[name].append(one)
    return columns
