# SPDX-License-Identifier: Apache-2.0
"""Pictures of two folders, paired by name without ending."""
import os


def by_stem(folder):
    return {os.path.splitext(name)[0]: os.path.join(folder, name) for name in sorted(os.listdir(folder))}


def pairs(originals, folder):
    """(stem, path of the original, path in the folder) of those that are in both; ends the program where none is."""
    known = by_stem(originals)
    found = [(stem, known[stem], path) for stem, path in by_stem(folder).items() if stem in known]
    if not found:
        raise SystemExit(f"{folder} has no picture with the name of one in {originals}")
    return found
