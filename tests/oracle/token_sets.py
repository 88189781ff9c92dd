#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""token_sets.py VQCODEC: writes a set of tokens in every format and reads it back with the libraries people read it with.

Needs numpy, webdataset, safetensors, pyarrow and mosaicml-streaming (without its dependencies). LitData's and Megatron-LM's
(megatron-core) readers need all of torch: where they are installed they read the sets too, else both layouts are read by
hand alone."""
import importlib
import importlib.machinery
import importlib.util
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import types
import unittest.mock

import numpy as np
import pyarrow.parquet
import safetensors.numpy
import webdataset

ITEMS, SHARD = 7, 3
HAS_TORCH = importlib.util.find_spec("torch") is not None
HAS_LITDATA = HAS_TORCH and importlib.util.find_spec("litdata") is not None
HAS_MEGATRON = HAS_TORCH and importlib.util.find_spec("megatron") is not None


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
        if HAS_MEGATRON:
            check_by_megatron(path[:-len(".idx")], data, lengths, bounds)
        for line, length, offset in zip(open(path[:-3] + "items.jsonl", encoding="utf-8"), lengths, offsets):
            item = json.loads(line)
            ids = data[offset // data.itemsize:][:length]
            yield item["key"], ids.reshape(item["shape"]), item["sidecars"]["txt"]


def check_by_megatron(prefix, data, lengths, bounds):
    from megatron.core.datasets.indexed_dataset import IndexedDataset
    theirs = IndexedDataset(prefix)
    assert list(theirs.sequence_lengths) == list(lengths) and list(theirs.document_indices) == list(bounds)
    assert (np.concatenate([theirs[i] for i in range(len(theirs))]) == data).all()
    print("megatron: its IndexedDataset reads the same")


class Absent:
    """Finds what no other finder does: a module that is there and does nothing."""
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        module = unittest.mock.MagicMock()
        module.__path__ = []
        return module

    def exec_module(self, module):
        pass


def mds_reader():
    """MosaicML Streaming's reader of shards alone: the package around it connects to clouds, and needs torch for that."""
    folder = pathlib.Path(importlib.util.find_spec("streaming").origin).parent
    for name, path in (("streaming", folder), ("streaming.base", folder / "base")):  # as packages without their __init__.py
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package
    sys.meta_path.append(Absent())
    reader = importlib.import_module("streaming.base.format.mds.reader").MDSReader
    sys.meta_path.pop()
    return reader


def read_mds(folder):
    reader = mds_reader()
    for shard in json.loads((folder / "index.json").read_text())["shards"]:
        opened = reader.from_json(str(folder), "", shard)
        opened.validate(False)
        assert (folder / shard["raw_data"]["basename"]).stat().st_size == shard["raw_data"]["bytes"]
        for sample in (opened[i] for i in range(shard["samples"])):
            yield sample["key"], sample["tokens"], sample["record"]["sidecars"]["txt"]


def read_parquet(folder):
    for path in shards(folder, ".parquet"):
        table = pyarrow.parquet.read_table(path)
        assert table.schema.field("tokens").type == pyarrow.list_(pyarrow.field("element", pyarrow.int32(), False))
        for row in table.to_pylist():
            assert json.loads(row["record"])["sidecars"]["txt"] == row["text"]
            yield row["key"], np.array(row["tokens"]).reshape(row["shape"]), row["text"]


def litdata_blocks(folder, block):
    """Blocks of ids as LitData's TokensLoader cuts them."""
    import litdata
    data = litdata.StreamingDataset(str(folder), item_loader=litdata.TokensLoader(block_size=block), shuffle=False)
    return [data[i].numpy() for i in range(len(data))]


def read_litdata(folder):
    index = json.loads((folder / "index.json").read_text())
    streams = []
    for chunk in index["chunks"]:
        data = (folder / chunk["filename"]).read_bytes()
        count = struct.unpack("<I", data[:4])[0]
        offsets = np.frombuffer(data, np.uint32, count + 1, 4)
        assert count == chunk["chunk_size"] and len(data) == chunk["chunk_bytes"] == offsets[-1]
        streams.append(np.frombuffer(data, np.int32, offset=4 * (count + 2)))
        assert len(streams[-1]) == chunk["dim"] and offsets[0] == 4 * (count + 2)
        items = folder / chunk["filename"].replace(".chunk.bin", ".items.jsonl")
        for i, line in enumerate(open(items, encoding="utf-8")):
            item = json.loads(line)
            ids = np.frombuffer(data[offsets[i]:offsets[i + 1]], np.int32)
            yield item["key"], ids.reshape(item["shape"]), item["sidecars"]["txt"]
    if HAS_LITDATA:
        assert (np.concatenate(litdata_blocks(folder, 2)) == np.concatenate([ids[:len(ids) // 2 * 2] for ids in streams])).all()
        print("litdata: its StreamingDataset reads the same")


READERS = {"npy": read_npy, "webdataset": read_webdataset, "safetensors": read_safetensors, "jsonl": read_jsonl,
           "megatron": read_megatron, "mds": read_mds, "parquet": read_parquet, "litdata": read_litdata}


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
