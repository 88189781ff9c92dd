# SPDX-License-Identifier: Apache-2.0
"""frozen.py ROOT: the goldens of version 1 of the format are those of the day on which it was frozen.

tests/golden/v1/SHA256SUMS lists files beside it. Its first LINES lines are those of that day, which neither change nor go; the
SHA-256 of these lines is FROZEN. What is added later may still change until it has a line behind them:
cd tests/golden/v1 && sha256sum container/new.vqc >> SHA256SUMS
"""
import hashlib
import pathlib
import sys

FOLDER, LIST = "tests/golden/v1", "SHA256SUMS"
LINES = 109
FROZEN = "89d68a0b6a46e00639744d8ab9e47b2473ce88415d035bc989090a94255cb2a6"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def problems(root, lines=LINES, frozen=FROZEN):
    folder = pathlib.Path(root, FOLDER)
    listed = (folder / LIST).read_bytes().splitlines(keepends=True)
    if len(listed) < lines or sha256(b"".join(listed[:lines])) != frozen:
        yield f"{FOLDER}/{LIST}: its first {lines} lines are not those with which version 1 was frozen"
    sums = dict(reversed(line.decode().rstrip("\n").split("  ", 1)) for line in listed)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {LIST}
    for name, digest in sums.items():
        if name not in there:
            yield f"{FOLDER}/{name}: is gone; files of version 1 are read for ever"
        elif sha256((folder / name).read_bytes()) != digest:
            yield f"{FOLDER}/{name}: is not what it was; the goldens of version 1 are never rewritten"


def main(root):
    found = list(problems(root))
    print("\n".join(found) or "the goldens of version 1 are as they were")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
