# SPDX-License-Identifier: Apache-2.0
"""Tokens on a Spark cluster.

    vqcodec.spark.tokenize(spark, "/data/photos", "/data/tokens", model="image-f16")      # shards in a folder

    photos = spark.read.format("binaryFile").load("/data/photos")                         # columns of a data frame
    vqcodec.spark.encode(photos, "image-f16").write.parquet("/data/tokens.parquet")
"""
from __future__ import annotations

import os
from typing import Any, Iterator, Union

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import ArrayType, IntegerType, StringType, StructField, StructType

from vqcodec import columns
from vqcodec.errors import UsageError
from vqcodec.parts import Job, Sources


def tokenize(spark: SparkSession, sources: Sources, output: Union[str, os.PathLike], *, parts: int = 0,
             **options: Any) -> dict[str, Any]:
    """The shards of `vqcodec tokenize`, byte for byte, made by tasks on the cluster; the folders are shared by its nodes.

    parts: tasks; 0: as many as run at once. options: model, format, shard_size, device, jobs (threads of a task) and arguments, as
        in vqcodec.parts.Job.of. Spark runs a task again whose worker died; what it had made counts.
    Returns the report of the whole set; bad items are counted in "set_skipped". Raises vqcodec.Error.
    """
    context = spark.sparkContext
    job = Job.of(sources, output, parts=parts or context.defaultParallelism, **options)
    context.parallelize(range(job.parts), job.parts).map(job.run).collect()
    return job.finish()


def encode(frame: DataFrame, model: str = "image-f16", *, column: str = "content", device: str = "cpu", threads: int = 1,
           keep_bad: bool = False) -> DataFrame:
    """The frame with "tokens", "shape" and "error" in the place of a column of media: bytes of files, or paths.

    keep_bad: media that are bad get no tokens and a reason in "error"; else the first one ends the job.
    """
    if column not in frame.columns:
        raise UsageError(f"there is no column {column}; there are {', '.join(frame.columns)}")
    integers = ArrayType(IntegerType(), containsNull=False)
    kept = [field for field in frame.schema.fields if field.name != column]
    schema = StructType([*kept, StructField("tokens", integers, False), StructField("shape", integers, False),
                         StructField("error", StringType(), False)])

    def work(batches: Iterator[Any]) -> Iterator[Any]:
        loaded = columns.loaded(model, device, threads)
        for batch in batches:
            yield batch.drop(columns=column).assign(**columns.encode(batch[column], loaded, keep_bad))

    return frame.mapInPandas(work, schema)
