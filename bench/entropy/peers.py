# SPDX-License-Identifier: Apache-2.0
"""Entropy coders of Python on the streams that `coders_bench --write FOLDER` left, as JSON lines.

    python3 bench/entropy/peers.py FOLDER [--rounds 3]

Needs numpy; constriction and torchac (which needs torch and builds itself at its first import) where they are there.
CPU time of the process, the least of all rounds; tables are built beforehand. torchac gets one distribution a symbol,
as its interface wants, on the first 2^16 symbols.
"""
import argparse
import json
import pathlib
import time

import numpy as np


def measured(encode, decode, rounds):
    times = [1e9, 1e9]
    for _ in range(rounds):
        start = time.process_time()
        coded = encode()
        times[0] = min(times[0], time.process_time() - start)
        start = time.process_time()
        decode(coded)
        times[1] = min(times[1], time.process_time() - start)
    return coded, times


def show(stream, coder, symbols, size, times, right):
    print(json.dumps({
        "stream": stream, "coder": coder, "symbols": symbols, "bits_per_symbol": round(8 * size / symbols, 4),
        "encode_msym_per_s": round(symbols / times[0] / 1e6, 2),
        "decode_msym_per_s": round(symbols / times[1] / 1e6, 2), "right": bool(right)}), flush=True)


def constriction_iid(name, ids, probabilities, rounds):
    import constriction

    coding = constriction.stream
    model = coding.model.Categorical(probabilities, perfect=False)
    symbols = ids.astype(np.int32)

    def encode():
        coder = coding.stack.AnsCoder()
        coder.encode_reverse(symbols, model)
        return coder.get_compressed()

    back = []

    def decode(coded):
        back[:] = [coding.stack.AnsCoder(coded).decode(model, len(symbols))]

    coded, times = measured(encode, decode, rounds)
    show(name, "constriction AnsCoder", len(symbols), coded.nbytes, times, (back[0] == symbols).all())


def torchac_iid(name, ids, probabilities, rounds):
    import torch
    import torchac

    some = torch.from_numpy(ids[:1 << 16].astype(np.int16))
    cdf = np.concatenate([[0], np.cumsum(probabilities)]) / probabilities.sum()
    entries = len(probabilities)
    scaled = np.floor(cdf * (65536 - entries)).astype(np.int64) + np.arange(entries + 1)
    row = torch.from_numpy(scaled.astype(np.uint16).astype(np.int32)).to(torch.int16)
    rows = row.expand(len(some), -1).contiguous()
    back = []

    def decode(coded):
        back[:] = [torchac.decode_int16_normalized_cdf(rows, coded)]

    coded, times = measured(lambda: torchac.encode_int16_normalized_cdf(rows, some), decode, rounds)
    show(name, "torchac, int16 cdf given", len(some), len(coded), times, (back[0] == some).all())


def constriction_rows(rounds):
    import constriction

    coding = constriction.stream
    random = np.random.default_rng(20240)
    rows = random.random((1 << 14, 1024), dtype=np.float32) ** 8 + 1e-4
    rows /= rows.sum(axis=1, keepdims=True)
    symbols = random.integers(0, 1024, len(rows)).astype(np.int32)
    family = coding.model.Categorical(perfect=False)

    def encode():
        coder = coding.queue.RangeEncoder()
        coder.encode(symbols, family, rows)
        return coder.get_compressed()

    back = []

    def decode(coded):
        back[:] = [coding.queue.RangeDecoder(coded).decode(family, rows)]

    coded, times = measured(encode, decode, rounds)
    show("rows1024", "constriction RangeEncoder, float32", len(rows), coded.nbytes, times, (back[0] == symbols).all())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()

    def attempt(what, *given):
        try:
            what(*given, args.rounds)
        except ImportError as missing:
            print(json.dumps({"coder": what.__name__, "skipped": str(missing)}), flush=True)

    for path in sorted(args.folder.glob("*.npy")):
        ids = np.load(path)
        probabilities = np.bincount(ids).astype(np.float64) + 1e-9
        probabilities /= probabilities.sum()
        attempt(constriction_iid, path.stem, ids, probabilities)
        if len(probabilities) <= 16384:
            attempt(torchac_iid, path.stem, ids, probabilities)
    attempt(constriction_rows)


if __name__ == "__main__":
    main()
