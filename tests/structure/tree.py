# SPDX-License-Identifier: Apache-2.0
"""The files of the tree and what they include, for the checks beside this file."""
import os
import re

SOURCE_FOLDERS = ("apps", "base", "bench", "codec", "data", "entropy", "eval", "examples", "models", "python",
                  "quantizers", "tests", "tokenizers", "training")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def files(root, extensions):
    """Paths below the source folders and scripts/, cmake/, .ci/ and the root, relative to it and sorted."""
    found = [name for name in os.listdir(root) if os.path.isfile(os.path.join(root, name))]
    for folder in SOURCE_FOLDERS + ("cmake", "scripts", ".ci"):
        for where, folders, names in os.walk(os.path.join(root, folder)):
            folders[:] = [name for name in folders if name != "__pycache__"]
            found += [os.path.relpath(os.path.join(where, name), root) for name in names]
    return sorted(name for name in found if name.endswith(tuple(extensions)))


def includes(root, path):
    """(quoted, name) of every include of the file."""
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return [(mark == '"', name) for mark, name in INCLUDE.findall(file.read())]
