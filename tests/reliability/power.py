# SPDX-License-Identifier: Apache-2.0
"""power.py PROGRAM PARTS WORK [--every N]: what is on the disk after the power failed at any moment.

A run's system calls on files are recorded (strace) and played back onto a model of a disk that has stored only what was
asked of it: the bytes of a file at its last fsync, the names of a folder at the folder's last fsync. What came after may
be stored too, in any choice: of bytes nothing, half or all of what was written since; of names any of the changes since.
Each such disk, after each call, is made a folder (equal ones once). In it, an output is whole, or the one before, or not
there; a set of tokens is completed by the same command to the same bytes. What a command that ended with 0 has written
is there on every disk from then on. --every takes each N-th disk.
"""
import hashlib
import itertools
import re
import shutil
import subprocess
import sys

from faults import SKIPPED, Bench, can_trace
from place import read_arguments

CALLS = ("openat,write,pwrite64,lseek,close,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,"
         "rmdir,ftruncate,linkat,fallocate,copy_file_range,sendfile")
LINE = re.compile(rb"(\d+) +(\w+)\((.*)\) += (-?\d+)")
STRING = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')
HANDLE = re.compile(rb"(AT_FDCWD|\d+)<([^>]*)>")
MOST_NAMES = 5  # changes of names that are kept in every choice


def text_of(hexed):
    return bytes.fromhex(hexed.replace(b"\\x", b"").decode())


def calls_of(trace):
    """Calls that succeeded, in the order in which they ended: name, arguments, result."""
    begun = {}
    for line in open(trace, "rb").read().split(b"\n"):
        pid = line.split(b" ", 1)[0]
        if line.endswith(b"<unfinished ...>"):
            begun[pid] = line[:-len(b"<unfinished ...>")]
            continue
        if b" resumed>" in line:
            line = begun.pop(pid) + line.split(b" resumed>", 1)[1]
        found = LINE.match(line)
        if found and int(found[4]) >= 0:
            yield found[2].decode(), found[3], int(found[4])


