# SPDX-License-Identifier: Apache-2.0
"""goldens_test.py SOURCE_DIR TOKENS: the reference decoder reads every golden stream as the library does.

TOKENS is what `golden_streams FOLDER --tokens TOKENS` wrote. Prints what could not be compared and why.
"""
import json
import pathlib
import sys

from coding import Damaged, RangeDecoder
from decoder import SEQUENTIAL, Model, decode_payload, read_stream
from walk import decode_windows

CODINGS = {"uniform": 0, "adaptive": 1, "static": 2, "mixing": 3, "neural": 4, "table": 5, "blockwise": 6,
           "codeword": 7}
SALT = 8  # what golden_streams takes for the coding of all windows
SMALL = [4, 3]  # the factors that the tables of the goldens are of


def decode_golden(golden, goldens):
    data = (goldens / "streams" / (golden["name"] + ".bin")).read_bytes()
    shape, vocab = tuple(golden["shape"]), golden["vocab"]
    if golden["rows"]:
        return decode_rows(golden["rows"], vocab[0], data)
    tables = goldens / (golden["prior"] + ".tables")
    tables = tables.read_bytes() if tables.exists() else b""
    coding, factors = CODINGS[golden["prior"]], [SMALL] if vocab == [12] else []
    if golden["window"]:
        return decode_windows(SALT, SEQUENTIAL[coding], shape, vocab, factors, data, tables)
    return decode_payload(coding, shape, vocab, factors, data, tables)


def decode_rows(weights, width, data):
    """entropy/row_coder.h: a symbol for each row of weights."""
    coder, ids = RangeDecoder(data), []
    for at in range(0, len(weights), width):
        starts = [0]
        for weight in weights[at:at + width]:
            starts.append(starts[-1] + weight)
        ids.append(coder.decode(starts, starts[-1]))
    coder.finish()
    return ids


def check_streams(tokens, goldens):
    count = 0
    for line in tokens.read_text().splitlines():
        golden = json.loads(line)
        if decode_golden(golden, goldens) != golden["ids"]:
            yield f"{golden['name']}: other tokens"
        count += 1
    print(f"{count} golden streams of tokens")


def check_containers(folder):
    """Every flipped bit and every cut is refused, too."""
    paths = sorted(folder.glob("*.vqc"))
    for path in paths:
        data = path.read_bytes()
        read_stream(data)
        damaged = [data[:size] for size in range(len(data))] + [data + b"\0"]
        damaged += [data[:i // 8] + bytes((data[i // 8] ^ 1 << i % 8,)) + data[i // 8 + 1:] for i in range(8 * len(data))]
        for one in damaged:
            try:
                read_stream(one)
            except Damaged:
                continue
            yield f"{path.name}: damage is not refused"
    print(f"{len(paths)} golden files, with every flipped bit and every cut")


def check_models(golden, pretrained):
    """Whole files, whose tokens prove themselves by their check."""
    count = 0
    for path in sorted(golden.glob("*.vqc")):
        head, chunks = read_stream(path.read_bytes())
        for folder in pretrained.iterdir():
            model = Model(folder)
            if model.tables_for(head["key"]) is None:
                continue
            count += 1
            try:
                for chunk in chunks:
                    model.decode(head, chunk)
            except Damaged as reason:
                yield f"{path.name}: {reason}"
    print(f"{count} golden files of pretrained models")


def main(source, tokens):
    golden = pathlib.Path(source, "tests/golden/v1")
    wrong = list(check_streams(pathlib.Path(tokens), golden / "entropy"))
    wrong += check_containers(golden / "container")
    wrong += check_models(golden / "models", pathlib.Path(source, "models/pretrained"))
    print("\n".join(wrong) or "the reference decoder agrees")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
