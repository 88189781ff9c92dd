# SPDX-License-Identifier: Apache-2.0
"""Builds entropy/ alone in many ways and lets each code the golden streams: the bytes have to be the same always.

    python3 tests/entropy/determinism/matrix.py SOURCE_DIR BUILD_DIR [--full] [--only NAME]

By default: the compiler of $CXX (c++) at -O0 and with -ffast-math, with the portable code on one thread, AVX2 on two
and AVX-512 on eight (as far as the processor has them). --full: gcc and clang, as far as they are there, at -O0, -O2,
-O3, -O3 -march=native and -ffast-math, with AddressSanitizer and UBSan, and with ThreadSanitizer, each with every code on
1, 2 and 8 threads.
"""
import argparse
import concurrent.futures
import itertools
import os
import pathlib
import shutil
import subprocess
import sys

QUICK = {"O0": ["-O0"], "fast-math": ["-O2", "-ffast-math"]}
FULL = {
    "O0": ["-O0"],
    "O2": ["-O2"],
    "O3": ["-O3"],
    "native": ["-O3", "-march=native"],
    "fast-math": ["-O3", "-ffast-math"],
    "native-fast-math": ["-O3", "-march=native", "-ffast-math"],
    "sanitizers": ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    "races": ["-O1", "-g", "-fsanitize=thread"],
}
ISAS, THREADS = ("scalar", "avx2", "avx512"), (1, 2, 8)
BASE = ["beyond_limit.cc", "bytes.cc", "crc32c.cc", "crc32c_sse42.cc", "dynamic_part.cc", "parallel.cc"]
ISA_FLAGS = {"_avx2.cc": ["-mavx2"], "_avx512.cc": ["-mavx512f", "-mavx512bw", "-mavx512vl"],
             "_vnni.cc": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512vnni"], "_sse42.cc": ["-msse4.2"]}


def sources(root):
    yield root / "tests/entropy/determinism/golden_streams.cc"
    yield from (root / "base" / name for name in BASE)
    yield from sorted((root / "entropy").rglob("*.cc"))


def isa_flags(path):
    if os.uname().machine != "x86_64":
        return []
    return next((flags for end, flags in ISA_FLAGS.items() if path.name.endswith(end)), [])


def works(compiler, flags, folder):
    """Whether the compiler makes programs with these flags: the runtime of a sanitizer may be missing."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [compiler, *flags, "-x", "c++", "-", "-o", str(folder / "nothing")]
    return shutil.which(compiler) and subprocess.run(command, input=b"int main() {}", capture_output=True).returncode == 0


def build(root, folder, compiler, flags, pool):
    """The program, or an exception with what the compiler said."""
    folder.mkdir(parents=True, exist_ok=True)
    launcher = [shutil.which("ccache")] if shutil.which("ccache") else []
    objects, jobs = [], []
    for path in sources(root):
        made = folder / (path.relative_to(root).as_posix().replace("/", "_") + ".o")
        command = [*launcher, compiler, "-std=c++20", f"-I{root}", "-c", *flags, *isa_flags(path), str(path), "-o", str(made)]
        jobs.append(pool.submit(subprocess.run, command, check=True, stdin=subprocess.DEVNULL))
        objects.append(str(made))
    for job in jobs:
        job.result()
    program = folder / "golden_streams"
    subprocess.run([compiler, *flags, *objects, "-o", str(program), "-pthread"], check=True)
    return program


def run(program, root, isa, threads):
    """True if every stream came out right."""
    command = [str(program), str(root / "tests/golden/v1/entropy"), "--threads", str(threads)]
    done = subprocess.run(command, env={**os.environ, "VQCODEC_ISA": isa}, capture_output=True, text=True)
    print("   ", (done.stdout + done.stderr).strip().replace("\n", "\n    "), flush=True)
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", help="the builds of this name, e.g. races")
    args = parser.parse_args()
    root = args.source.resolve()
    compilers = ["g++", "clang++"] if args.full else [os.environ.get("CXX", "c++")]
    runs, failed = 0, []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for compiler in compilers:
            for name, flags in (FULL if args.full else QUICK).items():
                if args.only not in (None, name):
                    continue
                if not works(compiler, flags, args.build):
                    print(f"{compiler} {' '.join(flags)} makes no programs here: skipped", flush=True)
                    continue
                print(f"{compiler} {' '.join(flags)}", flush=True)
                program = build(root, args.build / f"{pathlib.Path(compiler).name}-{name}", compiler, flags, pool)
                for isa, threads in itertools.product(ISAS, THREADS) if args.full else zip(ISAS, THREADS):
                    runs += 1
                    if not run(program, root, isa, threads):
                        failed.append(f"{compiler} {name} {isa} {threads}")
    print(f"{runs} runs, {len(failed)} with a mismatch" + "".join(f"\n  {one}" for one in failed))
    return 1 if failed or runs == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