class Disk:
    """Files are numbered; a name below `root` has a number, or "folder"."""

    def __init__(self, root, before):
        self.root = root
        self.data, self.stored = {}, {}
        self.names = {}           # as stored
        self.changes = []         # of names since: {name: number, "folder" or None}
        self.handles = {}         # file descriptor: number of the file and position
        for name, content in before.items():
            self.names[name] = self.new(content)

    def new(self, content=b""):
        number = len(self.data)
        self.data[number], self.stored[number] = bytearray(content), bytes(content)
        return number

    def now(self, changes=None):
        names = dict(self.names)
        for change in self.changes if changes is None else changes:
            names.update(change)
        return {name: what for name, what in names.items() if what is not None}

    def name(self, folder, path):
        if not path.startswith(b"/"):
            path = folder + b"/" + path
        path = re.sub(rb"/+", b"/", path).rstrip(b"/")
        return path[len(self.root) + 1:].decode() if path.startswith(self.root + b"/") else None

    def play(self, call, arguments, result, cwd):
        """Whether the call changed anything."""
        strings = [text_of(one) for one in STRING.findall(arguments)]
        handles = HANDLE.findall(arguments)
        number = int(arguments.split(b"<")[0]) if arguments[:1].isdigit() else None
        folder = lambda at: handles[at][1] if at < len(handles) else cwd
        if call == "openat":
            name = self.name(folder(0), strings[0])
            self.handles.pop(result, None)
            if name is None or b"O_DIRECTORY" in arguments or b"O_RDONLY" in arguments and b"O_CREAT" not in arguments:
                return False
            there = self.now().get(name)
            if there is None:
                self.changes.append({name: self.new()})
            elif b"O_TRUNC" in arguments:
                self.data[there].clear()
            self.handles[result] = [self.now()[name], 0, b"O_APPEND" in arguments]
            return there is None
        if call in ("write", "pwrite64") and number in self.handles:
            handle = self.handles[number]
            data = self.data[handle[0]]
            at = len(data) if handle[2] else handle[1]
            if call == "pwrite64":
                at = int(arguments.rsplit(b",", 1)[1])
            data.extend(bytes(max(0, at - len(data))))
            data[at:at + result] = strings[0][:result]
            if call == "write":
                handle[1] = at + result
            return True
        if call == "lseek" and number in self.handles:
            self.handles[number][1] = result
        elif call == "close":
            self.handles.pop(number, None)
        elif call == "ftruncate" and number in self.handles:
            data, size = self.data[self.handles[number][0]], int(arguments.rsplit(b",", 1)[1])
            data[:] = data[:size] + bytes(max(0, size - len(data)))
            return True
        elif call in ("fsync", "fdatasync"):
            if number in self.handles:
                self.stored[self.handles[number][0]] = bytes(self.data[self.handles[number][0]])
                return True
            return self.store_names(handles[0][1])
        elif call in ("rename", "renameat", "renameat2", "linkat"):
            old, new = self.name(folder(0), strings[0]), self.name(folder(1), strings[1])
            if new is not None:
                self.changes.append({**({old: None} if call != "linkat" else {}), new: self.now()[old]})
                return True
        elif call in ("unlink", "unlinkat", "rmdir", "mkdir", "mkdirat"):
            name = self.name(folder(0), strings[0])
            if name is not None:
                self.changes.append({name: "folder" if call.startswith("mkdir") else None})
                return True
        elif call in ("fallocate", "copy_file_range", "sendfile") and number in self.handles:
            sys.exit(f"{call} is not known here")
        return False

    def store_names(self, folder):
        at = self.name(b"", folder) if folder != self.root else ""
        if at is None:
            return False
        inside = lambda name: name.rpartition("/")[0] == at
        rest = []
        for change in self.changes:
            self.names.update({name: what for name, what in change.items() if inside(name)})
            rest.append({name: what for name, what in change.items() if not inside(name)})
        self.changes = [change for change in rest if change]
        return True

    def stored_disks(self):
        """{name: bytes, or None of a folder} of every disk that there may be now."""
        fixed, free = self.changes[:-MOST_NAMES], self.changes[-MOST_NAMES:]
        for keep in itertools.product((False, True), repeat=len(free)):
            names = self.now([*(fixed if any(keep) else []), *itertools.compress(free, keep)])
            for bytes_of in (lambda n: self.stored[n], lambda n: bytes(self.data[n]), self.half):
                disk = {name: None if what == "folder" else bytes_of(what) for name, what in names.items()}
                yield {name: what for name, what in disk.items()
                       if all(str(up) in disk for up in list(parents(name)))}

    def half(self, number):
        stored, data = self.stored[number], bytes(self.data[number])
        middle = (len(stored) + len(data)) // 2
        return data[:middle] + bytes(max(0, len(data) - middle))  # blocks that were not written are zeros


def parents(name):
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def put(bench, disk):
    shutil.rmtree(bench.work / "out", ignore_errors=True)
    (bench.work / "out").mkdir()
    for name, content in sorted(disk.items()):
        if content is None:
            (bench.work / "out" / name).mkdir(parents=True, exist_ok=True)
        else:
            (bench.work / "out" / name).write_bytes(content)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
            for path in folder.rglob("*") if not path.name.startswith(".vqcodec.")}


def check(bench, arguments, disk, before, whole, ended):
    """What is wrong; None where nothing is."""
    visible = {name: what for name, what in disk.items() if not name.rpartition("/")[2].startswith(".vqcodec.")}
    if ended and not whole.items() <= visible.items():
        return "what was written is not stored"
    if arguments[0] != "tokenize":
        return None if visible in (before, whole) else "a part of the output"
    put(bench, disk)
    done = bench.again(arguments)
    if done.returncode:
        return f"the next run ends with {done.returncode}: {done.stderr.decode(errors='replace')}"
    return None if contents(bench.work / "out") == whole else "the next run does not make the same set"


