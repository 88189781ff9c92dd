#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the encoder of an image model makes of photos, before the quantizer, for bench/search.py.

    peers/bin/pip install torch==2.11.0 numpy==2.4.6 pillow==13.0.0
    peers/bin/python bench/latents.py models/pretrained/image-f16 PHOTOS latents.npy [--features]

Writes float32 [N, 6], one row for each 16 x 16 patch of each picture, or with --features the [N, 192] that the last
layer works on. The network is that of models/image_autoencoder.h, whole pictures at a time.
"""
import argparse
import json
import pathlib
import struct

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image


def load(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    types = {"F16": np.float16, "F32": np.float32}
    return {name: torch.from_numpy(np.frombuffer(data[8 + length:][slice(*entry["data_offsets"])], types[entry["dtype"]])
                                   .astype(np.float32).reshape(entry["shape"]))
            for name, entry in header.items() if name.startswith("encoder.")}


def encode(weights, x, blocks, features):
    def conv(name, x, **options):
        weight = weights[f"encoder.{name}.weight"]
        return F.conv2d(x, weight, weights[f"encoder.{name}.bias"], **options)

    def norm(name, x):
        x = x.permute(0, 2, 3, 1)
        x = F.layer_norm(x, x.shape[-1:], weights[f"encoder.{name}.weight"], weights[f"encoder.{name}.bias"])
        return x.permute(0, 3, 1, 2)

    x = conv("stem", F.pixel_unshuffle(x, 4), padding=1)
    for stage, count in enumerate(blocks):
        if stage:
            x = conv(f"stage{stage}_down", x, stride=2)
        for block in range(count):
            name = f"stage{stage}_block{block}"
            x = x + conv(f"{name}.mix", F.silu(conv(f"{name}.spatial", norm(f"{name}.norm", x), padding=1)))
    x = norm("norm", x)
    if not features:
        x = conv("head", x)
    return x[0].flatten(1).T.contiguous().numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("photos", type=pathlib.Path)
    parser.add_argument("output")
    parser.add_argument("--features", action="store_true")
    parser.add_argument("--rows", type=int, default=65536, help="at most so many")
    args = parser.parse_args()
    weights = load(args.model / "model.safetensors")
    blocks = json.loads((args.model / "card.json").read_text())["config"]["network"]["encoder"]["blocks"]
    rows = []
    with torch.inference_mode():
        for path in sorted(args.photos.iterdir()):
            if path.suffix.lower() not in (".png", ".jpg", ".webp") or sum(map(len, rows)) >= args.rows:
                continue
            picture = np.asarray(Image.open(path).convert("RGB"), np.float32) / 127.5 - 1
            height, width = (size // 16 * 16 for size in picture.shape[:2])
            x = torch.from_numpy(picture[:height, :width].transpose(2, 0, 1)[None].copy())
            rows.append(encode(weights, x, blocks, args.features))
    np.save(args.output, np.concatenate(rows)[:args.rows])


if __name__ == "__main__":
    main()
