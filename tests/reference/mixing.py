# SPDX-License-Identifier: Apache-2.0
"""The prior `mixing`: docs/format.md, section 11.8 (decoder.py says what this is)."""
import struct

from coding import require
from walk import (BEFORE, LEFT, LEFT_LEFT, LEVEL_ABOVE, NOTHING, TOTAL, UP, UP_LEFT, UP_RIGHT, UP_UP, Step, open_tables,
                  trained_plan)

TRAINED, CONTEXTS, BUCKETS = 18, 24, 12
LIMIT = 2047
EMPTY = (2**21, 0)  # a statistic: probability in 22 bits, count
COUNTS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 256, 512, 768, 1023)


def toward_zero(a, b):
    return a // b if a >= 0 else -(-a // b)


def make_squash():
    table, decayed = [0] * (2 * LIMIT + 1), 2**32
    for x in range(LIMIT + 1):
        total = 2**32 + decayed
        p = (2**48 + total // 2) // total
        table[LIMIT + x], table[LIMIT - x] = p, 65536 - p
        decayed = decayed * 4278222805 + 2**31 >> 32
    return table


SQUASH = make_squash()


def squash(x):
    return SQUASH[min(max(x, -LIMIT), LIMIT) + LIMIT]


def make_stretch():
    table, x = [], -LIMIT
    for i in range(4096):
        while x < LIMIT and SQUASH[x + LIMIT] < i * 16 + 8:
            x += 1
        table.append(x)
    return table


STRETCH = make_stretch()


def stretch(p):
    return STRETCH[p >> 4]


def make_tree(radix):
    """[11.8] Nodes: low, middle, high, and the nodes of both halves or None."""
    nodes = [[0, 0, radix, None, None]]
    for node in nodes:
        low, high = node[0], node[2]
        node[1] = middle = (low + high + 1) // 2
        for child, (first, last) in ((3, (low, middle)), (4, (middle, high))):
            if last - first > 1:
                node[child] = len(nodes)
                nodes.append([first, 0, last, None, None])
    return nodes


TREES = {radix: make_tree(radix) for radix in range(2, 17)}


def bucket(count):
    return count if count <= 1 else min(2 + (count - 1).bit_length() - 1, BUCKETS - 1)


def learned(slot, upper, most):
    p, count = slot
    rate = 131072 // (2 * count + 3)
    return p + ((2**22 - 1 if upper else 0) - p) * rate // 65536, min(count + 1, most)


def mean(weighted, number, radix, steps):
    total = weights = 0
    for token, weight in weighted:
        if token[number]:
            total += (2 * token[number] - 1) * weight
            weights += weight
    return (1 + total * steps // (2 * radix * weights) if weights else 0), steps + 1


def activity(digits, tokens, steps):
    total = terms = 0
    for token in tokens:
        for i, digit in enumerate(digits):
            if token[i]:
                total += abs(2 * token[i] - 1 - digit.radix) * 64 // digit.radix
                terms += 1
    return (min(steps, 1 + total * steps // (64 * terms)) if terms else 0), steps + 1


def surprise(digits, step, steps):
    left, up, total, terms = step.near[LEFT], step.near[UP], 0, 0
    for i in range(step.number):
        if left[i] or up[i]:
            expected = 2 * up[i] if not left[i] else 2 * left[i] if not up[i] else left[i] + up[i]
            total += abs(2 * step.own[i] - expected) * 32 // digits[i].radix
            terms += 1
    return (1 + min(steps - 1, total * steps // (32 * terms)) if terms else 0), steps + 1


def gradient(step, number, radix):
    left, up, corner = (step.near[one][number] for one in (LEFT, UP, UP_LEFT))
    value = max(left, up)
    if left and up and corner:
        value = min(max(left + up - corner, 1), radix)
    return value, radix + 1


def contexts_of(plan, step):
    """[11.8] (value, range) of each context."""
    digits, d, n = plan[step.level], step.number, step.near
    radix = digits[d].radix

    def near(which):
        return n[which][d], radix + 1

    def own(back):
        return (step.own[d - back], digits[d - back].radix + 1) if back <= d else (0, 1)

    above = (0, 1)
    if step.level and plan[step.level - 1]:
        others = plan[step.level - 1]
        i = min(d, len(others) - 1)
        above = n[LEVEL_ABOVE][i], others[i].radix + 1
    all_own = [(step.own[i], digits[i].radix + 1) for i in range(d)]
    left, up, corner, right = near(LEFT), near(UP), near(UP_LEFT), near(UP_RIGHT)
    pair = mean(((n[LEFT], 1), (n[UP], 1)), d, radix, 2 * radix - 1)
    wide = mean(((n[LEFT], 2), (n[UP], 2), (n[UP_LEFT], 1), (n[UP_RIGHT], 1)), d, radix, 2 * radix)
    busy, odd, slope = activity(digits, (n[LEFT], n[UP]), 6), surprise(digits, step, 5), gradient(step, d, radix)
    views = ((), (left, up), (left, up, corner), (left, up, right), (left, near(LEFT_LEFT)), (up, near(UP_UP)),
             (own(1), own(2)), (own(1), left), (own(1), up), (own(1), own(2), own(3)), all_own, (slope, odd),
             (pair, busy), (wide, own(1)), (wide, odd, busy), (above, own(1)), (near(BEFORE), wide),
             (wide, own(2), own(3)),
             (), (left,), (up,), (own(1),), (slope,), (own(2),))
    keys = []
    for view in views:
        value, size = 0, 1
        for one, of in view:
            value = (value * of + one) % 2**64
            size = 2**64 - 1 if size > 2**56 - 1 else size * of
        keys.append((value, size))
    return keys


class Layout:
    """[11.8] Which statistics and weights there are. first, rows and hashed of a digit are lists over the contexts."""

    BUDGET, LEAST = 400_000, 32

    def __init__(self, plan, expert):
        self.plan, self.inputs, self.digits = plan, CONTEXTS + expert, {}
        ranges = {}
        for level, digits in enumerate(plan):
            for number, digit in enumerate(digits):
                step = Step(level, number, digit, NOTHING, (NOTHING,) * 8)
                ranges[level, number] = [size for _, size in contexts_of(plan, step)]
        cap = self.BUDGET
        while cap > self.LEAST and self.slots(ranges, cap) > self.BUDGET:
            cap -= cap // 8 + 1
        self.trained = self.fresh = self.weights = self.network = 0
        for (level, number), sizes in ranges.items():
            nodes = plan[level][number].radix - 1
            place = {"nodes": nodes, "first": [], "rows": [], "weights": self.weights, "network": self.network}
            for i, size in enumerate(sizes):
                rows = min(size, cap if i < TRAINED else 32)
                place["rows"].append((rows, size > rows))
                if i < TRAINED:
                    place["first"].append(self.trained)
                    self.trained += rows * nodes
                else:
                    place["first"].append(self.fresh)
                    self.fresh += rows * nodes
            self.weights += nodes * self.inputs * BUCKETS
            self.network += 0 if expert else 32 * 48 + nodes * 80
            self.digits[level, number] = place

    def slots(self, ranges, cap):
        return sum(min(size, cap) * (self.plan[level][number].radix - 1)
                   for (level, number), sizes in ranges.items() for size in sizes[:TRAINED])


def row_of(value, rows, hashed):
    if not hashed:
        return value
    mixed = (value + 1) * 0x9E3779B97F4A7C15 % 2**64
    mixed ^= mixed >> 29
    mixed = mixed * 0xBF58476D1CE4E5B9 % 2**64
    return (mixed >> 32) * rows >> 32


def centered(digit, radix):
    return toward_zero((2 * digit - 1 - radix) * 256, radix - 1) if digit else 0


def network_inputs(plan, step):
    """[11.8] The 48 inputs of the small network."""
    digits, d, n = plan[step.level], step.number, step.near
    inputs = [256] + [centered(n[one][d], digits[d].radix) for one in (LEFT_LEFT, UP_UP, BEFORE)]
    there = step.level > 0 and d < len(plan[step.level - 1])
    inputs.append(centered(n[LEVEL_ABOVE][d], plan[step.level - 1][d].radix) if there else 0)
    for back in range(1, 7):
        inputs.append(centered(step.own[d - back], digits[d - back].radix) if back <= d else 0)
    for one in (LEFT, UP, UP_LEFT, UP_RIGHT):
        for i in range(8):
            other = (d + i) % len(digits)
            inputs.append(centered(n[one][other], digits[other].radix) if i < len(digits) else 0)
    return inputs + [0] * (48 - len(inputs))


class Mixer:
    """[11.8] What is learned and what learns on. expert: gives log odds for the nodes of a digit; None in `mixing`."""

    def __init__(self, reader, layout, expert=None):
        self.layout, self.expert = layout, expert
        packed = reader.bytes((layout.trained + 1) // 2)
        counts = [packed[i // 2] >> 4 * (i % 2) & 15 for i in range(layout.trained)]
        self.slots = []
        for count in counts:
            if count == 0:
                self.slots.append(EMPTY)
                continue
            coarse = reader.u8() - 128
            require(coarse >= -127, "log odds of -127 to 127")
            self.slots.append((squash(coarse * 16) << 6, COUNTS[count]))
        require(reader.left() == 2 * (layout.weights + layout.network), "weights")
        numbers = struct.unpack(f"<{reader.left() // 2}H", reader.bytes(reader.left()))
        self.weights = [(one - 32768) * 16 for one in numbers[:layout.weights]]
        self.network = [one - 32768 for one in numbers[layout.weights:]]
        require(all(abs(one) <= 16384 for one in self.network), "weights of the network")
        self.fresh = [EMPTY] * layout.fresh

    def features(self, step, place):
        inputs = network_inputs(self.layout.plan, step)
        for unit in range(32):
            row = self.network[place["network"] + 48 * unit:place["network"] + 48 * (unit + 1)]
            inputs.append(min(max(sum(a * b for a, b in zip(row, inputs[:48])) >> 12, 0), 1023))
        return inputs

    def enter(self, step):
        self.place = place = self.layout.digits[step.level, step.number]
        keys = contexts_of(self.layout.plan, step)
        self.rows = [first + row_of(value, *rows) * place["nodes"]
                     for first, rows, (value, _) in zip(place["first"], place["rows"], keys)]
        self.heard = self.expert.log_odds() if self.expert else None
        self.seen = None if self.expert else self.features(step, place)
        self.nodes = {}

    def statistics(self, i):
        return self.slots if i < TRAINED else self.fresh

    def evaluate(self, k):
        """The probability, of 16 bits, that the value is in the upper half of node k."""
        place, inputs, weights, total = self.place, [], [], 0
        for i in range(self.layout.inputs):
            at = place["weights"] + (k * self.layout.inputs + i) * BUCKETS
            if i < CONTEXTS:
                p, count = self.statistics(i)[self.rows[i] + k]
                inputs.append(stretch(p >> 6))
                weights.append(at + bucket(count))
            else:
                inputs.append(self.heard[k])
                weights.append(at + abs(self.heard[k]) // 171)
            total += self.weights[weights[-1]] * inputs[-1]
        x = total >> 16
        if not self.expert:
            row = place["network"] + 32 * 48 + 80 * k
            x += sum(a * b for a, b in zip(self.network[row:row + 80], self.seen)) >> 12
        self.nodes[k] = (squash(x), inputs, weights)
        return self.nodes[k][0]

    def predict(self, step):
        self.enter(step)
        starts = [0] * (step.digit.radix + 1)
        starts[step.alphabet] = TOTAL
        for k, (low, middle, high, _, _) in enumerate(TREES[step.digit.radix]):
            if middle >= step.alphabet:
                continue
            high = min(high, step.alphabet)
            width = starts[high] - starts[low]
            lower = width * (65536 - self.evaluate(k)) >> 16
            starts[middle] = starts[low] + min(max(lower, middle - low), width - (high - middle))
        return starts[:step.alphabet + 1]

    def update(self, step, value):
        k = 0
        while k is not None:
            _, middle, _, lower, upper = TREES[step.digit.radix][k]
            if middle < step.alphabet:
                self.adjust(k, value >= middle)
            k = upper if value >= middle else lower
        if self.expert:
            self.expert.saw(value)

    def adjust(self, k, upper):
        p, inputs, weights = self.nodes[k]
        off = ((65536 if upper else 0) - p) * 2
        for at, one in zip(weights, inputs):
            self.weights[at] = min(max(self.weights[at] + (off * one + 2**19 >> 20), -2**19), 2**19)
        for i in range(CONTEXTS):
            slots = self.statistics(i)
            slots[self.rows[i] + k] = learned(slots[self.rows[i] + k], upper, 1023 if i < TRAINED else 60)


def mixing(plan, _factors, tables, *_):
    reader, factors, vocab = open_tables(b"VQMX", tables)
    return Mixer(reader, Layout(trained_plan(plan, factors, vocab), False))
