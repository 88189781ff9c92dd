#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What vector-quantize-pytorch makes of some latents, for tests/quantizers/parity_test.cc.

    pip install torch==2.11.0 numpy vector-quantize-pytorch==1.32.0   # torch with its CUDA libraries: 4.7 GB
    tests/oracle/quantizers.py [--check]      # writes tests/golden/quantizers.json; --check: compares with it

Each case holds weights and latents, and what the peer gives for them in training: ids, values, the loss, the gradient of
a weighted sum of the output and that of the loss. Settings are those that make both compute the same.

Where the peer does something else on purpose, the case says so:
- residual: each level passes the decoder's gradient once, so it arrives as often as there are levels
  (`output_gradient_times`); it is to arrive once, since the sum of the levels takes the place of the latents.
"""
import argparse
import json
import pathlib
import sys

import torch
from vector_quantize_pytorch import FSQ, LFQ, ResidualVQ, SimVQ, VectorQuantize

GOLDEN = pathlib.Path(__file__).parents[1] / "golden/quantizers.json"
TOKENS = 24


def plain(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{v:.9g}") for v in tensor.detach().flatten().tolist()]}


def randn(*shape, scale=1.0):
    return torch.randn(*shape, generator=RANDOM) * scale


def case(module, config, dim, tensors, parameters=None, updated=None, call=None, levels=1, **more):
    """What the module, in training mode, gives for random latents of `dim` values. `parameters`: ours by theirs."""
    module.train()
    latents = randn(1, TOKENS, dim, scale=more.pop("scale", 1.0)).requires_grad_()
    weights = randn(1, TOKENS, dim)
    before = {name: plain(value) for name, value in tensors.items()}
    result = (call or module)(latents)
    quantized, codes = result[0], result[1]
    loss = result[2].sum() if len(result) > 2 else None
    found = {"config": config,
             "tensors": before,
             "latents": plain(latents[0]),
             "codes": plain(codes.reshape(TOKENS, levels).float()),
             "quantized": plain(quantized[0]),
             "output_weights": plain(weights[0]),
             "output_gradient": plain(torch.autograd.grad((quantized * weights).sum(), latents, retain_graph=True)[0][0]),
             "parameter_gradients": {},
             **more}
    if loss is not None and loss.requires_grad:
        names = list((parameters or {}).items())
        gradients = torch.autograd.grad(loss, [latents, *(value for _, value in names)])
        found["loss"] = float(f"{loss.item():.9g}")
        found["loss_gradient"] = plain(gradients[0][0])
        found["parameter_gradients"] = {name: plain(g.reshape(value.shape[-2:]))
                                        for (name, value), g in zip(names, gradients[1:])}
    if updated:
        found["updated"] = {name: plain(value) for name, value in updated().items()}
    return found


def vq():
    """A codebook that gradients update: one mean squared error in place of two halves, so the value differs by 2."""
    module = VectorQuantize(dim=5, codebook_size=16, learnable_codebook=True, ema_update=False, rotation_trick=False,
                            commitment_weight=1.0)
    module._codebook.embed.data.copy_(randn(1, 16, 5))
    return case(module, {"type": "vq", "entries": 16, "dim": 5, "commitment": 1, "codebook_loss": 1}, 5,
                {"codebook": module._codebook.embed[0]}, {"codebook": module._codebook.embed}, loss_times=0.5)


def vq_ema():
    """Moving averages, from counts and sums that are there already; no revival."""
    module = VectorQuantize(dim=5, codebook_size=16, decay=0.9, rotation_trick=True, commitment_weight=0.25)
    book = module._codebook
    book.embed.copy_(randn(1, 16, 5))
    book.cluster_size.copy_(torch.rand(1, 16, generator=RANDOM) * 3 + 0.5)
    book.embed_avg.copy_(book.embed * book.cluster_size[..., None])
    config = {"type": "vq", "entries": 16, "dim": 5, "update": "ema", "decay": 0.9, "revive": 0, "estimator": "rotation"}
    return case(module, config, 5,
                {"codebook": book.embed[0], "counts": book.cluster_size[0], "sums": book.embed_avg[0]},
                updated=lambda: {"codebook": book.embed[0], "counts": book.cluster_size[0], "sums": book.embed_avg[0]})


def cosine():
    module = VectorQuantize(dim=4, codebook_size=16, use_cosine_sim=True, rotation_trick=False, commitment_weight=0.25)
    module._codebook.embed.copy_(torch.nn.functional.normalize(randn(1, 16, 4), dim=-1))
    return case(module, {"type": "cosine", "entries": 16, "dim": 4, "update": "ema", "revive": 0}, 4,
                {"codebook": module._codebook.embed[0]})


def residual():
    module = ResidualVQ(dim=5, num_quantizers=3, codebook_size=8, rotation_trick=False, commitment_weight=0.25)
    for i, layer in enumerate(module.layers):
        layer._codebook.embed.copy_(randn(1, 8, 5, scale=0.5 ** i))
    part = {"type": "vq", "entries": 8, "dim": 5, "update": "ema", "revive": 0}
    return case(module, {"type": "residual", "levels": 3, "quantizer": part}, 5,
                {f"part{i}.codebook": layer._codebook.embed[0] for i, layer in enumerate(module.layers)}, levels=3,
                output_gradient_times=3.0)


def fsq():
    return case(FSQ([8, 5, 4, 3]), {"type": "fsq", "levels": [8, 5, 4, 3]}, 4, {})


def lfq():
    """At temperature 1, where no probability is below the 1e-5 at which the peer cuts logarithms off."""
    module = LFQ(dim=4, codebook_size=16, entropy_loss_weight=0.1, commitment_loss_weight=0.25, diversity_gamma=1.0)
    return case(module, {"type": "lfq", "bits": 4, "temperature": 1}, 4, {}, scale=0.5,
                call=lambda latents: module(latents, inv_temperature=1.0))


def simvq():
    module = SimVQ(dim=5, codebook_size=16, rotation_trick=True, input_to_quantize_commit_loss_weight=0.25)
    module.code_transform.weight.data.copy_(randn(5, 5, scale=0.5))
    module.frozen_codebook.copy_(randn(16, 5))
    return case(module, {"type": "simvq", "entries": 16, "dim": 5, "estimator": "rotation"}, 5,
                {"frozen": module.frozen_codebook, "weight": module.code_transform.weight, "bias": torch.zeros(5)},
                {"weight": module.code_transform.weight})


def differences(one, two, path=""):
    """Paths at which two JSON values differ by more than rounding."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted(one.keys() | two.keys()):
            yield from differences(one.get(key), two.get(key), f"{path}/{key}")
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for i, (a, b) in enumerate(zip(one, two)):
            yield from differences(a, b, f"{path}/{i}")
    elif isinstance(one, float) and isinstance(two, (float, int)):
        if abs(one - two) > 2e-6 * max(1, abs(one)):
            yield path
    elif one != two:
        yield path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    cases = {}
    for make in (vq, vq_ema, cosine, residual, fsq, lfq, simvq):
        RANDOM.manual_seed(len(cases) + 1)
        cases[make.__name__] = make()
    made = {"made_by": "tests/oracle/quantizers.py with vector-quantize-pytorch 1.32.0", "cases": cases}
    if options.check:
        wrong = list(differences(json.loads(GOLDEN.read_text()), json.loads(json.dumps(made))))
        sys.exit("\n".join(wrong[:20]) if wrong else 0)
    GOLDEN.write_text(json.dumps(made, indent=None, separators=(",", ":")) + "\n")


RANDOM = torch.Generator()

if __name__ == "__main__":
    main()
