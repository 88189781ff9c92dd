# SPDX-License-Identifier: Apache-2.0
"""bombs.py PROGRAM PARTS WORK: small files that claim to be large, read with 256 MiB of address space.

The program has to end by itself within TIME seconds of the processor, with a status that means an error and a line that
says which. Where sizes are within the default limits, the memory cannot be had and that is the error.
"""
import pathlib
import resource
import shutil
import struct
import sys

from place import Place, read_arguments

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "reference"))
from coding import crc32c  # noqa: E402

SPACE, TIME = 256 << 20, 10
ERRORS = (1, 2, 3, 4, 5, 6)


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes((value & 0x7F | 0x80,))
        value >>= 7
    return out + bytes((value,))


def sealed(data):
    return data + struct.pack("<I", crc32c(data))


def image(key, height, width, payload=b"", kind=0x12, size=None, fields=b""):
    head = b"\x8FVQ\1" + bytes((kind,)) + key + struct.pack("<HHH", 0, height - 1, width - 1)
    return sealed(head + varint(len(payload) if size is None else size) + b"\0\0" + payload + fields)


def sound(key, frames, chunks=(), single=False, channels=1, rate_code=6):
    kind = 0x82 | (0x20 if single else 0)
    head = b"\x8FVQ\1" + bytes((kind, 1)) + key + struct.pack("<H", 0) + bytes((channels - 1, rate_code)) + varint(frames - 1)
    if single:
        return sealed(head + varint(0) + b"\0\0")
    crc = crc32c(head)
    checks = [struct.pack("<I", crc)] + [struct.pack("<I", crc32c(one, crc)) for one in chunks]
    parts = [head, checks[0]] + [part for pair in zip(chunks, checks[1:]) for part in pair]
    return b"".join(parts) + b"\xE7\x45" + struct.pack("<I", crc32c(b"".join(checks)))


def chunk(sequence=0, missing=0, size=0, payload=b""):
    return b"\xE7\x43" + varint(sequence) + varint(missing) + varint(size) + b"\0\0" + payload


def zstd_of_zeros(blocks):
    """A frame of RLE blocks of 128 KiB."""
    frame = b"\x28\xB5\x2F\xFD" + b"\x00\x80"
    for i in range(blocks):
        frame += struct.pack("<I", (i + 1 == blocks) | 1 << 1 | (128 << 10) << 3)[:3] + b"\0"
    return frame


def alpha(frame):
    value = b"\2" + frame
    entry = varint(1) + varint(len(value)) + value
    return varint(len(entry) - 1) + entry


def npy(shape, descr="<f4"):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode()


def wav(data_size, channels=2, rate=48000, bits=16):
    fmt = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * bits // 8 & 0xFFFFFFFF, channels * bits // 8 & 0xFFFF, bits)
    return b"RIFF" + struct.pack("<I", 0xFFFFFFF0) + b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", data_size)


def safetensors(header, data=b"", size=None):
    return struct.pack("<Q", len(header) if size is None else size) + header + data


def streams(picture, speech):
    """Name and bytes of .vqc files; each is decoded, also with --salvage, and described."""
    yield "largest-head", image(picture, 65536, 65536)
    yield "largest-within-limits", image(picture, 8192, 32768)
    yield "widest", image(picture, 1, 32768)
    yield "payload-of-4-gib", image(picture, 8, 8, size=2**32 - 1)
    yield "payload-of-2-to-the-63", image(picture, 8, 8, size=2**63)
    yield "fields-of-4-gib", image(picture, 8, 8, kind=0x1B, fields=varint(2**32 - 2))
    yield "field-of-2-to-the-63", image(picture, 8, 8, kind=0x1B, fields=varint(11) + varint(1) + varint(2**63))
    yield "alpha-of-a-gib", image(picture, 8, 8, kind=0x1B, fields=alpha(zstd_of_zeros(8192)))
    yield "alpha-of-a-gib-and-pixels", image(picture, 16384, 16384, kind=0x1B, fields=alpha(zstd_of_zeros(2048)))
    for prior in (0, 1, 5, 6, 8, 9):
        head = image(picture, 8192, 32768, b"\0\0\0\1")
        data = head[:4] + bytes((prior << 4 | 2,)) if prior < 7 else head[:4] + bytes((0x72, prior - 7))
        yield f"coding-{prior}", sealed(data + head[5:-4])
    yield "sound-of-2-to-the-32", sound(speech, 2**32 - 1, single=True)
    yield "sound-of-255-channels", sound(speech, 2**24, single=True, channels=255)
    yield "chunk-of-4-gib", sound(speech, 24000, [chunk(size=2**33 - 2)])
    yield "chunk-of-2-to-the-32-frames", sound(speech, 2**32 - 1, [chunk()])
    yield "chunk-far-away", sound(speech, 2**32 - 1, [chunk(sequence=2**32 - 1)])
    yield "many-chunks", sound(speech, 1, [chunk(i) for i in range(10000)])
    yield "false-beginnings", sound(speech, 24000, [chunk()])[:-6] + b"\xE7\x43\0\0\x80\x80\x40\0\0" * 60000


