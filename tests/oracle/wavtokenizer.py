#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/import/wavtokenizer/ and wavtokenizer_blocks/: small WavTokenizers of seeded random weights, and what
the packages that its code was made from give of a sound: the encoder and codebook of encodec, the residual units and
attention of taming-transformers, whose planes are lines here, and the blocks and head of vocos.

    pip install torch==2.11.0 torchaudio==2.11.0 safetensors scipy einops pyyaml encodec==0.1.1 vocos==0.1.0
    pip install --no-deps taming-transformers-rom1504==0.0.6
    tests/oracle/wavtokenizer.py [FOLDER] [--real] [--blocks]  # --real: the sizes of 75 tokens a second, into FOLDER; with
                                                               # --forty those of 40. --blocks: a sound of several blocks
"""
# pylint: disable=wrong-import-position
import copy
import json
import sys

import torch
from safetensors.torch import load_file, save_file

import checkpoints

sys.path.pop(0)  # there a file has the name of the package encodec
from encodec.modules import SEANetEncoder  # noqa: E402
from encodec.quantization.core_vq import EuclideanCodebook  # noqa: E402
from taming.modules.diffusionmodules.model import AttnBlock, Normalize, ResnetBlock  # noqa: E402
from vocos.heads import ISTFTHead  # noqa: E402
from vocos.models import VocosBackbone  # noqa: E402

TINY = {"rate": 1200, "filters": 4, "ratios": [4, 3], "latents": 16, "entries": 64, "dim": 32, "inner": 48, "layers": 2, "fft": 48}
REAL = {"rate": 24000, "filters": 32, "ratios": [8, 5, 4, 2], "latents": 512, "entries": 4096, "dim": 768, "inner": 2304,
        "layers": 12, "fft": 1280}
FORTY = REAL | {"ratios": [6, 5, 5, 4], "fft": 2400}
CONDITION = torch.tensor([0])


class WavTokenizer(torch.nn.Module):
    def __init__(self, sizes, block=(1024, 64)):
        super().__init__()
        self.rate, self.block = sizes["rate"], block
        self.encoder = SEANetEncoder(dimension=sizes["latents"], n_filters=sizes["filters"], ratios=sizes["ratios"], causal=False,
                                     norm="weight_norm", true_skip=False, lstm=2)
        self.codebook = EuclideanCodebook(sizes["latents"], sizes["entries"])
        self.backbone = VocosBackbone(sizes["latents"], sizes["dim"], sizes["inner"], sizes["layers"], adanorm_num_embeddings=4)
        unit = [ResnetBlock(in_channels=sizes["dim"], temb_channels=0, dropout=0) for _ in range(4)]
        self.context = torch.nn.Sequential(unit[0], unit[1], AttnBlock(sizes["dim"]), unit[2], unit[3], Normalize(sizes["dim"]))
        self.head = ISTFTHead(sizes["dim"], sizes["fft"], sizes["fft"] // 4, "same")

    def forward(self, latents):
        x = self.seen_whole(self.backbone.embed(latents))
        x = self.backbone.norm(x.transpose(1, 2), CONDITION).transpose(1, 2)
        for block in self.backbone.convnext:
            x = block(x, CONDITION)
        return self.head(self.backbone.final_layer_norm(x.transpose(1, 2)))

    def seen_whole(self, x):
        """Block after block, as models/nn/row_blocks.h has it; shorter sounds are one block."""
        rows, halo = self.block
        done, parts = 0, []
        while True:
            more = x.shape[2] >= done + rows + halo
            end, start = done + rows if more else x.shape[2], max(done - halo, 0)
            seen = x[:, :, start:end + halo if more else end]
            seen = seen[:, :, None]
            for layer in self.context:
                seen = layer(seen, None) if isinstance(layer, ResnetBlock) else layer(seen)
            parts.append(seen[:, :, 0, done - start:end - start])
            done = end
            if not more or done == x.shape[2]:
                return torch.cat(parts, 2)

    def named(self):
        return ((self.encoder, "feature_extractor.encodec.encoder."), (self.backbone, "backbone."),
                (self.context, "backbone.pos_net."), (self.head, "head."),
                (self.codebook, "feature_extractor.encodec.quantizer.vq.layers.0._codebook."))

    def save_pretrained(self, folder):
        """With the names and the shapes of the authors' program, and some of the tensors that only training needs."""
        named = {}
        for module, name in self.named():
            named |= {name + key: line(tensor) for key, tensor in module.state_dict().items()}
        named["feature_extractor.encodec.decoder.model.0.conv.conv.bias"] = torch.zeros(1)
        named["multiperioddisc.discriminators.0.conv_post.bias"] = torch.zeros(1)
        save_file({name: tensor.contiguous() for name, tensor in named.items()}, folder / "model.safetensors")
        config = {"sampling_rate": self.rate}
        if self.block != (1024, 64):
            config |= {"block_rows": self.block[0], "halo_rows": self.block[1]}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def load(folder):
    """What save_pretrained wrote of published sizes."""
    tensors = load_file(folder / "model.safetensors")
    kernels = {sizes["fft"] + 2: sizes for sizes in (REAL, FORTY)}
    model = WavTokenizer(kernels[len(tensors["head.out.bias"])])
    for module, name in model.named():
        own = {key: tensors[name + key] for key in module.state_dict()}
        if module is model.context:
            own = {key: plane(values, module.state_dict()[key]) for key, values in own.items()}
        module.load_state_dict(own)
    return model


def plane(tensor, like):
    """The other way round."""
    if tensor.dim() == like.dim():
        return tensor
    whole = torch.zeros_like(like)
    whole[:, :, like.shape[2] // 2] = tensor
    return whole


def line(tensor):
    """Of a kernel over planes what it does on a plane of one row."""
    return tensor[:, :, tensor.shape[2] // 2] if tensor.dim() == 4 else tensor


def encode(model, sound):
    latents = model.encoder(sound)[0].T
    return latents, model.codebook.encode(latents)[:, None]


def decode(model, ids):
    return model(model.codebook.decode(ids[:, 0]).T[None])[0]


def margins(model, sound):
    """By how much the closest codeword is closer than the second one, squared, over the latent's square, in float64."""
    model = copy.deepcopy(model).double()
    latents = model.encoder(sound.double())[0].T
    best = (torch.cdist(latents, model.codebook.embed) ** 2).topk(2, 1, largest=False).values
    return ((best[:, 1] - best[:, 0]) / latents.square().sum(1))[:, None]


def main():
    options = checkpoints.options(__doc__, "wavtokenizer", "blocks", "forty")
    torch.manual_seed(1)
    sizes = FORTY if options.forty else REAL if options.real else TINY
    model = WavTokenizer(sizes, (30, 6) if options.blocks else (1024, 64)).eval()
    checkpoints.randomize(model)
    for name, values in model.named_parameters():
        if name.endswith("norm.scale.weight"):
            values.uniform_(0.6, 1.2)
    model.codebook.embed.normal_(0, 0.5)
    samples = 3 * sizes["rate"] if options.real else 1003
    peak = decode(model, encode(model, checkpoints.sound(samples)[None, None])[1]).abs().max()
    model.head.out.bias[:sizes["fft"] // 2 + 1] -= torch.log(peak / 0.7)
    checkpoints.write(options, model, encode, decode, samples, margins)


if __name__ == "__main__":
    with torch.no_grad():
        main()
