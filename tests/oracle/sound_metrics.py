#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What trusted implementations give for the metrics of sound of eval/.

    python3 tests/oracle/sound_metrics.py >tests/golden/sound_metrics.json
    python3 tests/oracle/sound_metrics.py --compare FIGURES.json

Needs pystoi (STOI, ESTOI) and numpy; the second form, which compares what `vqcodec compare ORIGINALS DECODED --json` says
of mono files and prints the largest difference of each metric, also soundfile. The signals are made by integer arithmetic that tests/eval/oracle_sounds.h repeats:
syllables of a gliding voice with hiss and pauses. SI-SDR and the spectral distances, which are defined by a formula, are
computed from it with numpy's FFT.
"""
import argparse
import json
import pathlib
import sys

import numpy
from pystoi import stoi

RATES = [8000, 16000, 24000, 44100]
KINDS = ["noisy", "clipped", "dull", "coarse", "late"]
SECONDS = 2
TOLERANCES = {"si_sdr": 1e-8, "stoi": 1e-7, "estoi": 1e-5, "mel_distance": 1e-8, "stft_distance": 1e-8}


def noise(n, seed):
    mask = 0xFFFFFFFF
    h = (n * 374761393 + seed * 668265263) & mask
    h = ((h ^ (h >> 13)) * 1274126177) & mask
    return (h ^ (h >> 16)) & 0xFFFF


def original(rate):
    """Integers of 16 bits."""
    samples, phase, before = [], 0, [0] * 4
    for n in range(SECONDS * rate):
        syllable = n * 5 // rate
        place = n * 5 % rate  # of `rate`: the place in the syllable
        envelope = 0 if syllable % 4 == 3 else min(place, rate - place) * 512 // rate
        pitch = 90 + 23 * (syllable % 5) + 40 * place // rate
        phase = (phase + pitch * 65536 // rate) % 65536
        voice = (phase - 32768) * envelope // 512
        hiss = (noise(n, 1) - 32768) * (256 - envelope) // 4096 if syllable % 4 == 1 else (noise(n, 2) - 32768) // 8192
        before = before[1:] + [voice + hiss]
        samples.append(sum(before) // 4)
    return samples


def degraded(x, kind):
    if kind == "noisy":
        return [s + (noise(n, 7) - 32768) // 16 for n, s in enumerate(x)]
    if kind == "clipped":
        return [max(-3000, min(3000, s)) for s in x]
    if kind == "dull":
        return [sum(x[max(0, n - 11):n + 1]) // 12 for n in range(len(x))]
    if kind == "coarse":
        return [s // 2048 * 2048 for s in x]
    return [0] * 9 + [s // 2 for s in x[:-9]]


def si_sdr(x, y):
    x, y = x - x.mean(), y - y.mean()
    target = x * (x @ y) / (x @ x)
    return 10 * numpy.log10((target @ target) / ((y - target) @ (y - target)))


def spectra(x, size, hop):
    window = 0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(size) / size)
    padded = numpy.concatenate([numpy.zeros(size // 2), x, numpy.zeros(size)])
    return numpy.array([abs(numpy.fft.rfft(padded[c:c + size] * window)) for c in range(0, len(x) + 1, hop)])


def mel_distance(x, y, rate):
    top = 2595 * numpy.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (top * numpy.arange(82) / 81 / 2595) - 1)
    f = numpy.arange(513) * rate / 1024
    bank = numpy.array([numpy.clip(numpy.minimum((f - a) / (b - a), (c - f) / (c - b)), 0, None)
                        for a, b, c in zip(edges, edges[1:], edges[2:])])
    logs = [numpy.log10(numpy.maximum(spectra(s, 1024, 256) @ bank.T, 1e-5)) for s in (x, y)]
    return abs(logs[0] - logs[1]).mean()


def stft_distance(x, y):
    total = 0
    for size in (512, 1024, 2048):
        a, b = spectra(x, size, size // 4), spectra(y, size, size // 4)
        total += numpy.linalg.norm(a - b) / max(numpy.linalg.norm(a), 1e-5)
        total += abs(numpy.log(numpy.maximum(a, 1e-5)) - numpy.log(numpy.maximum(b, 1e-5))).mean()
    return total / 3


def measure(a, b, rate):
    return {"si_sdr": si_sdr(a, b), "stoi": stoi(a, b, rate), "estoi": stoi(a, b, rate, extended=True),
            "mel_distance": mel_distance(a, b, rate), "stft_distance": stft_distance(a, b)}


def goldens():
    rows = []
    for rate in RATES:
        x = original(rate)
        for kind in KINDS:
            y = degraded(x, kind)
            a, b = numpy.array(x) / 32768, numpy.array(y) / 32768
            rows.append({"rate": rate, "kind": kind, "sum": sum(x) + 3 * sum(y), **measure(a, b, rate)})
    print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")


def compare(options):
    import soundfile
    worst = {name: 0.0 for name in TOLERANCES}
    records = json.loads(options.compare.read_text())["results"]
    for record in records:
        a, rate = soundfile.read(record["input"])
        b, _ = soundfile.read(record["decoded"])
        for name, value in measure(a, b, rate).items():
            worst[name] = max(worst[name], abs(value - record[name]))
    print(json.dumps({"sounds": len(records), "largest_differences": worst, "tolerances": TOLERANCES}))
    if any(worst[name] > TOLERANCES[name] for name in worst):
        sys.exit("sound_metrics: a difference is above its tolerance")


def main():
    parser = argparse.ArgumentParser(description="Metrics of sound by trusted implementations.")
    parser.add_argument("--compare", type=pathlib.Path, metavar="FIGURES.json", help="of vqcodec compare --json")
    options = parser.parse_args()
    numpy.random.seed(1)  # pystoi adds noise of 1e-16
    compare(options) if options.compare else goldens()


if __name__ == "__main__":
    main()
