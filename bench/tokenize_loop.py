#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`vqcodec tokenize` against the loop that people write by hand: Pillow, torch, the same network and weights, a file of
tokens for each photo.

    python3 bench/tokenize_loop.py --program build/dev/bin/vqcodec --photos PHOTOS --rounds 3

Both run as programs of their own, in turn, with the same number of threads; the time is from start to end, and that
of the loop also without its imports. Prints the medians, their ratio, how many ids agree, and the network's share of the
program's time. Needs numpy, Pillow and torch.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".ppm")


class Network:
    """The encoder of an image model with FSQ (models/image_autoencoder.cc), from card.json and model.safetensors."""

    def __init__(self, folder):
        import torch
        config = json.loads((folder / "card.json").read_text())["config"]
        data = (folder / "model.safetensors").read_bytes()
        start = 8 + int.from_bytes(data[:8], "little")
        self.weights = {}
        for name, entry in json.loads(data[8:start]).items():
            if name.startswith("encoder."):
                begin, end = entry["data_offsets"]
                values = torch.frombuffer(bytearray(data[start + begin:start + end]), dtype=torch.float16)
                self.weights[name[len("encoder."):]] = values.float().reshape(entry["shape"])
        self.blocks, self.levels = config["network"]["encoder"]["blocks"], config["quantizer"]["levels"]
        self.stride = config["stride"]

    def conv(self, name, x, **options):
        import torch
        return torch.nn.functional.conv2d(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], **options)

    def norm(self, name, x):
        import torch
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return torch.nn.functional.layer_norm(x.permute(0, 2, 3, 1), weight.shape, weight, bias).permute(0, 3, 1, 2)

    def __call__(self, x):
        import torch
        x = self.conv("stem", torch.nn.functional.pixel_unshuffle(x, 4), padding=1)
        for stage, blocks in enumerate(self.blocks):
            if stage:
                x = self.conv(f"stage{stage}_down", x, stride=2)
            for block in range(blocks):
                name = f"stage{stage}_block{block}"
                y = torch.nn.functional.silu(self.conv(f"{name}.spatial", self.norm(f"{name}.norm", x), padding=1))
                x = x + self.conv(f"{name}.mix", y)
        z = self.conv("head", self.norm("norm", x))
        ids, factor = torch.zeros_like(z[:, 0], dtype=torch.int64), 1
        for d, levels in enumerate(self.levels):
            half, offset = (levels - 1) * 1.001 / 2, 0.5 * (levels % 2 == 0)
            shift = torch.atanh(torch.tensor(offset / half))
            digit = torch.round(torch.tanh(z[:, d] + shift) * half - offset).long() + levels // 2
            ids, factor = ids + digit * factor, factor * levels
        return ids[0]


def loop(options):
    import numpy as np
    import torch
    from PIL import Image
    torch.set_num_threads(options.threads)
    network = Network(options.model)
    begun = time.perf_counter()
    with torch.no_grad():
        for path in photos_of(options.photos):
            pixels = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None].float() / 127.5 - 1
            beyond = [(-side) % network.stride for side in pixels.shape[2:]]
            pixels = torch.nn.functional.pad(pixels, (0, beyond[1], 0, beyond[0]), mode="replicate")
            if options.channels_last:
                pixels = pixels.contiguous(memory_format=torch.channels_last)
            np.save(options.output / f"{path.stem}.npy", network(pixels).to(torch.int32).numpy())
    print(time.perf_counter() - begun)


def photos_of(folder):
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def timed(command):
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command[0]}: {done.stderr.strip()[-2000:]}")
    return time.perf_counter() - begun, done.stdout


def compare(options):
    import numpy as np
    count = len(photos_of(options.photos))
    ours, theirs, bare, shares = [], [], [], []
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for round in range(options.rounds):
            tokens, files = work / f"tokens{round}", work / f"files{round}"
            files.mkdir()
            seconds, report = timed([options.program, "tokenize", options.photos, "-o", tokens, "-m", options.model.resolve(),
                                     "--format", "npy", "-j", str(options.threads), "--json"])
            ours.append(seconds)
            shares.append(json.loads(report)["stages"]["tokenize"]["occupancy"])
            seconds, inner = timed([sys.executable, __file__, "--loop", "--photos", options.photos, "--model", options.model, "--output",
                                    files, "--threads", str(options.threads), *(["--channels-last"] if options.channels_last else [])])
            theirs.append(seconds)
            bare.append(float(inner))
        same = total = 0
        for path in sorted(tokens.glob("*.items.jsonl")):
            ids = np.load(path.with_name(path.name.split(".")[0] + ".npy")).ravel()
            for item in map(json.loads, path.read_text().splitlines()):
                other = np.load(files / f"{pathlib.Path(item['source']).stem}.npy").ravel()
                begin = item["offset"]
                same, total = same + int((ids[begin:begin + other.size] == other).sum()), total + other.size
    median = statistics.median
    print(f"{count} photos, {options.threads} threads, {options.rounds} rounds: vqcodec {median(ours):.2f} s, loop {median(theirs):.2f} s "
          f"({median(bare):.2f} s without its imports): {median(theirs) / median(ours):.2f} times as long "
          f"({median(bare) / median(ours):.2f}); the network takes {100 * median(shares):.1f} % of the program's threads' time; "
          f"{100 * same / total:.3f} % of {total:,} ids agree")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program")
    parser.add_argument("--photos", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, default=pathlib.Path("models/pretrained/image-f16"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--channels-last", action="store_true", help="give the loop torch's faster layout")
    parser.add_argument("--loop", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--output", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    loop(options) if options.loop else compare(options)


if __name__ == "__main__":
    main()
