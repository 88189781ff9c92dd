#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""token_sets.py VQCODEC: writes a set of tokens in every format and reads it back with the libraries people read it with.

Needs numpy, webdataset, safetensors. The reader of Megatron-LM's layout is written here: its package needs all of torch."""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np
import safetensors.numpy
import webdataset

ITEMS, SHARD = 7, 3


def pictures(folder):
    random = np.random.default_rng(1)
    for i in range(ITEMS):
        height, width = (64, 48) if i < SHARD else (32 + 16 * i, 80)
        base = random.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
        picture = base.repeat(16, 0).repeat(16, 1)
        (folder / f"p{i}.ppm").write_bytes(b"P6\n%d %d\n255\n" % (width, height) + picture.tobytes())
        (folder / f"p{i}.txt").write_text(f"caption {i} – ä")
        (folder / f"p{i}.cls").write_text(str(i))


def shards(folder, suffix):
    return sorted(str(path) for path in folder.glob("*" + suffix) if "items" not in path.name)


def read_npy(folder):
    for path in shards(folder, ".npy"):
        ids = np.load(path, mmap_mode="r")
        flat = ids.reshape(-1)
        for line in open(path[: -len(".npy")] + ".items.jsonl", encoding="utf-8"):
            item = json.loads(line)
            count = int(np.prod(item["shape"]))
            yield item["key"], flat[item["offset"]:][:count].reshape(item["shape"]), item["sidecars"]["txt"]


def read_webdataset(folder):
    for sample in webdataset.WebDataset(shards(folder, ".tar"), shardshuffle=False).decode():
        assert sample["cls"] == int(sample["__key__"][1:]), sample
        assert sample["tokens.json"]["width"] > 0
        yield sample["__key__"], sample["tokens.npy"], sample["txt"]


def read_safetensors(folder):
    for path in shards(folder, ".safetensors"):
        tensors = safetensors.numpy.load_file(path)
        with safetensors.safe_open(path, framework="np") as file:
            items = [json.loads(line) for line in file.metadata()["items"].splitlines()]
        assert sorted(tensors) == sorted(item["key"] for item in items)
        for item in items:
            yield item["key"], tensors[item["key"]], item["sidecars"]["txt"]


def read_jsonl(folder):
    for path in shards(folder, ".jsonl"):
        for line in open(path, encoding="utf-8"):
            item = json.loads(line)
            yield item["key"], np.array(item["tokens"]).reshape(item["shape"]), item["sidecars"]["txt"]


def read_megatron(folder):
    for path in shards(folder, ".idx"):
        index = pathlib.Path(path).read_bytes()
        magic, version, code, sequences, documents = struct.unpack("<9sQBQQ", index[:34])
        assert magic == b"MMIDIDX\0\0" and version == 1 and documents == sequences + 1
        kind = {8: np.uint16, 4: np.int32}[code]
        lengths = np.frombuffer(index, np.int32, sequences, 34)
        offsets = np.frombuffer(index, np.int64, sequences, 34 + 4 * sequences)
        bounds = np.frombuffer(index, np.int64, documents, 34 + 12 * sequences)
        assert list(bounds) == list(range(documents)) and len(index) == 34 + 12 * sequences + 8 * documents
        data = np.memmap(path[:-3] + "bin", kind, mode="r")
        for line, length, offset in zip(open(path[:-3] + "items.jsonl", encoding="utf-8"), lengths, offsets):
            item = json.loads(line)
            ids = data[offset // data.itemsize:][:length]
            yield item["key"], ids.reshape(item["shape"]), item["sidecars"]["txt"]


READERS = {"npy": read_npy, "webdataset": read_webdataset, "safetensors": read_safetensors, "jsonl": read_jsonl,
           "megatron": read_megatron}


def main():
    vqcodec = sys.argv[1]
    formats = subprocess.run([vqcodec, "tokenize", "--help"], capture_output=True, text=True, check=True).stdout
    missing = [name for name in formats.split("--format ")[1].split()[0].split("|") if name not in READERS]
    assert not missing, f"no reader here for {missing}"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "in").mkdir()
        pictures(folder / "in")
        expected = None
        for name, reader in READERS.items():
            subprocess.run([vqcodec, "tokenize", folder / "in", "-o", folder / name, "--format", name, "--shard-size",
                            str(SHARD), "-q"], check=True)
            items = [(key, np.asarray(ids).astype(np.int64), text) for key, ids, text in reader(folder / name)]
            assert [key for key, _, _ in items] == [f"p{i}" for i in range(ITEMS)], name
            assert [text for _, _, text in items] == [f"caption {i} – ä" for i in range(ITEMS)], name
            expected = expected or items
            for (key, ids, _), (_, other, _) in zip(items, expected):
                assert ids.shape == other.shape and (ids == other).all(), (name, key)
            print(f"{name}: {len(items)} items as its reader reads them")


if __name__ == "__main__":
    main()
