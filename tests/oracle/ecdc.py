#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/ecdc/: a narrow EnCodec of seeded random weights at 24 kHz, a sound, and the .ecdc file that EnCodec's
own program makes of it; with --48khz the same of 48 kHz into tests/golden/ecdc_48khz/. With --check FILE it reads one and
compares its ids with those of the golden.

    pip install torch==2.11.0 torchaudio==2.11.0 safetensors einops encodec==0.1.1
    tests/oracle/ecdc.py [FOLDER] [--48khz] [--check FILE.ecdc]
"""
import argparse
import io
import json
import pathlib
import struct
import sys

import torch
from safetensors.torch import save_file

import checkpoints

sys.path.pop(0)  # there a file has the name of the package
# pylint: disable=wrong-import-position
from encodec import binary  # noqa: E402
from encodec.compress import compress  # noqa: E402
from encodec.model import EncodecModel  # noqa: E402
from encodec.modules import SEANetDecoder, SEANetEncoder  # noqa: E402
from encodec.quantization import ResidualVectorQuantizer  # noqa: E402

LEVELS, WIDTH, LATENTS = 4, 2, 4


class Kind:
    def __init__(self, stereo):
        self.stereo, self.name, self.rate, self.channels = stereo, f"encodec_{48 if stereo else 24}khz", 48000 if stereo else 24000, 1 + stereo
        self.folder = checkpoints.GOLDEN.parent / ("ecdc_48khz" if stereo else "ecdc")
        self.samples = 47520 * 2 + 101 if stereo else 5003  # of segments the last two are short
        self.bandwidth = LEVELS * (1.5 if stereo else 0.75)

    def sound(self):
        sound = checkpoints.sound(self.samples)
        return torch.stack([sound, 0.5 * sound.flip(0)]) if self.stereo else sound[None]


def model(kind):
    torch.manual_seed(1)
    sizes = {"channels": kind.channels, "dimension": LATENTS, "n_filters": WIDTH, "causal": not kind.stereo,
             "norm": "time_group_norm" if kind.stereo else "weight_norm", "lstm": 0}
    quantizer = ResidualVectorQuantizer(dimension=LATENTS, n_q=LEVELS, bins=1024)
    made = EncodecModel(SEANetEncoder(**sizes), SEANetDecoder(**sizes), quantizer, [kind.bandwidth], kind.rate, kind.channels,
                        normalize=kind.stereo, segment=1.0 if kind.stereo else None, name=kind.name)
    checkpoints.randomize(made.eval())
    for layer in quantizer.vq.layers:
        layer._codebook.embed.normal_(0, 0.5)  # pylint: disable=protected-access
    made.set_target_bandwidth(kind.bandwidth)
    return made


def name(native):
    """As transformers calls it."""
    native = native.replace(".convtr.convtr.", ".conv.").replace(".conv.conv.", ".conv.").replace("coder.model.", "coder.layers.")
    native = native.replace(".convtr.norm.", ".norm.").replace(".conv.norm.", ".norm.")
    return native.replace("quantizer.vq.", "quantizer.").replace("._codebook.", ".codebook.")


def write(kind, folder):
    folder.mkdir(parents=True, exist_ok=True)
    made, sound = model(kind), kind.sound()
    tensors = {name(key): tensor.contiguous() for key, tensor in made.state_dict().items()
               if not key.endswith(("embed_avg", "cluster_size"))}
    save_file(tensors, folder / "model.safetensors")
    config = {"model_type": "encodec", "num_filters": WIDTH, "hidden_size": LATENTS, "num_lstm_layers": 0,
              "target_bandwidths": made.target_bandwidths}
    if kind.stereo:
        config |= {"sampling_rate": 48000, "audio_channels": 2, "normalize": True, "norm_type": "time_group_norm",
                   "use_causal_conv": False, "chunk_length_s": 1.0, "overlap": 0.01}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    example = {"ids": ids(made, sound)} | ({} if kind.stereo else {"samples": sound[0]})
    save_file(example, folder / "example.safetensors")
    (folder / "sound.ecdc").write_bytes(compress(made, sound, use_lm=False))


def ids(made, sound):
    return torch.cat([codes[0].T for codes, _ in made.encode(sound[None])]).to(torch.int32).contiguous()  # [times][levels]


def check(kind, path):
    file = io.BytesIO(path.read_bytes())
    head = binary.read_ecdc_header(file)
    assert head == {"m": kind.name, "al": kind.samples, "nc": LEVELS, "lm": False}, head
    for codes, scale in model(kind).encode(kind.sound()[None]):
        if scale is not None:
            found = struct.unpack("!f", file.read(4))[0]
            assert abs(found / scale.item() - 1) < 1e-6, (found, scale)
        bits = binary.BitUnpacker(10, file)
        wanted = codes[0].T.flatten().tolist()
        assert [bits.pull() for _ in wanted] == wanted, "other ids"
    assert not file.read(), "bytes behind the ids"
    print("the ids are those of the golden")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--48khz", dest="stereo", action="store_true")
    parser.add_argument("--check", type=pathlib.Path)
    given = parser.parse_args()
    kind = Kind(given.stereo)
    if given.check:
        check(kind, given.check)
    else:
        write(kind, given.folder or kind.folder)


if __name__ == "__main__":
    with torch.no_grad():
        main()
