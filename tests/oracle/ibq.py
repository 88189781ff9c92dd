#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/import/ibq/: a small IBQ of seeded random weights, and what its authors' code makes of a picture.
The weights are the averages alone, so that config.json has to say what they are. No package holds that code; --source
names a clone of its repository:

    git clone https://github.com/TencentARC/SEED-Voken && git -C SEED-Voken checkout b9a17eac8e2c0779c12a5429b0bfd6c502788484
    pip install torch==2.11.0 einops==0.8.2 numpy==2.4.6 safetensors
    tests/oracle/ibq.py [FOLDER] --source SEED-Voken [--real] [--16384]   # --real: the sizes of its model of 262,144 codewords;
                                                                          # with --16384 of that of so many
"""
import json

import torch

import checkpoints


class Ibq(torch.nn.Module):
    """src.IBQ.models.ibqgan.IBQ without Lightning and losses."""

    def __init__(self, real, codewords):
        super().__init__()
        from src.IBQ.modules.diffusionmodules.model import Decoder, Encoder
        from src.IBQ.modules.vqvae.quantize import IndexPropagationQuantize

        latents, dim, entries, side = (256, 256, codewords, 256) if real else (8, 4, 64, 24)
        sizes = {"ch": 128 if real else 32, "out_ch": 3, "ch_mult": (1, 1, 2, 2, 4) if real else (1, 1),
                 "num_res_blocks": 4 if real else 1, "attn_resolutions": [16] if real else [side // 2], "in_channels": 3,
                 "resolution": side, "z_channels": latents, "double_z": False, "dropout": 0.0}
        self.encoder, self.decoder = Encoder(**sizes), Decoder(**sizes)
        self.quantize = IndexPropagationQuantize(entries, dim)
        self.quant_conv = torch.nn.Conv2d(latents, dim, 1)
        self.post_quant_conv = torch.nn.Conv2d(dim, latents, 1)


def main():
    options = checkpoints.options(__doc__, "ibq", "16384", source=True)
    torch.manual_seed(1)
    model = Ibq(options.real, 16384 if getattr(options, "16384") else 262144).eval()
    checkpoints.randomize(model)
    model.decoder.conv_out.weight.mul_(0.2)
    model.half().float()  # as it is saved
    pixels = checkpoints.picture(*((256, 192) if options.real else (24, 18)))
    latents = model.quant_conv(model.encoder(pixels))
    codewords, _, (_, _, ids) = model.quantize(latents)
    rows = latents[0].flatten(1).T
    best = (rows @ model.quantize.embedding.weight.T).topk(2, dim=1).values
    print("closest to a tie:", ((best[:, 0] - best[:, 1]) / best[:, 0]).min().item())
    checkpoints.write_picture(options.folder, model, pixels, rows, ids, model.decoder(model.post_quant_conv(codewords)))
    (options.folder / "config.json").write_text(json.dumps({"model_type": "ibq"}) + "\n")


if __name__ == "__main__":
    with torch.no_grad():
        main()
