# SPDX-License-Identifier: Apache-2.0
"""Payloads of rANS sections: docs/format.md, section 9 (decoder.py says what this is)."""
import struct

from coding import Reader, require


class Table:
    """[9.1] bands: (frequency, fine bits, symbols)."""

    def __init__(self, coarse_bits, bands):
        self.coarse_bits, self.bands = coarse_bits, bands
        self.slots = [i for i, band in enumerate(bands) for _ in range(band[0])]
        self.starts, start = [], 0
        for frequency, _, _ in bands:
            self.starts.append(start)
            start += frequency


class Section:
    """[9.2] States, and the words that they take in."""

    def __init__(self, data, states):
        require(len(data) >= 4 * states and len(data) % 2 == 0, "a section has its states and whole words")
        self.states = list(struct.unpack(f"<{states}I", data[:4 * states]))
        require(min(self.states) >= 2**16, "states of at least 2^16")
        self.words = Reader(data[4 * states:])

    def settle(self, i, x):
        self.states[i] = x if x >= 2**16 else x << 16 | self.words.u16()

    def band(self, i, table):
        """The band of the next symbol."""
        if table.coarse_bits == 0:
            return 0
        x, r = self.states[i], table.coarse_bits
        band = table.slots[x % 2**r]
        self.settle(i, table.bands[band][0] * (x >> r) + x % 2**r - table.starts[band])
        return band

    def bits(self, i, count):
        if count == 0:
            return 0
        x = self.states[i]
        self.settle(i, x >> count)
        return x % 2**count

    def flag(self, i, frequency):
        """[9.4] A band event of two bands."""
        x = self.states[i]
        slot = x % 2**15
        if slot < frequency:
            self.settle(i, frequency * (x >> 15) + slot)
            return True
        self.settle(i, (2**15 - frequency) * (x >> 15) + slot - frequency)
        return False

    def finish(self):
        require(self.words.left() == 0, "all words are taken")
        require(all(x == 2**16 for x in self.states), "every state ends at 2^16")


def lanes_for(symbols):
    return 32 if symbols >= 32768 else 4


def decode_steps(section, table, count, lanes):
    """Symbols of one table, in steps of as many as there are states."""
    ids = []
    while len(ids) < count:
        n = min(lanes, count - len(ids))
        bands = [table.bands[section.band(i, table)] for i in range(n)]
        ids += [band[2][section.bits(i, band[1])] for i, band in enumerate(bands)]
    return ids


