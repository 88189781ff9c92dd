#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ray and Spark against the program, on clusters of this machine: the same shards and ids, whoever dies. $VQC_PROGRAM."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

import numpy as np
import psutil
import vqcodec

PROGRAM = os.environ["VQC_PROGRAM"]
PHOTOS, BAD, SHARD_SIZE = 120, 7, 10


def files_of(folder):
    return {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}


class WorkerKiller(threading.Thread):
    """Kills the process that runs the program on `output`, once, without a warning."""

    def __init__(self, output):
        super().__init__(daemon=True)
        self._output, self._over, self.killed = str(output), threading.Event(), None

    def run(self):
        while not self._over.is_set() and self.killed is None:
            for process in psutil.process_iter(["cmdline", "ppid"]):
                command = process.info["cmdline"] or []
                if "tokenize" in command and self._output in command and process.info["ppid"] > 1:
                    time.sleep(0.5)  # some shards are made by then, not all
                    try:
                        parent = psutil.Process(process.info["ppid"])
                        self.killed = " ".join(parent.cmdline())[:60]
                        parent.kill()
                    except psutil.NoSuchProcess:
                        self.killed = None
                    break
            time.sleep(0.02)

    def stop(self):
        self._over.set()
        self.join()


class Engines:
    """What both engines have to do; a subclass says how."""

    @classmethod
    def prepare(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.photos = pathlib.Path(cls.folder.name, "photos")
        cls.photos.mkdir()
        for i in range(PHOTOS):
            picture = np.random.default_rng(i).integers(0, 255, (9, 12, 3), np.uint8).repeat(16, 0).repeat(16, 1)
            np.save(cls.photos / f"{i:03d}.npy", picture)
            (cls.photos / f"{i:03d}.txt").write_text(f"caption {i}")
        (cls.photos / f"{BAD:03d}.npy").write_bytes(b"no picture")
        cls.expected = pathlib.Path(cls.folder.name, "expected")
        subprocess.run([PROGRAM, "tokenize", cls.photos, "-o", cls.expected, "--shard-size", str(SHARD_SIZE), "--skip-bad", "-q"],
                       check=True, stderr=subprocess.DEVNULL)

    def same_set(self, output, report):
        self.assertEqual((report["set_items"], report["set_skipped"], report["complete"]), (PHOTOS - 1, 1, True))
        self.assertEqual(files_of(output), files_of(self.expected))

    def same_rows(self, rows):
        """rows: of path, tokens, shape, error."""
        expected = {item.key: item.ids for item in vqcodec.TokenSet(self.expected)}
        self.assertEqual(len(rows), PHOTOS)
        for path, tokens, shape, error in rows:
            key = pathlib.Path(path).stem
            self.assertEqual(error != "", key == f"{BAD:03d}", path)
            if not error:
                self.assertTrue(np.array_equal(np.asarray(tokens).reshape(shape), expected[key]), path)

    def test_shards_are_those_of_one_process(self):
        output = pathlib.Path(self.folder.name, "same")
        self.same_set(output, self.tokenize(output, parts=3))

    def test_a_killed_worker_loses_and_doubles_nothing(self):
        output = pathlib.Path(self.folder.name, "killed")
        killer = WorkerKiller(output)
        killer.start()
        report = self.tokenize(output, parts=2)
        killer.stop()
        self.assertIsNotNone(killer.killed)
        self.same_set(output, report)

    def test_columns_get_the_same_ids(self):
        self.same_rows(self.rows())

    def test_errors_are_told(self):
        with self.assertRaisesRegex(Exception, "no-such-model"):
            self.tokenize(pathlib.Path(self.folder.name, "none"), parts=1, model="no-such-model")


class Ray(Engines, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prepare()
        import ray
        ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)

    @classmethod
    def tearDownClass(cls):
        import ray
        ray.shutdown()

    def tokenize(self, output, parts, model=""):
        import vqcodec.ray
        return vqcodec.ray.tokenize(self.photos, output, parts=parts, model=model, shard_size=SHARD_SIZE)

    def rows(self):
        import ray
        import vqcodec.ray
        ray.data.DataContext.get_current().enable_progress_bars = False
        files = [{"path": str(path), "bytes": path.read_bytes()} for path in sorted(self.photos.glob("*.npy"))]
        tokens = ray.data.from_items(files).map_batches(
            vqcodec.ray.Encoder, fn_constructor_kwargs={"keep_bad": True}, batch_size=16, concurrency=1)
        return [(row["path"], row["tokens"], row["shape"], row["error"]) for row in tokens.take_all()]


class Spark(Engines, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("java"):
            raise unittest.SkipTest("Spark needs Java")
        cls.prepare()
        from pyspark.sql import SparkSession
        cls.spark = (SparkSession.builder.master("local-cluster[2,1,1024]").appName("vqcodec")
                     .config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1")
                     .config("spark.sql.execution.arrow.maxRecordsPerBatch", "16").getOrCreate())
        cls.spark.sparkContext.setLogLevel("OFF")

    @classmethod
    def tearDownClass(cls):
        cls.spark.stop()

    def tokenize(self, output, parts, model=""):
        import vqcodec.spark
        return vqcodec.spark.tokenize(self.spark, self.photos, output, parts=parts, model=model, shard_size=SHARD_SIZE)

    def rows(self):
        import vqcodec.spark
        photos = self.spark.read.format("binaryFile").option("pathGlobFilter", "*.npy").load(str(self.photos))
        tokens = vqcodec.spark.encode(photos.select("path", "content"), keep_bad=True)
        return [(row.path, row.tokens, row.shape, row.error) for row in tokens.collect()]

    def test_bad_media_and_columns_are_told(self):
        import vqcodec.spark
        photos = self.spark.read.format("binaryFile").option("pathGlobFilter", "*.npy").load(str(self.photos))
        with self.assertRaisesRegex(Exception, "not a picture"):
            vqcodec.spark.encode(photos).collect()
        with self.assertRaisesRegex(vqcodec.UsageError, "no column image; there are path"):
            vqcodec.spark.encode(photos, column="image")


if __name__ == "__main__":
    unittest.main()
