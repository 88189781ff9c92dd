#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speed, start and memory of the models of sound, and of EnCodec in transformers in the same run.

    pip install numpy soundfile torch transformers      # the latter two for EnCodec only
    bench/speech_speed.py SPEECH... [--vqcodec build/release/bin/vqcodec] [--model speech-rvq ...] [--rounds 3]

Speeds are seconds of sound a second of processor time, all threads counted, so that other load on the machine
matters little: of 601 s less those of 1 s, which leaves out the start. Start is the processor time of the 1 s.
Memory is the peak of a process on 1 s and on 601 s. EnCodec 24 kHz at 6 kbit/s has random weights, which
take as long as others, one thread and pieces of 10 s. Medians of all rounds, in which the programs take turns.
"""
import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import soundfile

RATE, LONG = 24000, 601


def run(command):
    """Processor seconds and peak memory in MiB of a program."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(command)}: {message.strip()}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def ours(program, model, folder, rounds_of):
    for seconds in (1, LONG):
        wav, coded, back = (f"{folder}/{seconds}{ending}" for ending in (".wav", f".{model}.vqc", f".{model}.wav"))
        for way, command in (("encode", ["encode", wav, "-m", model, "-o", coded, "-f"]),
                             ("decode", ["decode", coded, "-o", back, "-f"])):
            spent, memory = run([program, *command])
            rounds_of.setdefault((model, way, seconds), []).append(spent)
            rounds_of.setdefault((model, way, seconds, "memory"), []).append(memory)


def encodec(path):
    """Prints processor seconds of encoding and of decoding 60 s. In a process of its own, whose memory is not ours."""
    import torch
    from transformers import EncodecConfig, EncodecModel

    torch.set_num_threads(1)
    model = EncodecModel(EncodecConfig()).eval()
    pieces = torch.from_numpy(soundfile.read(path, dtype="float32")[0][: 60 * RATE]).view(6, 1, 1, 10 * RATE)
    with torch.inference_mode():
        begin = time.process_time()
        coded = [model.encode(piece, bandwidth=6.0) for piece in pieces]
        middle = time.process_time()
        for one in coded:
            model.decode(one.audio_codes, one.audio_scales)
        print(middle - begin, time.process_time() - middle)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("speech", nargs="*", help="sound files of 24 kHz")
    parser.add_argument("--encodec", help=argparse.SUPPRESS)
    parser.add_argument("--vqcodec", default="build/release/bin/vqcodec")
    parser.add_argument("--model", action="append")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.encodec:
        return encodec(arguments.encodec)
    if not arguments.speech:
        parser.error("name some speech")
    models = arguments.model or ["speech-rvq", "speech-75", "speech-40", "speech-fsq"]
    speech = np.concatenate([soundfile.read(path, dtype="float32")[0] for path in arguments.speech])
    long = np.resize(speech, LONG * RATE)
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        for seconds in (1, LONG):
            soundfile.write(f"{folder}/{seconds}.wav", long[: seconds * RATE], RATE)
        peer = importlib.util.find_spec("transformers") is not None
        for _ in range(arguments.rounds):
            for model in models:
                ours(arguments.vqcodec, model, folder, times)
            if peer:
                program = [sys.executable, __file__, "--encodec", f"{folder}/{LONG}.wav"]
                spent = subprocess.run(program, check=True, capture_output=True, text=True).stdout.split()
                for way, seconds in zip(("encode", "decode"), spent):
                    times.setdefault(("encodec", way, 60), []).append(float(seconds))
        print("model,way,times_real_time,start_s,peak_mib_1_s,peak_mib")
        middle = {key: statistics.median(values) for key, values in times.items()}
        for model in models:
            for way in ("encode", "decode"):
                start, spent = middle[model, way, 1], middle[model, way, LONG]
                memory = [middle[model, way, seconds, "memory"] for seconds in (1, LONG)]
                print(f"{model},{way},{(LONG - 1) / (spent - start):.1f},{start:.2f},{memory[0]:.0f},{memory[1]:.0f}")
        for way in ("encode", "decode") if peer else ():
            print(f"encodec,{way},{60 / middle['encodec', way, 60]:.1f},,,")


if __name__ == "__main__":
    main()
