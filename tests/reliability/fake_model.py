# SPDX-License-Identifier: Apache-2.0
"""Model folders for the fake tokenizers of tests/support, without the library: the identities are computed from what
models/card.h says about them."""
import hashlib
import json
import pathlib
import struct


class Hash:
    def __init__(self, label):
        self.sha = hashlib.sha256()
        self.sized(label.encode())

    def number(self, value):
        self.sha.update(struct.pack("<Q", value))

    def sized(self, data):
        self.number(len(data))
        self.sha.update(data)


def write(folder, name, modality, tokenizer, config, factors, tensor, dtype, shape, data):
    model = Hash("vqcodec model 1")
    model.sized(tensor.encode())
    model.sized(dtype.encode())
    for number in (len(shape), *shape):
        model.number(number)
    model.sized(data)
    model.sized(tokenizer.encode())
    model.sized(json.dumps(config, sort_keys=True, separators=(",", ":")).encode())
    prior = Hash("vqcodec prior 1")
    prior.sized(b"adaptive")
    prior.number(len(factors))
    for digits in factors:
        for number in (len(digits), *digits):
            prior.number(number)
    card = {"card_version": 1, "name": name, "modality": modality, "tokenizer": tokenizer, "config": config,
            "prior": "adaptive", "factors": factors, "model_id": model.sha.hexdigest(),
            "prior_id": prior.sha.hexdigest(), "about": {"license": "Apache-2.0"}}
    folder = pathlib.Path(folder, name)
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps(card, indent=2) + "\n")
    header = json.dumps({tensor: {"dtype": dtype, "shape": shape, "data_offsets": [0, len(data)]}}).encode()
    header += b" " * (-len(header) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)


def write_models(folder):
    """image-f16 and speech-rvq, the names of the default models."""
    steps = struct.pack("<8f", *(i / 3.5 - 1 for i in range(8)))
    write(folder, "image-f16", "image", "fake", {"stride": 8, "receptive_field": 8}, [[8, 8, 8]], "steps", "F32", [8], steps)
    write(folder, "speech-rvq", "audio", "fake_audio", {"stride": 320, "rate": 24000}, [[16], [16]], "nothing", "U8", [4],
          bytes((1, 2, 3, 4)))
