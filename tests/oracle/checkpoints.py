# SPDX-License-Identifier: Apache-2.0
"""What the oracles of public checkpoints share: random weights, a sound, and the files of a golden."""
import argparse
import pathlib
import sys

import torch
from safetensors.torch import save_file

GOLDEN = pathlib.Path(__file__).parents[1] / "golden/import"


def options(text, family, *variants, source=False):
    """With `source` the folder of a repository that no package holds has to be named, and is imported from."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    for variant in ("real", *variants):
        parser.add_argument("--" + variant, action="store_true")
    if source:
        parser.add_argument("--source", required=True, type=pathlib.Path)
    given = parser.parse_args()
    if source:
        sys.path.insert(0, str(given.source))
    chosen = [family] + [variant for variant in variants if getattr(given, variant)]
    given.folder = given.folder or GOLDEN / "_".join(chosen)
    return given


def randomize(model):
    """Weights by which activations neither die out nor grow, so that a wrong one is seen; biases not 0."""
    for name, values in model.named_parameters():
        if name.endswith(("original0", "weight_g", "alpha", "scale")) or (values.dim() == 1 and not name.endswith("bias")):
            values.uniform_(0.6, 1.2)
        elif values.dim() > 1:
            values.normal_(0, (1 / values[0].numel()) ** 0.5)
        else:
            values.uniform_(-0.1, 0.1)


def picture(height, width):
    """Waves of three colours with noise over them, the same each time."""
    y, x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    waves = torch.stack([torch.sin(9 * x + 3 * y), torch.cos(7 * y - 2 * x), torch.sin(11 * x * y)])
    noise = torch.randn(waves.shape, generator=torch.Generator().manual_seed(2))
    return (0.6 * waves + 0.2 * noise).clamp(-1, 1)[None]


def write_picture(folder, model, pixels, latents, ids, decoded):
    """model.safetensors in half precision, and example.safetensors; latents are [positions][channels]."""
    assert decoded.abs().max() < 1, "decoded pixels would be clipped"
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
               for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
    example = {"pixels": pixels[0], "latents": latents, "ids": ids.to(torch.int32), "decoded": decoded[0]}
    save_file({name: tensor.contiguous() for name, tensor in example.items()}, folder / "example.safetensors")


def quieten(model, layer, encode, decode, samples):
    """Scales the last layer so that no sample of the decoded sound is clipped."""
    ids = encode(model, sound(samples)[None, None])[1]
    while (peak := decode(model, ids).abs().max()) > 0.8:
        for name, values in layer.named_parameters():
            if not name.endswith("original1"):
                values.mul_(0.7 / peak)


def sound(samples):
    """A chirp with noise over it, the same each time."""
    time = torch.arange(samples) / samples
    wave = 0.4 * torch.sin(40 * torch.pi * time * (1 + 8 * time)) + 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(2))
    return wave.clamp(-1, 1)


def write(opts, model, encode, decode, samples, margins=None):
    """config.json, model.safetensors, and example.safetensors: samples, latents, ids, what is decoded from them; and of
    published sizes by how much each id was the closest, where `margins` tells.
    """
    opts.folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(opts.folder)
    wave = sound(samples)
    latents, ids = encode(model, wave[None, None])
    decoded = decode(model, ids)
    assert decoded.abs().max() < 1, "decoded samples would be clipped"
    example = {"samples": wave, "latents": latents, "ids": ids.to(torch.int32), "decoded": decoded}
    if opts.real and margins:
        example["margins"] = margins(model, wave[None, None]).float()
    save_file({name: tensor.contiguous() for name, tensor in example.items()}, opts.folder / "example.safetensors")