def scale(weights, bits):
    """[9.3] Frequencies in proportion to weights that sum to 2^bits."""
    spare, total = 2**bits - len(weights), sum(weights)
    frequencies = [1 + weight * spare // total for weight in weights]
    frequencies[weights.index(max(weights))] += 2**bits - sum(frequencies)
    return frequencies


def read_table(alphabet, reader):
    """[9.3]"""
    coarse_bits, count = reader.u8(), reader.varint() + 1
    require(coarse_bits <= 16 and count <= 4096, "coarse bits and bands")
    packed = [reader.varint() for _ in range(count)]
    require(max(packed) >> 4 < 65535, "frequencies")
    require(sum((one >> 4) + 1 for one in packed) == 2**coarse_bits, "frequencies sum to 2^r")
    sizes = [1 << (one & 15) for one in packed]
    require(sum(sizes) <= alphabet, "no more symbols than the alphabet has")
    values = sizes + [alphabet - sum(sizes)] * (sum(sizes) < alphabet)
    member_of = [0] * alphabet
    if len(values) > 1:
        bits = 12 if alphabet < 65536 and len(values) <= 1024 else 16
        members = Table(bits, [(f, 0, [i]) for i, f in enumerate(scale(values, bits))])
        section = Section(reader.bytes(reader.varint()), lanes_for(alphabet))
        member_of = decode_steps(section, members, alphabet, lanes_for(alphabet))
        section.finish()
    symbols = [[] for _ in values]
    for symbol, band in enumerate(member_of):
        symbols[band].append(symbol)
    require([len(one) for one in symbols] == values, "every band has its symbols")
    return Table(coarse_bits, [((one >> 4) + 1, one & 15, symbols[i]) for i, one in enumerate(packed)])


def interleave(levels):
    return [one for position in zip(*levels) for one in position]


def decode_table(shape, vocab, _factors, payload, _tables):
    """[9.3] Coding 5."""
    reader, positions = Reader(payload), shape[1] * shape[2] * shape[3]
    levels = []
    for alphabet in vocab:
        if alphabet == 1:
            levels.append([0] * positions)
            continue
        table = read_table(alphabet, reader)
        section = Section(reader.bytes(reader.varint()), lanes_for(positions))
        levels.append(decode_steps(section, table, positions, lanes_for(positions)))
        section.finish()
    require(reader.left() == 0, "nothing follows")
    return interleave(levels)


def table_after(counts):
    """[9.4] What follows from counts."""
    order = sorted(range(len(counts)), key=lambda one: (-counts[one], one))
    evenness, bands = 7, split_bands(counts, order, 7)
    while len(bands) > 4096:
        evenness //= 2
        bands = split_bands(counts, order, evenness)
    if len(bands) == 1:
        return Table(0, [(1, len(bands[0]).bit_length() - 1, sorted(bands[0]))])
    frequencies = scale([sum(4 * counts[one] + 1 for one in band) for band in bands], 12)
    return Table(12, [(f, len(band).bit_length() - 1, sorted(band)) for f, band in zip(frequencies, bands)])


def split_bands(counts, order, evenness):
    bands, first = [], 0
    while first < len(order):
        size, most = 1, 4 * counts[order[first]] + 1
        while size < 2**15 and first + 2 * size <= len(order):
            least = 4 * counts[order[first + 2 * size - 1]] + 1
            if most * evenness > least * (evenness + 1):
                break
            size *= 2
        bands.append(order[first:first + size])
        first += size
    return bands


def block_after(symbols):
    return min(max(symbols // 4 // 32 * 32, 256), 2**18)


def decode_order0(data, alphabet, count):
    section, ids, counts = Section(data, lanes_for(count)), [], [0] * alphabet
    while len(ids) < count:
        n = min(block_after(len(ids)), count - len(ids))
        block = decode_steps(section, table_after(counts), n, lanes_for(count))
        for one in block:
            counts[one] += 1
        ids += block
    section.finish()
    return ids


NEIGHBOURS = 8


def distance(number, place, shape):
    """[9.4] How many tokens back a neighbour lies; 0 where there is none."""
    levels, _, rows, columns = shape
    level, t, y, x = place
    column, row, time = levels, levels * columns, levels * columns * rows
    there, back = ((x >= 1, column), (y >= 1, row), (y >= 1 and x >= 1, row + column),
                   (y >= 1 and x + 1 < columns, row - column), (t >= 1, time), (level >= 1, 1),
                   (t >= 2, 2 * time), (x >= 2, 2 * column))[number]
    return back if there else 0


class Level:
    """[9.4] The table of a level and the chances of its candidates."""

    def __init__(self, vocab):
        self.counts, self.seen, self.repeated, self.chances = [0] * vocab, 0, 0, {}
        self.renew()

    def renew(self):
        self.table = table_after(self.counts)
        self.next = self.seen + block_after(self.seen)
        self.classes = [(4096 * count // self.seen).bit_length() if self.seen else 0 for count in self.counts]

    def other(self, one):
        self.repeated = 0
        self.counts[one] += 1
        self.seen += 1
        if self.seen == self.next:
            self.renew()


def learn(chance, so):
    c, s = chance
    off = ((2**22 - 1 if so else 0) - c) * 2
    c += off // (2 * s + 3) if off >= 0 else -(-off // (2 * s + 3))
    return c, min(s + 1, 400)


def decode_token(level, section, event, values):
    """The id and the number of the next event. values: (value, number, votes) of each candidate."""
    for value, number, votes in values:
        key = (number, votes, level.repeated, level.classes[value])
        chance = level.chances.get(key, (2**20, 1))
        so = section.flag(event % 2, min(max(chance[0] // 128, 1), 32767))
        level.chances[key] = learn(chance, so)
        event += 1
        if so:
            level.repeated = 1
            return value, event
    table = level.table
    band = table.bands[section.band(event % 2, table)]
    event += table.coarse_bits > 0
    one = band[2][section.bits(event % 2, band[1])]
    event += band[1] > 0
    level.other(one)
    return one, event


def candidates(ids, order, place, shape, vocab):
    found = []
    for number, neighbour in enumerate(order):
        back = distance(neighbour, place, shape)
        if not back or ids[-back] >= vocab:
            continue
        same = [entry for entry in found if entry[0] == ids[-back]]
        if same:
            same[0][2] = min(same[0][2] + 1, 2)
        else:
            found.append([ids[-back], number, 0])
    return found


def decode_neighbours(shape, vocab, order, reader):
    count = shape[0] * shape[1] * shape[2] * shape[3]
    levels, ids = [Level(one) for one in vocab], []
    while len(ids) < count:
        section, event = Section(reader.bytes(reader.varint()), 2), 0
        for i in range(len(ids), min(count, len(ids) + 65536)):
            level, position = i % shape[0], i // shape[0]
            place = (level, position // shape[3] // shape[2], position // shape[3] % shape[2], position % shape[3])
            if vocab[level] == 1:
                ids.append(0)
                continue
            found = candidates(ids, order, place, shape, vocab[level])
            one, event = decode_token(levels[level], section, event, found)
            ids.append(one)
        section.finish()
    return ids


def decode_blockwise(shape, vocab, _factors, payload, _tables):
    """[9.4] Coding 6."""
    reader = Reader(payload)
    order = [reader.u8() for _ in range(reader.u8())]
    require(all(one < NEIGHBOURS for one in order) and len(set(order)) == len(order), "neighbours")
    if order:
        ids = decode_neighbours(shape, vocab, order, reader)
    else:
        positions = shape[1] * shape[2] * shape[3]
        ids = interleave([decode_order0(reader.bytes(reader.varint()), one, positions) if one > 1 else [0] * positions
                          for one in vocab])
    require(reader.left() == 0, "nothing follows")
    return ids
