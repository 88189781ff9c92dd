#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/import/encodec/: a small EnCodec of seeded random weights, and what transformers makes of a sound.

    pip install torch==2.11.0 transformers==4.57.3 safetensors
    tests/oracle/encodec.py [FOLDER] [--real]   # --real: the sizes of facebook/encodec_24khz, into FOLDER
"""
import torch
from transformers import EncodecConfig, EncodecModel

import checkpoints


def tiny():
    return EncodecConfig(num_filters=4, hidden_size=16, upsampling_ratios=[4, 3], num_residual_layers=2,
                         codebook_size=64, sampling_rate=1200, target_bandwidths=[0.6, 3.0])


def encode(model, sound):
    latents = model.encoder(sound)
    codes = model.quantizer.encode(latents, model.config.target_bandwidths[-1])  # [levels, batch, rows]
    return latents[0].T, codes[:, 0].T


def decode(model, ids):
    return model.decoder(model.quantizer.decode(ids.T[:, None]))[0, 0]


def main():
    options = checkpoints.options(__doc__, "encodec")
    torch.manual_seed(1)
    model = EncodecModel(EncodecConfig() if options.real else tiny()).eval()
    checkpoints.randomize(model)
    for layer in model.quantizer.layers:
        layer.codebook.embed.normal_(0, 0.5)
    samples = 72000 if options.real else 1003
    checkpoints.quieten(model, model.decoder.layers[-1], encode, decode, samples)
    checkpoints.write(options, model, encode, decode, samples)


if __name__ == "__main__":
    with torch.no_grad():
        main()
