#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/import/vqgan/ and vqmodel/: small networks of seeded random weights, and what the packages make of
a picture. Of the former also what LlamaGen makes of it, whose networks are the same but for names and codewords, which
have length 1 there.

    pip install torch==2.11.0 diffusers==0.36.0 taming-transformers-rom1504==0.0.6 safetensors   # the latter with --no-deps
    tests/oracle/vqgan.py [FOLDER] [--real] [--vqmodel]   # --real: the sizes of VQGAN f16, of which VQ-16 has the
                                                          # layers, or with --vqmodel of CompVis/ldm-celebahq-256
    tests/oracle/vqgan.py FOLDER --real --vq16            # LlamaGen's VQ-16 itself, with its names; no example
"""
import torch
from safetensors.torch import save_file
from taming.modules.diffusionmodules.model import Decoder, Encoder

import checkpoints


def llamagens_name(name, sizes=5):
    """LlamaGen's name for a tensor of taming-transformers; its decoder counts sizes from the smallest."""
    for theirs, block in (("block_1", "0"), ("attn_1", "1"), ("block_2", "2")):
        name = name.replace(f".mid.{theirs}.", f".mid.{block}.")
    for i in range(sizes):
        name = name.replace(f"encoder.down.{i}.", f"encoder.conv_blocks.{i}.")
        name = name.replace(f"decoder.up.{i}.", f"decoder.conv_blocks.{sizes - 1 - i}.")
    return name.replace(".block.", ".res.")


class Taming(torch.nn.Module):
    """taming.models.vqgan.VQModel without Lightning, or with `vq16` the sizes of LlamaGen's VQ-16."""

    def __init__(self, real, vq16=False):
        super().__init__()
        self.vq16 = vq16
        latents, dim, entries, self.side = (256, 256, 1024, 256) if real else (8, 4, 64, 24)
        if vq16:
            dim, entries = 8, 16384
        sizes = {"ch": 128 if real else 32, "out_ch": 3, "ch_mult": (1, 1, 2, 2, 4) if real else (1, 1),
                 "num_res_blocks": 2 if real else 1, "attn_resolutions": [16] if real else [self.side // 2],
                 "in_channels": 3, "resolution": self.side, "z_channels": latents, "double_z": False}
        self.encoder, self.decoder = Encoder(**sizes), Decoder(**sizes)
        self.quantize = torch.nn.Module()
        self.quantize.embedding = torch.nn.Embedding(entries, dim)
        self.quant_conv = torch.nn.Conv2d(latents, dim, 1)
        self.post_quant_conv = torch.nn.Conv2d(dim, latents, 1)

    def save_pretrained(self, folder):
        state = {llamagens_name(name) if self.vq16 else name: tensor.half().contiguous() for name, tensor in self.state_dict().items()}
        save_file(state, folder / "model.safetensors")


def vqmodel(real):
    from diffusers import VQModel

    if real:
        return VQModel(down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
                       block_out_channels=(128, 256, 512), layers_per_block=2, latent_channels=3,
                       num_vq_embeddings=8192, vq_embed_dim=3)
    return VQModel(down_block_types=("DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
                   up_block_types=("AttnUpDecoderBlock2D", "UpDecoderBlock2D"), block_out_channels=(8, 16),
                   layers_per_block=1, latent_channels=4, num_vq_embeddings=64, norm_num_groups=4, vq_embed_dim=4)


def decoded(model, ids, codewords, shape):
    quantized = codewords[ids].T.reshape(1, codewords.shape[1], *shape)
    return model.decoder(model.post_quant_conv(quantized))


def main():
    options = checkpoints.options(__doc__, "vqgan", "vqmodel", "vq16")
    if options.vqmodel and options.folder.name == "vqgan_vqmodel":
        options.folder = options.folder.with_name("vqmodel")
    torch.manual_seed(1)
    model = (vqmodel(options.real) if options.vqmodel else Taming(options.real, options.vq16)).eval()
    checkpoints.randomize(model)
    model.decoder.conv_out.weight.mul_(0.2)
    model.half().float()  # as it is saved
    options.folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(options.folder)
    if options.vq16:
        return
    pixels = checkpoints.picture(*((256, 192) if options.real else (24, 18)))
    latents = model.quant_conv(model.encoder(pixels))
    rows, codewords = latents[0].flatten(1).T, model.quantize.embedding.weight
    example = {"pixels": pixels[0], "latents": rows}
    for name, books in (("", (rows, codewords)), ("_unit", (torch.nn.functional.normalize(rows),
                                                          torch.nn.functional.normalize(codewords)))):
        ids = torch.cdist(*books).argmin(1)
        example["ids" + name] = ids.to(torch.int32)
        example["decoded" + name] = decoded(model, ids, books[1], latents.shape[2:])[0]
        assert example["decoded" + name].abs().max() < 1, "decoded pixels would be clipped"
    save_file({name: tensor.contiguous() for name, tensor in example.items()}, options.folder / "example.safetensors")


if __name__ == "__main__":
    with torch.no_grad():
        main()
