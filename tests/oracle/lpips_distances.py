#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LPIPS by the package lpips.

    python3 tests/oracle/lpips_distances.py >tests/golden/lpips.json
    python3 tests/oracle/lpips_distances.py --pictures ORIGINALS DECODED --weights FILE --compare FIGURES.json

Needs torch, torchvision, lpips, safetensors and Pillow. The first form makes the goldens of tests/training/, with weights and
pictures that the test makes by the same integer arithmetic. The second puts the weights of FILE
(scripts/lpips_weights.py) into the package, measures decoded pictures, and compares what `vqcodec eval ORIGINALS --lpips
FILE --json` says of them.
"""
import argparse
import json
import pathlib
import sys

import lpips
import numpy
import torch

from golden_file import noise

TOLERANCE = 1e-5
SIZES = [(64, 64), (97, 131), (31, 40)]


def untrained(name):
    return lpips.LPIPS(net=name, pnet_rand=True, verbose=False).eval()


def layers(network):
    """Convolutions in their order, each with the weights that compare its output or None."""
    for i, head in enumerate(network.lins):
        convolutions = [layer for layer in getattr(network.net, f"slice{i + 1}") if hasattr(layer, "weight")]
        for layer in convolutions:
            yield layer, head.model[-1] if layer is convolutions[-1] else None


def made_up_weights(network):
    """Weights of each tensor are hashes of their places."""
    seed = 0

    def fill(tensor, scale, middle):
        nonlocal seed
        seed += 1
        values = noise(numpy.arange(tensor.numel(), dtype=numpy.int64), 0, 0, seed) % 2001 - middle
        tensor.data.copy_(torch.from_numpy(values / 1000.0 * scale).reshape(tensor.shape))

    for layer, head in layers(network):
        fill(layer.weight, (6 / layer.weight[0].numel()) ** 0.5, 1000)
        fill(layer.bias, 0.1, 1000)
        if head is not None:
            fill(head.weight, 1, 0)


def given_weights(network, tensors):
    for place, (layer, head) in enumerate(layers(network)):
        layer.weight.data.copy_(tensors[f"conv{place}.weight"])
        layer.bias.data.copy_(tensors[f"conv{place}.bias"])
        if head is not None:
            head.weight.data.copy_(tensors[f"head{place}"].reshape(head.weight.shape))


def distance(network, a, b):
    """Of bytes [H][W][3]."""
    pair = [torch.from_numpy(image.transpose(2, 0, 1)[None].astype(numpy.float32)) / 127.5 - 1 for image in (a, b)]
    return network(*pair).item()


def goldens():
    cases = []
    for name in ("alex", "vgg"):
        network = untrained(name)
        made_up_weights(network)
        for height, width in SIZES:
            y, x, c = numpy.meshgrid(numpy.arange(height), numpy.arange(width), numpy.arange(3), indexing="ij")
            original = noise(y // 8, x // 8, c, 1) % 256
            for negative in (False, True):
                decoded = 255 - original if negative else numpy.minimum(original // 64 * 64 + 32, 255)
                cases.append({"network": name, "height": height, "width": width, "negative": negative,
                              "lpips": distance(network, original, decoded)})
    print('{"tolerance": ' + json.dumps(TOLERANCE) + ',\n"cases": [\n ' + ",\n ".join(map(json.dumps, cases)) + "]}")


def compare(options):
    from PIL import Image
    from safetensors import safe_open
    with safe_open(options.weights, "pt") as file:
        name = file.metadata()["lpips"]
        tensors = {key: file.get_tensor(key) for key in file.keys()}
    network = untrained(name)
    given_weights(network, tensors)
    load = lambda path: numpy.asarray(Image.open(path).convert("RGB"))
    ours = {pathlib.Path(record["input"]).stem: record for record in json.loads(options.compare.read_text())["results"]}
    values, worst = [], 0.0
    for path in sorted(options.pictures[0].iterdir()):
        values.append(distance(network, load(path), load(options.pictures[1] / path.name)))
        worst = max(worst, abs(values[-1] - ours[path.stem]["lpips"]))
    print(json.dumps({"network": name, "pictures": len(values), "mean": sum(values) / len(values), "largest_difference": worst,
                      "tolerance": TOLERANCE}))
    if worst > TOLERANCE:
        sys.exit("lpips_distances: a difference is above the tolerance")


def main():
    parser = argparse.ArgumentParser(description="LPIPS by the package lpips.")
    parser.add_argument("--pictures", nargs=2, type=pathlib.Path, metavar=("ORIGINALS", "DECODED"))
    parser.add_argument("--weights", metavar="FILE")
    parser.add_argument("--compare", type=pathlib.Path, metavar="FIGURES.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with torch.no_grad():
        compare(options) if options.pictures else goldens()


if __name__ == "__main__":
    main()
