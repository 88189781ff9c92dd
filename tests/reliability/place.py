# SPDX-License-Identifier: Apache-2.0
"""What the programs of this folder have in common: their arguments, and the folder that they run vqcodec in."""
import argparse
import os
import pathlib
import shutil
import subprocess

from fake_model import write_models


def read_arguments(doc, **numbers):
    """PROGRAM, PARTS and WORK as absolute paths, and an option --NAME for each of the numbers, which are the defaults."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("parts", type=os.path.abspath)
    parser.add_argument("work", type=lambda text: pathlib.Path(text).resolve())
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


class Place:
    """WORK, made anew, with the models of fake_model.py in it, which the program takes for its own."""

    def __init__(self, args):
        self.program, self.work = args.program, args.work
        shutil.rmtree(self.work, ignore_errors=True)
        write_models(self.work / "models")
        self.environment = {**os.environ, "VQCODEC_PARTS": args.parts, "VQCODEC_MODELS": str(self.work / "models")}

    def call(self, *words, **options):
        return subprocess.run([self.program, *words], **{"cwd": self.work, "env": self.environment, "capture_output": True,
                                                         "text": True, "stdin": subprocess.DEVNULL, **options})
