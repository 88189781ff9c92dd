#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lpips_weights.py OUT.safetensors [--network alex|vgg]: LPIPS for `vqcodec eval --lpips`.

Reads version 0.1 of the package lpips (BSD-2-Clause) and the ImageNet weights that torchvision fetches for it (AlexNet or
VGG-16), and writes both as F32: 10 MB or 59 MB. Papers state which of the two networks they measured with.

    pip install torch torchvision lpips safetensors
"""
import argparse

import lpips
from safetensors.torch import save_file


def tensors_of(network):
    """The convolutions of an lpips.LPIPS by their places, and the weights of those that it compares."""
    tensors, place = {}, 0
    slices = [getattr(network.net, f"slice{i + 1}") for i in range(network.net.N_slices)]
    for part, head in zip(slices, network.lins):
        for layer in part:
            if hasattr(layer, "weight"):
                tensors[f"conv{place}.weight"] = layer.weight.detach().float().contiguous()
                tensors[f"conv{place}.bias"] = layer.bias.detach().float().contiguous()
                place += 1
        tensors[f"head{place - 1}"] = head.model[-1].weight.detach().float().flatten().contiguous()
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    parser.add_argument("--network", choices=["alex", "vgg"], default="alex")
    parser.add_argument("--untrained", action="store_true",
                        help="random convolutions below the trained weights, to compare programs without a download")
    options = parser.parse_args()
    network = lpips.LPIPS(net=options.network, pnet_rand=options.untrained, verbose=False)
    save_file(tensors_of(network), options.output, metadata={"lpips": options.network})


if __name__ == "__main__":
    main()
