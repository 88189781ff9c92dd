#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/import/cosmos/: a small discrete picture tokenizer of Cosmos with seeded random weights, as
TorchScript saves them, and what its authors' code makes of a picture in float32. No package holds that code; --source
names a clone of its repository:

    git clone https://github.com/NVIDIA/Cosmos-Tokenizer && git -C Cosmos-Tokenizer checkout 3584ae752ce8ebdbe06a420bf60d7513c0e878cc
    pip install torch==2.11.0 einops==0.8.2 loguru==0.7.3 safetensors
    tests/oracle/cosmos.py [FOLDER] --source Cosmos-Tokenizer [--real] [--8x8]   # --real: the sizes of DI16x16, or DI8x8
"""
import torch

import checkpoints

TINY = {"channels": 32, "channels_mult": [1, 1, 1], "num_res_blocks": 1, "z_channels": 8, "spatial_compression": 8,
        "levels": [8, 5, 4], "embedding_dim": 3}


def main():
    options = checkpoints.options(__doc__, "cosmos", "8x8", source=True)
    from cosmos_tokenizer.networks import TokenizerConfigs, TokenizerModels

    sizes = dict(TokenizerConfigs.DI.value, dtype=torch.float32)
    sizes.update({"spatial_compression": 8 if getattr(options, "8x8") else 16} if options.real else TINY)
    torch.manual_seed(1)
    model = TokenizerModels.DI.value(**sizes).eval()
    checkpoints.randomize(model)
    model.decoder.conv_out.weight.mul_(0.05)
    for values in model.parameters():
        values.copy_(values.half())  # as they are saved
    model.quantizer.dtype = torch.float32
    pixels = checkpoints.picture(*((256, 192) if options.real else (48, 32)))
    latents = model.quant_conv(model.encoder(pixels))
    ids, codewords, _ = model.quantizer(latents)
    rows = latents[0].flatten(1).T
    digits = model.quantizer.bound(rows)
    print("closest to a tie:", ((digits - digits.floor() - 0.5).abs()).min().item())
    script = torch.jit.trace(model, pixels)
    checkpoints.write_picture(options.folder, script, pixels, rows, ids.flatten(), model.decode(codewords))


if __name__ == "__main__":
    with torch.no_grad():
        main()
