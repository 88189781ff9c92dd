#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python package against the program: $VQC_PROGRAM, $VQC_SAMPLES."""
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest

import numpy as np
import vqcodec

PROGRAM, SAMPLES = os.environ["VQC_PROGRAM"], pathlib.Path(os.environ["VQC_SAMPLES"])
FORMATS = ["webdataset", "npy", "safetensors", "jsonl", "megatron", "litdata", "mds", "parquet"]


def run(*arguments):
    subprocess.run([PROGRAM, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def sound(channels, frames, rate):
    time = np.arange(frames) / rate
    return np.stack([0.4 * np.sin(2 * np.pi * (180 + 90 * c) * time * (1 + time)) for c in range(channels)]).astype("f4")


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = vqcodec.load("image-f16")
        cls.photo = SAMPLES / "chelsea.png"
        cls.tokens = cls.model.encode(cls.photo)

    def test_ids_and_bytes_are_the_programs(self):
        with tempfile.TemporaryDirectory() as folder:
            run("encode", self.photo, "-o", f"{folder}/a.vqc")
            stream = pathlib.Path(folder, "a.vqc").read_bytes()
            self.assertEqual(stream, self.model.compress(self.photo))
            run("decode", f"{folder}/a.vqc", "-o", f"{folder}/a.npy")
            self.assertTrue(np.array_equal(np.load(f"{folder}/a.npy"), vqcodec.decompress(stream)))
            self.assertTrue(np.array_equal(vqcodec.decompress(stream), self.model.decode(self.tokens)))

    def test_arrays_of_any_layout_give_the_same_ids(self):
        picture = self.model.decode(self.tokens)
        self.assertEqual((picture.dtype, picture.shape), (np.uint8, (300, 451, 3)))
        ids = self.model.encode(picture).ids
        planes = np.ascontiguousarray(picture.transpose(2, 0, 1))
        locked = picture.copy()
        locked.flags.writeable = False
        for same in (planes.transpose(1, 2, 0), picture[::-1][::-1], locked,
                     (planes / 127.5 - 1).astype(np.float32), picture.astype(np.uint16) * 257):
            self.assertTrue(np.array_equal(ids, self.model.encode(same).ids))
        self.assertFalse(np.array_equal(ids, self.model.encode(picture[::-1]).ids))

    def test_neither_batch_nor_threads_matter(self):
        several = self.model.encode_batch([self.photo, SAMPLES / "astronaut.png", self.photo])
        self.assertTrue(np.array_equal(several[0].ids, self.tokens.ids))
        self.assertTrue(np.array_equal(several[2].ids, self.tokens.ids))
        self.assertTrue(np.array_equal(vqcodec.load("image-f16", threads=4).encode(self.photo).ids, self.tokens.ids))
        found = [None] * 4

        def work(i):
            found[i] = self.model.encode(self.photo).ids

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for ids in found:
            self.assertTrue(np.array_equal(ids, self.tokens.ids))

    def test_sizes_and_layouts_of_what_comes_back(self):
        self.assertEqual(self.model.decode(self.tokens, floats=True).shape, (3, 300, 451))
        self.assertEqual(self.model.decode(self.tokens.ids).shape, (304, 464, 3))
        self.assertEqual(self.model.decode(self.tokens.ids, width=451, height=300, channels=1).shape, (300, 451))
        small = self.model.compress(self.photo, max_bytes=700)
        self.assertLessEqual(len(small), 700)
        self.assertEqual(vqcodec.decompress(small).shape, (300, 451, 3))

    def test_ids_go_to_other_libraries_without_copies(self):
        again = np.from_dlpack(self.tokens)
        self.assertEqual(again.ctypes.data, self.tokens.ids.ctypes.data)
        self.assertTrue(np.array_equal(np.asarray(self.tokens), self.tokens.ids))

    def test_what_is_wrong_is_said(self):
        stream = self.model.compress(self.photo)
        damaged = bytearray(stream)
        damaged[len(stream) // 2] ^= 4
        for error, text, call in (
                (vqcodec.UsageError, r"uint8 \[3, 3, 9\]", lambda: self.model.encode(np.zeros((3, 3, 9), np.uint8))),
                (vqcodec.UsageError, "float64", lambda: self.model.encode(np.zeros((8, 8)))),
                (vqcodec.UsageError, "0, 8", lambda: self.model.encode(np.zeros((0, 8), np.uint8))),
                (vqcodec.InputError, "not a number", lambda: self.model.encode(np.full((8, 8), np.nan, np.float32))),
                (vqcodec.InputError, "none.png", lambda: self.model.encode("none.png")),
                (vqcodec.UsageError, "integers", lambda: self.model.decode(np.zeros((2, 2)))),
                (vqcodec.UsageError, "from -1", lambda: self.model.decode(np.full((2, 2), -1))),
                (vqcodec.CorruptDataError, "64000", lambda: self.model.decode(np.full((2, 2), 64000))),
                (vqcodec.Error, "width", lambda: self.model.decode(self.tokens.ids, width=10**6)),
                (vqcodec.CorruptDataError, "", lambda: vqcodec.decompress(bytes(damaged))),
                (vqcodec.CorruptDataError, "cut off", lambda: vqcodec.decompress(stream[:-1])),
                (vqcodec.ModelError, "known are", lambda: vqcodec.load("no-such-model"))):
            with self.assertRaisesRegex(error, text):
                call()
        self.assertTrue(issubclass(vqcodec.UsageError, ValueError))


class Sound(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = vqcodec.load("speech-rvq")

    def test_there_and_back(self):
        samples = sound(2, 30001, 16000)
        tokens = self.model.encode(samples, rate=16000)
        self.assertEqual((tokens.ids.shape[0], tokens.ids.shape[2]), (2, len(self.model.vocab)))
        self.assertEqual(self.model.decode(tokens).shape, samples.shape)
        alone = self.model.encode(samples[1], rate=16000)
        self.assertTrue(np.array_equal(alone.ids[0], tokens.ids[1]))
        stream = self.model.compress(samples, rate=16000)
        self.assertEqual(vqcodec.decompress(stream).shape, samples.shape)

    def test_a_file_gives_the_ids_of_its_samples(self):
        samples = (sound(1, 24000, 24000)[0] * 20000).astype(np.int16)
        with tempfile.TemporaryDirectory() as folder:
            import wave
            with wave.open(f"{folder}/a.wav", "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(24000)
                file.writeframes(samples.tobytes())
            of_file = self.model.encode(f"{folder}/a.wav")
            self.assertTrue(np.array_equal(of_file.ids, self.model.encode(samples, rate=24000).ids))
            run("encode", f"{folder}/a.wav", "-m", "speech-rvq", "-o", f"{folder}/a.vqc")
            self.assertEqual(pathlib.Path(folder, "a.vqc").read_bytes(), self.model.compress(f"{folder}/a.wav"))


class Sets(unittest.TestCase):
    def test_every_format_is_read(self):
        model = vqcodec.load("image-f16")
        with tempfile.TemporaryDirectory() as folder:
            photos = pathlib.Path(folder, "photos")
            photos.mkdir()
            for i in range(5):
                np.save(photos / f"{i}.npy", np.random.default_rng(i).integers(0, 255, (20 + i, 33, 3), np.uint8))
                (photos / f"{i}.txt").write_text(f"caption {i}")
            expected = {str(i): model.encode(photos / f"{i}.npy").ids for i in range(5)}
            for name in FORMATS:
                run("tokenize", photos, "-o", f"{folder}/{name}", "--format", name, "--shard-size", "2")
                tokens = vqcodec.TokenSet(f"{folder}/{name}")
                tokens.verify()
                self.assertEqual((len(tokens), len(tokens.shards), tokens.model, tokens.vocab),
                                 (5, 3, "image-f16", [64000]), name)
                items = list(tokens)
                self.assertEqual([item.key for item in items], sorted(expected), name)
                for item in items:
                    self.assertTrue(np.array_equal(item.ids, expected[item.key]), name)
                    self.assertEqual(item.sidecars, {"txt": f"caption {item.key}".encode()}, name)
                self.assertEqual(model.decode(items[4].tokens).shape, (24, 33, 3))

    def test_processes_share_out_the_shards(self):
        with tempfile.TemporaryDirectory() as folder:
            photos = pathlib.Path(folder, "photos")
            photos.mkdir()
            for i in range(5):
                np.save(photos / f"{i}.npy", np.full((16, 16, 3), 40 * i, np.uint8))
            run("tokenize", photos, "-o", f"{folder}/set", "--format", "npy", "--shard-size", "1")
            keys = [[*vqcodec.Dataset(f"{folder}/set", lambda item: item.key, rank=rank, world=2)] for rank in range(2)]
            self.assertEqual(keys, [["0", "2", "4"], ["1", "3"]])
            self.assertEqual(next(iter(vqcodec.Dataset(f"{folder}/set"))).shape, (1, 1))
            with self.assertRaisesRegex(vqcodec.UsageError, "rank"):
                vqcodec.Dataset(f"{folder}/set", rank=2, world=2)
            with self.assertRaises(vqcodec.InputError):
                vqcodec.TokenSet(f"{folder}/nothing")


class Program(unittest.TestCase):
    def test_comes_with_the_package(self):
        import sys
        script = pathlib.Path(sys.executable).parent / "vqcodec"
        version = subprocess.run([script, "--version"], check=True, capture_output=True, text=True).stdout
        self.assertIn("0.1.0", version)


if __name__ == "__main__":
    unittest.main()
