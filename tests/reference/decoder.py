# SPDX-License-Identifier: Apache-2.0
"""A second decoder of .vqc streams, written from docs/format.md with the standard library alone. Slow and plain: it is
there to be read, and to check that the text and the C++ code say the same.

    python3 tests/reference/decoder.py FILE.vqc MODEL_FOLDER      prints the head, and the tokens of each chunk

Numbers in brackets are sections of docs/format.md. Whatever is not as described there raises Damaged.
"""
import hashlib
import json
import pathlib
import struct
import sys

from codeword import Codeword
from coding import Reader, crc32c, require
from mixing import mixing
from neural import neural
from rans import decode_blockwise, decode_table
from walk import Adaptive, Sequential, Static, Uniform, decode_windows

MAGIC = bytes((0x8F, 0x56, 0x51, 0x01))
SOUND_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000, 176400, 192000)
AUDIO, ACTIONS = 2, 3
ALPHA, LENGTH, SCALES, LEVELS, RUNG = 1, 4, 7, 9, 11  # fields [5]


# [6] By coding: those that go digit by digit, and those that code a chunk at once.
SEQUENTIAL = {0: Sequential(Uniform), 1: Sequential(Adaptive), 2: Sequential(Static), 3: Sequential(mixing),
              4: Sequential(neural), 7: Sequential(Codeword)}
WHOLE = {5: decode_table, 6: decode_blockwise}


def read_fields(reader, known):
    """[5] The values of the fields that a part may have, by id."""
    size = reader.varint() + 1
    require(size <= 2**32 - 1, "fields of 4 GiB")
    entries = Reader(reader.bytes(size))
    fields, before = {}, 0
    while entries.left():
        number = entries.varint()
        require(number > before, "the ids of fields rise")
        before = number
        value = entries.bytes(entries.varint())
        require(number in known or number % 2 == 0, f"the critical field {number} is not known here")
        if number in known:
            fields[number] = value
    if LEVELS in fields:
        require(len(fields[LEVELS]) == 1 and 1 <= fields[LEVELS][0] <= 64, "1 to 64 levels in 1 byte")
    if LENGTH in fields:
        length = Reader(fields[LENGTH])
        require(length.varint() >= 1 and not length.left(), "a length is a number of frames from 1 on")
    if RUNG in fields:
        require(len(fields[RUNG]) == 5 and fields[RUNG][0] >= 1, "a rung from 1 on and 4 bytes of the ladder's id")
    return fields


def read_head(reader):
    """[3] and [4] What stands before the payload, as far as images and all else have it in common."""
    require(reader.bytes(4) == MAGIC, "magic, version 1 in the compact form")
    kind = reader.u8()
    head = {"image": kind < 0x80, "fields": bool(kind & 8)}
    if head["image"]:
        head.update(channels=(kind & 3) + 1, bits=16 if kind & 4 else 8, single=True)
        coding = kind >> 4
        head["coding"] = coding if coding < 7 else reader.u8() + 7
        require(head["coding"] <= 255, "the coding is one byte")
    else:
        head.update(modality=kind & 7, bits=16 if kind & 0x10 else 8, single=bool(kind & 0x20))
        require(not kind & 0x40 and head["modality"] in (AUDIO, ACTIONS), "reserved bits and modality")
        require(not head["single"] or head["modality"] == AUDIO, "only sound comes in one chunk")
        head["coding"] = reader.u8()
    head["key"] = reader.bytes(8)
    head["profile"] = reader.u16()
    head["height"] = head["width"] = 1
    sound = not head["image"] and head["modality"] == AUDIO
    if not sound:
        head["height"], head["width"] = reader.u16() + 1, reader.u16() + 1
    if head["image"]:
        return head
    head["channels"] = reader.u8() + 1
    require(head["channels"] <= 255, "channels")
    code = reader.u8() if sound else 0
    require(code <= len(SOUND_RATES), "rate code")
    if code:
        head["rate"] = (SOUND_RATES[code - 1], 1)
    else:
        top, bottom = reader.varint(), reader.varint() + 1
        require(top < 2**32 and bottom <= 1001, "rate")
        require(lowest_terms(top, bottom), "the rate is in lowest terms")
        require(not (sound and bottom == 1 and top in SOUND_RATES), "a rate with a code is not written out")
        head["rate"] = (top, bottom)
    head["chunk_frames"] = reader.varint() + 1
    require(head["chunk_frames"] <= 2**32 - 1, "frames of a chunk")
    return head


def lowest_terms(top, bottom):
    while top:
        top, bottom = bottom % top, top
    return bottom == 1


