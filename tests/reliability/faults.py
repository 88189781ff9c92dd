# SPDX-License-Identifier: Apache-2.0
"""faults.py PROGRAM PARTS WORK [--every N]: system calls fail, or the program is killed at them, one run for each.

For each command below and each of its system calls on files: ENOSPC, EIO (and EINTR where a call may give it), by the
fault injection of strace, and SIGKILL where it writes. After a fault the program has ended by itself; its output is
whole, with exit status 0, or is not there, with another status and one line that says why; nothing else is left in the
folder. After a kill the output is whole or not there, and the next run completes it. --every takes each N-th call.
"""
import argparse
import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys

from fake_model import write_models

WRITES = ("write", "pwrite64", "fsync", "fchmod", "rename", "renameat", "renameat2", "linkat", "unlinkat", "ftruncate",
          "mkdir")
READS = ("openat", "read", "fstat", "newfstatat", "close", "lseek", "mmap", "getdents64")
ERRORS = {name: ("EIO", "ENOSPC") for name in WRITES} | {name: ("EIO",) for name in READS}
ERRORS |= {"write": ("EIO", "ENOSPC", "EINTR"), "read": ("EIO", "EINTR"), "mmap": ("ENOMEM",), "openat": ("EIO", "EMFILE")}


class Bench:
    def __init__(self, program, parts, work):
        self.program, self.work = program, pathlib.Path(work)
        shutil.rmtree(self.work, ignore_errors=True)
        (self.work / "in").mkdir(parents=True)
        write_models(self.work / "models")
        self.environment = {**os.environ, "VQCODEC_PARTS": parts, "VQCODEC_MODELS": str(self.work / "models")}
        picture = bytes(i * 37 % 251 for i in range(40 * 24 * 3))
        (self.work / "in/a.ppm").write_bytes(b"P6\n40 24\n255\n" + picture)
        sound = b"".join((i * 91 % 20000).to_bytes(2, "little") for i in range(24000))
        (self.work / "in/a.raw").write_bytes(sound)

    def run(self, arguments, inject=None):
        shutil.rmtree(self.work / "out", ignore_errors=True)
        (self.work / "out").mkdir()
        return self.again(arguments, inject)

    def again(self, arguments, inject=None, trace=None):
        command = [self.program, *arguments]
        if inject or trace:
            command = ["strace", "-f", "-qq", "-o", trace or "/dev/null", *(["-e", inject] if inject else []), *command]
        return subprocess.run(command, cwd=self.work, env=self.environment, capture_output=True, timeout=120)

    def output(self, name):
        path = self.work / "out" / name
        return path.read_bytes() if path.exists() else None

    def left(self, name):
        return sorted(path.name for path in (self.work / "out").iterdir() if path.name != name)


def calls_of(bench, arguments):
    """How often each system call is made."""
    trace = str(bench.work / "trace")
    bench.run(arguments)
    shutil.rmtree(bench.work / "out")
    (bench.work / "out").mkdir()
    bench.again(arguments, trace=trace)
    counts = collections.Counter()
    for line in open(trace, errors="replace"):
        name = re.match(r"\d+ +(\w+)\(", line)
        if name:
            counts[name[1]] += 1
    return counts


def check_fault(bench, arguments, name, whole, inject):
    """What is wrong; None where nothing is."""
    done = bench.run(arguments, inject)
    text = done.stderr.decode(errors="replace")
    if done.returncode < 0 or done.returncode >= 128:
        return f"ended by a signal: {done.returncode} {text}"
    if name is None:  # of a model that cannot be read, info says that it is not here
        said = done.returncode or done.stdout == whole or b"not here" in done.stdout
        return None if said else "another answer with exit status 0"
    found = bench.output(name)
    if bench.left(name):
        return f"left behind: {bench.left(name)}"
    if done.returncode == 0:
        return None if found == whole else "exit status 0 without the whole output"
    # A folder that could not be stored is said after the rename: then the output is whole.
    if found is not None and found != whole:
        return "a part of the output"
    return None if text.strip() else f"exit status {done.returncode} without a word"


def check_kill(bench, arguments, name, whole, inject):
    done = bench.run(arguments, inject)
    if done.returncode not in (-9, 137, 0):
        return f"exit status {done.returncode}"
    if bench.output(name) not in (None, whole):
        return "a part of the output"
    done = bench.again([*arguments, "--force"])
    return None if done.returncode == 0 and bench.output(name) == whole else "the next run does not complete it"


def sweep(bench, arguments, name, every):
    done = bench.run(arguments)
    if done.returncode:
        sys.exit(f"{arguments}: {done.stderr.decode()}")
    whole = bench.output(name) if name else done.stdout
    counts, points, wrong, n = calls_of(bench, arguments), collections.Counter(), [], 0
    for call, count in sorted(counts.items()):
        for at in range(1, count + 1):
            n += 1
            if n % every:
                continue
            for error in ERRORS.get(call, ()):
                points["faults"] += 1
                inject = f"inject={call}:error={error}:when={at}"
                if problem := check_fault(bench, arguments, name, whole, inject):
                    wrong.append(f"{' '.join(arguments)}, {inject}: {problem}")
            if name and call in WRITES:
                points["kills"] += 1
                inject = f"inject={call}:signal=SIGKILL:when={at}"
                if problem := check_kill(bench, arguments, name, whole, inject):
                    wrong.append(f"{' '.join(arguments)}, {inject}: {problem}")
    print(f"{' '.join(arguments)}: {points['faults']} faults, {points['kills']} kills, {len(wrong)} wrong", flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("parts")
    parser.add_argument("work")
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    if not shutil.which("strace") or subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode:
        print("strace is not here or may not trace: skipped")
        return 77
    bench, wrong = Bench(args.program, args.parts, args.work), []
    sound = ["encode", "in/a.raw", "--format", "s16le", "--rate", "24000", "-o", "out/a.vqc", "-q"]
    wrong += sweep(bench, ["encode", "in/a.ppm", "-o", "out/a.vqc", "-q"], "a.vqc", args.every)
    shutil.copy(bench.work / "out/a.vqc", bench.work / "in/picture.vqc")
    wrong += sweep(bench, ["decode", "in/picture.vqc", "-o", "out/a.ppm", "-q"], "a.ppm", args.every)
    wrong += sweep(bench, ["info", "in/picture.vqc"], None, args.every)
    wrong += sweep(bench, sound, "a.vqc", args.every)
    shutil.copy(bench.work / "out/a.vqc", bench.work / "in/sound.vqc")
    wrong += sweep(bench, ["decode", "in/sound.vqc", "-o", "out/a.wav", "-q"], "a.wav", args.every)
    print("\n".join(wrong) or "every output is whole or not there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
