# SPDX-License-Identifier: Apache-2.0
"""losses.py PROGRAM WORK --sounds DIR [--model NAME] [--clips N] [--seed N] [--opus BITRATE]: sound that loses chunks (P21).

    python3 tests/reliability/losses.py build/dev/bin/vqcodec /tmp/losses --sounds SPEECH

Each clip is encoded in chunks of 40 ms, of which a Gilbert model loses some: bursts of a mean length, and a share of all. What
is left is decoded by --salvage and compared with the clip. Kept is the promise if the length is always that of the clip, no
sample is louder by 3 dB than the loudest of the clip or of what is decoded without losses, and for each length of bursts the
mean STOI of the clips falls from each share to the next. Exit status 1 if not. --opus says the STOI of Opus at so many bits a
second too, in packets of 40 ms that are lost in the same way (libopus.so.0; its redundancy for losses is on).
"""
import argparse
import json
import math
import pathlib
import random
import shutil
import subprocess
import sys
import wave
from array import array

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))

from decoder import read_stream  # noqa: E402
from opus_clips import OpusClips  # noqa: E402

SHARES, BURSTS = (0.05, 0.1, 0.2, 0.3), (1, 3, 10)
LOUDER = 10 ** (3 / 20)


def call(*words, ends=(0,)):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode not in ends:
        sys.exit(f"{words[1]} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def gilbert(count, share, burst, rng):
    """Which of so many chunks are lost. The first one is good or bad as any."""
    stop = 1 / burst  # of a burst
    start = share * stop / (1 - share)
    lost, bad = [], rng.random() < share
    for _ in range(count):
        lost.append(bad)
        bad = rng.random() >= stop if bad else rng.random() < start
    return lost


def without(data, lost):
    """The stream without these chunks."""
    _, chunks = read_stream(data)
    kept, at = b"", 0
    for chunk, gone in zip(chunks, lost, strict=True):
        start, end = chunk["span"]
        kept += data[at:start] + (b"" if gone else data[start:end])
        at = end
    return kept + data[at:]


def seconds(path):
    with wave.open(str(path)) as file:
        return file.getnframes() / file.getframerate()


def samples(path):
    with wave.open(str(path)) as file:
        values = array("h", file.readframes(file.getnframes()))
        return file.getnframes(), max((abs(value) for value in values), default=0) / 32768


class Clips:
    def __init__(self, args):
        self.program, self.work = args.program, args.work
        shutil.rmtree(self.work, ignore_errors=True)
        (self.work / "clips").mkdir(parents=True)
        sources = sorted(args.sounds.glob("*.wav"))
        for source in sources[::max(1, len(sources) // args.clips)][:args.clips]:
            shutil.copy(source, self.work / "clips")
        call(self.program, "encode", "-r", self.work / "clips", "-O", self.work / "whole", "-m", args.model, "--chunk", "0.04", "-q")
        self.streams = {path.stem: path.read_bytes() for path in sorted((self.work / "whole").rglob("*.vqc"))}
        self.seconds = sum(map(seconds, (self.work / "clips").glob("*.wav")))
        self.facts = {name: samples(self.work / f"clips/{name}.wav") for name in self.streams}

    def decode(self, name, losses):
        """The clips without the chunks of losses(count), a folder; how many were lost of how many."""
        folder, lost, count = self.work / name, 0, 0
        (folder / "streams").mkdir(parents=True)
        for stem, data in self.streams.items():
            gone = losses(len(read_stream(data)[1]))
            lost, count = lost + sum(gone), count + len(gone)
            (folder / f"streams/{stem}.vqc").write_bytes(without(data, gone))
        call(self.program, "decode", "-r", folder / "streams", "-O", folder / "sounds", "--format", "wav", "--salvage", "-q", ends=(0, 1))
        return folder / "sounds", lost, count

    def judge(self, folder):
        """Clips of another length, the most that one is louder than facts say, and the mean STOI."""
        found = {name: samples(folder / f"{name}.wav") for name in self.facts}
        lengths = sum(found[name][0] != frames for name, (frames, _) in self.facts.items())
        louder = max(found[name][1] / peak for name, (_, peak) in self.facts.items())
        return lengths, louder, json.loads(call(self.program, "compare", self.work / "clips", folder, "--json"))["mean"]["stoi"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--sounds", type=pathlib.Path, required=True, help="a folder of WAV files of 16 bits and one channel")
    parser.add_argument("--model", default="speech-rvq")
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--opus", type=int, metavar="BITRATE")
    args = parser.parse_args()
    clips, rng, wrong = Clips(args), random.Random(args.seed), []
    if not clips.facts:
        parser.error(f"{args.sounds} has no .wav")

    def measure(name, losses, before=None):
        folder, lost, count = clips.decode(name, losses)
        lengths, louder, stoi = clips.judge(folder)
        print(f"{name}: {lost} of {count} chunks lost, STOI {stoi:.3f}, at most {20 * math.log10(louder):+.2f} dB", flush=True)
        if lengths:
            wrong.append(f"{name}: {lengths} clips of another length")
        if louder > LOUDER:
            wrong.append(f"{name}: a clip is {louder:.2f} times as loud")
        if before is not None and stoi >= before:
            wrong.append(f"{name}: STOI does not fall")
        return stoi

    folder, _, _ = clips.decode("decoded", lambda count: [False] * count)
    for name, (frames, peak) in clips.facts.items():
        clips.facts[name] = frames, max(peak, samples(folder / f"{name}.wav")[1])
    opus = OpusClips("libopus.so.0", args.work / "clips", args.work, args.opus) if args.opus else None
    opus_rng = random.Random(args.seed)  # of its own, so that ours loses the same chunks with and without --opus

    def measure_opus(name, losses, share):
        if opus is None:
            return
        folder, bitrate = opus.decode(name, losses, share)
        print(f"{name}: Opus at {bitrate / 1000:.2f} kbit/s, STOI {clips.judge(folder)[2]:.3f}", flush=True)

    whole = measure("none", lambda count: [False] * count)
    measure_opus("none", lambda count: [False] * count, 0)
    for burst in BURSTS:
        before = whole
        for share in SHARES:
            name = f"{share:.0%} in bursts of {burst}"
            before = measure(name, lambda count: gilbert(count, share, burst, rng), before)
            measure_opus(name, lambda count: gilbert(count, share, burst, opus_rng), share)
    measure("the last two", lambda count: [False] * (count - 2) + [True] * 2)
    rate = 8 * sum(map(len, clips.streams.values())) / clips.seconds / 1000
    print(f"{len(clips.facts)} clips, 14 settings, files of {rate:.2f} kbit/s", *(wrong or ["length kept, never louder, worse with every loss"]), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
