#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/import/mimi/: a small Mimi of seeded random weights, and what transformers makes of a sound.
Its attention sees the window of the config, as the model was trained; this version of transformers lets it see all.

    pip install torch==2.11.0 transformers==4.57.3 safetensors
    tests/oracle/mimi.py [FOLDER] [--real]   # --real: the sizes of kyutai/mimi, into FOLDER
"""
import torch
from transformers import MimiConfig, MimiModel
from transformers.masking_utils import create_sliding_window_causal_mask
from transformers.models.mimi import modeling_mimi

import checkpoints


def tiny():
    return MimiConfig(sampling_rate=1200, frame_rate=50, num_filters=4, hidden_size=16, upsampling_ratios=[4, 3],
                      codebook_size=64, codebook_dim=8, vector_quantization_hidden_dimension=8, num_quantizers=4,
                      num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2, head_dim=8,
                      intermediate_size=32, upsample_groups=16, sliding_window=11)


def encode(model, sound):
    rows = model.encoder_transformer(model.encoder(sound).transpose(1, 2), use_cache=False)[0]
    latents = model.downsample(rows.transpose(1, 2))
    return latents[0].T, model.quantizer.encode(latents, model.config.num_quantizers)[:, 0].T


def decode(model, ids):
    rows = model.upsample(model.quantizer.decode(ids.T[None]))
    rows = model.decoder_transformer(rows.transpose(1, 2), use_cache=False)[0]
    return model.decoder(rows.transpose(1, 2))[0, 0]


def main():
    options = checkpoints.options(__doc__, "mimi")
    torch.manual_seed(1)
    modeling_mimi.create_causal_mask = create_sliding_window_causal_mask
    model = MimiModel(MimiConfig() if options.real else tiny()).eval()
    checkpoints.randomize(model)
    quantizer = model.quantizer
    for part in (quantizer.semantic_residual_vector_quantizer, quantizer.acoustic_residual_vector_quantizer):
        for layer in part.layers:
            layer.codebook.cluster_usage.uniform_(0.5, 2)
            layer.codebook.embed_sum.normal_(0, 0.5)
    samples = 24000 * 12 if options.real else 1003
    checkpoints.quieten(model, model.decoder.layers[-1], encode, decode, samples)
    checkpoints.write(options, model, encode, decode, samples)


if __name__ == "__main__":
    with torch.no_grad():
        main()
