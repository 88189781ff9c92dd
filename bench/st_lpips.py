#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Decoded pictures against their originals, by a judge that no model here was trained with: ST-LPIPS.

    pip install torch torchvision torchsummary ipython stlpips-pytorch numpy pillow
    bench/st_lpips.py ORIGINALS DECODED [DECODED ...] [--all]

Folders of pictures, paired by name without ending. Shift-tolerant LPIPS (Ghildyal and Liu 2022, arXiv 2207.13686),
the AlexNet that the package ships, on whole pictures; 0 is best, and values are not those of LPIPS. A line of CSV for
each folder: its mean, its worst picture, and the mean squared error in dB; with --all one for each picture too.
"""
import argparse

import numpy as np
import torch
from PIL import Image
from stlpips_pytorch import stlpips

from picture_pairs import pairs


def read(path):
    """[1, 3, H, W] in [-1, 1]."""
    pixels = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("originals")
    parser.add_argument("decoded", nargs="+")
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    judge = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False)
    print("folder,pictures,st_lpips,worst,psnr_db")
    for folder in arguments.decoded:
        rows = []
        for _, original_path, path in pairs(arguments.originals, folder):
            original, decoded = read(original_path), read(path)
            with torch.no_grad():
                distance = judge(original, decoded).item()
            psnr = 10 * np.log10(4 / max((original - decoded).square().mean().item(), 1e-9))
            rows.append((distance, psnr))
            if arguments.all:
                print(f"{path},1,{distance:.4f},{distance:.4f},{psnr:.2f}", flush=True)
        distances, psnrs = zip(*rows)
        print(f"{folder},{len(rows)},{np.mean(distances):.4f},{max(distances):.4f},{np.mean(psnrs):.2f}", flush=True)


if __name__ == "__main__":
    main()
