# SPDX-License-Identifier: Apache-2.0
"""coverage.py SOURCE_DIR WORK [--jobs N] [--tests FILTER]: lines and branches of the readers of streams, coded tokens, weights
and manifests of data sets that their tests go through.

Builds them with their tests, by clang with source-based coverage, runs the tests and reads what llvm-cov counted: lines with
code, and both outcomes of every condition in them (what an exception does is no condition; tests/codec/allocation_test.cc
takes those ways). Prints a line for each part, then for each file the lines that no test reaches and, in parentheses,
those with an outcome that never came. Code for instructions that this processor lacks is left out.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import platform
import shutil
import subprocess
import sys

BASE = ["base64", "beyond_limit", "bytes", "crc32c", "dynamic_part", "json", "make_folders", "mapped_file", "npy", "parallel",
        "printable", "read_file", "sha256", "temporaries", "write_file"]
NETWORKS = {"medium.cc", "pipeline.cc", "restore.cc", "tokenize_set.cc"}  # of data/tokens: they need models
SOURCES = [*(f"base/{name}.cc" for name in BASE), "codec/container/*.cc", "entropy/*.cc", "entropy/rans/*.cc",
           "base/safetensors.cc", "base/safetensors_header.cc", "base/tensor_file.cc", "data/tokens/*.cc"]
TESTS = ["tests/codec/container/*_test.cc", "tests/entropy/*_test.cc", "tests/entropy/rans/*_test.cc",
         "tests/base/safetensors_test.cc", "tests/base/tensor_file_test.cc", "tests/base/bytes_test.cc", "tests/base/json_test.cc",
         "tests/data/tokens/*_test.cc"]
PARTS = {"container": ["codec/container/"], "entropy": ["entropy/"], "safetensors": ["base/safetensors"],
         "manifest": ["data/tokens/journal.", "data/tokens/token_set."], "bytes and JSON": ["base/bytes.", "base/json."]}
ISA = {"base/crc32c_sse42.cc": ["-msse4.2"], "entropy/neural_kernels_avx2.cc": ["-mavx2", "-mfma"],
       "entropy/rans/kernels_avx2.cc": ["-mavx2"], "entropy/rans/kernels_avx512.cc": ["-mavx512f", "-mavx512bw", "-mavx512vl"],
       "entropy/neural_kernels_avx512.cc": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512vnni"]}
NEEDS = {"avx512.cc": "avx512_vnni"}  # files that run only on some processors, and the flag of those in /proc/cpuinfo
COUNTED = ["-fprofile-instr-generate", "-fcoverage-mapping"]


def compile_one(source, work, file):
    name = str(file.relative_to(source))
    made = work / (name.replace("/", "__").removesuffix(".cc") + ".o")
    counted = COUNTED if not name.startswith("tests/") else []
    command = ["clang++", "-std=c++20", "-O1", "-w", *counted, *ISA.get(name, []), f"-I{source}", f'-DVQC_SOURCE_DIR="{source}"',
               "-c", str(file), "-o", str(made)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name}: {done.stderr[:2000]}")
    return made


def build(source, work, jobs):
    files = sorted(file for pattern in [*SOURCES, *TESTS] for file in source.glob(pattern)
                   if file.parent.name != "tokens" or file.name not in NETWORKS)
    files.append(source / ("base/crc32c_sse42.cc" if platform.machine() == "x86_64" else "base/crc32c_sse42_stub.cc"))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        objects = list(pool.map(lambda file: str(compile_one(source, work, file)), files))
    subprocess.run(["clang++", *COUNTED, *objects, "-o", work / "tests", "-lgtest_main", "-lgtest", "-lcrypto", "-ldl", "-lpthread"],
                   check=True)


def counts_of(source, work):
    """{file: ({line: count}, [(line, count) of each outcome])}."""
    subprocess.run(["llvm-profdata", "merge", "-o", work / "counts", work / "raw"], check=True)
    text = subprocess.run(["llvm-cov", "export", "-format=lcov", f"-instr-profile={work / 'counts'}", work / "tests"], check=True,
                          capture_output=True, text=True).stdout
    counts, name = {}, ""
    for line in text.splitlines():
        kind, _, value = line.partition(":")
        if kind == "SF":
            name = os.path.relpath(value, source)
            counts[name] = ({}, [])
        elif kind == "DA":
            at, count = value.split(",")
            counts[name][0][int(at)] = int(count)
        elif kind == "BRDA":
            at, _, _, count = value.split(",")
            counts[name][1].append((int(at), 0 if count == "-" else int(count)))
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
    if subprocess.run([work / "tests", "--gtest_brief=1", f"--gtest_filter={args.tests}"], cwd=work, stdout=subprocess.DEVNULL,
                      env={**os.environ, "LLVM_PROFILE_FILE": str(work / "raw")}).returncode:
        sys.exit("the tests do not pass")
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    beyond = tuple(end for end, flag in NEEDS.items() if flag not in flags)
    sums, missed = collections.defaultdict(lambda: [0, 0, 0, 0]), []
    for name, (lines, outcomes) in sorted(counts_of(source, work).items()):
        part = next((part for part, names in PARTS.items() if name.startswith(tuple(names))), None)
        if part is None or name.endswith(beyond):
            continue
        gone = sorted(line for line, count in lines.items() if count == 0)
        never = sorted({line for line, count in outcomes if count == 0} - set(gone))
        for i, count in enumerate((len(lines) - len(gone), len(lines), sum(count > 0 for _, count in outcomes), len(outcomes))):
            sums[part][i] += count
        if gone or never:
            missed.append(f"{name}: {' '.join(map(str, gone))} ({' '.join(map(str, never))})")
    for part, (lines, all_lines, outcomes, all_outcomes) in sums.items():
        print(f"{part}: lines {lines} of {all_lines}, {100 * lines / all_lines:.1f} %; branches {outcomes} of {all_outcomes}, "
              f"{100 * outcomes / max(all_outcomes, 1):.1f} %")
    print("not reached:", *missed, sep="\n  ")


if __name__ == "__main__":
    main()