def media():
    """Name and bytes of files that are encoded."""
    yield "largest.ppm", b"P6\n32768 8192\n255\n"
    yield "too-large.ppm", b"P6\n4294967295 4294967295\n255\n"
    yield "numbers.ppm", b"P6\n" + b"9" * 100000 + b" 1\n255\n"
    yield "comments.ppm", b"P6\n#" + b"#\n" * 500000
    yield "shape.npy", npy((2**32, 2**32, 3))
    yield "overflow.npy", npy((2**63, 2, 3))
    yield "long-shape.npy", npy(tuple([1] * 900))
    yield "largest.npy", npy((8192, 32768, 3))
    yield "four-gib.wav", wav(0xFFFFFFFE)
    yield "channels.wav", wav(2**31, channels=65535)
    yield "rate.wav", wav(2**31, rate=2**32 - 1)
    yield "no-bits.wav", wav(2**31, bits=0)
    yield "chunks.wav", b"RIFF\xF0\xFF\xFF\xFFWAVE" + b"junk\0\0\0\0" * 100000
    yield "actions.npz", overlapping_npz()
    yield "safetensors.safetensors", safetensors(b'{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}')


def overlapping_npz():
    data = npy((4000, 250)) + bytes(4000000)
    sizes = struct.pack("<III", 0, len(data), len(data))
    local = b"PK\3\4" + struct.pack("<HHHHH", 20, 0, 0, 0, 0) + sizes + struct.pack("<HH", 1, 0) + b"a" + data
    entry = b"PK\1\2" + struct.pack("<HHHHHH", 20, 20, 0, 0, 0, 0) + sizes + struct.pack("<HHHHHII", 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * 20000
    return local + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 20000, 20000, len(directory), len(local), 0)


def models():
    """Name, card (None: the right one) and weights (None) of models, which are named with --model."""
    deep = b"[" * 200000
    yield "deep-card", b'{"config":' + deep, None
    yield "large-card", b'{"config":[' + b"1," * 2000000 + b"1]}", None
    yield "header-of-2-to-the-63", None, safetensors(b"{}", size=2**63)
    yield "header-that-wraps", None, safetensors(b"{}", size=2**64 - 8)
    yield "deep-header", None, safetensors(b'{"a":' + deep)
    yield "many-tensors", None, safetensors(b"{" + b",".join(b'"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}' % i
                                                           for i in range(70000)) + b"}")
    yield "overflow", None, safetensors(b'{"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}')


def set_limits():
    resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (TIME, TIME))  # a signal ends who takes longer


class Bench(Place):
    def __init__(self, args):
        super().__init__(args)
        self.count, self.wrong = 0, []

    def run(self, name, *words, ends=ERRORS):
        self.count += 1
        done = self.call(*words, preexec_fn=set_limits, errors="replace")
        if done.returncode not in ends or (done.returncode and not done.stderr.strip()):
            self.wrong.append(f"{name}, {' '.join(words)}: exit status {done.returncode}, {done.stderr[:200]!r}")

    def key(self, model):
        """The key of the model's streams, as a stream has it."""
        (self.work / "a.ppm").write_bytes(b"P6\n8 8\n255\n" + bytes(192))
        (self.work / "a.raw").write_bytes(bytes(2400))
        source = ["a.ppm"] if model == "image-f16" else ["a.raw", "--format", "s16le", "--rate", "24000"]
        self.call("encode", *source, "-o", "a.vqc", "-q", "-f", "-m", model, check=True)
        data = (self.work / "a.vqc").read_bytes()
        return data[5:13] if model == "image-f16" else data[6:14]


def main():
    bench = Bench(read_arguments(__doc__))
    for name, data in streams(bench.key("image-f16"), bench.key("speech-rvq")):
        (bench.work / "bomb.vqc").write_bytes(data)
        bench.run(name, "info", "bomb.vqc", ends=(0, *ERRORS))
        out = "out.wav" if data[4] & 0x80 else "out.ppm"
        for more in ((), ("--salvage",)):
            bench.run(name, "decode", "bomb.vqc", "-o", out, "-f", "-q", *more, ends=(0, *ERRORS))
            (bench.work / out).unlink(missing_ok=True)
    for name, data in media():
        (bench.work / name).write_bytes(data)
        bench.run(name, "encode", name, "-o", "out.vqc", "-f", "-q")
        (bench.work / name).unlink()
    for name, card, weights in models():
        folder = bench.work / "models" / name
        shutil.copytree(bench.work / "models/image-f16", folder)
        if card is not None:
            (folder / "card.json").write_bytes(card)
        if weights is not None:
            (folder / "model.safetensors").write_bytes(weights)
        bench.run(name, "encode", "a.ppm", "-o", "out.vqc", "-f", "-q", "-m", str(folder))
        shutil.rmtree(folder)
    print(f"{bench.count} runs with {SPACE >> 20} MiB of address space")
    print("\n".join(bench.wrong) or "every bomb is an error")
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
