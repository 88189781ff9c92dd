# SPDX-License-Identifier: Apache-2.0
"""static_levels.py TRAIN TEST: bits a token that one static table for each level would take.

    vqcodec tokenize TRAINING -o train -m speech-rvq --format npy
    vqcodec tokenize CLIPS -o test -m speech-rvq --format npy
    python3 bench/entropy/static_levels.py train test

TRAIN and TEST are sets of tokens of `vqcodec tokenize --format npy`, of sound. A table has the counts of one level's tokens in
TRAIN, with a half, one or two added to each, whichever suits TEST best; what it takes is its cross-entropy on TEST. Needs numpy.
"""
import json
import pathlib
import sys

import numpy as np


def levels_of(folder):
    """[levels, tokens]: all items of the set behind one another."""
    items = []
    for path in sorted(pathlib.Path(folder).glob("[0-9]*.npy")):
        ids = np.load(path)
        for line in path.with_suffix(".items.jsonl").read_text().splitlines():
            item = json.loads(line)
            _, frames, levels = item["shape"]
            items.append(ids[item["offset"]:item["offset"] + frames * levels].reshape(frames, levels))
    return np.concatenate(items).T


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    train, test = map(levels_of, sys.argv[1:])
    vocabulary = json.loads((pathlib.Path(sys.argv[1]) / "plan.json").read_text())["vocab"]
    bits = []
    for level, (known, new) in enumerate(zip(train, test, strict=True)):
        counts = np.bincount(known, minlength=vocabulary[level])
        tables = [(counts + added) / (counts + added).sum() for added in (0.5, 1, 2)]
        bits.append(min(float(-np.log2(table[new]).mean()) for table in tables))
        print(f"levels 1 to {level + 1}: {np.mean(bits):.3f} bits a token")


if __name__ == "__main__":
    main()
