#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""install_and_test.py SOURCE PROGRAM TEST: installs the package of the source tree into this environment, and runs a
test of this folder, which compares it with the program."""
import os
import pathlib
import subprocess
import sys
import tempfile


def main():
    source, program, test = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    python = pathlib.Path(sys.executable)
    environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"}
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-build-isolation", "--no-deps",
                    f"--config-settings=build-dir={python.parent.parent.parent / 'python-build'}", str(source)], check=True,
                   env=environment)
    with tempfile.TemporaryDirectory() as elsewhere:
        os.chdir(elsewhere)
        environment.update(VQC_PROGRAM=program, VQC_SAMPLES=str(source / "data/samples"))
        for name in ("VQCODEC_PARTS", "VQCODEC_MODELS"):
            environment.pop(name, None)
        sys.exit(subprocess.run([python, source / "tests/python" / test], env=environment).returncode)


if __name__ == "__main__":
    main()
