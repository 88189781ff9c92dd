# SPDX-License-Identifier: Apache-2.0
"""include_direction.py ROOT: a folder includes only folders of a lower level, and a library's headers are seen
only in the folders that own it (docs/architecture.md, "Folders and levels")."""
import os
import sys

import tree

LEVELS = {
    "base": 0,
    "entropy": 1, "codec/container": 1, "data/media": 1, "data/tables": 1, "quantizers/search": 1,
    "quantizers": 2,
    "models": 3,
    "tokenizers": 4,
    "codec": 5, "data": 5, "data/actions": 5, "eval": 5,
    "data/tokens": 6, "training": 6,
    "apps": 7, "bench": 7, "tests": 7, "examples": 7, "python": 7,
}

# Prefix of an included header: the folders that may see it. A folder ending in .cc may see it in sources only.
LIBRARIES = {
    ("torch/", "ATen/", "c10/"): {"quantizers", "models", "training", "tokenizers.cc", "eval.cc", "tests.cc", "bench.cc"},
    ("cuda",): {"quantizers/search.cu", "quantizers/search.cuh", "base.cu", "base.cuh", "entropy.cu", "bench.cu"},
    ("opencv2/", "png.h", "jpeglib.h", "libav", "sndfile", "soxr"): {"data/media"},
    ("hdf5.h",): {"data/actions"},
    ("zstd.h",): {"codec", "codec/container", "data/tables", "bench.cc"},
    ("zlib.h",): {"data/tables"},
    ("openssl/",): {"base"},
    ("CLI/",): {"apps", "bench.cc"},
    ("gtest/", "gmock/"): {"tests"},
    ("benchmark/",): {"bench"},
    ("nanobind/",): {"python"},
}


def folder_of(path):
    """The longest folder of the table that holds the path, or None."""
    parts = path.split("/")[:-1]
    for count in range(len(parts), 0, -1):
        if "/".join(parts[:count]) in LEVELS:
            return "/".join(parts[:count])
    return None


def may_include(folder, target):
    return folder == target or LEVELS[target] < LEVELS[folder]


def problems(root):
    for path in tree.files(root, (".h", ".cc", ".cu", ".cuh")):
        folder = folder_of(path)
        if folder is None or folder == "examples":
            continue
        extension = os.path.splitext(path)[1]
        for quoted, name in tree.includes(root, path):
            if quoted:
                target = folder_of(name)
                if target is None or not os.path.exists(os.path.join(root, name)):
                    yield f'{path}: "{name}" is not a path from the root of the tree'
                elif not may_include(folder, target):
                    yield (f"{path}: includes {name}, but {folder}/ (level {LEVELS[folder]}) may include only folders "
                           f"below its level, and {target}/ has level {LEVELS[target]}")
            for prefixes, allowed in LIBRARIES.items():
                if not quoted and name.startswith(prefixes) and not {folder, folder + extension} & allowed:
                    yield f"{path}: includes <{name}>, which only {', '.join(sorted(allowed))} may"


def main(root):
    found = list(problems(root))
    print("\n".join(found) or "every include points downwards")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
