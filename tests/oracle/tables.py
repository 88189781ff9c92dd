#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Parquet files of pictures and of sound as the library datasets and others have them, written by pyarrow, for
tests/data/tokens/table_test.cc and tests/cli/tokenize_tables_test.cc.

    pip install pyarrow==26.0.1
    tests/oracle/tables.py tests/golden/tables

Row i of 10 has a PPM picture of 16 x 12 whose byte k is (37 i + 11 k + k k) mod 256, and what `table` says; row 3 has no
caption, row 7 of nulls.parquet no picture. Row i of sound.parquet has a WAV file of 1000 + 100 i frames of 16 bits and
one channel at 24 kHz whose byte k is (7 k + 13 i) mod 61. Each column of lists in lists.parquet has one beside it, `json_NAME`,
with what is expected of it.
"""
import argparse
import json
import pathlib
import random
import struct

import pyarrow as pa
import pyarrow.parquet as parquet

ROWS, WIDTH, HEIGHT = 10, 16, 12


def picture(i):
    return b"P6\n%d %d\n255\n" % (WIDTH, HEIGHT) + bytes((37 * i + 11 * k + k * k) % 256 for k in range(3 * WIDTH * HEIGHT))


def sound(i):
    data = bytes((7 * k + 13 * i) % 61 for k in range(2 * (1000 + 100 * i)))
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 24000, 48000, 2, 16) + struct.pack("<4sI", b"data", len(data))
    return struct.pack("<4sI4s", b"RIFF", 4 + len(head) + len(data), b"WAVE") + head + data


def table(as_struct, missing=None):
    """as_struct: the picture is a struct of bytes and path, as datasets has it; missing: a row without."""
    pictures = [None if i == missing else picture(i) for i in range(ROWS)]
    if as_struct:
        image = pa.array([{"bytes": p, "path": f"photo{i}.ppm"} for i, p in enumerate(pictures)],
                         pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    else:
        image = pa.array(pictures, pa.binary())
    return pa.table({
        "image": image,
        "caption": pa.array([None if i == 3 else f"caption {i} \u00e9" for i in range(ROWS)], pa.string()),
        "label": pa.array([i % 3 for i in range(ROWS)], pa.int64()),
        "score": pa.array([i / 8 for i in range(ROWS)], pa.float32()),
        "weight": pa.array([i / 10 for i in range(ROWS)], pa.float64()),
        "good": pa.array([i % 2 == 0 for i in range(ROWS)]),
        "Id": pa.array([2**63 + i for i in range(ROWS)], pa.uint64()),
        "offset": pa.array([-i for i in range(ROWS)], pa.int32()),
        "__key__": pa.array([f"set/sample{i:03}.x" for i in range(ROWS)]),
        "boxes": pa.array([[i] * i for i in range(ROWS)], pa.list_(pa.int32())),
        "json": pa.array([{"width": WIDTH + i} for i in range(ROWS)]),
    })


def lists():
    numbers = random.Random(1)

    def some(value, most=4):
        return [None if numbers.random() < 0.2 else value() for _ in range(numbers.randrange(most))]

    def maybe(value):
        return None if numbers.random() < 0.2 else value()

    def number():
        return numbers.randrange(1, 1000) + 0.5

    def words():
        return some(lambda: numbers.choice(("", "a dog", 'she said "\u00e9"\n', "x" * 40)))

    columns = {
        "words": ([maybe(words) for _ in range(ROWS)], pa.list_(pa.string())),
        "floats": ([maybe(lambda: some(number)) for _ in range(ROWS)], pa.list_(pa.float32())),
        "boxes": ([maybe(lambda: some(lambda: some(number))) for _ in range(ROWS)], pa.list_(pa.list_(pa.float64()))),
        "deep": ([maybe(lambda: some(lambda: some(lambda: some(lambda: numbers.randrange(9))))) for _ in range(ROWS)],
                 pa.list_(pa.list_(pa.list_(pa.int16())))),
        "flags": ([[i % 2 == 0] * i for i in range(ROWS)], pa.list_(pa.bool_())),
        "pair": ([[i, -i] for i in range(ROWS)], pa.list_(pa.int64(), 2)),
    }
    every = {"image": pa.array([picture(i) for i in range(ROWS)], pa.binary())}
    for name, (rows, kind) in columns.items():
        every[name] = pa.array(rows, kind)
        every[f"json_{name}"] = [None if row is None else json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    every["objects"] = pa.array([{"id": list(range(i)), "name": [f"n{k}" for k in range(i)]} for i in range(ROWS)])
    every["json_objects.id"] = [json.dumps(list(range(i)), separators=(",", ":")) for i in range(ROWS)]
    every["people"] = pa.array([[{"age": 20 + k} for k in range(i % 3)] for i in range(ROWS)],
                               pa.list_(pa.struct([("age", pa.int32())])))
    every["json_people.age"] = [json.dumps([20 + k for k in range(i % 3)], separators=(",", ":")) for i in range(ROWS)]
    every["infinite"] = pa.array([[float("nan"), float("inf"), -0.5]] * ROWS, pa.list_(pa.float32()))
    every["json_infinite"] = ["[null,null,-0.5]"] * ROWS
    return pa.table(every)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    folder.mkdir(exist_ok=True)
    parquet.write_table(table(True), folder / "datasets.parquet", row_group_size=4)
    parquet.write_table(table(True), folder / "pages.parquet", compression="zstd", data_page_version="2.0",
                        use_dictionary=False, row_group_size=7, data_page_size=1, write_batch_size=2)
    parquet.write_table(table(False), folder / "flat.parquet", compression="gzip", write_page_checksum=True)
    numbers = {"label": "DELTA_BINARY_PACKED", "offset": "DELTA_BINARY_PACKED", "score": "BYTE_STREAM_SPLIT",
               "weight": "BYTE_STREAM_SPLIT"}
    parquet.write_table(table(False), folder / "deltas.parquet", compression="none", use_dictionary=False,
                        data_page_version="2.0", data_page_size=1000, write_batch_size=3,
                        column_encoding=numbers | {"image": "DELTA_LENGTH_BYTE_ARRAY", "caption": "DELTA_BYTE_ARRAY",
                                                   "__key__": "DELTA_BYTE_ARRAY", "good": "RLE"})
    parquet.write_table(table(True, missing=7), folder / "nulls.parquet", data_page_size=1, write_batch_size=3)
    parquet.write_table(table(False).select(["image"]), folder / "brotli.parquet", compression="brotli")
    two = table(False).select(["image", "label"]).rename_columns(["first", "label"])
    parquet.write_table(two.append_column("second", two.column("first")), folder / "two.parquet")
    sounds = pa.array([{"bytes": sound(i), "path": f"clip{i}.wav"} for i in range(ROWS)],
                      pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    parquet.write_table(pa.table({"audio": sounds, "text": [f"said {i}" for i in range(ROWS)]}), folder / "sound.parquet",
                        row_group_size=3)
    parquet.write_table(lists(), folder / "lists.parquet", row_group_size=6)
    parquet.write_table(lists(), folder / "lists-pages.parquet", data_page_size=1, write_batch_size=1, data_page_version="2.0",
                        compression="zstd")
    parquet.write_table(table(False).drop_columns(["image"]), folder / "none.parquet")


if __name__ == "__main__":
    main()
