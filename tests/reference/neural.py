# SPDX-License-Identifier: Apache-2.0
"""The prior `neural`: docs/format.md, sections 10 and 11.9 (decoder.py says what this is)."""

from coding import require
from mixing import TREES, Layout, Mixer, stretch
from walk import open_tables, trained_plan


def make_exp():
    table, decayed = [], 2**32
    for _ in range(4096):
        table.append(decayed + 128 >> 8)
        decayed = decayed * 4278222805 + 2**31 >> 32
    return table


EXP = make_exp()


class Expert:
    """[10] The integer network along the walk."""

    def __init__(self, reader, radices, shape, first):
        radius, self.width, layers, self.head, self.bits = (reader.u8() for _ in range(5))
        self.width, self.head = 64 * self.width, 64 * self.head
        require(1 <= radius <= 4 and 64 <= self.width <= 512 and layers <= 4 and self.head in (64, 128)
                and 8 <= self.bits <= 12, "sizes of the network")
        self.radices, rows = radices, sum(radices)
        self.first_row = [sum(radices[:k]) for k in range(len(radices))]

        signed, biases = reader.signed_rows, reader.biases
        neighbours = (2 * radius + 1) ** 2 - 1
        self.window = signed(neighbours * rows, self.width)
        self.layers = [signed(self.width, self.width) for _ in range(layers)]
        self.heads = [signed(self.head, self.width) for _ in radices]
        self.own = [signed(row, self.head) for row in self.first_row]
        self.outputs = signed(rows, self.head)
        self.window_bias = biases(self.width)
        self.layer_bias = [biases(self.width) for _ in range(layers)]
        self.head_bias = [biases(self.head) for _ in radices]
        self.output_bias = biases(rows)
        self.prove(rows, neighbours)
        self.around = [(dy, dx) for dy in range(-radius, radius + 1) for dx in range(-radius, radius + 1) if dy or dx]
        _, t, self.h, self.w = shape
        if self.h == 1 and self.w == 1:
            self.w = t
        self.known, self.values, self.at = {}, [], first % (self.h * self.w)

    def prove(self, rows, neighbours):
        for unit in range(self.width):
            most = abs(self.window_bias[unit])
            for n in range(neighbours):
                for first, radix in zip(self.first_row, self.radices):
                    most += max(abs(self.window[n * rows + first + value][unit]) for value in range(radix))
            require(most <= 32767, "sums of the window fit 16 bits")

    def look(self):
        y, x = divmod(self.at, self.w)
        sums, rows = list(self.window_bias), sum(self.radices)
        for n, (dy, dx) in enumerate(self.around):
            inside = 0 <= y + dy < self.h and 0 <= x + dx < self.w
            token = self.known.get((y + dy) * self.w + x + dx) if inside else None
            for k, value in enumerate(token or ()):
                sums = [a + b for a, b in zip(sums, self.window[n * rows + self.first_row[k] + value])]
        units = clip(sums, self.bits - 7)
        for weights, bias in zip(self.layers, self.layer_bias):
            units = clip(product(weights, units, bias), 8)
        self.units = units

    def log_odds(self):
        if not self.values:
            if self.at == self.h * self.w:
                self.known, self.at = {}, 0
            self.look()
        k = len(self.values)
        sums = product(self.heads[k], self.units, self.head_bias[k])
        for j, value in enumerate(self.values):
            sums = [a + 256 * b for a, b in zip(sums, self.own[k][self.first_row[j] + value])]
        units, first, radix = clip(sums, 7), self.first_row[k], self.radices[k]
        logits = product(self.outputs[first:first + radix], units, self.output_bias[first:first + radix])
        counts = []
        for logit in logits:
            below = max(logits) - logit >> 3
            counts.append(max(EXP[below], 1) if below < 4096 else 1)
        heard = []
        for low, middle, high, _, _ in TREES[radix]:
            heard.append(stretch((sum(counts[middle:high]) << 16) // sum(counts[low:high])))
        return heard

    def saw(self, value):
        self.values.append(value)
        if len(self.values) == len(self.radices):
            self.known[self.at] = tuple(self.values)
            self.values, self.at = [], self.at + 1


def clip(sums, shift):
    return [min(max(one + (1 << shift - 1) >> shift, 0), 127) for one in sums]


def product(weights, units, biases):
    return [bias + sum(a * b for a, b in zip(row, units)) for row, bias in zip(weights, biases)]


def neural(plan, _factors, tables, shape, first):
    reader, factors, vocab = open_tables(b"VQNN", tables)
    trained = trained_plan(plan, factors, vocab)
    require(len(trained) == 1 and all(digit.factor == digit.radix for digit in trained[0]), "one level, small factors")
    expert = Expert(reader, [digit.radix for digit in trained[0]], shape, first)
    return Mixer(reader, Layout(trained, True), expert)
