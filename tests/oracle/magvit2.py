#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/import/magvit2/: a small Open-MAGVIT2 of seeded random weights, and what its authors' code makes
of a picture. No package holds that code; --source names a clone of its repository:

    git clone https://github.com/TencentARC/SEED-Voken && git -C SEED-Voken checkout b9a17eac8e2c0779c12a5429b0bfd6c502788484
    pip install torch==2.11.0 einops==0.8.2 safetensors
    tests/oracle/magvit2.py [FOLDER] --source SEED-Voken [--real]   # --real: the sizes of its 256 x 256 model
"""
import torch

import checkpoints


class Magvit2(torch.nn.Module):
    """src.Open_MAGVIT2.models.lfqgan.VQModel without Lightning and losses."""

    def __init__(self, real):
        super().__init__()
        from src.Open_MAGVIT2.modules.diffusionmodules.improved_model import Decoder, Encoder
        from src.Open_MAGVIT2.modules.vqvae.lookup_free_quantize import LFQ

        bits = 18 if real else 10
        sizes = {"ch": 128 if real else 32, "out_ch": 3, "in_channels": 3, "num_res_blocks": 4 if real else 1,
                 "z_channels": bits, "ch_mult": (1, 1, 2, 2, 4) if real else (2, 1), "resolution": 128, "double_z": False}
        self.encoder, self.decoder = Encoder(**sizes), Decoder(**sizes)
        self.quantize = LFQ(dim=bits, codebook_size=2**bits)


def main():
    options = checkpoints.options(__doc__, "magvit2", source=True)
    torch.manual_seed(1)
    model = Magvit2(options.real).eval()
    checkpoints.randomize(model)
    model.decoder.conv_out.weight.mul_(0.2)
    model.half().float()  # as it is saved
    pixels = checkpoints.picture(*((256, 192) if options.real else (24, 18)))
    latents = model.encoder(pixels)
    codewords, _, ids = model.quantize(latents)
    rows = latents[0].flatten(1).T
    print("closest to a tie:", rows.abs().min().item())
    checkpoints.write_picture(options.folder, model, pixels, rows, ids, model.decoder(codewords))


if __name__ == "__main__":
    with torch.no_grad():
        main()
