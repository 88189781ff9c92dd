# SPDX-License-Identifier: Apache-2.0
"""The walk over digits, the priors that need no network, and windows: docs/format.md, sections 11 and 9.5 (decoder.py
says what this is)."""
import struct

from coding import RangeDecoder, Reader, crc32c, require

TOTAL = RangeDecoder.TOTAL


class Digit:
    def __init__(self, divisor, radix, factor, unit, top):
        self.divisor, self.radix, self.factor, self.unit, self.top = divisor, radix, factor, unit, top

    def ends_whole(self):
        """Whether the digits of the factor, of which this is one, can have all their values."""
        unit = 1
        while self.factor > 16 * unit:
            unit *= 16
        return self.factor % unit == 0

    def key(self):
        return self.divisor, self.radix, self.factor, self.unit


def split_factor(factor, divisor):
    """[11.2]"""
    unit, digits = 1, []
    while factor > 16 * unit:
        unit *= 16
    radix, top = -(-factor // unit), True
    while unit and factor > 1:
        digits.append(Digit(divisor * unit, radix, factor, unit, top))
        unit, radix, top = unit // 16, 16, False
    return digits


def plan_of(factors, vocab):
    """[11.2] The digits of each level in coding order."""
    require(1 <= len(vocab) <= 64, "1 to 64 levels")
    plan = []
    for level, size in enumerate(vocab):
        require(1 <= size <= 2**20, "vocabularies of 1 to 2^20")
        of_level = factors[level] if factors else []
        digits, product = [], 1
        for factor in of_level or [size]:
            require(not digits or digits[-1].ends_whole(), "factors before the last have whole digits")
            digits += split_factor(factor, product)
            product *= factor
        require(product == size, "factors multiply to the vocabulary")
        plan.append(digits)
    return plan


NOTHING = (0,) * 20
LEFT, UP, UP_LEFT, UP_RIGHT, LEFT_LEFT, UP_UP, BEFORE, LEVEL_ABOVE = range(8)


class Step:
    """What is known when a digit is decoded. Digits of tokens are given as value + 1, 0 where there is none."""

    def __init__(self, level, number, digit, own, near, above=0):
        self.level, self.number, self.digit = level, number, digit
        self.own, self.near, self.above = own, near, above
        self.alphabet = min(digit.radix, -(-(digit.factor - above) // digit.unit))


class Walk:
    """[11.3] Tokens in their order, from `first` on, with those before it unknown."""

    def __init__(self, shape, plan, first=0):
        levels, t, h, w = shape
        if h == 1 and w == 1:
            t, w = 1, t
        self.levels, self.h, self.w, self.plan, self.first = levels, h, w, plan, first
        self.seen = {}

    def near(self, i):
        level, place = i % self.levels, i // self.levels
        x, y, t = place % self.w, place // self.w % self.h, place // self.w // self.h
        row = self.levels * self.w

        def at(there, back):
            return self.seen.get(i - back, NOTHING) if there else NOTHING

        return (at(x >= 1, self.levels), at(y >= 1, row), at(y >= 1 and x >= 1, row + self.levels),
                at(y >= 1 and x + 1 < self.w, row - self.levels), at(x >= 2, 2 * self.levels), at(y >= 2, 2 * row),
                at(t >= 1, row * self.h), at(level >= 1, 1))

    def token(self, i, state, coder):
        """The id of token i."""
        near, own, one, above, level = self.near(i), list(NOTHING), 0, 0, i % self.levels
        for number, digit in enumerate(self.plan[level]):
            if digit.top:
                above = 0
            step = Step(level, number, digit, own, near, above)
            value = 0
            if step.alphabet > 1:
                value = coder.decode(state.predict(step))
                state.update(step, value)
            own[number] = value + 1
            above += value * digit.unit
            one += value * digit.divisor
        self.seen[i] = tuple(own)
        return one


class Sequential:
    """[11] A prior that goes digit by digit. `state` makes what a chunk begins with."""

    def __init__(self, state):
        self.state = state

    def run(self, shape, plan, factors, tables, data, first, count):
        state, walk, coder = self.state(plan, factors, tables, shape, first), Walk(shape, plan, first), RangeDecoder(data)
        ids = [walk.token(i, state, coder) for i in range(first, first + count)]
        coder.finish()
        return ids

    def decode(self, shape, vocab, factors, payload, tables):
        count = shape[0] * shape[1] * shape[2] * shape[3]
        return self.run(shape, plan_of(factors, vocab), factors, tables, payload, 0, count)


def decode_windows(coding, prior, shape, vocab, factors, payload, tables):
    """[9.5]"""
    require(isinstance(prior, Sequential), "a prior that goes digit by digit")
    reader, plan = Reader(payload), plan_of(factors, vocab)
    size = reader.varint()
    require(16 <= size <= 65536, "windows of 16 to 65536 bytes")
    seed = crc32c(struct.pack(f"<{6 + len(vocab)}I", coding, size, *shape, *vocab))
    ids, count = [], shape[0] * shape[1] * shape[2] * shape[3]
    while len(ids) < count:
        data = reader.bytes(min(size, reader.left()))
        window = Reader(data)
        require(window.u32() == crc32c(data[4:], seed), "the check of a window")
        first, tokens = window.varint(), window.varint()
        require(first == len(ids) and 1 <= tokens <= count - first, "windows follow each other")
        code = window.bytes(window.left()).rstrip(b"\0")
        ids += prior.run(shape, plan, factors, tables, code, first, tokens)
    require(data[-1] != 0 and reader.left() == 0, "the last window ends with its code")
    return ids


def shares(weights):
    """[11.3] Starts of values whose weights are given."""
    starts, total = [0], sum(weights)
    below = 0
    for weight in weights:
        below += weight
        starts.append(below * TOTAL // total)
    return starts


class Uniform:
    """[11.4]"""

    def __init__(self, *_):
        pass

    def predict(self, step):
        digit = step.digit
        left = min(digit.factor - step.above, digit.unit * digit.radix)
        return [min(left, value * digit.unit) * TOTAL // left for value in range(step.alphabet + 1)]

    def update(self, step, value):
        pass


class Adaptive:
    """[11.5]"""

    def __init__(self, *_):
        self.counts = {}

    def of(self, step):
        context = 0 if step.digit.top else step.above // step.digit.unit // 16 % 256
        return self.counts.setdefault((step.level, step.number, context), [0] * 16)

    def predict(self, step):
        return shares([1 + count for count in self.of(step)[:step.alphabet]])

    def update(self, step, value):
        counts = self.of(step)
        counts[value] += 2
        if sum(counts) >= 65536:
            counts[:] = [count // 2 for count in counts]


def open_tables(magic, tables):
    """[11.6] A reader behind the head of a trained prior's tables, and the factors and vocabularies in it."""
    require(len(tables) > 8 and tables[:5] == magic + b"\1", "magic and version of the tables")
    require(struct.unpack("<I", tables[-4:])[0] == crc32c(tables[:-4]), "checksum of the tables")
    reader = Reader(tables[5:-4])
    factors, vocab = [], []
    for _ in range(reader.varint()):
        vocab.append(reader.varint())
        factors.append([reader.varint() for _ in range(reader.varint())])
    return reader, factors, vocab


def trained_plan(plan, factors, vocab):
    """The plan that the tables are of; the tokens have its first levels."""
    trained = plan_of(factors, vocab)
    keys = [[digit.key() for digit in level] for level in trained]
    require([[digit.key() for digit in level] for level in plan] == keys[:len(plan)], "tables of this vocabulary")
    return trained


class Static:
    """[11.7]"""

    MOST = 400_000

    def __init__(self, plan, factors, tables, *_):
        reader, factors, vocab = open_tables(b"VQST", tables)
        self.plan = trained_plan(plan, factors, vocab)
        self.views = 3
        while not self.place() and self.views > 1:
            self.views -= 1
        require(reader.left() == 2 * self.entries, "as many frequencies as there are rows")
        self.weights = struct.unpack(f"<{self.entries}H", reader.bytes(2 * self.entries))
        require(min(self.weights) > 0, "frequencies from 1 on")

    def view_sizes(self, level, number):
        digits = self.plan[level]
        before = digits[number - 1].radix + 1 if number else 1
        return [before, digits[number].radix + 1, digits[number].radix + 1][:self.views]

    def place(self):
        self.first, self.entries = {}, 0
        for level, digits in enumerate(self.plan):
            for number, digit in enumerate(digits):
                self.first[level, number] = self.entries
                rows = 1
                for size in self.view_sizes(level, number):
                    rows *= size
                self.entries += rows * digit.radix
        return self.entries <= self.MOST

    def predict(self, step):
        views = (step.own[step.number - 1] if step.number else 0, step.near[LEFT][step.number],
                 step.near[UP][step.number])
        row = 0
        for view, size in reversed(list(zip(views, self.view_sizes(step.level, step.number)))):
            row = row * size + view
        at = self.first[step.level, step.number] + row * step.digit.radix
        return shares(self.weights[at:at + step.alphabet])

    def update(self, step, value):
        pass