def power_loss(bench, arguments, before, every):
    root = str(bench.work / "out").encode()
    put(bench, before)
    trace = str(bench.work / "trace")
    done = subprocess.run(["strace", "-f", "-qq", "-y", "-xx", "-s", "100000000", "-e", "trace=" + CALLS, "-o", trace,
                           bench.program, *arguments], cwd=bench.work, env=bench.environment, capture_output=True)
    if done.returncode:
        sys.exit(f"{arguments}: {done.stderr.decode()}")
    whole, disk = contents(bench.work / "out"), Disk(root, before)
    calls = list(calls_of(trace))
    seen, wrong, moments, checked = {}, [], 0, 0
    for at, (call, rest, result) in enumerate(calls):
        # -xx writes the paths of handles in hexadecimal too
        rest = HANDLE.sub(lambda m: m[1] + b"<" + (text_of(m[2]) if m[2].startswith(b"\\x") else m[2]) + b">", rest)
        if not disk.play(call, rest, result, str(bench.work).encode()):
            continue
        moments += 1
        for stored in disk.stored_disks():
            key = hashlib.sha256(repr(sorted(stored.items())).encode()).digest()
            if key in seen:
                continue
            seen[key] = True
            if len(seen) % every:
                continue
            checked += 1
            if problem := check(bench, arguments, stored, before, whole, False):
                wrong.append(f"{' '.join(arguments)}, after {moments} calls ({call}), {sorted(stored)}: {problem}")
    if disk.now() and {n: bytes(disk.data[w]) if w != "folder" else None for n, w in disk.now().items()
                       if not n.rpartition("/")[2].startswith(".vqcodec.")} != whole:
        sys.exit(f"{arguments}: the model of the disk does not hold what the run has written")
    for stored in disk.stored_disks():
        checked += 1
        if problem := check(bench, arguments, stored, before, whole, True):
            wrong.append(f"{' '.join(arguments)}, ended: {problem}: {sorted(stored)}")
            break
    print(f"{' '.join(arguments)}: {moments} moments, {checked} of {len(seen)} disks, {len(wrong)} wrong", flush=True)
    return wrong


def main():
    args = read_arguments(__doc__, every=1)
    if not can_trace():
        return SKIPPED
    bench, wrong = Bench(args), []
    encode = ["encode", "in/a.ppm", "-o", "out/a.vqc", "-q"]
    bench.run(encode)
    shutil.copy(bench.work / "out/a.vqc", bench.work / "in/picture.vqc")
    sound = ["encode", "in/a.raw", "--format", "s16le", "--rate", "24000", "-o", "out/a.vqc", "-q"]
    bench.run(sound)
    shutil.copy(bench.work / "out/a.vqc", bench.work / "in/sound.vqc")
    wrong += power_loss(bench, encode, {}, args.every)
    wrong += power_loss(bench, [*encode, "--force"], {"a.vqc": b"the one before"}, args.every)
    wrong += power_loss(bench, ["decode", "in/picture.vqc", "-o", "out/a.ppm", "-q"], {}, args.every)
    wrong += power_loss(bench, sound, {}, args.every)
    wrong += power_loss(bench, ["decode", "in/sound.vqc", "-o", "out/a.wav", "-q"], {}, args.every)
    shutil.rmtree(bench.work / "in")
    (bench.work / "in").mkdir()
    for i in range(3):
        (bench.work / f"in/{i}.ppm").write_bytes(b"P6\n16 16\n255\n" + bytes(i * 50 + k % 50 for k in range(768)))
    for form in ("webdataset", "megatron", "parquet"):
        wrong += power_loss(bench, ["tokenize", "in", "-o", "out/t", "--shard-size", "1", "-q", "-j", "1", "--format", form],
                            {}, args.every)
    print("\n".join(wrong) or "every disk is one that can be gone on from")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
