# SPDX-License-Identifier: Apache-2.0
"""faults.py PROGRAM PARTS WORK [--every N] [--kills N]: system calls fail, or the program is killed at them, one run for each.

For each command below and each of its system calls on files: ENOSPC, EIO (and EINTR where a call may give it), by the
fault injection of strace, and SIGKILL where it writes. After a fault the program has ended by itself; its output is
whole, with exit status 0, or is not there, with another status and one line that says why; nothing else is left in the
folder. After a kill the output is whole or not there, and the next run completes it. --every takes each N-th call.
--kills kills as many runs at random times instead, the same ones for a seed, and completes every tenth.
"""
import collections
import random
import re
import shutil
import subprocess
import sys
import time

from place import Place, read_arguments

SKIPPED = 77  # what ctest takes for a test that did not run

WRITES = ("write", "pwrite64", "fsync", "fchmod", "rename", "renameat", "renameat2", "linkat", "unlinkat", "ftruncate",
          "mkdir")
READS = ("openat", "read", "fstat", "newfstatat", "close", "lseek", "mmap", "getdents64")
ERRORS = {name: ("EIO", "ENOSPC") for name in WRITES} | {name: ("EIO",) for name in READS}
ERRORS |= {"write": ("EIO", "ENOSPC", "EINTR"), "read": ("EIO", "EINTR"), "mmap": ("ENOMEM",), "openat": ("EIO", "EMFILE")}


class Bench(Place):
    def __init__(self, args):
        super().__init__(args)
        (self.work / "in").mkdir()
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
                if call == "mmap" and at == 1:
                    continue  # of the dynamic loader, which does not survive it
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


def check_full_output(bench, arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run([bench.program, *arguments], cwd=bench.work, env=bench.environment, stdout=full,
                              stderr=subprocess.PIPE)
    said = done.returncode > 0 and done.stderr.strip()
    return [] if said else [f"{arguments} into a full disk: exit status {done.returncode} {done.stderr}"]


def kill_at_random(bench, commands, kills, seed):
    rng, wrong, counts = random.Random(seed), [], collections.Counter()
    wholes, seconds = {}, {}
    for arguments, name in commands:
        seconds[name] = 60
        for _ in range(5):
            start = time.monotonic()
            done = bench.run(arguments)
            if done.returncode:
                sys.exit(f"{arguments}: {done.stderr.decode()}")
            seconds[name] = min(seconds[name], time.monotonic() - start)
        wholes[name] = bench.output(name)
    for n in range(kills):
        arguments, name = commands[n % len(commands)]
        shutil.rmtree(bench.work / "out", ignore_errors=True)
        (bench.work / "out").mkdir()
        with subprocess.Popen([bench.program, *arguments], cwd=bench.work, env=bench.environment,
                              stderr=subprocess.DEVNULL) as process:
            time.sleep(rng.uniform(0, 1.5 * seconds[name]))
            process.kill()
        found = bench.output(name)
        counts["ended before" if process.returncode == 0 else "killed"] += 1
        counts["whole" if found == wholes[name] else "not there"] += 1
        if found not in (None, wholes[name]) or process.returncode == 0 and found is None:
            wrong.append(f"kill {n}, {' '.join(arguments)}: a part of the output")
        if n % 10 == 0 and (bench.again([*arguments, "--force"]).returncode or bench.output(name) != wholes[name]):
            wrong.append(f"kill {n}, {' '.join(arguments)}: the next run does not complete it")
    print(f"{kills} kills at random times: {dict(counts)}, {len(wrong)} wrong", flush=True)
    return wrong


def can_trace():
    """Says why, if not; a test then ends with SKIPPED."""
    if shutil.which("strace") and subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode == 0:
        return True
    print("strace is not here or may not trace: skipped")
    return False


def main():
    args = read_arguments(__doc__, every=1, kills=0, seed=1)
    if not can_trace():
        return SKIPPED
    bench, wrong = Bench(args), []
    commands = [(["encode", "in/a.ppm", "-o", "out/picture.vqc", "-q"], "picture.vqc"),
                (["encode", "in/a.raw", "--format", "s16le", "--rate", "24000", "-o", "out/sound.vqc", "-q"], "sound.vqc")]
    for arguments, name in commands:
        bench.run(arguments)
        shutil.copy(bench.work / "out" / name, bench.work / "in" / name)
    commands += [(["decode", "in/picture.vqc", "-o", "out/a.ppm", "-q"], "a.ppm"),
                 (["decode", "in/sound.vqc", "-o", "out/a.wav", "-q"], "a.wav")]
    wrong += check_full_output(bench, ["info", "in/picture.vqc"])
    if args.kills:
        wrong += kill_at_random(bench, commands, args.kills, args.seed)
    else:
        for arguments, name in [*commands, (["info", "in/picture.vqc"], None)]:
            wrong += sweep(bench, arguments, name, args.every)
    print("\n".join(wrong) or "every output is whole or not there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
