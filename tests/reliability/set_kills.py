# SPDX-License-Identifier: Apache-2.0
"""set_kills.py PROGRAM PARTS WORK [--kills N] [--seed N]: `tokenize` is killed by SIGKILL at random times.

In every format in turn, and started again on what is left until the set is complete: whatever has the name of a file of
the set is whole at every moment, and the set in the end is that of one run, byte for byte. The pictures are files, and in every
second set rows of Parquet files.
"""
import collections
import itertools
import pathlib
import random
import shutil
import subprocess
import sys
import time

from place import Place, read_arguments

FORMATS = ("webdataset", "npy", "safetensors", "jsonl", "megatron", "litdata", "mds", "parquet")
SOURCES = ("in", "tables")
TABLES = pathlib.Path(__file__).parent.parent / "golden/tables"
GROWING = ("journal-", ".vqcodec.")  # files that are not of the complete set


def ppm(rng, width, height):
    return b"P6\n%d %d\n255\n" % (width, height) + rng.randbytes(width * height * 3)


class Sets(Place):
    def command(self, source, output, *options):
        return [self.program, "tokenize", str(self.work / source), "-o", str(self.work / output), "-q", *options]

    def run(self, *arguments):
        return subprocess.run(self.command(*arguments), env=self.environment, capture_output=True, text=True, timeout=300)

    def files(self, output):
        folder = self.work / output
        return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}

    def pictures(self, folder, count, rng):
        (self.work / folder).mkdir(parents=True)
        for i in range(count):
            (self.work / folder / f"{i:05d}.ppm").write_bytes(ppm(rng, rng.randrange(8, 24), rng.randrange(8, 24)))


    def tables(self, folder):
        (self.work / folder).mkdir()
        for name in ("datasets", "pages", "flat", "deltas"):
            shutil.copy(TABLES / f"{name}.parquet", self.work / folder)


def check_kills(sets, kills, rng):
    sets.pictures("in", 40, rng)
    sets.tables("tables")
    wrong, counts, expected, seconds = [], collections.Counter(), {}, 60.0
    for source, name in itertools.product(SOURCES, FORMATS):
        start = time.monotonic()
        sets.run(source, f"whole-{source}-{name}", "--format", name, "--shard-size", "4")
        seconds, expected[source, name] = min(seconds, time.monotonic() - start), sets.files(f"whole-{source}-{name}")
        if "manifest.json" not in expected[source, name]:
            sys.exit(f"{source}, {name}: the set cannot be made")
    while counts["killed"] < kills:
        source, name = SOURCES[counts["sets"] % len(SOURCES)], FORMATS[counts["sets"] // len(SOURCES) % len(FORMATS)]
        latest, whole = seconds, expected[source, name]
        while True:
            with subprocess.Popen(sets.command(source, "out", "--format", name, "--shard-size", "4", "-j", str(rng.choice((1, 2)))),
                                  env=sets.environment, stderr=subprocess.DEVNULL) as process:
                time.sleep(rng.uniform(0, latest))
                process.kill()
            found = sets.files("out")
            torn = [file for file, data in found.items() if not file.startswith(GROWING) and data != whole.get(file)]
            if torn:
                wrong.append(f"{source}, {name}, set {counts['sets']}: {torn} not as in one run")
            if process.returncode == 0:
                break
            counts["killed"] += 1
            latest *= 1.1  # so that it ends on a machine that others slow down
        if found != whole:
            wrong.append(f"{source}, {name}, set {counts['sets']}: the set is not that of one run")
        counts["sets"] += 1
        shutil.rmtree(sets.work / "out")
    print(f"{counts['killed']} kills at random times of {counts['sets']} sets: {len(wrong)} wrong", flush=True)
    return wrong


def main():
    args = read_arguments(__doc__, kills=1000, seed=1)
    wrong = check_kills(Sets(args), args.kills, random.Random(args.seed))
    print(*wrong[:20], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
