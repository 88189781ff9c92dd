#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/import/dac/ and dac_odd/: small DACs of seeded random weights, and what transformers makes of a sound.

    pip install torch==2.11.0 transformers==4.57.3 safetensors
    tests/oracle/dac.py [FOLDER] [--real] [--odd]   # --real: the sizes of descript/dac_44khz, into FOLDER;
                                                    # with --16khz or --24khz those of the others
"""
import copy

import torch
from transformers import DacConfig, DacModel

import checkpoints


REAL = {"16khz": ([2, 4, 5, 8], 12, 16000), "24khz": ([2, 4, 5, 8], 32, 24000), "44khz": ([2, 4, 8, 8], 9, 44100)}


def config(options):
    if options.real:
        strides, levels, rate = REAL[next((name for name in REAL if getattr(options, name)), "44khz")]
        return DacConfig(downsampling_ratios=strides, n_codebooks=levels, sampling_rate=rate)
    strides = [3, 5] if options.odd else [2, 4]
    return DacConfig(encoder_hidden_size=4, downsampling_ratios=strides, decoder_hidden_size=32, n_codebooks=3,
                     codebook_size=64, codebook_dim=4, sampling_rate=1200)


def encode(model, sound):
    stride = model.config.hop_length
    padded = torch.nn.functional.pad(sound, (0, -sound.shape[-1] % stride))
    latents = model.encoder(padded)
    return latents[0].T, model.quantizer(latents)[1][0].T


def decode(model, ids):
    return model.decoder(model.quantizer.from_codes(ids.T[None])[0])[0, 0]


def margins(model, sound):
    """The cosine of the closest codeword less that of the second one, in float64: [tokens][levels]."""
    model, rows = copy.deepcopy(model).double(), []
    left = model.encoder(torch.nn.functional.pad(sound, (0, -sound.shape[-1] % model.config.hop_length)).double())
    for level in model.quantizer.quantizers:
        book = level.codebook.weight
        unit = torch.nn.functional.normalize
        best = (unit(level.in_proj(left))[0].T @ unit(book).T).topk(2, 1)
        rows.append(best.values[:, 0] - best.values[:, 1])
        left = left - level.out_proj(book[best.indices[:, 0]].T[None])
    return torch.stack(rows, 1)


def main():
    options = checkpoints.options(__doc__, "dac", "odd", *REAL)
    torch.manual_seed(1)
    model = DacModel(config(options)).eval()
    checkpoints.randomize(model)
    samples = model.config.sampling_rate if options.real else 1003
    checkpoints.quieten(model, model.decoder.conv2, encode, decode, samples)
    checkpoints.write(options, model, encode, decode, samples, margins)


if __name__ == "__main__":
    with torch.no_grad():
        main()
