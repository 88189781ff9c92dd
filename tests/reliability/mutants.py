# SPDX-License-Identifier: Apache-2.0
"""mutants.py SOURCE_DIR WORK [--count N] [--seed N] [--jobs N]: are the tests of the container good enough?

Builds base, the container and its tests, once, in WORK. Then it changes one thing at a time in the files of
codec/container that read streams (a comparison, a constant, an operator, a condition, a statement left out), builds that
file anew and runs the tests: a mutant that all tests pass has survived, and is printed. Mutants that do not compile are
left out, those that take five times the processor's time that the tests take, or 2 GiB of memory, are killed. At least
90 of 100 have to be.
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys

READERS = ["v1_parts.cc", "v1_read.cc", "v1_salvage.cc", "v1_live.cc", "versions.cc"]
BASE = ["beyond_limit", "bytes", "crc32c", "printable", "sha256", "temporaries", "write_file", "read_file"]
TESTS = ["containment_test", "damage_test", "fields_test", "golden_test", "live_test", "salvage_test", "stream_test"]
SLOW = "Damage.*:Containment.*"  # after the others, which most mutants do not get through
SWAPS = {"==": ["!="], "!=": ["=="], "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"],
         "&&": ["||"], "||": ["&&"], " + ": [" - "], " - ": [" + "], " * ": [" + "], " / ": [" * "], " % ": [" / "],
         "+=": ["-="], "-=": ["+="], "true": ["false"], "false": ["true"], "++": ["--"]}
TOKEN = re.compile(r"\+\+|\+=|-=|==|!=|<=|>=|&&|\|\|| [-+*/%] |(?<=\s)[<>](?=\s)|\btrue\b|\bfalse\b|\b\d+\b")
STATEMENT = re.compile(r"^\s+(?!return\b|const\b|auto\b|using\b)[\w.\->\[\]()*]+(\(.*\)| [-+]?= .*|\+\+);$")
GUARD = re.compile(r"^\s+(\} else )?if \((?!const|auto)")
FLAGS = ["-std=c++20", "-O0", "-g0"]  # of mutants, which are compiled often; what is compiled once is optimised


def code_of(line):
    """Without comments and texts, at the same columns."""
    line = re.sub(r'"(\\.|[^"\\])*"', lambda text: " " * len(text[0]), line)
    return re.sub(r"//.*", lambda text: " " * len(text[0]), line)


def closing(code, at):
    """Where the parenthesis that is opened at `at` is closed; None on another line."""
    depth = 0
    for i in range(at, len(code)):
        depth += (code[i] == "(") - (code[i] == ")")
        if depth == 0:
            return i
    return None


def mutants_of(name, text):
    lines = text.split("\n")
    for at, line in enumerate(lines):
        code = code_of(line)
        if line.startswith(("#", "using", "template", "Result<", "Status ")):
            continue
        for found in TOKEN.finditer(code):
            old = found[0]
            if old in (" + ", "+=") and ('"' in line or "to_string" in line):  # of texts
                continue
            for new in SWAPS.get(old, [str(int(old) + 1)] if old.isdigit() else []):
                changed = line[:found.start()] + new + line[found.end():]
                yield name, at, "\n".join([*lines[:at], changed, *lines[at + 1:]]), changed.strip()
        if STATEMENT.match(code):
            yield name, at, "\n".join([*lines[:at], *lines[at + 1:]]), "left out: " + line.strip()
        if GUARD.match(code) and (end := closing(code, code.index("if (") + 3)):
            for value in ("true", "false"):
                changed = f"{line[:code.index('if (')]}if ({value}{line[end:]}"
                yield name, at, "\n".join([*lines[:at], changed, *lines[at + 1:]]), changed.strip()


class Bench:
    def __init__(self, source, work):
        self.source, self.work = pathlib.Path(source).resolve(), pathlib.Path(work).resolve()
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        container = self.source / "codec/container"
        files = [self.source / f"base/{name}.cc" for name in BASE] + sorted(container.glob("*.cc"))
        files += [self.source / f"tests/codec/container/{name}.cc" for name in TESTS]
        if os.uname().machine == "x86_64":
            self.compile(self.source / "base/crc32c_sse42.cc", self.work / "crc32c_sse42.o", ["-O1", "-msse4.2"])
        else:
            files.append(self.source / "base/crc32c_sse42_stub.cc")
        for file in files:
            if not self.compile(file, self.object_of(file.name), ["-O1"]):
                sys.exit(f"{file} does not compile")
        tests = self.work / "tests"
        if not self.link(tests, []):
            sys.exit("the tests cannot be linked")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        if not self.passes(tests, 600):
            sys.exit("the tests do not pass as they are")
        self.seconds = 2 + int(5 * (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before))

    def object_of(self, name):
        return self.work / (name.removesuffix(".cc") + ".o")

    def compile(self, file, to, flags=()):
        command = ["g++", *FLAGS, *flags, "-w", f"-I{self.source}", f'-DVQC_SOURCE_DIR="{self.source}"', "-c", str(file), "-o",
                   str(to)]
        return subprocess.run(command, capture_output=True).returncode == 0

    def link(self, to, instead):
        objects = {path.name: str(path) for path in self.work.glob("*.o")} | {path.name: str(path) for path in instead}
        command = ["g++", *objects.values(), "-o", str(to), "-lgtest_main", "-lgtest", "-lcrypto", "-lpthread"]
        return subprocess.run(command, capture_output=True).returncode == 0

    def passes(self, tests, seconds):
        environment = {**os.environ, "VQC_DAMAGES": "300"}

        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))

        return all(subprocess.run([tests, "--gtest_brief=1", "--gtest_fail_fast", f"--gtest_filter={some}"],
                                  capture_output=True, env=environment, preexec_fn=limit).returncode == 0
                   for some in ("*-" + SLOW, SLOW))

    def try_mutant(self, number, mutant):
        """None where it does not compile, else whether it was killed."""
        name, _, text, _ = mutant
        folder = self.work / f"mutant-{number}"
        folder.mkdir()
        (folder / name).write_text(text)
        made = folder / self.object_of(name).name
        try:
            if not self.compile(folder / name, made) or not self.link(folder / "tests", [made]):
                return None
            return not self.passes(folder / "tests", self.seconds)
        finally:
            shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("work")
    parser.add_argument("--count", type=int, default=0, help="so many mutants, chosen at random; all without it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    bench = Bench(args.source, args.work)
    mutants = [one for name in READERS
               for one in mutants_of(name, (bench.source / "codec/container" / name).read_text())]
    if args.count:
        random.Random(args.seed).shuffle(mutants)
        del mutants[args.count:]
    killed = tried = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for mutant, dead in zip(mutants, pool.map(lambda one: bench.try_mutant(*one), enumerate(mutants))):
            if dead is None:
                continue
            tried += 1
            killed += dead
            if not dead:
                print(f"survived: {mutant[0]}:{mutant[1] + 1}: {mutant[3]}", flush=True)
    print(f"{killed} of {tried} mutants killed, {100 * killed / max(tried, 1):.1f} %")
    return 0 if killed >= 0.9 * tried else 1


if __name__ == "__main__":
    sys.exit(main())
