#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Decoded pictures against their originals, by Butteraugli, SSIMULACRA and FLIP. No model here was trained with them.

    apt-get install libjxl-devtools    # butteraugli_main, ssimulacra_main
    pip install flip-evaluator==1.7 numpy pillow
    bench/picture_judges.py ORIGINALS DECODED [DECODED ...] [--all] [--avif FILES]

Folders of pictures, paired by name without ending. Butteraugli as butteraugli_main prints it: its greatest value in
a picture and its 3-norm. SSIMULACRA (the first one; 0 is best) as ssimulacra_main prints it. FLIP (Andersson et al.
2020) of low dynamic range at 67 pixels a degree, mean over the pixels. In all of them 0 is best. A line of CSV for each
folder with the means over its pictures; with --all one for each picture too. --avif also judges AVIF (Pillow 11.3 or
later, speed 4): of each picture the file of the highest quality that is no larger than the one of its name in FILES.
"""
import argparse
import io
import os
import re
import subprocess
import tempfile

import flip_evaluator
import numpy as np
from PIL import Image

from picture_pairs import pairs


def said(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def avif(path, most):
    """The picture through the best AVIF of at most so many bytes; quality 0 where none is small enough."""
    image, low, high = Image.open(path).convert("RGB"), 0, 100
    best = None
    while best is None or low < high:
        quality = (low + high + 1) // 2 if best else 0
        stream = io.BytesIO()
        image.save(stream, "AVIF", quality=quality, speed=4)
        if best is None or stream.tell() <= most:
            best, low = stream, quality
        else:
            high = quality - 1
    return best


def write_avif(originals, files, folder):
    over, total = 0, 0
    for stem, original, path in pairs(originals, files):
        most = os.path.getsize(path)
        stream = avif(original, most)
        over, total = over + (stream.tell() > most), total + stream.tell()
        Image.open(stream).convert("RGB").save(os.path.join(folder, stem + ".png"))
    print(f"# AVIF: {total} bytes in all, {over} files above what was asked for", flush=True)


def judge(original, decoded):
    images = [Image.open(path).convert("RGB") for path in (original, decoded)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("a.png", "b.png")]
        for image, path in zip(images, paths):
            image.save(path)
        butteraugli = said("butteraugli_main", *paths)
        greatest = float(butteraugli.split()[0])
        norm = float(re.search(r"3-norm: ([\d.]+)", butteraugli)[1])
        ssimulacra = float(said("ssimulacra_main", *paths).split()[0])
    values = [np.asarray(image, dtype=np.float32) / 255 for image in images]
    return greatest, norm, ssimulacra, flip_evaluator.evaluate(*values, "LDR", applyMagma=False)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("originals")
    parser.add_argument("decoded", nargs="+")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--avif", metavar="FILES")
    arguments = parser.parse_args()
    print("folder,pictures,butteraugli,butteraugli_3_norm,ssimulacra,flip")
    with tempfile.TemporaryDirectory() as made:
        folders = [(folder, folder) for folder in arguments.decoded]
        if arguments.avif:
            write_avif(arguments.originals, arguments.avif, made)
            folders.append((made, "AVIF"))
        for folder, name in folders:
            rows = []
            for stem, original, path in pairs(arguments.originals, folder):
                rows.append(judge(original, path))
                if arguments.all:
                    print(f"{name}/{stem}", 1, *(f"{value:.4f}" for value in rows[-1]), sep=",", flush=True)
            print(name, len(rows), *(f"{value:.4f}" for value in np.mean(rows, axis=0)), sep=",", flush=True)


if __name__ == "__main__":
    main()
