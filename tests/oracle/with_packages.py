#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""with_packages.py FOLDER PACKAGE... -- SCRIPT ARG...: runs the script with these packages of PyPI, kept in FOLDER."""
import os
import pathlib
import subprocess
import sys
import venv


def main():
    cut = sys.argv.index("--")
    folder, packages = pathlib.Path(sys.argv[1]), sys.argv[2:cut]
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin/pip", "install", "-q", *packages], check=True)
        (folder / "ready").touch()
    os.execv(folder / "bin/python", [str(folder / "bin/python"), *sys.argv[cut + 1:]])


if __name__ == "__main__":
    main()
