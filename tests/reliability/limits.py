# SPDX-License-Identifier: Apache-2.0
"""limits.py PROGRAM PARTS WORK: every limit, by every command that has its option and reads what it bounds.

With an option one too small the error is one line that names the limit, its value and the option that raises it, and
nothing is written; with the value itself the command succeeds. The options that are tried have to be all
those that the help of a command lists.
"""
import re
import shutil
import struct
import sys
import wave

from place import Place, read_arguments

# Commands that read, with what they write to "out".
ENCODE, ENCODE_SOUND = ["encode", "a.ppm", "-o", "out"], ["encode", "a.wav", "-o", "out"]
DECODE, DECODE_ALPHA = ["decode", "a.vqc", "-o", "out.ppm"], ["decode", "rgba.vqc", "-o", "out.npy"]
DECODE_SOUND, STREAM = ["decode", "sound.vqc", "-o", "out.wav"], ["stream", "decode", "live.vqc", "-o", "out"]
TOKENIZE, TOKENIZE_SOUND = ["tokenize", "a.ppm", "-o", "out"], ["tokenize", "a.wav", "-o", "out", "-m", "speech-rvq"]
DETOKENIZE, DETOKENIZE_SOUND = ["detokenize", "pictures", "-O", "out", "--format", "ppm"], ["detokenize", "sounds", "-O", "out"]
EVAL, COMPARE = ["eval", "a.ppm"], ["compare", "a.ppm", "a.ppm"]
INFO, INFO_ALPHA, TRIM = ["info", "a.vqc"], ["info", "rgba.vqc"], ["trim", "sound.vqc", "--levels", "1", "-o", "out"]
PICTURES = [ENCODE, DECODE, TOKENIZE, DETOKENIZE, EVAL, COMPARE, INFO]
SOUNDS = [ENCODE_SOUND, TOKENIZE_SOUND, DETOKENIZE_SOUND]


def limits(size_of, side_size):
    """Option, the least value with which they succeed, commands."""
    yield "--max-width", 40, PICTURES
    yield "--max-height", 24, PICTURES
    yield "--max-pixels", 960, [*PICTURES, DECODE_ALPHA]
    yield "--max-input-bytes", size_of("a.ppm"), [ENCODE, TOKENIZE, EVAL, COMPARE]
    yield "--max-input-bytes", size_of("a.vqc"), [DECODE, INFO]
    yield "--max-input-bytes", size_of("sound.vqc"), [DECODE_SOUND, TRIM]
    yield "--max-chunk-bytes", size_of("a.vqc") - 26, [DECODE, INFO]
    yield "--max-side-bytes", side_size, [DECODE_ALPHA, INFO_ALPHA]
    yield "--max-tokens", 15, [DECODE]
    yield "--max-channels", 2, [*SOUNDS, DECODE_SOUND, STREAM]
    yield "--max-rate", 24000, SOUNDS
    yield "--max-levels", 2, [DECODE_SOUND, STREAM]
    yield "--max-vocab", 512, [DECODE]
    yield "--max-model-bytes", size_of("models/image-f16/model.safetensors"), [ENCODE, DECODE, TOKENIZE, DETOKENIZE, EVAL]


def npy(height, width, picture):
    """The picture with an alpha plane that does not shrink."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({height}, {width}, 4), }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    samples = b"".join(picture[3 * i:3 * i + 3] + bytes(((i * 2654435761 >> 13) & 0xFF,)) for i in range(height * width))
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + samples


class Bench(Place):
    def __init__(self, args):
        super().__init__(args)
        self.wrong, self.count = [], 0
        picture = bytes(i % 251 for i in range(40 * 24 * 3))
        (self.work / "a.ppm").write_bytes(b"P6\n40 24\n255\n" + picture)
        (self.work / "rgba.npy").write_bytes(npy(24, 40, picture))
        with wave.open(str(self.work / "a.wav"), "wb") as file:
            file.setparams((2, 2, 24000, 0, "NONE", ""))
            file.writeframes(bytes(i * 7 % 256 for i in range(24000 * 4)))
        for words in (["encode", "a.ppm"], ["encode", "rgba.npy"], ["encode", "a.wav", "-o", "sound.vqc"],
                      ["stream", "encode", "a.wav", "-o", "live.vqc"], ["tokenize", "a.ppm", "-o", "pictures"],
                      ["tokenize", "a.wav", "-o", "sounds", "-m", "speech-rvq"]):
            if (done := self.call(*words)).returncode:
                sys.exit(f"{' '.join(words)}: {done.stderr}")

    def size_of(self, name):
        return (self.work / name).stat().st_size

    def outputs(self):
        return [path for path in [*self.work.glob("out*"), *self.work.glob("out/*")] if path.is_file()]

    def clear(self):
        for path in self.work.glob("out*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def expect(self, sound, words, done):
        if not sound:
            self.wrong.append(f"{' '.join(words)}: exit status {done.returncode}, {done.stderr!r}, {self.outputs()}")
        self.clear()

    def check(self, option, least, command):
        self.count += 1
        words = [*command, option, str(least - 1)]
        done = self.call(*words)
        limit = option[2:].replace("-", "_")
        lines = [line for line in done.stderr.splitlines() if line.startswith("vqcodec: ")]
        # tokenize leaves the item out and says so.
        ends = done.returncode == 1 if command[0] == "tokenize" and "model" not in option else (
            done.returncode == 3 and not self.outputs())
        self.expect(ends and len(lines) == 1 and f"; {limit} is {least - 1}, {option} raises it" in lines[0], words, done)
        words[-1] = str(least)
        done = self.call(*words)
        self.expect(done.returncode == 0, words, done)

    def listed(self):
        """The limits that the help of any command lists."""
        commands = re.findall(r"^  ([a-z]+) ", self.call("--help").stdout, re.M)
        text = "".join(self.call(*command.split(), "--help").stdout for command in [*commands, "stream encode", "stream decode"])
        return set(re.findall(r"^ +(--max-[a-z-]+) N ", text[text.index("Limits"):], re.M))


def main():
    bench = Bench(read_arguments(__doc__))
    tried = set()
    side = int(re.search(r"side data is (\d+);", bench.call(*INFO_ALPHA, "--max-side-bytes", "1").stderr)[1])
    for option, least, commands in limits(bench.size_of, side):
        tried.add(option)
        for command in commands:
            bench.check(option, least, command)
    if tried != bench.listed():
        bench.wrong.append(f"the help lists {sorted(bench.listed())}, tried are {sorted(tried)}")
    print(f"{len(tried)} limits, {bench.count} commands")
    print("\n".join(bench.wrong) or "every error names its limit and option")
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
