# SPDX-License-Identifier: Apache-2.0
"""Networks of pictures for batch_speed.py, as tests/oracle has them, with the packages that its files name."""
import functools
import importlib
import pathlib
import sys

import numpy as np
import torch

ORACLES = pathlib.Path(__file__).parents[1] / "tests/oracle"


class Pictures:
    """A network and what is around it; `module`, `make`: the function of tests/oracle that makes it."""

    def __init__(self, module, make, folder, device, bf16):
        from safetensors.torch import load_file
        sys.path.insert(0, str(ORACLES))
        self.device, self.type = device, torch.bfloat16 if bf16 else torch.float32
        self.model = getattr(importlib.import_module(module), make)(True)
        self.model.load_state_dict(load_file(next(folder.glob("*model.safetensors"))), strict=False)
        self.model = self.model.eval().to(device, self.type)

    def take(self, clips):
        self.clips = torch.from_numpy(clips)

    def encode(self):
        self.on_host = self.codes(self.model.encoder(self.clips.to(self.device, self.type))).cpu()

    def decode(self):
        self.pixels = self.model.decoder(self.words(self.on_host.to(self.device))).float().cpu()

    def ids(self):
        return self.on_host.flatten(1)[..., None].numpy().astype(np.uint32)

    def samples(self, shape):
        return self.pixels.clamp(-1, 1).numpy()


class Codebook(Pictures):
    """The closest codeword, by the distances that taming-transformers and diffusers compute."""

    def codes(self, latents):
        latents, books = self.model.quant_conv(latents), self.model.quantize.embedding.weight
        rows = latents.permute(0, 2, 3, 1).flatten(0, 2)
        distances = (rows ** 2).sum(1, keepdim=True) + (books ** 2).sum(1) - 2 * rows @ books.T
        return distances.argmin(1).view(len(latents), *latents.shape[2:])

    def words(self, codes):
        return self.model.post_quant_conv(self.model.quantize.embedding(codes).permute(0, 3, 1, 2).contiguous())


class Signs(Pictures):
    """A bit for each channel."""

    def codes(self, latents):
        return ((latents > 0) * 2 ** self.bits(latents.shape[1])).sum(1)

    def words(self, codes):
        return ((codes[:, None] >> self.bits(self.model.quantize.codebook_dim) & 1) * 2 - 1).to(self.type)

    def bits(self, count):
        return torch.arange(count, device=self.device)[:, None, None]


KINDS = {"vqgan": functools.partial(Codebook, "vqgan", "Taming"), "vqmodel": functools.partial(Codebook, "vqgan", "vqmodel"),
         "magvit2": functools.partial(Signs, "magvit2", "Magvit2")}
