#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/actions/fast.json: what FAST's Python implementation makes of some chunks.

    pip install tokenizers==0.23.3 transformers==5.24.0 scipy==1.17.1 numpy
    tests/oracle/fast.py [--check]      # --check: compares with the file instead, and loads tokenizers of vqcodec

The steps are those of the processor that transformers loads for physical-intelligence/fast: scipy's dct, rounding,
characters from the least coefficient on, ByteLevelBPETokenizer with the whole range as initial alphabet. For --check,
which VQCODEC names the program for, that processor's tokenizer class reads what vqcodec wrote.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from scipy.fft import dct, idct
from tokenizers import ByteLevelBPETokenizer
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

GOLDEN = pathlib.Path(__file__).parents[1] / "golden/actions/fast.json"


def chunks(count, steps, dims, seed):
    """Smooth curves, some at their bounds, with values that float32 holds and text keeps."""
    random = np.random.default_rng(seed)
    walk = np.cumsum(random.normal(0, 0.25, (count, steps, dims)), 1) + random.normal(0, 0.5, (count, 1, dims))
    return np.round(np.clip(walk, -1, 1), 3)


def coefficients(values, scale):
    return np.around(dct(values, axis=1, norm="ortho") * scale).astype(int)


def text(row, least):
    return "".join(map(chr, np.maximum(row.flatten() - least, 0)))


def fit(values, scale, vocab):
    rounded = coefficients(values, scale)
    least, most = int(rounded.min()), int(rounded.max())
    bpe = ByteLevelBPETokenizer()
    trainer = BpeTrainer(vocab_size=vocab, min_frequency=2, show_progress=False, special_tokens=[],
                         initial_alphabet=[chr(i) for i in range(most - least + 1)], max_token_length=10000)
    bpe._tokenizer.train_from_iterator([text(row, least) for row in rounded], trainer=trainer)
    return bpe._tokenizer, least, most


def case(name, steps, dims, scale, vocab, seed):
    seen, fresh = chunks(200, steps, dims, seed), chunks(12, steps, dims, seed + 1)
    tokenizer, least, most = fit(seen, scale, vocab)
    rounded = np.minimum(coefficients(fresh, scale), most)
    return {"name": name, "steps": steps, "dims": dims, "scale": scale, "vocab": vocab, "min_token": least,
            "max_token": most, "fitted_to": seen.flatten().tolist(), "chunks": fresh.flatten().tolist(),
            "ids": [tokenizer.encode(text(row, least)).ids for row in rounded],
            "tokenizer": json.loads(tokenizer.to_str())}


def check(golden):
    """Tokenizers that vqcodec wrote load in transformers, and give back strings and from them the actions."""
    program = os.environ["VQCODEC"]
    for entry in golden:
        shape = (-1, entry["steps"], entry["dims"])
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/seen.npy", np.array(entry["fitted_to"], "float32").reshape(shape))
            for flags in ([], ["--byte-level"]):
                subprocess.run([program, "train", "action", "--data", f"robot={folder}/seen.npy", "--tokenizer", "fast",
                                "--chunk", str(entry["steps"]), "--stride", str(entry["steps"]), "--dims",
                                str(entry["dims"]), "--quantile", "0", "--scale", str(entry["scale"]), "--vocab",
                                str(entry["vocab"]), "-f", "-o", f"{folder}/model", *flags], check=True,
                               stderr=subprocess.DEVNULL)
                raw = pathlib.Path(f"{folder}/model/model.safetensors").read_bytes()
                size = int.from_bytes(raw[:8], "little")
                begin, end = json.loads(raw[8:8 + size])["tokenizer.json"]["data_offsets"]
                file = pathlib.Path(folder, "tokenizer.json")
                file.write_bytes(raw[8 + size + begin:8 + size + end])
                loaded = PreTrainedTokenizerFast(tokenizer_file=str(file), clean_up_tokenization_spaces=False)
                config = json.loads(pathlib.Path(folder, "model/card.json").read_text())["config"]
                chunks_left = np.array(entry["chunks"]).reshape(shape)
                for chunk, row in zip(chunks_left, coefficients(chunks_left, entry["scale"])):
                    kept = np.clip(row, config["min_token"], config["max_token"])
                    wanted = text(kept, config["min_token"])
                    got = loaded.decode(loaded(wanted)["input_ids"])
                    assert got == wanted, entry["name"]
                    found = np.array([ord(c) for c in got]).reshape(row.shape) + config["min_token"]
                    back = idct(found / config["scale"], axis=0, norm="ortho")
                    if (kept == row).all():
                        error = np.sqrt(((back - chunk) ** 2).mean())
                        assert error < 0.5 / config["scale"], (entry["name"], error)


def main():
    made = [case("10 x 7", 10, 7, 10, 320, 1), case("5 x 4 at scale 25", 5, 4, 25, 512, 3)]
    if "--check" not in sys.argv:
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(json.dumps(made, ensure_ascii=True, separators=(",", ":")) + "\n")
        return
    assert made == json.loads(GOLDEN.read_text()), "the golden file is not what the installed versions make"
    check(made)
    print("FAST agrees")


if __name__ == "__main__":
    main()
