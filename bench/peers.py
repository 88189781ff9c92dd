#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""peers.py FOLDER [--rates BPP ...]: what common image codecs reach at low rates, as a Markdown table.

Needs Pillow 11.3 or later (AVIF) and numpy. Sizes are whole files. One quality serves all pictures; PSNR (RGB, mean
over the pictures) between two qualities is interpolated over the logarithm of the mean rate. Each codec also runs at
half size (Lanczos down, codec, Lanczos up), which wins at the lowest rates; the table shows the better of the two.
"""
import argparse
import concurrent.futures
import io
import math
import pathlib
import statistics
import sys

import numpy
from PIL import Image, __version__, features

# Name, format, the qualities tried (low to high) and the options of one quality.
CODECS = [
    ("JPEG", "JPEG", (1, 2, 4, 6, 8, 10, 12, 16, 20, 26, 34),
     lambda q: {"quality": q, "optimize": True, "progressive": True, "subsampling": "4:2:0"}),
    ("WebP", "WEBP", (0, 1, 2, 4, 7, 10, 15, 20, 26, 34), lambda q: {"quality": q, "method": 6}),
    ("AVIF", "AVIF", (0, 4, 8, 12, 16, 20, 25, 30, 36), lambda q: {"quality": q, "speed": 6, "subsampling": "4:2:0"}),
    ("JPEG 2000", "JPEG2000", (960, 640, 480, 400, 320, 240, 160, 120, 80),
     lambda q: {"quality_mode": "rates", "quality_layers": [q], "irreversible": True, "mct": 1}),
]


def one(job):
    """Bits a pixel and PSNR of one picture: path, format, options, divisor of the size."""
    path, kind, options, scale = job
    with Image.open(path) as file:
        image = file.convert("RGB")
    small = image if scale == 1 else image.resize((image.width // scale, image.height // scale), Image.LANCZOS)
    packed = io.BytesIO()
    small.save(packed, kind, **options)
    with Image.open(packed) as file:
        restored = file.convert("RGB")
    if scale != 1:
        restored = restored.resize(image.size, Image.LANCZOS)
    error = numpy.asarray(image, numpy.float64) - numpy.asarray(restored, numpy.float64)
    mean = max(numpy.mean(error * error), 1e-10)
    return 8 * packed.tell() / (image.width * image.height), 10 * math.log10(255 * 255 / mean)


def curve(pool, pictures, kind, qualities, options, scale):
    """[(mean bpp, mean PSNR)], rising in rate."""
    points = []
    for quality in qualities:
        results = list(pool.map(one, [(path, kind, options(quality), scale) for path in pictures]))
        points.append(tuple(statistics.mean(column) for column in zip(*results)))
    return sorted(points)


def at_rate(points, rate):
    """PSNR at the rate, or None outside of the curve."""
    for (low, worse), (high, better) in zip(points, points[1:]):
        if low <= rate <= high:
            part = (math.log(rate) - math.log(low)) / max(math.log(high) - math.log(low), 1e-12)
            return worse + part * (better - worse)
    return None


def main():
    parser = argparse.ArgumentParser(description="PSNR of common image codecs at low rates.")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.04, 0.05, 0.06, 0.1, 0.2], help="bits a pixel")
    options = parser.parse_args()
    pictures = sorted(options.folder.glob("*.png"))
    if not pictures:
        parser.error(f"{options.folder} has no .png file")
    names = {"JPEG": "jpg", "WEBP": "webp", "AVIF": "avif", "JPEG2000": "jpg_2000"}
    print(f"PSNR (dB) on {len(pictures)} pictures, Pillow {__version__}; h = at half size\n")
    print("| codec | " + " | ".join(f"{rate:g} bpp" for rate in options.rates) + " |")
    print("| --- |" + " ---: |" * len(options.rates))
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for name, kind, qualities, settings in CODECS:
            if not features.check(names[kind]):
                print(f"peers: this Pillow has no {name}", file=sys.stderr)
                continue
            curves = [(mark, curve(pool, pictures, kind, qualities, settings, scale))
                      for mark, scale in (("", 1), (" h", 2))]
            cells = []
            for rate in options.rates:
                found = [(value, mark) for mark, points in curves if (value := at_rate(points, rate)) is not None]
                cells.append("{:.2f}{}".format(*max(found)) if found else "")
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
