#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/ecdc/: a narrow EnCodec of seeded random weights at 24 kHz, a sound, and the .ecdc file that EnCodec's
own program makes of it. With --check FILE it reads one and compares its ids with those of the golden.

    pip install torch==2.11.0 torchaudio==2.11.0 safetensors einops encodec==0.1.1
    tests/oracle/ecdc.py [FOLDER] [--check FILE.ecdc]
"""
import argparse
import io
import json
import pathlib
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

FOLDER = checkpoints.GOLDEN.parent / "ecdc"
SAMPLES, LEVELS, WIDTH, LATENTS = 5003, 4, 2, 4


def model():
    torch.manual_seed(1)
    sizes = {"dimension": LATENTS, "n_filters": WIDTH, "causal": True, "norm": "weight_norm", "lstm": 0}
    quantizer = ResidualVectorQuantizer(dimension=LATENTS, n_q=LEVELS, bins=1024)
    made = EncodecModel(SEANetEncoder(**sizes), SEANetDecoder(**sizes), quantizer, [0.75 * LEVELS], 24000, 1, name="encodec_24khz")
    checkpoints.randomize(made.eval())
    for layer in quantizer.vq.layers:
        layer._codebook.embed.normal_(0, 0.5)  # pylint: disable=protected-access
    made.set_target_bandwidth(0.75 * LEVELS)
    return made


def name(native):
    """As transformers calls it."""
    native = native.replace(".convtr.convtr.", ".conv.").replace(".conv.conv.", ".conv.").replace("coder.model.", "coder.layers.")
    return native.replace("quantizer.vq.", "quantizer.").replace("._codebook.", ".codebook.")


def write(folder):
    folder.mkdir(parents=True, exist_ok=True)
    made, sound = model(), checkpoints.sound(SAMPLES)
    tensors = {name(key): tensor.contiguous() for key, tensor in made.state_dict().items()
               if not key.endswith(("embed_avg", "cluster_size"))}
    save_file(tensors, folder / "model.safetensors")
    config = {"model_type": "encodec", "num_filters": WIDTH, "hidden_size": LATENTS, "num_lstm_layers": 0,
              "target_bandwidths": made.target_bandwidths}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file({"ids": ids(made, sound), "samples": sound}, folder / "example.safetensors")
    (folder / "sound.ecdc").write_bytes(compress(made, sound[None], use_lm=False))


def ids(made, sound):
    return made.encode(sound[None, None])[0][0][0].T.to(torch.int32).contiguous()  # [times][levels]


def check(path):
    file = io.BytesIO(path.read_bytes())
    head = binary.read_ecdc_header(file)
    assert head == {"m": "encodec_24khz", "al": SAMPLES, "nc": LEVELS, "lm": False}, head
    wanted = ids(model(), checkpoints.sound(SAMPLES)).flatten().tolist()
    bits = binary.BitUnpacker(10, file)
    assert [bits.pull() for _ in wanted] == wanted, "other ids"
    assert not file.read(), "bytes behind the ids"
    print("the ids are those of the golden")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=FOLDER)
    parser.add_argument("--check", type=pathlib.Path)
    given = parser.parse_args()
    if given.check:
        check(given.check)
    else:
        write(given.folder)


if __name__ == "__main__":
    with torch.no_grad():
        main()
