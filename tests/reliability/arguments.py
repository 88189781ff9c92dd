# SPDX-License-Identifier: Apache-2.0
"""arguments.py PROGRAM PARTS WORK [--runs N] [--seed N]: the program with random arguments.

Commands and options are those of the help texts, values are numbers, names and texts that are wrong in many ways, files
are small ones in WORK. However it is called, it ends by itself within seconds, with one of its exit statuses; what fails
says why in lines that begin with the program's or a file's name and hold no control characters.
"""
import random
import re
import resource
import shutil
import subprocess
import sys

from place import Place, read_arguments

VALUES = ["", "0", "1", "-1", "2", "7", "1e9", "nan", "inf", "0x10", "999999999999999999999", "18446744073709551616", "1.5",
          "auto", "cpu", "always", "never", "none", "\u00e9", "\udcff\udcfe", "a\nb", "\x1b[31m", "%s%n", "--", "-", "=", "a" * 5000,
          "in", "in/a.ppm", "in/cut.vqc", "in/a.wav", "in/card.json", "in/missing", "out", "out/x", "out/x.vqc", "out/x.png", "fake",
          "fake-audio", "s16le", "24000", "mixing", "npy", "webdataset"]
STATUSES = range(0, 64)
UNSAFE = {"train", "completion", "cluster"}  # these may work for long, or print scripts


def named(text):
    """Commands or options in a help text."""
    commands = re.findall(r"^  ([a-z][a-z-]*)  ", text, re.M)
    return commands, sorted(set(re.findall(r"(?<![\w-])(--?[a-zA-Z][\w-]*)", text)))


def prepare(work):
    (work / "in").mkdir()
    (work / "in/a.ppm").write_bytes(b"P6\n20 12\n255\n" + bytes(720))
    (work / "in/cut.vqc").write_bytes(bytes.fromhex("8f565101321032547698badcfe"))
    (work / "in/a.wav").write_bytes(b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\xc0\x5d\0\0\x80\xbb\0\0\x02\0\x10\0data\x08\0\0\0" + bytes(8))
    (work / "in/card.json").write_text("{")


def limits():
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 24, 1 << 24))


def run(place, words):
    return place.call(*words, text=False, timeout=120, preexec_fn=limits)


def wrong_with(done):
    """None where nothing is."""
    if done.returncode < 0 or done.returncode not in STATUSES:
        return f"exit status {done.returncode}"
    text = done.stderr.decode("utf-8", "surrogateescape")
    if any(ord(one) < 32 and one not in "\n\r" or ord(one) == 127 for one in text):
        return "control characters"
    return None if done.returncode == 0 or text.strip() or done.stdout.strip() else "no word of why"


def main():
    args = read_arguments(__doc__, runs=300, seed=1)
    place = Place(args)
    prepare(args.work)

    def ask(*words):
        return named(run(place, [*words, "--help"]).stdout.decode())

    commands = [name for name in ask()[0] if name not in UNSAFE]
    options = {name: ask(name)[1] for name in commands}
    if not all(options.values()) or len(commands) < 8:
        sys.exit(f"the help texts cannot be read: {commands}")
    rng, failed = random.Random(args.seed), []
    for _ in range(args.runs):
        command = rng.choice(commands)
        words = [] if rng.random() < 0.02 else [command]
        for _ in range(rng.randrange(7)):
            kind, value = rng.random(), rng.choice(VALUES)
            option = rng.choice(options[command])
            words.append(value if kind < 0.4 else option if kind < 0.6 else f"{option}={value}" if kind < 0.8 else option + value)
            if 0.4 <= kind < 0.6 and rng.random() < 0.7:
                words.append(value)
        words = [word for word in words if "\0" not in word and len(word) < 100000]
        shutil.rmtree(args.work / "out", ignore_errors=True)
        try:
            problem = wrong_with(run(place, words))
        except subprocess.TimeoutExpired:
            problem = "did not end"
        if problem:
            failed.append(f"{problem}: {words}")
    print(f"{args.runs} runs of {len(commands)} commands, {len(failed)} wrong", *failed[:20], sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
