# SPDX-License-Identifier: Apache-2.0
"""Tokens on a Ray cluster.

    vqcodec.ray.tokenize("/data/photos", "/data/tokens", model="image-f16", format="webdataset")   # shards in a folder

    photos = ray.data.read_binary_files("/data/photos")                                            # columns of a data set
    tokens = photos.map_batches(vqcodec.ray.Encoder, fn_constructor_kwargs={"column": "bytes"}, concurrency=4)
"""
from __future__ import annotations

import os
from typing import Any, Union

import numpy as np
import ray

from vqcodec import columns
from vqcodec.parts import Job, Sources


def tokenize(sources: Sources, output: Union[str, os.PathLike], *, parts: int = 0, num_cpus: int = 1, num_gpus: float = 0,
             max_retries: int = 3, **options: Any) -> dict[str, Any]:
    """The shards of `vqcodec tokenize`, byte for byte, made by tasks on the cluster; the folders are shared by its nodes.

    parts: tasks; 0: as many as run at once. num_cpus, num_gpus: of a task; 0.25 GPUs let four share one. max_retries:
        of a task whose worker died; what it had made counts. options: model, format, shard_size, device and arguments, as in
        vqcodec.parts.Job.of.
    Returns the report of the whole set; bad items are counted in "set_skipped". Raises vqcodec.Error.
    """
    if not ray.is_initialized():
        ray.init()
    if num_gpus:
        options.setdefault("device", "cuda")
    job = Job.of(sources, output, parts=parts or _at_once(num_cpus, num_gpus), jobs=max(1, num_cpus), **options)
    task = ray.remote(num_cpus=num_cpus, num_gpus=num_gpus, max_retries=max_retries)(Job.run)
    ray.get([task.options(name=f"vqcodec tokenize {part}").remote(job, part) for part in range(job.parts)])
    return job.finish()


def _at_once(num_cpus: int, num_gpus: float) -> int:
    has = ray.cluster_resources()
    counts = [has.get(kind, 0) / each for kind, each in (("CPU", num_cpus), ("GPU", num_gpus)) if each]
    return max(1, int(min(counts, default=1)))


class Encoder:
    """For `map_batches`: takes a column of media, and adds "tokens", "shape" and "error" in its place.

    column: paths, bytes of files, or arrays. keep_bad: media that are bad get no tokens and a reason in "error"; else the
    first one ends the job.
    """

    def __init__(self, model: str = "image-f16", *, column: str = "bytes", device: str = "cpu", threads: int = 1,
                 keep_bad: bool = False) -> None:
        self._model, self._column, self._keep_bad = columns.loaded(model, device, threads), column, keep_bad

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        media = batch[self._column]
        found = columns.encode(media, self._model, self._keep_bad)
        rest = {name: values for name, values in batch.items() if name != self._column}
        return {**rest, "tokens": _ragged(found["tokens"], np.int32), "shape": _ragged(found["shape"], np.int64),
                "error": np.array(found["error"], dtype=object)}


def _ragged(rows: list, dtype: type) -> np.ndarray:
    column = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        column[i] = np.asarray(row, dtype=dtype)
    return column
