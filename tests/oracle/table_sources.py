#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""table_sources.py VQCODEC [FOLDER]: Parquet files with the pictures of a folder, written by pyarrow in many ways, as
sources of `vqcodec tokenize`: ids, captions and keys are those of the folder. Without a folder, 24 pictures are made up.

    python3 tests/oracle/table_sources.py build/dev/bin/vqcodec photos
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as parquet

PICTURES = 24
WAYS = {
    "snappy": {},
    "zstd": {"compression": "zstd", "data_page_version": "2.0", "row_group_size": 5},
    "gzip": {"compression": "gzip", "row_group_size": 7, "write_page_checksum": True},
    "none": {"compression": "none", "use_dictionary": False},
    "small-pages": {"use_dictionary": False, "data_page_size": 1, "write_batch_size": 1, "row_group_size": 10},
    "small-pages-2": {"data_page_version": "2.0", "data_page_size": 100_000, "write_batch_size": 3},
    "lengths": {"use_dictionary": False, "column_encoding": {"image.bytes": "DELTA_LENGTH_BYTE_ARRAY",
                                                             "caption": "DELTA_BYTE_ARRAY"}},
}


def made_up(folder):
    folder.mkdir()
    numbers = random.Random(1)
    for i in range(PICTURES):
        width, height = numbers.randrange(32, 96), numbers.randrange(32, 96)
        (folder / f"p{i:02}.ppm").write_bytes(b"P6\n%d %d\n255\n" % (width, height) + numbers.randbytes(3 * width * height))
    return folder


def ids_of(vqcodec, source, output, *options):
    subprocess.run([vqcodec, "tokenize", source, "-o", output, "--format", "jsonl", "--shard-size", "7", "-q", *options],
                   check=True)
    records = [json.loads(line) for path in sorted(output.glob("*.jsonl")) for line in path.open(encoding="utf-8")]
    return [(record["key"], record["shape"], record["tokens"]) for record in records], records


def main():
    vqcodec = sys.argv[1]
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else made_up(work / "in")
        expected, _ = ids_of(vqcodec, folder, work / "expected")
        paths = [next(folder.glob(key + ".*")) for key, _, _ in expected]
        rows = pa.table({
            "image": pa.array([{"bytes": path.read_bytes(), "path": path.name} for path in paths],
                              pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
            "caption": [f"caption of {path.stem} – ä" for path in paths],
            "__key__": [path.stem for path in paths],
            "label": list(range(len(paths))),
        })
        for name, way in WAYS.items():
            parquet.write_table(rows, work / f"{name}.parquet", **way)
            found, records = ids_of(vqcodec, work / f"{name}.parquet", work / name, "--key-column", "__key__")
            assert found == expected, name
            for record, path in zip(records, paths):
                assert record["sidecars"]["txt"] == f"caption of {path.stem} – ä", (name, record["sidecars"])
                assert record["sidecars"]["path"] == path.name, (name, record["sidecars"])
            print(f"{name}: {len(found)} rows have the ids, keys and captions of the files")


if __name__ == "__main__":
    main()
