# SPDX-License-Identifier: Apache-2.0
"""items.py PROGRAM PARTS WORK [--items N]: bad items among many stop nothing and change nothing.

Of N pictures every twentieth is cut, empty, no picture, beyond a limit or not there. `encode` and `tokenize` have to end with
the status of partial failure, tell of each bad item in a line of its own and of no other, and make of the others what they
make of them without the bad ones.
"""
import filecmp
import sys

from place import Place, read_arguments

DAMAGE = [lambda data: data[:len(data) // 2], lambda data: b"", lambda data: b"no picture at all",
          lambda data: data.replace(b"16 12", b"70000 70000", 1), None]


def picture(i):
    return b"P6\n16 12\n255\n" + bytes((i * 31 + j * (1 + i % 7)) % 256 for j in range(16 * 12 * 3))


class Bench(Place):
    def __init__(self, args):
        super().__init__(args)
        self.wrong = []
        (self.work / "in").mkdir()
        self.good, self.bad = [], []
        for i in range(args.items):
            name, damage = f"in/{i:06}.ppm", DAMAGE[i // 20 % len(DAMAGE)]
            (self.bad if i % 20 == 7 else self.good).append(name)
            data = picture(i) if i % 20 != 7 else damage(picture(i)) if damage else None
            if data is not None:
                (self.work / name).write_bytes(data)
        (self.work / "all.txt").write_text("".join(f"{name}\n" for name in sorted(self.good + self.bad)))
        (self.work / "good.txt").write_text("".join(f"{name}\n" for name in self.good))

    def run(self, command, names, out, *more):
        return self.call(command, "--files-from", f"{names}.txt", *more, out, "-j", "3")

    def expect(self, kept, what):
        if not kept:
            self.wrong.append(what)

    def check(self, command, more, expected):
        """The folders with and without bad items, after both runs."""
        mixed, pure = f"{command}-all", f"{command}-good"
        done = self.run(command, "all", mixed, *more)
        self.expect(done.returncode == expected, f"{command}: exit status {done.returncode}, {done.stderr[-300:]}")
        told = [line for line in done.stderr.splitlines() if line.startswith("vqcodec: ")]
        for name in self.bad:
            self.expect(sum(name in line for line in told) == 1, f"{command}: {name} is not told of once")
        self.expect(len(told) == len(self.bad), f"{command}: {len(told)} lines for {len(self.bad)} bad items")
        done = self.run(command, "good", pure, *more)
        self.expect(done.returncode == 0, f"{command}: exit status {done.returncode} without bad items")
        return self.work / mixed, self.work / pure


def main():
    args = read_arguments(__doc__, items=300)
    bench = Bench(args)
    mixed, pure = bench.check("encode", ["-O"], 1)
    names = {path.name for path in pure.iterdir()}
    bench.expect(len(names) == len(bench.good) and {path.name for path in mixed.iterdir()} == names, "encode: other files")
    _, other, failed = filecmp.cmpfiles(mixed, pure, names, shallow=False)
    bench.expect(not other and not failed, f"encode: {len(other) + len(failed)} files differ")
    mixed, pure = bench.check("tokenize", ["--format", "jsonl", "--shard-size", "50", "-o"], 1)

    def records(folder):
        return [line for path in sorted(folder.glob("*.jsonl")) if path.name[0].isdigit() for line in open(path)]

    bench.expect(records(mixed) == records(pure) and len(records(pure)) == len(bench.good), "tokenize: other items, or another order")
    skipped = (mixed / "skipped.jsonl").read_text().splitlines()
    bench.expect(len(skipped) == len(bench.bad), f"tokenize: skipped.jsonl lists {len(skipped)}")
    print(f"{args.items} items, {len(bench.bad)} of them bad, by encode and by tokenize")
    print("\n".join(bench.wrong[:20]) or "the others are as without them")
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
