#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Converted public checkpoints beside their own implementations in Python: speed, start and memory, in one run.

    for f in encodec mimi dac vqgan; do tests/oracle/$f.py golden/$f --real; done
    tests/oracle/vqgan.py golden/vq16 --real --vq16
    bench/checkpoint_speed.py golden [encodec mimi dac vqgan vq16] [--vqcodec build/release/bin/vqcodec] [--rounds 3]
        [--seconds 60] [--threads 1 2] [--first-core 0]

`golden` holds published sizes with random weights, which take as long as others; the implementations and their
packages are those of tests/oracle. Both programs are bound to as many cores as they may have threads, from the first one on, and take turns.
Times are of the network: ours of a long input less those of a short one, theirs of the calls alone. Start is a whole
process that encodes a short input. Memory is the peak of a process, in MiB: theirs encodes and decodes, of ours the
larger of the two. Medians of the rounds; a ratio above 1 is in our favour: `processor` of the time of all threads,
which other load matters little to, `elapsed` of the clock.
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
import wave

import numpy as np

RATES = {"encodec": 24000, "mimi": 24000, "dac": 44100}
PICTURE_FAMILIES = ("vqgan", "vq16")
SHORT_SECONDS, SIDE, PICTURES = 0.2, 256, 3
ORACLES = pathlib.Path(__file__).parents[1] / "tests/oracle"


