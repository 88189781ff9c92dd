#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""campaign.py BUILD SECONDS [--jobs N] [--mutations N] [--valgrind] [TARGET...]: fuzzes for a while, and a line of
docs/campaigns.csv for each target.

BUILD is the folder of a build with tests, of the preset core (driver.cc: random damage, fast) or fuzz (libFuzzer: guided by
coverage, under AddressSanitizer and UBSan); its seeds are made if need be. Every target runs for SECONDS, in as many
processes as jobs, each with seeds of its own. What fails is left in BUILD/campaign/TARGET-JOB. --valgrind, of a build without
sanitizers, also finds memory that is used before it is written.
"""
import argparse
import datetime
import os
import pathlib
import re
import resource
import subprocess
import sys

SEEDS = {"container": "stream", "decode": "stream"}  # the others have seeds of their own name


def command_of(args, folder, program, seeds, guided, job):
    if guided:
        (folder / "corpus").mkdir(exist_ok=True)
        return [program, "corpus", seeds, f"-max_total_time={args.seconds}", f"-seed={job + 1}", "-timeout=30"]
    valgrind = ["valgrind", "-q", "--error-exitcode=9"] if args.valgrind else []
    return [*valgrind, program, "--mutations", str(args.mutations), "--seconds", str(args.seconds), "--seed", str(job + 1), seeds]


def run(args, name, build):
    """Executions, how many of them decoded a whole file where the target counts that, whether all ended well, ..."""
    program, seeds = build / "bin" / f"fuzz_{name}", build / "tests/fuzz/seeds" / SEEDS.get(name, name)
    guided = "-fsanitize=fuzzer" in (build / "build.ninja").read_text()
    processes = []
    for job in range(args.jobs):
        folder = build / "campaign" / f"{name}-{job}"
        folder.mkdir(parents=True, exist_ok=True)
        log = open(folder / "log", "w")
        processes.append((folder, subprocess.Popen(command_of(args, folder, program, seeds, guided, job), cwd=folder,
                                                   stdout=log, stderr=subprocess.STDOUT)))
    executions, decoded, sound = 0, 0, True
    for folder, process in processes:
        sound &= process.wait() == 0
        log = (folder / "log").read_text(errors="replace")
        counts = re.findall(r"^Done (\d+) runs|, (\d+) executions$|^#(\d+)\t", log, re.M)
        decoded += sum(map(int, re.findall(r"^(\d+) decoded to their end$", log, re.M)))
        executions += max((int("".join(one)) for one in counts), default=0)
    engine = "libFuzzer" if guided else "driver.cc" + " under valgrind" * args.valgrind
    return executions, decoded, sound, len(list(seeds.iterdir())), engine


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("seconds", type=int)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--mutations", type=int, default=200)
    parser.add_argument("--valgrind", action="store_true")
    args = parser.parse_intermixed_args()
    build = args.build.resolve()
    if not (build / "tests/fuzz/seeds").exists():
        subprocess.run([build / "bin/fuzz_seeds", build / "tests/fuzz/seeds"], check=True)
    targets = args.targets or sorted(path.name.removeprefix("fuzz_") for path in (build / "bin").glob("fuzz_*")
                                     if path.name != "fuzz_seeds" and os.access(path, os.X_OK))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=pathlib.Path(__file__).parent, capture_output=True,
                            text=True).stdout.strip()
    failed, used = False, 0.0
    for name in targets:
        executions, decoded, sound, seeds, engine = run(args, name, build)
        times = resource.getrusage(resource.RUSAGE_CHILDREN)
        hours, used = (times.ru_utime + times.ru_stime - used) / 3600, times.ru_utime + times.ru_stime
        failed |= not sound
        findings = "none" if sound else f"see {build.name}/campaign/{name}-*"
        findings += f"; {decoded} decoded to their end" if decoded else ""
        print(f"{datetime.date.today()},{commit},{name},{build.name} with {engine},{seeds},{executions},{hours:.4f},{findings}",
              flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
