#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""devices.py PROGRAM WORK [--pictures DIR] [--sounds DIR]: files that one device encodes and the other decodes (P7).

    python3 tests/reliability/devices.py build/dev/bin/vqcodec /tmp/devices --pictures PHOTOS --sounds SPEECH

Each file is encoded on the CPU and on the GPU, and each stream decoded on both. Ids are those of the decoder in
tests/reference, so that the numbers below do not rest on the program's own reader. Kept is the promise if
every stream decodes on the other device, at least 99.9 % of the ids of the two encoders are equal, 99.99 % of the values
of pictures decoded from equal ids differ by at most 1 of 255, and sound decoded from equal ids by at most -90 dB.
Exit status 1 if not. Needs numpy.
"""
import argparse
import math
import pathlib
import shutil
import subprocess
import sys

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))

from decoder import Model, read_stream  # noqa: E402

DEVICES = ("cpu", "cuda")


def call(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, arguments[:1]))} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")


def ids_of(path, model):
    head, chunks = read_stream(path.read_bytes())
    return [value for chunk in chunks for value in model.decode(head, chunk)]


def ppm_values(path):
    data = path.read_bytes()
    at = 0
    for _ in range(3):  # magic, size and depth, each on its line
        at = data.index(b"\n", at) + 1
    return numpy.frombuffer(data, numpy.uint8, offset=at).astype(int)


class Pictures:
    name, model, suffix, decoded = "pictures", "image-f16", (".ppm", ".png", ".jpg", ".webp"), ["--format", "ppm"]

    def __init__(self):
        self.values = self.near = self.most = 0

    def add(self, one, other):
        gaps = abs(ppm_values(one) - ppm_values(other))
        self.values += gaps.size
        self.near += int((gaps <= 1).sum())
        self.most = max(self.most, int(gaps.max()))

    def verdict(self):
        share = self.near / max(1, self.values)
        return share >= 0.9999, f"{100 * share:.5f} % of {self.values:,} values within 1 of 255, the farthest {self.most}"


class Sounds:
    name, model, suffix, decoded = "sounds", "speech-rvq", (".wav", ".flac"), ["--format", "raw", "--bits", "float"]

    def __init__(self):
        self.least = math.inf

    def add(self, one, other):
        a, b = (numpy.fromfile(path, "<f4").astype(float) for path in (one, other))
        signal, noise = float((a * a).sum()), float(((a - b) ** 2).sum())
        self.least = min(self.least, 10 * math.log10(signal / noise) if noise else math.inf)

    def verdict(self):
        return self.least >= 90, f"signal to difference at least {self.least:.1f} dB"


def compare(kind, program, source, model, models, work):
    files = sorted(path for path in source.iterdir() if path.suffix in kind.suffix)
    listed = work / f"{kind.name}.txt"
    listed.write_text("".join(f"{path}\n" for path in files))
    streams, outputs = {}, {}
    for by in DEVICES:
        streams[by] = work / kind.name / f"by-{by}"
        call(program, "encode", "--files-from", listed, "-O", streams[by], "-m", model, "--prior", "uniform", "--device", by, "-q")
        for on in DEVICES:
            outputs[by, on] = work / kind.name / f"by-{by}-on-{on}"
            call(program, "decode", "-r", streams[by], "-O", outputs[by, on], *kind.decoded, "--device", on, "-q")
    reference = Model(models / model)
    ids = equal_ids = equal_files = 0  # files of equal ids: streams name the arithmetic that made them, so bytes may differ
    for stream in sorted(streams["cpu"].rglob("*.vqc")):
        place = stream.relative_to(streams["cpu"])
        other = streams["cuda"] / place
        one = ids_of(stream, reference)
        two = one if stream.read_bytes() == other.read_bytes() else ids_of(other, reference)
        ids, equal_files = ids + len(one), equal_files + (one == two)
        equal_ids += sum(a == b for a, b in zip(one, two, strict=True))
        for by in DEVICES:
            found = [next((outputs[by, on] / place.parent).glob(place.stem + ".*")) for on in DEVICES]
            kind.add(*found)
    near, text = kind.verdict()
    share = equal_ids / max(1, ids)
    print(f"{kind.name}, {model}: {len(files)} files, {100 * share:.4f} % of {ids:,} ids equal, all of them in {equal_files}; "
          f"decoded on both: {text}", flush=True)
    return near and share >= 0.999 and len(files) > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--pictures", type=pathlib.Path)
    parser.add_argument("--sounds", type=pathlib.Path)
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path("models/pretrained"))
    args = parser.parse_args()
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    kinds = [(kind, source) for kind, source in ((Pictures(), args.pictures), (Sounds(), args.sounds)) if source]
    if not kinds:
        parser.error("--pictures, --sounds or both")
    kept = [compare(kind, args.program, source.resolve(), kind.model, args.models, args.work) for kind, source in kinds]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
