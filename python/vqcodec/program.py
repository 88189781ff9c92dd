# SPDX-License-Identifier: Apache-2.0
"""The program `vqcodec` of the wheel."""
import os
import pathlib
import sys


def main() -> None:
    program = pathlib.Path(__file__).parent / "bin" / "vqcodec"
    os.execv(program, [str(program), *sys.argv[1:]])
