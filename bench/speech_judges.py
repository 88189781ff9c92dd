#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Decoded speech against its originals, by judges that are not ours: PESQ-WB, STOI, ESTOI.

    pip install numpy scipy soundfile pesq pystoi
    bench/speech_judges.py ORIGINALS DECODED [--prefix seen_ --prefix unseen_] [--bytes CODED]

Files are paired by name without ending. Means are printed for each prefix and for all; with --bytes also the
rate in kbit/s of the files in that folder, all their bytes counted. PESQ and STOI see both at 16 kHz.
"""
import argparse
import math
import os

import numpy as np
import soundfile
from pesq import NoUtterancesError, pesq
from pystoi import stoi
from scipy.signal import resample_poly

RATE = 16000


def by_stem(folder):
    return {os.path.splitext(name)[0]: os.path.join(folder, name) for name in sorted(os.listdir(folder))}


def read(path):
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    samples = samples.mean(axis=1)
    if rate != RATE:
        divisor = math.gcd(rate, RATE)
        samples = resample_poly(samples, RATE // divisor, rate // divisor)
    return samples


def judge(original, decoded):
    a, b = read(original), read(decoded)
    count = min(len(a), len(b))
    a, b = a[:count], b[:count]
    try:
        quality = pesq(RATE, a, b, "wb")
    except NoUtterancesError:
        quality = math.nan
    return quality, stoi(a, b, RATE), stoi(a, b, RATE, extended=True), count / RATE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("originals")
    parser.add_argument("decoded")
    parser.add_argument("--prefix", action="append", default=[])
    parser.add_argument("--bytes")
    arguments = parser.parse_args()
    originals, decoded = by_stem(arguments.originals), by_stem(arguments.decoded)
    coded = by_stem(arguments.bytes) if arguments.bytes else {}
    rows = {stem: judge(originals[stem], decoded[stem]) for stem in originals if stem in decoded}
    print("group,clips,pesq_wb,stoi,estoi,kbps")
    for prefix in arguments.prefix + [""]:
        chosen = {stem: row for stem, row in rows.items() if stem.startswith(prefix)}
        if not chosen:
            continue
        means = np.nanmean([row[:3] for row in chosen.values()], axis=0)
        size = sum(os.path.getsize(coded[stem]) for stem in chosen if stem in coded)
        kbps = 8e-3 * size / sum(row[3] for row in chosen.values())
        print(f"{prefix or 'all'},{len(chosen)},{means[0]:.3f},{means[1]:.4f},{means[2]:.4f},{kbps:.3f}")


if __name__ == "__main__":
    main()
