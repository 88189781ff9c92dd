# SPDX-License-Identifier: Apache-2.0
"""coverage.py SOURCE_DIR WORK [--jobs N] [--tests FILTER]: lines and branches of the readers of streams, coded tokens and weights that
their tests go through.

Builds base, container, entropy and the reader of safetensors with their tests, by gcc without optimisation and with
--coverage, runs the tests and reads what gcov counted. Branches that only an exception takes are left out: nearly every
call has one, and tests/codec/allocation_test.cc takes them. Prints a line for each folder and the lines that no test
reaches.
"""
import argparse
import collections
import concurrent.futures
import gzip
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys

SOURCES = ["base/base64.cc", "base/bytes.cc", "base/crc32c.cc", "base/json.cc", "base/parallel.cc", "base/printable.cc",
           "base/read_file.cc", "base/sha256.cc", "base/temporaries.cc", "base/write_file.cc", "codec/container/*.cc",
           "entropy/*.cc", "entropy/rans/*.cc", "models/safetensors.cc"]
TESTS = ["tests/codec/container/*_test.cc", "tests/entropy/*_test.cc", "tests/entropy/rans/*_test.cc",
         "tests/models/safetensors_test.cc", "tests/base/bytes_test.cc", "tests/base/json_test.cc"]
FOLDERS = {"codec/container": "container", "entropy": "entropy", "entropy/rans": "entropy",
           "models": "safetensors", "base": "base (bytes and JSON)"}
BASE = ("base/bytes.cc", "base/json.cc")
ISA = {"base/crc32c_sse42.cc": ["-msse4.2"], "entropy/neural_kernels_avx2.cc": ["-mavx2", "-mfma"],
       "entropy/rans/kernels_avx2.cc": ["-mavx2"], "entropy/rans/kernels_avx512.cc": ["-mavx512f", "-mavx512bw", "-mavx512vl"],
       "entropy/neural_kernels_avx512.cc": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512vnni"]}


def compile_one(source, work, file):
    name = str(file.relative_to(source))
    made = work / (name.replace("/", "__").removesuffix(".cc") + ".o")
    flags = ["--coverage"] if not name.startswith("tests/") else []
    command = ["g++", "-std=c++20", "-O0", "-w", *flags, *ISA.get(name, []), f"-I{source}", f'-DVQC_SOURCE_DIR="{source}"',
               "-c", str(file), "-o", str(made)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name}: {done.stderr[:2000]}")
    return made


def build(source, work, jobs):
    files = sorted(file for pattern in [*SOURCES, *TESTS] for file in source.glob(pattern))
    files.append(source / ("base/crc32c_sse42.cc" if platform.machine() == "x86_64" else "base/crc32c_sse42_stub.cc"))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        objects = list(pool.map(lambda file: str(compile_one(source, work, file)), files))
    subprocess.run(["g++", "--coverage", *objects, "-o", work / "tests", "-lgtest_main", "-lgtest", "-lcrypto", "-lpthread"],
                   check=True)


def counts_of(source, work):
    """{file: {line: [count, [branch counts]]}} of all objects."""
    counts = collections.defaultdict(dict)
    for data in work.glob("*.gcda"):
        subprocess.run(["gcov", "-b", "-c", "--json-format", data.name], cwd=work, check=True, capture_output=True)
    for path in work.glob("*.gcov.json.gz"):
        for file in json.loads(gzip.open(path).read())["files"]:
            name = os.path.relpath(os.path.join(work, file["file"]), source)
            for line in file["lines"]:
                known = counts[name].setdefault(line["line_number"], [0, {}])
                known[0] += line["count"]
                for at, branch in enumerate(one for one in line["branches"] if not one["throw"]):
                    key = (line.get("function_name"), at)
                    known[1][key] = known[1].get(key, 0) + branch["count"]
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--tests", default="*", help="as --gtest_filter")
    args = parser.parse_args()
    source, work = args.source.resolve(), args.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    build(source, work, args.jobs)
    if subprocess.run([work / "tests", "--gtest_brief=1", f"--gtest_filter={args.tests}"], cwd=work, stdout=subprocess.DEVNULL).returncode:
        sys.exit("the tests do not pass")
    sums, missed = collections.defaultdict(lambda: [0, 0, 0, 0]), []
    for name, lines in sorted(counts_of(source, work).items()):
        folder = FOLDERS.get(os.path.dirname(name))
        if folder is None or name.startswith("base/") and name not in BASE or not name.endswith((".cc", ".h")):
            continue
        total = sums[folder]
        gone = sorted(line for line, (count, _) in lines.items() if count == 0)
        total[0] += len(lines) - len(gone)
        total[1] += len(lines)
        total[2] += sum(count > 0 for _, branches in lines.values() for count in branches.values())
        total[3] += sum(len(branches) for _, branches in lines.values())
        if gone:
            missed.append(f"{name}: {' '.join(map(str, gone))}")
    for folder, (lines, all_lines, branches, all_branches) in sums.items():
        print(f"{folder}: lines {lines} of {all_lines}, {100 * lines / all_lines:.1f} %; branches {branches} of {all_branches}, "
              f"{100 * branches / max(all_branches, 1):.1f} %")
    print("not reached:", *missed, sep="\n  ")


if __name__ == "__main__":
    main()