def write_input(path, family, count):
    """`count` seconds of a chirp in noise, or so many pictures."""
    random = np.random.default_rng(1)
    if family in PICTURE_FAMILIES:
        for i in range(count):
            smooth = np.kron(random.integers(0, 200, (SIDE // 16, SIDE // 16, 3)), np.ones((16, 16, 1), int))
            pixels = (smooth + random.integers(0, 56, (SIDE, SIDE, 3))).astype(np.uint8)
            pathlib.Path(f"{path}-{i}.ppm").write_bytes(b"P6 %d %d 255\n" % (SIDE, SIDE) + pixels.tobytes())
        return [f"{path}-{i}.ppm" for i in range(count)]
    rate = RATES[family]
    moment = np.arange(int(count * rate)) / rate
    samples = 0.4 * np.sin(2 * np.pi * (200 + 150 * np.sin(moment)) * moment) + 0.05 * random.standard_normal(len(moment))
    with wave.open(f"{path}.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return [f"{path}.wav"]


def load(family, folder):
    """The model and the oracle's two functions for it."""
    sys.path.insert(0, str(ORACLES))
    if family in PICTURE_FAMILIES:
        import torch
        import vqgan
        from safetensors.torch import load_file
        model = vqgan.Taming(True, family == "vq16").eval()
        found = load_file(folder / "model.safetensors")
        named = vqgan.llamagens_name if model.vq16 else str
        model.load_state_dict({name: found[named(name)].float() for name in model.state_dict()})
        measured = torch.nn.functional.normalize if model.vq16 else torch.clone
        codewords = measured(model.quantize.embedding.weight)

        def encode(model, pixels):
            rows = model.quant_conv(model.encoder(pixels))[0].flatten(1).T
            return None, torch.cdist(measured(rows), codewords).argmin(1)

        return model, encode, lambda model, ids: vqgan.decoded(model, ids, codewords, (SIDE // 16, SIDE // 16))
    import transformers
    oracle = __import__(family)
    if family == "mimi":
        oracle.modeling_mimi.create_causal_mask = oracle.create_sliding_window_causal_mask
    name = {"encodec": "EncodecModel", "mimi": "MimiModel", "dac": "DacModel"}[family]
    return getattr(transformers, name).from_pretrained(folder).eval(), oracle.encode, oracle.decode


def read_input(path):
    import torch
    if path.endswith(".ppm"):
        pixels = np.frombuffer(pathlib.Path(path).read_bytes()[-3 * SIDE * SIDE:], np.uint8).reshape(SIDE, SIDE, 3)
        return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1)[None]
    with wave.open(path) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return torch.from_numpy(samples.astype(np.float32) / 32768)[None, None]


def reference(family, folder, threads, ways, inputs):
    """Prints {way: [processor seconds, seconds]} of the calls."""
    import torch
    torch.set_num_threads(threads)
    spent = {way: [0, 0] for way in ways}

    def timed(way, function, *given):
        begin = time.process_time(), time.perf_counter()
        result = function(*given)
        spent[way][0] += time.process_time() - begin[0]
        spent[way][1] += time.perf_counter() - begin[1]
        return result

    with torch.inference_mode():
        model, encode, decode = load(family, folder)
        for path in inputs:
            ids = timed("encode", encode, model, read_input(path))[1]
            if "decode" in ways:
                timed("decode", decode, model, ids)
    print(json.dumps(spent))


def run(command, threads, models=None, first_core=0):
    """Processor seconds, seconds, peak memory in MiB and output of a program on so many cores."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)} | ({"VQCODEC_MODELS": models} if models else {})
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                               preexec_fn=lambda: os.sched_setaffinity(0, range(first_core, first_core + threads)))
    output, errors = process.stdout.read().decode(), process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: {errors.strip()[-400:]}")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - begin, usage.ru_maxrss / 1024, output


class Race:
    def __init__(self, arguments, folder, family):
        self.arguments, self.folder, self.family = arguments, folder, family
        self.golden = arguments.golden / family
        self.models = f"{folder}/models"
        if not os.path.exists(f"{self.models}/{family}"):
            run([arguments.vqcodec, "convert", self.golden, "-o", f"{self.models}/{family}"], 1)

    def ours(self, way, inputs, threads):
        work = f"{self.folder}/coded"
        if way == "decode":
            inputs = [f"{work}/{pathlib.Path(path).stem}.vqc" for path in inputs]
            options = ["-O", f"{self.folder}/back", "--format", "ppm" if self.family in PICTURE_FAMILIES else "wav"]
        else:
            options = ["-O", work, "-m", self.family]
        return run([self.arguments.vqcodec, way, *inputs, *options, "-f", "-q", "-j", str(threads)],
                   threads, self.models, self.arguments.first_core)

    def theirs(self, ways, inputs, threads):
        command = [sys.executable, __file__, self.golden, self.family, "--reference", *ways, "--threads", str(threads),
                   "--inputs", *inputs]
        return run(command, threads, first_core=self.arguments.first_core)

    def speed(self):
        family, picture = self.family, self.family in PICTURE_FAMILIES
        short = write_input(f"{self.folder}/short", family, 1 if picture else SHORT_SECONDS)
        long = write_input(f"{self.folder}/long", family, PICTURES if picture else self.arguments.seconds)
        for threads in self.arguments.threads:
            pairs, peaks = {}, []
            for _ in range(self.arguments.rounds):
                *_, peak, spent = self.theirs(["encode", "decode"], long, threads)
                spent, most = json.loads(spent.splitlines()[-1]), 0  # taming prints more
                for way in ("encode", "decode"):
                    start, whole = self.ours(way, short, threads), self.ours(way, long, threads)
                    most = max(most, whole[2])
                    share = PICTURES / (PICTURES - 1) if picture else 1  # the short input is one of them
                    pairs.setdefault(way, []).append([*((whole[i] - start[i]) * share for i in (0, 1)), *spent[way]])
                    if way == "encode":
                        pairs.setdefault("start", []).append([*start[:2], *self.theirs(["encode"], short, threads)[:2]])
                peaks.append((most, peak))
            for way, rows in pairs.items():
                ours, ours_elapsed, theirs, theirs_elapsed = (statistics.median(column) for column in zip(*rows))
                print(f"{family},{threads},{way},{ours:.2f},{theirs:.2f},{theirs / ours:.2f},{ours_elapsed:.2f},"
                      f"{theirs_elapsed:.2f},{theirs_elapsed / ours_elapsed:.2f}", flush=True)
            ours, theirs = (statistics.median(column) for column in zip(*peaks))
            print(f"{family},{threads},memory,{ours:.0f},{theirs:.0f},{theirs / ours:.2f},,,", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("golden", type=pathlib.Path)
    parser.add_argument("families", nargs="*", default=["encodec", "mimi", "dac", *PICTURE_FAMILIES])
    parser.add_argument("--vqcodec", default="build/release/bin/vqcodec")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--first-core", type=int, default=0)
    for option in ("--reference", "--inputs"):
        parser.add_argument(option, nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reference:
        family = arguments.families[0]
        return reference(family, arguments.golden, arguments.threads[0], arguments.reference, arguments.inputs)
    with tempfile.TemporaryDirectory() as folder:
        print("family,threads,what,ours,theirs,processor,ours_elapsed_s,theirs_elapsed_s,elapsed")
        for family in arguments.families:
            Race(arguments, folder, family).speed()


if __name__ == "__main__":
    main()
