# SPDX-License-Identifier: Apache-2.0
"""The prior `codeword`: docs/format.md, sections 10.1 and 11.10 (decoder.py says what this is)."""
import struct

from coding import RangeDecoder, require
from neural import EXP
from walk import open_tables, trained_plan


class Codeword:
    """[11.10] What a chunk begins with."""

    def __init__(self, plan, _factors, tables, *_):
        reader, factors, self.vocab = open_tables(b"VQCW", tables)
        trained = trained_plan(plan, factors, self.vocab)
        self.spans = [spans(digits, size) for digits, size in zip(trained, self.vocab)]
        embed, self.frames, width, head = reader.u8(), reader.u8(), reader.u8(), reader.u8()
        require(1 <= embed <= 8 and 1 <= self.frames <= 8 and 1 <= width <= 32 and 1 <= head <= 16, "sizes of the network")
        require(all(2 <= size <= 32768 for size in self.vocab), "vocabularies of 2 to 32768")
        embed, width, head, levels = 16 * embed, 16 * width, 16 * head, range(len(self.vocab))
        self.embed = embed
        self.scale = reader.bytes(len(self.vocab))
        require(all(1 <= one <= 127 for one in self.scale), "scales of 1 to 127")

        signed, biases = reader.signed_rows, reader.biases
        self.rows = [signed(size, embed) for size in self.vocab]
        self.first, self.second = signed(width, self.frames * embed), signed(width, width)
        self.trunk, self.part = [signed(head, width) for _ in levels], [signed(head, embed) for _ in levels]
        self.out = [signed(embed, head) for _ in levels]
        self.first_bias, self.second_bias = biases(width), biases(width)
        self.head_bias, self.out_bias = [biases(head) for _ in levels], [biases(embed) for _ in levels]
        self.bias = [struct.unpack(f"<{size}h", reader.bytes(2 * size)) for size in self.vocab]
        require(reader.left() == 0, "no bytes behind the network")
        self.before, self.sum, self.level = [], [0] * embed, None

    def enter(self, level):
        if self.level is not None:
            row, scale = self.rows[self.level][self.codeword], self.scale[self.level]
            self.sum = [a + scale * b for a, b in zip(self.sum, row)]
        if self.level is None or level == 0:
            if self.level is not None:
                self.before = [self.sum] + self.before[:self.frames - 1]
                self.sum = [0] * self.embed
            seen = [signed_steps(one, 8) for one in self.before]
            seen += [[0] * self.embed] * (self.frames - len(seen))
            units = clip(product(self.first, sum(seen, []), self.first_bias), 6)
            self.units = clip(product(self.second, units, self.second_bias), 7)
        self.level, self.codeword = level, 0
        parts = product(self.part[level], signed_steps(self.sum, 8), [0] * len(self.part[level]))
        sums = [a + 2 * b for a, b in zip(product(self.trunk[level], self.units, self.head_bias[level]), parts)]
        query = signed_steps(product(self.out[level], clip(sums, 7), self.out_bias[level]), 10)
        logits = [2 * one + bias for one, bias in zip(product(self.rows[level], query, [0] * self.vocab[level]),
                                                      self.bias[level])]
        self.counts = [max(EXP[below], 1) if below < 4096 else 1 for below in (max(logits) - one >> 3 for one in logits)]

    def predict(self, step):
        if step.number == 0:
            self.enter(step.level)
        span = self.spans[step.level][step.number]
        last = (step.digit.factor - step.above) * (span // step.digit.unit)
        ends = [self.codeword + min(value * span, last) for value in range(step.alphabet + 1)]
        counts = [sum(self.counts[low:high]) for low, high in zip(ends, ends[1:])]
        spare, starts, below = RangeDecoder.TOTAL - step.alphabet, [], 0
        for value, count in enumerate(counts):
            starts.append(value + below * spare // sum(counts))
            below += count
        return starts + [RangeDecoder.TOTAL]

    def update(self, step, value):
        self.codeword += value * self.spans[step.level][step.number]


def spans(digits, vocab):
    """Codewords that one value of each digit stands for."""
    found = []
    for digit in digits:
        if digit.top:
            vocab //= digit.factor
        found.append(digit.unit * vocab)
    return found


def clip(sums, shift):
    return [min(max(one + (1 << shift - 1) >> shift, 0), 127) for one in sums]


def signed_steps(sums, shift):
    return [min(max(one + (1 << shift - 1) >> shift, -64), 63) for one in sums]


def product(weights, units, biases):
    return [bias + sum(a * b for a, b in zip(row, units)) for row, bias in zip(weights, biases)]
