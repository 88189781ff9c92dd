#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sound files to the .npy samples that `vqcodec train audio` reads: one file of int16 for each folder.

    pip install numpy scipy soundfile
    bench/pack_speech.py SPEECH_DIR... -o samples [--rate 24000] [--seconds 600]

Every folder that holds sound files becomes one .npy, named after it: mono at the rate, without the silence at
both ends of each file. Have one folder a speaker: training draws folders by the root of their length.
"""
import argparse
import math
import os
import random

import numpy as np
import soundfile
from scipy.signal import resample_poly

ENDINGS = (".wav", ".flac", ".ogg", ".opus", ".aiff", ".mp3")


def read(path, rate):
    samples, given = soundfile.read(path, dtype="float32", always_2d=True)
    samples = samples.mean(axis=1)
    if given != rate:
        divisor = math.gcd(given, rate)
        samples = resample_poly(samples, rate // divisor, given // divisor)
    return samples


def without_silence(samples, rate):
    """None where there is hardly any sound."""
    window = rate // 50
    count = len(samples) // window
    if count < 8:
        return None
    level = np.sqrt((samples[: count * window].reshape(count, window) ** 2).mean(axis=1))
    heard = np.flatnonzero(level > max(0.02 * level.max(), 1e-4))
    if len(heard) < 6 or level.max() < 3e-3:
        return None
    return samples[max(0, heard[0] - 6) * window : (heard[-1] + 8) * window]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--rate", type=int, default=24000)
    parser.add_argument("--seconds", type=float, default=math.inf, help="of a folder, at most")
    arguments = parser.parse_args()
    os.makedirs(arguments.output, exist_ok=True)
    for top in arguments.folders:
        for folder, _, names in sorted(os.walk(top)):
            files = sorted(name for name in names if name.lower().endswith(ENDINGS))
            random.Random(1).shuffle(files)
            pieces, have = [], 0
            for name in files:
                piece = without_silence(read(os.path.join(folder, name), arguments.rate), arguments.rate)
                if piece is None or have >= arguments.seconds * arguments.rate:
                    continue
                pieces.append(piece)
                have += len(piece)
            if pieces:
                name = os.path.relpath(folder, os.path.dirname(os.path.abspath(top))).replace(os.sep, "_")
                samples = np.clip(np.concatenate(pieces), -1, 1)
                np.save(os.path.join(arguments.output, name + ".npy"), np.round(samples * 32767).astype(np.int16))
                print(f"{name}: {len(samples) / arguments.rate:.0f} s of {len(pieces)} files")


if __name__ == "__main__":
    main()
