#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What trusted implementations give for the metrics of eval/.

    python3 tests/oracle/metrics.py >tests/golden/metrics.json
    python3 tests/oracle/metrics.py --pictures ORIGINALS DECODED [--compare FIGURES.json]

Needs scikit-image, scipy, bjontegaard, piq and pytorch-msssim (for which torch and torchvision). The first form makes the goldens of tests/eval/ from pictures that the tests make by the same integer
arithmetic. The second measures two folders of pictures, paired by name, and compares the figures of
`vqcodec compare ORIGINALS DECODED --json` with them: it prints the largest difference of each metric.
"""
import argparse
import json
import pathlib
import sys

import numpy
import torch
from piq import gmsd
from pytorch_msssim import ms_ssim
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from golden_file import noise, print_goldens


TOLERANCES = {"psnr": 1e-9, "psnr_y": 1e-5, "ssim": 1e-8, "ms_ssim": 1e-8, "gmsd": 1e-6}
SHAPES = [(192, 176, 3), (208, 256, 3), (177, 233, 3), (11, 40, 3), (176, 192, 1), (37, 23, 1)]
KINDS = ["quantized", "blurred", "noisy", "brighter", "blocks"]


def triangle(t, period):
    return numpy.abs(t % (2 * period) - period) * 255 // period


def original(height, width, channels):
    y, x, c = numpy.meshgrid(numpy.arange(height), numpy.arange(width), numpy.arange(channels), indexing="ij")
    waves = (triangle(3 * x + 2 * y + 37 * c, 90) + triangle(5 * y + x * (c + 1), 61)) // 2
    return numpy.clip(waves + noise(y, x, c, 1) % 32 - 16, 0, 255)


def window(image, radius):
    """Sums and sizes of the windows of the radius that are cut off at the borders."""
    height, width = image.shape[:2]
    sums = numpy.zeros_like(image)
    sizes = numpy.zeros((height, width, 1), image.dtype)
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            to = slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx))
            of = slice(max(0, dy), height - max(0, -dy)), slice(max(0, dx), width - max(0, -dx))
            sums[to] += image[of]
            sizes[to] += 1
    return sums, sizes


def decoded(image, kind):
    height, width, channels = image.shape
    y, x, c = numpy.meshgrid(numpy.arange(height), numpy.arange(width), numpy.arange(channels), indexing="ij")
    if kind == "quantized":
        return numpy.minimum(image // 24 * 24 + 12, 255)
    if kind == "blurred":
        sums, sizes = window(image, 2)
        return sums // sizes
    if kind == "noisy":
        return numpy.clip(image + noise(y, x, c, 2) % 41 - 20, 0, 255)
    if kind == "brighter":
        return numpy.minimum(image + 20, 255)
    return image[y // 8 * 8, x // 8 * 8, c]  # each block is its first sample


def luma(image):
    return image if image.shape[2] == 1 else image @ numpy.array([[0.299], [0.587], [0.114]])


def gaussian(channels):
    """The window in float64: by itself the package makes it in float32."""
    offsets = torch.arange(11, dtype=torch.float64) - 5
    weights = torch.exp(-offsets ** 2 / (2 * 1.5 ** 2))
    return (weights / weights.sum()).repeat(channels, 1, 1, 1)


def measure(a, b):
    """Metrics of two integer arrays [height][width][channels]; those that the size allows."""
    a, b = a.astype(numpy.float64), b.astype(numpy.float64)
    ya, yb = luma(a), luma(b)
    tensors = [torch.from_numpy(image.transpose(2, 0, 1)[None].copy()) for image in (a, b, ya, yb)]
    figures = {
        "psnr": peak_signal_noise_ratio(a, b, data_range=255),
        "psnr_y": peak_signal_noise_ratio(ya, yb, data_range=255),
        "gmsd": float(gmsd(tensors[2] / 255, tensors[3] / 255, data_range=1.0)),
    }
    if min(a.shape[:2]) >= 11:
        figures["ssim"] = structural_similarity(a, b, data_range=255, channel_axis=2, gaussian_weights=True,
                                                sigma=1.5, use_sample_covariance=False)
    # It pads odd sizes where HalfOf leaves the last row out: compared where all five sizes are whole.
    if min(a.shape[:2]) >= 176 and a.shape[0] % 16 == 0 and a.shape[1] % 16 == 0:
        figures["ms_ssim"] = float(ms_ssim(tensors[0], tensors[1], data_range=255, win=gaussian(a.shape[2])))
    return figures


def curves():
    """Bjontegaard deltas of made-up curves, and interpolated values."""
    from bjontegaard import bd_psnr, bd_rate
    from scipy.interpolate import PchipInterpolator
    cases = [
        ([0.1, 0.2, 0.4, 0.8], [27.1, 29.4, 32.0, 35.1], [0.08, 0.17, 0.36, 0.7], [27.0, 29.6, 32.3, 35.0]),
        ([0.05, 0.11, 0.2, 0.3, 0.55], [24.0, 24.2, 28.0, 28.1, 33.0], [0.04, 0.3, 0.6], [25.0, 27.5, 34.0]),
        ([100, 900], [30.0, 40.0], [120, 700], [31.0, 37.0]),
    ]
    results = []
    for rate_a, quality_a, rate_b, quality_b in cases:
        arguments = (rate_a, quality_a, rate_b, quality_b)
        at = (quality_a[0] + 2 * quality_a[-1]) / 3
        found = PchipInterpolator(quality_a, numpy.log10(rate_a))(at) if len(rate_a) > 2 else None
        results.append({
            "reference": [rate_a, quality_a], "test": [rate_b, quality_b],
            "bd_rate": float(bd_rate(*arguments, method="pchip", require_matching_points=False, min_overlap=0)) / 100,
            "bd_quality": float(bd_psnr(*arguments, method="pchip", require_matching_points=False, min_overlap=0)),
            "quality": at, "rate": None if found is None else float(10 ** found)})
    return results


def goldens():
    pairs = []
    for height, width, channels in SHAPES:
        image = original(height, width, channels)
        for kind in KINDS:
            pairs.append({"height": height, "width": width, "channels": channels, "kind": kind,
                          "metrics": measure(image, decoded(image, kind))})
    return {"tolerances": TOLERANCES, "pairs": pairs, "curves": curves()}


def compare(options):
    from PIL import Image
    load = lambda path: numpy.asarray(Image.open(path).convert("RGB")).astype(numpy.int64)
    ours = {}
    if options.compare:
        for record in json.loads(options.compare.read_text())["results"]:
            ours[pathlib.Path(record["input"]).stem] = record
    worst = {name: 0.0 for name in TOLERANCES}
    originals, others = (sorted(folder.iterdir()) for folder in options.pictures)
    for path in originals:
        other = next((candidate for candidate in others if candidate.stem == path.stem), None)
        if other is None:
            sys.exit(f"metrics: {path.stem} is not in {options.pictures[1]}")
        figures = measure(load(path), load(other))
        print(json.dumps({"input": path.name, **figures}))
        for name, value in figures.items():
            if ours:
                worst[name] = max(worst[name], abs(value - ours[path.stem][name]))
    if ours:
        print(json.dumps({"largest_differences": worst, "tolerances": TOLERANCES}))
        if any(worst[name] > TOLERANCES[name] for name in worst):
            sys.exit("metrics: a difference is above its tolerance")


def main():
    parser = argparse.ArgumentParser(description="Metrics by trusted implementations.")
    parser.add_argument("--pictures", nargs=2, type=pathlib.Path, metavar=("ORIGINALS", "DECODED"))
    parser.add_argument("--compare", type=pathlib.Path, metavar="FIGURES.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.pictures:
        compare(options)
    else:
        print_goldens(goldens())


if __name__ == "__main__":
    main()
