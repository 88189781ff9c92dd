# SPDX-License-Identifier: Apache-2.0
"""SNAC and WavTokenizer of bench/batch_speed.py, which are not in transformers: by the packages snac, and encodec, vocos and
taming-transformers (tests/oracle/wavtokenizer.py). Without the noise of SNAC's decoder, as we leave it out."""
import importlib.util
import json
import math
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import load_file

ORACLES = pathlib.Path(__file__).parents[1] / "tests/oracle"


class PackageModel:
    """What batch_speed.py calls."""

    def __init__(self, folder, device, bf16):
        self.device, self.type = device, torch.bfloat16 if bf16 else torch.float32
        self.model = self.made_of(folder).eval().to(device, self.type)

    def take(self, clips):
        self.clips = torch.from_numpy(clips)[:, None]

    def encode(self):
        self.on_host = [codes.cpu() for codes in self.codes_of(self.clips.to(self.device, self.type))]

    def decode(self):
        self.sound = self.sound_of([codes.to(self.device) for codes in self.on_host]).float().cpu()

    def samples(self, shape):
        return self.sound.reshape(shape[0], -1)[:, :shape[1]].numpy()


class Snac(PackageModel):
    def made_of(self, folder):
        from snac import SNAC
        from snac.attention import SinusoidalEmbeddings
        from snac.layers import NoiseBlock
        NoiseBlock.forward = lambda self, x: x
        angles = SinusoidalEmbeddings.forward
        if not hasattr(SinusoidalEmbeddings, "of_any_type"):  # its factors are float32, whatever the network is in
            SinusoidalEmbeddings.of_any_type = True
            SinusoidalEmbeddings.forward = lambda self, x: tuple(factors.to(x.dtype) for factors in angles(self, x))
        model = SNAC(**json.loads((folder / "config.json").read_text()))
        model.load_state_dict(load_file(folder / "model.safetensors"))
        self.rate = model.sampling_rate
        return model

    def codes_of(self, sound):
        return self.model.encode(sound)

    def sound_of(self, codes):
        return self.model.decode(codes)

    def ids(self):
        """The levels of a token side by side."""
        rows = math.lcm(self.model.vq_strides[0], self.model.attn_window_size or 1)
        clips, tokens = len(self.on_host[0]), self.on_host[0].shape[1] * self.model.vq_strides[0] // rows
        return np.concatenate([codes.reshape(clips, tokens, -1).numpy() for codes in self.on_host], 2).astype(np.uint32)


class WavTokenizer(PackageModel):
    def made_of(self, folder):
        sys.path.insert(0, str(ORACLES))  # until it has what it needs from there
        spec = importlib.util.spec_from_file_location("wavtokenizer_oracle", ORACLES / "wavtokenizer.py")
        self.oracle = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.oracle)
        model = self.oracle.load(folder)
        self.rate = model.rate
        # Fourier transforms take no bfloat16.
        model.head.register_forward_pre_hook(lambda head, given: (head.float(), given[0].float())[1])
        return model

    def codes_of(self, sound):
        return [self.model.codebook.encode(self.model.encoder(sound).transpose(1, 2))]

    def sound_of(self, codes):
        self.oracle.CONDITION = self.oracle.CONDITION.to(self.device)
        return self.model(self.model.codebook.decode(codes[0]).transpose(1, 2))

    def ids(self):
        return self.on_host[0][:, :, None].numpy().astype(np.uint32)


KINDS = {"snac": Snac, "snac_attention": Snac, "wavtokenizer": WavTokenizer}
