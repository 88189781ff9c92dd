#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Decoded speech against its originals, by judges that are not ours: PESQ-WB, STOI, ESTOI.

    pip install numpy scipy soundfile pesq pystoi
    pip install "visqol-python[lattice]"                  # for --visqol
    pip install onnxruntime librosa requests speechmos     # for --dnsmos
    bench/speech_judges.py ORIGINALS DECODED [--prefix seen_ --prefix unseen_] [--bytes CODED] [--visqol] [--dnsmos]

Files are paired by name without ending. Means are printed for each prefix and for all; with --bytes also the
rate in kbit/s of the files in that folder, all their bytes counted. All judges hear 16 kHz; --visqol adds
ViSQOL's speech mode, --dnsmos the overall quality that DNSMOS hears without an original.
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


def visqol_judge():
    from visqol import VisqolApi

    api = VisqolApi()
    api.create(mode="speech", use_lattice_model=True)
    return lambda a, b: api.measure_from_arrays(a.astype(np.float64), b.astype(np.float64), RATE).moslqo


def dnsmos_judge():
    from speechmos import dnsmos

    return lambda a, b: dnsmos.run(np.clip(b, -1, 1), RATE)["ovrl_mos"]


def judge(original, decoded, more):
    a, b = read(original), read(decoded)
    count = min(len(a), len(b))
    a, b = a[:count], b[:count]
    try:
        quality = pesq(RATE, a, b, "wb")
    except NoUtterancesError:
        quality = math.nan
    return [quality, stoi(a, b, RATE), stoi(a, b, RATE, extended=True), *(hear(a, b) for hear in more)], count / RATE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("originals")
    parser.add_argument("decoded")
    parser.add_argument("--prefix", action="append", default=[])
    parser.add_argument("--bytes")
    parser.add_argument("--visqol", action="store_true")
    parser.add_argument("--dnsmos", action="store_true")
    arguments = parser.parse_args()
    more = {"visqol": visqol_judge() if arguments.visqol else None, "dnsmos": dnsmos_judge() if arguments.dnsmos else None}
    more = {name: hear for name, hear in more.items() if hear}
    originals, decoded = by_stem(arguments.originals), by_stem(arguments.decoded)
    coded = by_stem(arguments.bytes) if arguments.bytes else {}
    rows = {stem: judge(originals[stem], decoded[stem], more.values()) for stem in originals if stem in decoded}
    print(",".join(["group,clips,pesq_wb,stoi,estoi", *more, "kbps"]))
    for prefix in arguments.prefix + [""]:
        chosen = {stem: row for stem, row in rows.items() if stem.startswith(prefix)}
        if not chosen:
            continue
        means = np.nanmean([row[0] for row in chosen.values()], axis=0)
        size = sum(os.path.getsize(coded[stem]) for stem in chosen if stem in coded)
        kbps = 8e-3 * size / sum(row[1] for row in chosen.values())
        figures = ",".join(f"{mean:.4f}" for mean in means)
        print(f"{prefix or 'all'},{len(chosen)},{figures},{kbps:.3f}")


if __name__ == "__main__":
    main()
