#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/import/snac/ and snac_attention/: small SNACs of seeded random weights, and what the package snac
makes of a sound. The noise of its decoder is left out, as we leave it out.

    pip install torch==2.11.0 snac==1.2.1 safetensors
    tests/oracle/snac.py [FOLDER] [--real] [--attention]   # --real: the sizes of hubertsiuzdak/snac_24khz, into
                                                           # FOLDER; with --attention those of snac_44khz
"""
import json
import math
import sys

import torch
from safetensors.torch import save_file

import checkpoints

sys.path.pop(0)  # this file has the package's name
from snac import SNAC  # noqa: E402  pylint: disable=wrong-import-position
from snac.layers import NoiseBlock  # noqa: E402  pylint: disable=wrong-import-position

TINY = {"sampling_rate": 1200, "encoder_dim": 4, "encoder_rates": [2, 3], "decoder_dim": 32, "decoder_rates": [3, 2],
        "attn_window_size": None, "codebook_size": 64, "codebook_dim": 4, "vq_strides": [4, 2, 1], "noise": True,
        "depthwise": True}
REAL = {"sampling_rate": 24000, "encoder_dim": 48, "encoder_rates": [2, 4, 8, 8], "decoder_dim": 1024,
        "decoder_rates": [8, 8, 4, 2], "attn_window_size": None, "codebook_size": 4096, "codebook_dim": 8,
        "vq_strides": [4, 2, 1], "noise": True, "depthwise": True}
TINY_ATTENTION = TINY | {"encoder_dim": 16, "decoder_dim": 128, "attn_window_size": 6, "codebook_size": 32}
REAL_ATTENTION = REAL | {"sampling_rate": 44100, "encoder_dim": 64, "encoder_rates": [2, 3, 8, 8], "decoder_dim": 1536,
                         "decoder_rates": [8, 8, 3, 2], "attn_window_size": 32, "vq_strides": [8, 4, 2, 1]}


class Saved(SNAC):
    """Written as the others are."""

    def save_pretrained(self, folder):
        (folder / "config.json").write_text(json.dumps(self.settings, indent=2) + "\n")
        save_file({name: tensor.to(self.kept).contiguous() for name, tensor in self.state_dict().items()},
                  folder / "model.safetensors")


def rows_of_token(model):
    return math.lcm(model.vq_strides[0], model.attn_window_size or 1)


def encode(model, sound):
    padded = model.preprocess(sound)
    latents = model.encoder(padded)
    codes = model.quantizer(latents)[1]
    tokens = padded.shape[-1] // model.hop_length // rows_of_token(model)
    return latents[0].T, torch.cat([level[0].reshape(tokens, -1) for level in codes], 1)


def decode(model, ids):
    first, levels = 0, []
    for stride in model.vq_strides:
        count = rows_of_token(model) // stride
        levels.append(ids[:, first:first + count].reshape(1, -1))
        first += count
    return model.decode(levels)[0, 0]


def main():
    options = checkpoints.options(__doc__, "snac", "attention")
    torch.manual_seed(1)
    NoiseBlock.forward = lambda self, x: x
    tiny, real = (TINY_ATTENTION, REAL_ATTENTION) if options.attention else (TINY, REAL)
    settings = real if options.real else tiny
    model = Saved(**settings).eval()
    model.settings = settings
    checkpoints.randomize(model)
    samples = settings["sampling_rate"] if options.real else 1003
    checkpoints.quieten(model, model.decoder.model[-2], encode, decode, samples)
    model.kept = torch.float16 if settings is TINY_ATTENTION else torch.float32
    for values in model.parameters():
        values.copy_(values.to(model.kept))
    checkpoints.write(options, model, encode, decode, samples)


if __name__ == "__main__":
    with torch.no_grad():
        main()
