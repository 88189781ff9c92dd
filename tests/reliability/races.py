# SPDX-License-Identifier: Apache-2.0
"""races.py PROGRAM PARTS WORK [--runs N]: links that come and go where outputs are written.

While `encode` and `decode` write out/x again and again, another thread makes out/x a link to a file of somebody else, a
dangling link, a file and nothing, in turn. Nothing may be written through a link, whether the run ends well or says why not.
"""
import os
import sys
import threading

from place import Place, read_arguments

SECRET = b"of somebody else"


class Swapper(threading.Thread):
    """Changes what stands under the name, until it is stopped."""

    def __init__(self, path, victim):
        super().__init__(daemon=True)
        self.path, self.victim, self.stopped, self.count = path, victim, threading.Event(), 0

    def run(self):
        other = self.path.with_name("other")
        while not self.stopped.is_set():
            for target in (self.victim, "nowhere"):
                os.symlink(target, other)
                os.rename(other, self.path)
            other.write_bytes(b"a file")
            os.rename(other, self.path)
            self.path.unlink(missing_ok=True)
            self.count += 4


def main():
    args = read_arguments(__doc__, runs=100)
    place, work = Place(args), args.work
    (work / "out").mkdir()
    (work / "a.ppm").write_bytes(b"P6\n16 12\n255\n" + bytes(16 * 12 * 3))
    (work / "victim").write_bytes(SECRET)
    place.call("encode", "a.ppm", "-o", "a.vqc", "-q")
    place.call("decode", "a.vqc", "-o", "b.ppm", "-q")
    wrong, ended = [], {}
    for command, source, name in (("encode", "a.ppm", "x.vqc"), ("decode", "a.vqc", "x.ppm")):
        whole = (work / ("a.vqc" if command == "encode" else "b.ppm")).read_bytes()
        swapper = Swapper(work / "out" / name, work / "victim")
        swapper.start()
        for _ in range(args.runs):
            for force in ((), ("-f",)):
                done = place.call(command, source, "-o", f"out/{name}", "-q", *force)
                ended[done.returncode] = ended.get(done.returncode, 0) + 1
                if done.returncode not in (0, 2, 3) or (done.returncode and not done.stderr.startswith("vqcodec: ")):
                    wrong.append(f"{command}: exit status {done.returncode}, {done.stderr!r}")
        swapper.stopped.set()
        swapper.join()
        done = place.call(command, source, "-o", f"out/{name}", "-q", "-f")
        if done.returncode or (work / "out" / name).read_bytes() != whole:
            wrong.append(f"{command}: not whole at the end")
        if (work / "victim").read_bytes() != SECRET or (work / "nowhere").exists() or (work / "out/nowhere").exists():
            wrong.append(f"{command}: something was written through a link")
        left = [path.name for path in (work / "out").iterdir() if path.name.startswith(".vqcodec")]
        if left:
            wrong.append(f"{command}: temporary files are left: {left}")
        print(f"{command}: {2 * args.runs} runs, {swapper.count} changes of what stands there")
    print(f"ended with {dict(sorted(ended.items()))}")
    print("\n".join(wrong[:20]) or "nothing was written through a link")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
