# SPDX-License-Identifier: Apache-2.0
"""What the oracles of pictures share: made-up pixels, and the form of the files of goldens."""
import json


def noise(y, x, c, seed):
    """Bits that depend on position and seed: a multiplicative hash of 32 bits."""
    mask = 0xFFFFFFFF
    h = (x * 374761393 + y * 668265263 + c * 2246822519 + seed * 3266489917) & mask
    h = ((h ^ (h >> 13)) * 1274126177) & mask
    return h ^ (h >> 16)


def print_goldens(goldens):
    parts = []
    for key, value in goldens.items():  # one case a line
        cases = isinstance(value, list) and ",\n ".join(map(json.dumps, value))
        parts.append(f'"{key}": ' + (f"[\n {cases}]" if cases else json.dumps(value)))
    print("{" + ",\n".join(parts) + "}")
