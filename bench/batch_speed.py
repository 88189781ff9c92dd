#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Converted public checkpoints beside their implementations, in transformers, in packages of their own or the networks that
tests/oracle has: batches on one GPU, in one process.

    bench/batch_speed.py golden [encodec mimi dac snac snac_attention wavtokenizer vqgan vqmodel magvit2] [--build build/cuda]
        [--batch 32] [--rounds 7] [--device cuda] [--precisions float32 bf16] [--source SEED-Voken] [--json FILE]

Pictures have 256 x 256 pixels. --source is a clone of SEED-Voken, for magvit2.

Makes checkpoints of published sizes with random weights in `golden` where there are none (tests/oracle) and converts them.
Both sides get the same clips in the memory of the host and give ids, or samples, there; they take turns, and the GPU is
waited for around each call. Medians of the rounds, after two calls that do not count. float32 is without TF32 on both
sides; `tf32` is what Python does by default (convolutions in TF32). Of bf16, their model is converted to bfloat16.
"""
import argparse
import ctypes
import json
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import torch

import package_models
import picture_models

ROOT = pathlib.Path(__file__).parents[1]
ORACLES = ROOT / "tests/oracle"
SECONDS = {"encodec": 10, "mimi": 10, "dac": 5, "snac": 10, "snac_attention": 5, "wavtokenizer": 10}  # of a clip


class Ours:
    """bench/batch_speed_c.cc"""

    def __init__(self, library, folder, device, bf16):
        self.lib = library
        self.run = ctypes.c_void_p(library.batch_speed_load(str(folder).encode(), device.encode(), int(bf16), 1))
        self.check(self.run.value is None)

    def check(self, failed):
        if failed:
            sys.exit(f"batch_speed: {self.lib.batch_speed_problem().decode()}")

    def take(self, clips):
        self.shape = clips.shape
        take = self.lib.batch_speed_pictures if clips.ndim == 4 else self.lib.batch_speed_clips
        take(self.run, clips.ctypes.data_as(ctypes.c_void_p), clips.shape[0], *clips.shape[-2 if clips.ndim == 4 else -1:])

    def encode(self):
        self.check(self.lib.batch_speed_encode(self.run))

    def decode(self):
        self.check(self.lib.batch_speed_decode(self.run))

    def ids(self):
        times, levels = self.lib.batch_speed_times(self.run), self.lib.batch_speed_levels(self.run)
        ids = np.empty((self.shape[0], times, levels), np.uint32)
        self.lib.batch_speed_ids(self.run, ids.ctypes.data_as(ctypes.c_void_p))
        return ids

    def samples(self):
        samples = np.empty(self.shape, np.float32)
        self.lib.batch_speed_samples(self.run, samples.ctypes.data_as(ctypes.c_void_p))
        return samples


class Theirs:
    def __init__(self, family, folder, device, bf16):
        import transformers
        name = {"encodec": "EncodecModel", "mimi": "MimiModel", "dac": "DacModel"}[family]
        self.family, self.device = family, device
        self.type = torch.bfloat16 if bf16 else torch.float32
        self.model = getattr(transformers, name).from_pretrained(folder).eval().to(device, self.type)
        self.rate = self.model.config.sampling_rate

    def take(self, clips):
        self.clips = torch.from_numpy(clips)[:, None]
        if self.family == "dac":  # as its feature extractor does
            self.clips = torch.nn.functional.pad(self.clips, (0, -clips.shape[1] % self.model.config.hop_length))

    def encode(self):
        sound = self.clips.to(self.device, self.type)
        more = {"encodec": {"bandwidth": self.model.config.target_bandwidths[-1]} if self.family == "encodec" else {},
                "mimi": {}, "dac": {}}[self.family]
        self.codes = self.model.encode(sound, **more).audio_codes
        self.on_host = self.codes.cpu()

    def decode(self):
        codes = self.on_host.to(self.device)
        if self.family == "encodec":
            sound = self.model.decode(codes, [None]).audio_values
        elif self.family == "mimi":
            sound = self.model.decode(codes).audio_values
        else:
            sound = self.model.decode(audio_codes=codes).audio_values
        self.sound = sound.float().cpu()

    def ids(self):
        codes = self.on_host[0] if self.family == "encodec" else self.on_host
        return codes.transpose(1, 2).numpy().astype(np.uint32)

    def samples(self, shape):
        return self.sound.reshape(shape[0], -1)[:, :shape[1]].numpy()


def wait(device):
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def timed(call, device):
    wait(device)
    begin = time.perf_counter()
    call()
    wait(device)
    return time.perf_counter() - begin


def set_arithmetic(side):
    """Both sides share libtorch's settings; ours has set its own, which theirs need not keep."""
    torch.backends.cudnn.allow_tf32 = side == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.deterministic = side == "ours"