def read_single(data, reader, head):
    """[3] and [4.1] A stream that is one chunk under one checksum."""
    size = reader.varint()
    require(size < 2**32, "payload size")
    chunk = {"first_frame": 0, "frames": head.get("chunk_frames", 1), "check": reader.u16()}
    chunk["payload"] = reader.bytes(size)
    chunk["fields"] = {}
    if head["fields"]:
        chunk["fields"] = read_fields(reader, (ALPHA, RUNG) if head["image"] else (ALPHA, SCALES, LEVELS))
    require(reader.u32() == crc32c(data[:reader.at - 4]), "checksum")
    require(reader.left() == 0, "nothing follows")
    head["levels"] = chunk["fields"].get(LEVELS, b"\0")[0]
    return [chunk]


def read_chunks(data, reader, head):
    """[4] Head, chunks, end. span is where a chunk stands in the stream."""
    fields = read_fields(reader, (LENGTH, LEVELS)) if head["fields"] else {}
    head["levels"] = fields.get(LEVELS, b"\0")[0]
    if head["modality"] == AUDIO and LENGTH in fields:
        head["frames"] = Reader(fields[LENGTH]).varint()
    head_crc = crc32c(data[:reader.at])
    require(reader.u32() == head_crc, "checksum of the head")
    chunks, checks, short = [], struct.pack("<I", head_crc), False
    while True:
        start = reader.at
        sync = reader.bytes(2)
        if sync == b"\xE7\x45":
            break
        require(sync == b"\xE7\x43", "sync bytes")
        sequence, missing, size = reader.varint(), reader.varint(), reader.varint()
        require(size < 2**33, "payload size")
        chunk = {"check": reader.u16(), "payload": reader.bytes(size // 2)}
        known = (ALPHA, SCALES) if head["modality"] == AUDIO else (ALPHA,)
        chunk["fields"] = read_fields(reader, known) if size % 2 else {}
        crc = crc32c(data[start:reader.at], head_crc)
        require(reader.u32() == crc, "checksum of a chunk")
        checks += struct.pack("<I", crc)
        require(sequence == len(chunks) and not short, "chunks follow each other")
        require(missing < head["chunk_frames"], "a chunk has frames")
        short = missing > 0
        chunk.update(first_frame=sequence * head["chunk_frames"], frames=head["chunk_frames"] - missing, span=(start, reader.at))
        chunks.append(chunk)
    require(reader.u32() == crc32c(checks), "end checksum")
    frames = sum(chunk["frames"] for chunk in chunks)
    require(head.get("frames", frames) == frames, "the length is that of all chunks")
    require(reader.left() == 0, "nothing follows")
    return chunks


def read_stream(data):
    """Head and chunks of a sound stream."""
    reader = Reader(data)
    head = read_head(reader)
    return head, (read_single if head["single"] else read_chunks)(data, reader, head)


def decode_payload(coding, shape, vocab, factors, payload, tables=b""):
    """[6] Ids in the order of time, row, column, level. tables: those of the model's prior, if it has any."""
    if coding in WHOLE:
        return WHOLE[coding](shape, vocab, factors, payload, tables)
    require(coding & 7 in SEQUENTIAL and coding < 16, f"coding {coding} is not known")
    prior = SEQUENTIAL[coding & 7]
    if coding >= 8:
        return decode_windows(coding, prior, shape, vocab, factors, payload, tables)
    return prior.decode(shape, vocab, factors, payload, tables)


class Tensors:
    """A .safetensors file."""

    def __init__(self, path):
        self.bytes = path.read_bytes()
        self.start = 8 + struct.unpack("<Q", self.bytes[:8])[0]
        self.header = json.loads(self.bytes[8:self.start])

    def __contains__(self, name):
        return name in self.header

    def __getitem__(self, name):
        begin, end = self.header[name]["data_offsets"]
        return self.bytes[self.start + begin:self.start + end]


class Ladder:
    """docs/ladder.md: ladder.safetensors of a model's folder."""

    def __init__(self, path):
        self.tensors = Tensors(path)
        said = [b"vqcodec ladder 1", self.tensors["order"]]
        for rung in range(1, 33):
            if f"rung{rung}.starts" in self.tensors:
                said += [self.tensors[f"rung{rung}.{name}"] for name in ("starts", "ids", "prior")]
        self.id = hashlib.sha256(b"".join(struct.pack("<Q", len(one)) + one for one in said)).digest()

    def rung(self, field):
        """The number of clusters and the tables of their prior."""
        require(field[1:] == self.id[:4], "the stream is of another ladder")
        require(f"rung{field[0]}.starts" in self.tensors, "the ladder has that rung")
        return len(self.tensors[f"rung{field[0]}.starts"]) // 4, self.tensors[f"rung{field[0]}.prior"]


class Model:
    """A folder with card.json and model.safetensors, ladder.safetensors if it has a ladder, and earlier.safetensors if it has
    tables of earlier priors that are not beside the weights."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.card = json.loads((self.folder / "card.json").read_text())
        files = [path for name in ("earlier", "model") if (path := self.folder / f"{name}.safetensors").exists()]
        self.tensors = [Tensors(path) for path in files]

    def tables_for(self, key):
        """[6] The tables of the prior whose streams have this key; None if it is not this model's."""
        ids = [(self.card["prior_id"], "prior.tables")]
        ids += [(one["prior_id"], f"earlier.{one['prior_id'][:16]}.tables") for one in self.card.get("earlier_priors", [])]
        for prior_id, name in ids:
            if hashlib.sha256(bytes.fromhex(self.card["model_id"]) + bytes.fromhex(prior_id)).digest()[:8] == key:
                return next((tensors[name] for tensors in self.tensors if name in tensors), b"")
        return None

    def decode(self, head, chunk):
        """[6] The ids of a chunk; on a rung [5], the numbers of its clusters."""
        tables = self.tables_for(head["key"])
        require(tables is not None, "the stream is of another model")
        shape, vocab = self.shape_of(head, chunk)
        factors = self.card["factors"]
        if RUNG in chunk["fields"]:
            clusters, tables = Ladder(self.folder / "ladder.safetensors").rung(chunk["fields"][RUNG])
            vocab, factors = [clusters], []
        ids = decode_payload(head["coding"], shape, vocab, factors, chunk["payload"], tables)
        require(token_check(ids) == chunk["check"], "token check")
        return ids

    def shape_of(self, head, chunk):
        """Levels, times, rows, columns and vocabularies of a chunk's tokens."""
        config = {**self.card["config"], **self.card["config"].get("network", {})}
        vocab = config.get("vocab")
        if vocab is None:
            vocab = [product(level) for level in self.card["factors"]]
        if head["image"]:
            rows, columns = (-(-side // config["stride"]) for side in (head["height"], head["width"]))
            return (len(vocab), 1, rows, columns), vocab
        if head["modality"] == ACTIONS:  # levels that are left out take the place of the height
            require(self.card["tokenizer"] == "action-courses", "of actions, only courses are known here")
            vocab = vocab[:len(vocab) - head["height"] + 1]
            return (len(vocab), -(-chunk["frames"] // config["chunk"]), 1, config["dims"]), vocab
        vocab = vocab[:head["levels"] or len(vocab)]  # [4.2]
        top, bottom = head["rate"]
        if "segment" in config:
            return (len(vocab), 1, 1, segment_times(config, chunk, top, bottom)), vocab
        require(SCALES not in chunk["fields"], "a model without segments has no scales")
        times = -(-chunk["frames"] * config["rate"] * bottom // (top * config["stride"]))
        return (len(vocab), 1, head["channels"], times), vocab


def segment_times(config, chunk, top, bottom):
    """[4.3] Times of all segments of a chunk."""
    length, hop, stride = config["segment"], config["hop"], config["stride"]
    require(SCALES in chunk["fields"], "a model with segments has scales")
    reader = Reader(chunk["fields"][SCALES])
    samples = -(-chunk["frames"] * config["rate"] * bottom // top)
    count, last = -(-samples // hop), reader.varint() + 1
    for scale in struct.unpack(f"<{count}f", reader.bytes(4 * count)):
        require(0 < scale <= 65536, "scales are finite and above 0")
    require(reader.left() == 0, "a scale for each segment")
    times = [-(-min(samples - i * hop, length) // stride) for i in range(count)]
    require(times[-1] <= last <= -(-length // stride), "times of the last segment")
    return sum(times[:-1]) + last


def product(numbers):
    result = 1
    for number in numbers:
        result *= number
    return result


def token_check(ids):
    """[3] 16 bits that tell tokens that were decoded with the wrong tables."""
    return crc32c(b"".join(struct.pack("<I", one) for one in ids)) & 0xFFFF


def main(path, folder):
    data = pathlib.Path(path).read_bytes()
    head, chunks = read_stream(data)
    model = Model(folder)
    print({name: value.hex() if isinstance(value, bytes) else value for name, value in head.items()})
    for chunk in chunks:
        print(*model.decode(head, chunk))


if __name__ == "__main__":
    main(*sys.argv[1:3])
