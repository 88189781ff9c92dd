#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""safetensors_headers.py VERDICTS [COUNT [SEED]]: our reader of safetensors against the one in Rust, on random files.

VERDICTS is the program of tests/models/safetensors_verdicts.cc. Whatever ours accepts the other one accepts too, with as
many tensors. What only the other one accepts is refused by one of the rules in STRICTER, or is reported.
"""
import collections
import json
import random
import struct
import subprocess
import sys

from safetensors import deserialize

SIZES = {"U8": 1, "I8": 1, "U16": 2, "I16": 2, "U32": 4, "I32": 4, "U64": 8, "I64": 8, "F16": 2, "BF16": 2, "F32": 4,
         "F64": 8, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "C64": 8, "F4": 1, "F128": 16, "": 1, "f32": 4}
STRICTER = {  # part of our message: why
    "known are": "dtypes that no model here uses",
    "has other fields than": "fields beyond dtype, shape and data_offsets",
    "dimensions, the limit is": "more than 8 dimensions",
    "whole number": "numbers in other spellings, such as 1e2",
    "twice": "a key that stands twice",
    "deep": "more than 3 containers within each other",
    "the limit is 1024": "names beyond 1,024 bytes",
    "size overflows": "sides whose product overflows, beside a side of 0",
    "does not begin with a brace": "space before the header, which the format does not allow",
    "__metadata__ is no object": "__metadata__ that is null",
    "UTF-8": "bytes that are not UTF-8",
}
NAMES = ["a", "b", "layer.0.weight", "__metadata__", "", "\u00e9", "x" * 1030, "\u0000", "a\"b", "0"]
NUMBERS = [0, 1, 2, 3, 7, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -1, 1.0, 1.5, "1", None, True, []]


def tensors(rng):
    """A sound header of a few tensors, and the size of their data."""
    header, end = {}, 0
    for _ in range(rng.randrange(5)):
        dtype = rng.choice(list(SIZES)) if rng.random() < 0.2 else rng.choice(["F32", "F16", "U8", "I64"])
        shape = [rng.randrange(4) for _ in range(rng.randrange(10 if rng.random() < 0.1 else 4))]
        size = SIZES[dtype]
        for side in shape:
            size *= side
        name = rng.choice(NAMES) if rng.random() < 0.3 else f"t{len(header)}"
        if name == "__metadata__" or name in header:
            continue
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    if rng.random() < 0.3:
        header["__metadata__"] = {rng.choice(NAMES): rng.choice(["", "pt", "\u00e9"]) for _ in range(rng.randrange(3))}
    items = list(header.items())
    rng.shuffle(items)
    return dict(items), end


def spoil(rng, header):
    """One change of a value."""
    names = [name for name in header if name != "__metadata__"]
    if not names:
        header[rng.choice(NAMES)] = rng.choice(NUMBERS + [{}])
        return
    entry = header[rng.choice(names)]
    kind = rng.randrange(7)
    if not isinstance(entry, dict) or "shape" not in entry or not isinstance(entry.get("data_offsets"), list):
        return
    if kind == 0:
        entry["data_offsets"][rng.randrange(2)] = rng.choice(NUMBERS)
    elif kind == 1 and isinstance(entry["shape"], list):
        entry["shape"] = entry["shape"] + [rng.choice(NUMBERS)]
    elif kind == 2:
        entry["dtype"] = rng.choice([*SIZES, *NUMBERS[:3]])
    elif kind == 3:
        del entry[rng.choice(list(entry))]
    elif kind == 4:
        entry[rng.choice(["x", "Shape", ""])] = rng.choice(NUMBERS)
    elif kind == 5:
        entry["data_offsets"] = [one + rng.choice((-1, 1)) if isinstance(one, int) else one for one in entry["data_offsets"]]
    else:
        header["__metadata__"] = rng.choice([{"a": 1}, [], None, "x", {"a": None}, {"a": {"b": "c"}}])


def text_of(rng, header):
    text = json.dumps(header, ensure_ascii=rng.random() < 0.5, separators=rng.choice([(",", ":"), (", ", ": ")])).encode()
    kind = rng.randrange(12)
    if kind == 0 and text:  # any byte is another one
        at = rng.randrange(len(text))
        text = text[:at] + bytes((rng.randrange(256),)) + text[at + 1:]
    elif kind == 1:
        text += rng.choice([b" ", b"  ", b"\n", b"\0", b"x", b"{}", b","])
    elif kind == 2:
        text = rng.choice([b" ", b"\n", b"[", b""]) + text
    elif kind == 3:  # a key twice
        text = text[:-1] + (b"," if len(header) else b"") + b'"t0":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
    elif kind == 4 and b":[" in text:
        text = text.replace(b":[", rng.choice([b":[ ", b":[0", b":[-", b":[+", b":[1e0,"]), 1)
    return text


def random_file(rng):
    header, end = tensors(rng)
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        spoil(rng, header)
    text = text_of(rng, header)
    size = len(text) + (rng.choice((-1, 1, 8, 2**32, 2**63, -len(text))) if rng.random() < 0.08 else 0)
    data = end + (rng.choice((-1, 1, 8, -end)) if rng.random() < 0.08 else 0)
    file = struct.pack("<Q", size % 2**64) + text + bytes(max(data, 0))
    return file[:rng.randrange(len(file) + 1)] if rng.random() < 0.03 else file


def theirs(file):
    try:
        return f"ok {len(deserialize(file))}"
    except Exception as error:  # pylint: disable=broad-except
        return f"{type(error).__name__} {error}"


def main(verdicts, count=10000, seed=1):
    rng = random.Random(int(seed))
    files = [random_file(rng) for _ in range(int(count))]
    said = subprocess.run([verdicts], input=b"".join(struct.pack("<I", len(file)) + file for file in files),
                          capture_output=True, check=True).stdout.decode(errors="replace").split("\n")[:-1]
    assert len(said) == len(files), (len(said), len(files))
    counts, wrong = collections.Counter(), []
    for file, ours in zip(files, said):
        other = theirs(file)
        if ours.startswith("ok") or not other.startswith("ok"):
            agree = ours == other if ours.startswith("ok") else True
            counts["both accept" if ours.startswith("ok") else "both refuse"] += agree
            if not agree:
                wrong.append((file[:200], ours, other))
            continue
        rule = next((rule for part, rule in STRICTER.items() if part in ours), None)
        counts[f"only ours refuses: {rule}"] += 1
        if rule is None:
            wrong.append((file[:200], ours, other))
    for what, number in sorted(counts.items()):
        print(f"{number:7} {what}")
    for one in wrong[:20]:
        print("differs:", *one)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
