#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nearest-codeword search and k-means against what people use instead, on the CPU.

    python3 -m venv peers && peers/bin/pip install numpy==2.4.6 faiss-cpu==1.15.1 scikit-learn==1.9.1 torch==2.11.0
    peers/bin/python bench/search.py build/release/lib/libsearch_bench.so [--threads 1] [--json]
    peers/bin/python bench/search.py build/release/lib/libsearch_bench.so --kmeans --threads 2 --rounds 3
    peers/bin/python bench/search.py build/release/lib/libsearch_bench.so --features latents.npy --codes 16384

Every round runs every program once, in an order that rotates; a cell is the median of its rounds. With one thread the
time is CPU time, with several it is wall clock, and the quickest run on one thread is compared with the quickest on
all. Peers are float32: the share of their indices that are those of float64 distances (lowest index of equal ones) is
beside the time. --features takes real encoder outputs [N, D]: the codebook is drawn from them, one row in eight twice,
one in eight moved by one unit in the last place. --kmeans compares ten passes over a mixture of blobs.
"""
import argparse
import ctypes
import json
import statistics
import sys
import time

import numpy as np

SHAPES = [(65536, 1024, 8), (65536, 1024, 128), (16384, 16384, 8), (16384, 16384, 256), (4096, 262144, 8),
          (4096, 262144, 64)]
PAUSE = 0.3  # seconds before a run on several threads: those of OpenMP keep a core busy for a while after their work
BLOCK_BYTES = 16 << 20  # of scores that torch and numpy write at a time
CHECKED = 2048          # queries that are compared with float64


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


class Ours:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.BenchPrepare.restype = ctypes.c_void_p
        self.lib.BenchMessage.restype = self.lib.BenchSearch.restype = self.lib.BenchKMeans.restype = ctypes.c_char_p

    def search(self, x, c, threads, isa=-1):
        size, dim = map(ctypes.c_int64, c.shape)
        book = ctypes.c_void_p(self.lib.BenchPrepare(pointer(c), size, dim))
        ids = np.empty(len(x), np.int64)

        def run():
            message = self.lib.BenchSearch(book, pointer(x), ctypes.c_int64(len(x)), pointer(ids), threads, isa)
            if message:
                raise RuntimeError(message.decode())
            return ids
        return run

    def kmeans(self, x, k, passes, threads):
        centres = np.empty((k, x.shape[1]), np.float32)
        rows, dim = map(ctypes.c_int64, x.shape)
        seconds = np.zeros(passes + 1)
        message = self.lib.BenchKMeans(pointer(x), rows, dim, ctypes.c_int64(k), ctypes.c_int64(passes),
                                       ctypes.c_uint64(1), threads, -1, pointer(centres), pointer(seconds))
        if message:
            raise RuntimeError(message.decode())
        return centres


def faiss_search(x, c, threshold):
    import faiss
    index = faiss.IndexFlatL2(c.shape[1])
    index.add(c)
    default = faiss.cvar.distance_compute_blas_threshold

    def run():
        faiss.cvar.distance_compute_blas_threshold = threshold or default
        try:
            return index.search(x, 1)[1][:, 0]
        finally:
            faiss.cvar.distance_compute_blas_threshold = default
    return run


def torch_search(x, c):
    import torch
    x, c = torch.from_numpy(x), torch.from_numpy(c)
    half = -0.5 * (c * c).sum(1)
    block = max(1, BLOCK_BYTES // (4 * len(c)))

    def run():
        return torch.cat([torch.addmm(half, x[i:i + block], c.T).argmax(1) for i in range(0, len(x), block)]).numpy()
    return run


def numpy_search(x, c):
    half = -0.5 * (c * c).sum(1)
    block = max(1, BLOCK_BYTES // (4 * len(c)))

    def run():
        return np.concatenate([(x[i:i + block] @ c.T + half).argmax(1) for i in range(0, len(x), block)])
    return run


def sklearn_search(x, c):
    from sklearn.metrics import pairwise_distances_argmin
    return lambda: pairwise_distances_argmin(x, c)


def set_threads(count):
    import faiss
    import threadpoolctl
    import torch
    faiss.omp_set_num_threads(count)
    torch.set_num_threads(count)
    threadpoolctl.threadpool_limits(count)


def exact(x, c):
    """Indices by float64 differences."""
    found = np.empty(len(x), np.int64)
    for i, row in enumerate(x.astype(np.float64)):
        best = (np.inf, 0)
        for begin in range(0, len(c), 1 << 16):
            difference = c[begin:begin + (1 << 16)].astype(np.float64) - row
            distance = np.einsum("kd,kd->k", difference, difference)
            at = int(distance.argmin())
            best = min(best, (distance[at], begin + at))
        found[i] = best[1]
    return found


def measure(programs, rounds, clock, pause):
    times, answers = {name: [] for name in programs}, {}
    names = list(programs)
    for name in names:
        answers[name] = np.array(programs[name]())
    for turn in range(rounds):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            time.sleep(pause)
            start = clock()
            programs[name]()
            times[name].append(clock() - start)
    return times, answers


def compare(ours, x, c, args):
    programs = {"vqcodec": ours.search(x, c, args.threads), "faiss": faiss_search(x, c, 0),
                "faiss, threshold 1": faiss_search(x, c, 1), "torch": torch_search(x, c), "numpy": numpy_search(x, c),
                "sklearn": sklearn_search(x, c)}
    if args.isa >= 0:
        programs["vqcodec, isa"] = ours.search(x, c, args.threads, args.isa)
    if args.threads > 1:
        programs["vqcodec, one thread"] = ours.search(x, c, 1)
    if args.alone:
        programs = {name: run for name, run in programs.items() if name.startswith("vqcodec")}
    runs, answers = measure(programs, args.rounds, time.process_time if args.threads == 1 else time.perf_counter,
                            0 if args.threads == 1 or args.alone else PAUSE)
    times = {name: statistics.median(values) for name, values in runs.items()}
    some = np.linspace(0, len(x) - 1, min(args.checked, len(x))).astype(int)
    right = exact(x[some], c)
    record = {"shape": [*x.shape[:1], *c.shape], "threads": args.threads}
    if not args.alone:
        best = min(value for name, value in times.items() if not name.startswith("vqcodec"))
        record["best_peer_ratio"] = best / times["vqcodec"]
    if args.threads > 1:
        record["speedup_of_threads"] = min(runs["vqcodec, one thread"]) / min(runs["vqcodec"])
    for name, seconds in times.items():
        record[name] = {"seconds": seconds, "gflops": 2e-9 * len(x) * c.size / seconds,
                        "agreement": float((answers[name][some] == right).mean())}
    return record


def show(record):
    words = {"best_peer_ratio": "best peer / vqcodec = {:.2f}", "speedup_of_threads": "{:.2f} times as fast as one thread"}
    print("x".join(map(str, record["shape"])), f"threads {record['threads']}",
          *(text.format(record[key]) for key, text in words.items() if key in record))
    for name, cell in record.items():
        if isinstance(cell, dict):
            print(f"    {name:20} {1e3 * cell['seconds']:10.2f} ms {cell['gflops']:8.1f} GFLOP/s   "
                  f"agreement {cell['agreement']:.6f}", flush=True)


def kmeans(ours, args):
    import faiss
    random = np.random.default_rng(1)
    rows, dim, k, passes = args.rows, 64, 4096, 10
    blobs = random.standard_normal((20000, dim), dtype=np.float32)
    x = blobs[random.integers(0, len(blobs), rows)] + 0.5 * random.standard_normal((rows, dim), dtype=np.float32)

    def faiss_run():
        run = faiss.Kmeans(dim, k, niter=passes, seed=1, max_points_per_centroid=1 << 30)
        run.train(x)
        return run.centroids

    programs = {"vqcodec": lambda: ours.kmeans(x, k, passes, args.threads), "faiss": faiss_run}
    runs = {name: [] for name in programs}
    for _ in range(args.rounds):
        for name, run in programs.items():
            time.sleep(PAUSE)
            wall, cpu = time.perf_counter(), time.process_time()
            centres = run()
            runs[name].append((time.perf_counter() - wall, time.process_time() - cpu, centres))
            print(f"{name}: {runs[name][-1][0]:.1f} s, {runs[name][-1][1]:.1f} s of CPU time", file=sys.stderr)
    record = {"rows": rows, "dim": dim, "clusters": k, "passes": passes, "threads": args.threads}
    for name, values in runs.items():
        walls, cpus, (centres, *_) = zip(*values)
        ids = ours.search(x, np.ascontiguousarray(centres), args.threads)()
        record[name] = {"seconds": statistics.median(walls), "cpu_seconds": statistics.median(cpus),
                        "all_seconds": walls, "all_cpu_seconds": cpus,
                        "inertia": float(((x - centres[ids]) ** 2).sum(dtype=np.float64))}
    record["ratio"] = record["faiss"]["seconds"] / record["vqcodec"]["seconds"]
    record["cpu_ratio"] = record["faiss"]["cpu_seconds"] / record["vqcodec"]["cpu_seconds"]
    record["inertia_ratio"] = record["vqcodec"]["inertia"] / record["faiss"]["inertia"]
    print(json.dumps(record, indent=None if args.json else 2))


def codes_of(features, count):
    """Rows of the features, one in eight twice and one in eight a unit in the last place off."""
    random = np.random.default_rng(1)
    c = features[np.sort(random.choice(len(features), count, replace=count > len(features)))].copy()
    c[1::8] = c[0::8][:len(c[1::8])]
    c[3::8] = np.nextafter(c[2::8][:len(c[3::8])], np.float32(np.inf))
    return c


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="libsearch_bench.so")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shapes", type=int, nargs="*", default=range(len(SHAPES)), help="which of the six")
    parser.add_argument("--alone", action="store_true", help="without peers and without pauses between runs")
    parser.add_argument("--isa", type=int, default=-1, help="also this one: 1 portable, 2 AVX2, 3 AVX-512")
    parser.add_argument("--features", help=".npy [N, D] float32")
    parser.add_argument("--codes", type=int, default=16384)
    parser.add_argument("--checked", type=int, default=CHECKED, help="queries compared with float64")
    parser.add_argument("--kmeans", action="store_true")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of --kmeans")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    set_threads(args.threads)
    ours = Ours(args.library)
    if args.kmeans:
        kmeans(ours, args)
        return
    if args.features:
        x = np.ascontiguousarray(np.load(args.features), np.float32)
        work = [(x, codes_of(x, args.codes))]
    else:
        work = []
        for n, k, d in (SHAPES[i] for i in args.shapes):
            random = np.random.default_rng(1)
            work.append((random.standard_normal((n, d), dtype=np.float32),
                         random.standard_normal((k, d), dtype=np.float32)))
    records = []
    for x, c in work:
        records.append(compare(ours, x, c, args))
        if not args.json:
            show(records[-1])
    if args.json:
        print(json.dumps(records))


if __name__ == "__main__":
    main()
