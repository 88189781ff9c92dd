# SPDX-License-Identifier: Apache-2.0
"""The program `vqcodec` of the wheel."""
import os
import pathlib
import sys

PATH = str(pathlib.Path(__file__).parent / "bin" / "vqcodec")


def main() -> None:
    os.execv(PATH, [PATH, *sys.argv[1:]])
