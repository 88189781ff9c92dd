# SPDX-License-Identifier: Apache-2.0
"""Bytes, checksums and the range coder: docs/format.md, sections 1 and 11.1 (decoder.py says what this is)."""
import struct


class Damaged(Exception):
    """What a strict reader refuses."""


def require(sound, what):
    if not sound:
        raise Damaged(what)


def crc32c(data, before=0):
    """[1] CRC-32C of `data`; `before` is that of what comes before it."""
    crc = before ^ 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def crc_entry(byte):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


CRC_TABLE = [crc_entry(byte) for byte in range(256)]


class Reader:
    def __init__(self, data):
        self.data, self.at = bytes(data), 0

    def left(self):
        return len(self.data) - self.at

    def bytes(self, count):
        require(count <= self.left(), f"cut off at byte {self.at}")
        self.at += count
        return self.data[self.at - count:self.at]

    def u8(self):
        return self.bytes(1)[0]

    def u16(self):
        return struct.unpack("<H", self.bytes(2))[0]

    def u32(self):
        return struct.unpack("<I", self.bytes(4))[0]

    def signed_rows(self, count, columns):
        """Weights of networks: rows of i8."""
        data = struct.unpack(f"<{count * columns}b", self.bytes(count * columns))
        require(-128 not in data, "weights of -127 to 127")
        return [data[i * columns:(i + 1) * columns] for i in range(count)]

    def biases(self, count):
        data = struct.unpack(f"<{count}i", self.bytes(4 * count))
        require(all(abs(one) <= 2**20 for one in data), "biases within 2^20")
        return data

    def varint(self):
        """[1] Seven bits a byte, lowest first, in the shortest form, at most 64 bits."""
        value = 0
        for i in range(10):
            byte = self.u8()
            require(not (i > 0 and byte == 0), "a varint in its shortest form")
            require(not (i == 9 and byte > 1), "a varint of at most 64 bits")
            value |= (byte & 0x7F) << 7 * i
            if byte < 0x80:
                return value
        raise Damaged("a varint of more than ten bytes")


class RangeDecoder:
    """[11.1] Numbers are of 64 bits; `low` is kept to tell at the end how an encoder would have finished."""

    TOTAL = 1 << 24

    def __init__(self, data):
        self.data, self.at = bytes(data), 0
        self.low, self.range, self.offset = 0, 2**64 - 1, 0
        for _ in range(8):
            self.offset = self.offset << 8 | self.next()
        require(self.offset < self.range, "the code lies within the first interval")

    def next(self):
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def decode(self, starts, total=TOTAL):
        """The symbol; symbol s has the share [starts[s], starts[s + 1]) of total."""
        unit = self.range // total
        quantile = min(self.offset // unit, total - 1)
        symbol = 0
        while starts[symbol + 1] <= quantile:
            symbol += 1
        start, end = starts[symbol], starts[symbol + 1]
        self.low = (self.low + unit * start) % 2**64
        self.offset -= unit * start
        self.range = self.range - unit * start if end == total else unit * (end - start)
        while self.range < 2**56:
            self.offset = self.offset << 8 | self.next()
            self.low = self.low << 8 & 2**64 - 1
            self.range <<= 8
        return symbol

    def finish(self):
        require(self.at >= len(self.data), "bytes follow the coded tokens")
        require(not self.data or self.data[-1] != 0, "the last byte is not zero")
        for kept in range(9):  # the value of the interval with the most zero bytes at its end
            mask = 2**64 - 1 >> 8 * kept
            value = self.low + mask & ~mask & 2**64 - 1
            if (value - self.low) % 2**64 < self.range:
                break
        require(self.offset == (value - self.low) % 2**64, "the payload ends as its tokens do")