def prepare(options, family):
    folder, model = options.golden / family, options.golden / f"{family}-model"
    if not any(folder.glob("*model.safetensors")):
        name, *variant = ("vqgan_vqmodel" if family == "vqmodel" else family).split("_")
        more = ["--source", options.source] if family == "magvit2" else []
        subprocess.run([sys.executable, ORACLES / f"{name}.py", folder, "--real", *("--" + word for word in variant), *more],
                       check=True)
    if not (model / "card.json").exists():
        subprocess.run([options.build / "bin/vqcodec", "convert", folder, "-o", model, "-q"], check=True)
    return folder, model


def library_of(build):
    library = ctypes.CDLL(build / "lib/libbatch_speed.so")
    library.batch_speed_load.restype = library.batch_speed_problem.restype = ctypes.c_void_p
    library.batch_speed_problem.restype = ctypes.c_char_p
    for name in ("clips", "pictures", "encode", "decode", "ids", "samples", "times", "levels", "free"):
        function = getattr(library, f"batch_speed_{name}")
        function.argtypes = [ctypes.c_void_p] + {"clips": [ctypes.c_void_p, ctypes.c_int, ctypes.c_int],
                                                 "pictures": [ctypes.c_void_p] + [ctypes.c_int] * 3,
                                                 "ids": [ctypes.c_void_p], "samples": [ctypes.c_void_p]}.get(name, [])
    return library


def decibels(expected, found):
    error = np.sqrt(np.mean((expected - found) ** 2.0)) / np.sqrt(np.mean(expected ** 2.0))
    return float(-20 * np.log10(max(error, 1e-30)))


def sounds(count, frames, rate):
    random = np.random.default_rng(1)
    moment = np.arange(frames) / rate
    chirp = 0.4 * np.sin(2 * np.pi * (200 + 150 * np.sin(moment)) * moment)
    return (chirp + 0.05 * random.standard_normal((count, frames))).astype(np.float32)


def pictures(count, side):
    """Waves of three colours with noise over them."""
    random = np.random.default_rng(1)
    y, x = np.meshgrid(np.arange(side) / side, np.arange(side) / side, indexing="ij")
    waves = np.stack([np.sin(9 * x + 3 * y), np.cos(7 * y - 2 * x), np.sin(11 * x * y)])
    return np.clip(0.6 * waves + 0.2 * random.standard_normal((count, 3, side, side)), -1, 1).astype(np.float32)


def measure(options, library, family, precision):
    folder, model = prepare(options, family)
    bf16 = precision == "bf16"
    ours = Ours(library, model, options.device, bf16)
    kind = {**package_models.KINDS, **picture_models.KINDS}.get(family)
    theirs = kind(folder, options.device, bf16) if kind else Theirs(family, folder, options.device, bf16)
    row = {"family": family, "precision": precision, "clips": options.batch}
    if family in picture_models.KINDS:
        clips = pictures(options.batch, 256)
    else:
        clips = sounds(options.batch, int(theirs.rate * (options.seconds or SECONDS[family])), theirs.rate)
        row["seconds"] = clips.shape[1] / theirs.rate
    for side in (ours, theirs):
        side.take(clips)
    for way in ("encode", "decode"):
        sides = {"ours": getattr(ours, way), "theirs": getattr(theirs, way)}
        if precision == "float32":
            sides["tf32"] = getattr(theirs, way)
        times = {name: [] for name in sides}
        for turn in range(-2, options.rounds):
            for name, call in sides.items():
                set_arithmetic(name)
                seconds = timed(call, options.device)
                if turn >= 0:
                    times[name].append(seconds)
        if precision == "float32":  # the codes and the samples that are compared
            set_arithmetic("theirs")
            sides["theirs"]()
        for name, values in times.items():
            row[f"{way}_{name}"] = statistics.median(values)
        row[f"{way}_ratio"] = row[f"{way}_theirs"] / row[f"{way}_ours"]
        if way == "encode":
            equal = ours.ids() == theirs.ids()
            row["ids"], row["ids_equal"] = equal.size, int(equal.sum())
            row["tokens_equal_to_first_difference"] = float(np.mean(np.cumprod(equal, axis=2)))
        else:
            row["decibels"] = decibels(theirs.samples(clips.shape), ours.samples())
    library.batch_speed_free(ours.run)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("golden", type=pathlib.Path)
    parser.add_argument("families", nargs="*", default=["encodec", "mimi", "dac"])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/cuda")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precisions", nargs="+", default=["float32", "bf16"])
    parser.add_argument("--source", type=pathlib.Path, help="a clone of SEED-Voken, for magvit2")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_intermixed_args()
    if options.source:
        sys.path.insert(0, str(options.source))
    library, rows = library_of(options.build), []
    for family in options.families:
        for precision in options.precisions:
            rows.append(measure(options, library, family, precision))
            print(json.dumps(rows[-1]), flush=True)
            if options.json:
                options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    with torch.no_grad():
        main()
