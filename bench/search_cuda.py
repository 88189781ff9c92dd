#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nearest-codeword search on a GPU against what people use instead.

    cmake --preset core -DVQCODEC_CUDA=ON -DVQCODEC_BENCH=ON && cmake --build --preset core --target search_bench vqcodec_cuda
    python3 -m pip install torch==2.11.0 flash-kmeans==0.3.1
    python3 bench/search_cuda.py build/core/lib/libsearch_bench.so [--rounds 20] [--shapes 5 6] [--json]
    python3 bench/search_cuda.py build/core/lib/libsearch_bench.so --neighbours 8 --shapes 0 1
    python3 bench/search_cuda.py build/core/lib/libsearch_bench.so --kmeans [--rows 16777216] [--clusters 65536]

Every round runs every program once, in an order that rotates; a cell is the median of CUDA events around it, with
whatever the program has to prepare of the codebook inside. Beside the time is the share of rows with the index of
the least float64 distance, lowest of equal ones. "data" is Gaussian, or "near": queries around the codewords, of
which one in eight is there twice and one in eight moved by one unit in the last place, or "copies": each codeword is
there 40 times. --neighbours: several closest codewords, against sums in float32 and topk.

--kmeans compares passes of k-means over rows of 64 Gaussian numbers in the memory of the GPU, and for vqcodec also of
the host, all from random rows; inertia is that of the last centres by exact assignments.
"""
import argparse
import ctypes
import json
import statistics
import time

import torch

SHAPES = [(65536, 16384, 8), (65536, 16384, 256), (65536, 262144, 8), (65536, 262144, 64), (65536, 262144, 256),
          (262144, 1024, 128), (1048576, 1024, 8), (4096, 16384, 8), (1024, 1024, 128)]
CHECKED = 4096  # rows that are compared with float64, at most
SCORE_BYTES = 2 << 30


def pointer(tensor):
    return ctypes.c_void_p(tensor.data_ptr())


class Ours:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        for name in ("BenchCudaBytes", "BenchCudaSearch", "BenchCudaNearest", "BenchKMeans"):
            getattr(self.lib, name).restype = ctypes.c_char_p

    def check(self, message):
        if message:
            raise RuntimeError(message.decode())

    def search(self, x, c):
        rows, codes, dim = (ctypes.c_int64(v) for v in (len(x), *c.shape))
        sizes = (ctypes.c_int64 * 2)()
        self.check(self.lib.BenchCudaBytes(rows, codes, dim, sizes))
        packed, workspace = (torch.empty(size, dtype=torch.uint8, device="cuda") for size in sizes)
        ids = torch.empty(len(x), dtype=torch.int64, device="cuda")
        bad = torch.full((2,), -1, dtype=torch.int64, device="cuda")

        def run():
            stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
            self.check(self.lib.BenchCudaSearch(pointer(x), rows, pointer(c), codes, dim, pointer(ids), pointer(packed),
                                                pointer(workspace), pointer(bad), stream))
            return ids
        return run

    def nearest(self, x, c, neighbours):
        rows, codes, dim = (ctypes.c_int64(v) for v in (len(x), *c.shape))
        sizes = (ctypes.c_int64 * 2)()
        self.check(self.lib.BenchCudaBytes(rows, codes, dim, sizes))
        packed = torch.empty(sizes[0], dtype=torch.uint8, device="cuda")
        ids = torch.empty(len(x), neighbours, dtype=torch.int64, device="cuda")
        bad = torch.full((2,), -1, dtype=torch.int64, device="cuda")

        def run():
            stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
            self.check(self.lib.BenchCudaNearest(pointer(x), rows, pointer(c), codes, dim, neighbours, pointer(ids),
                                                 pointer(packed), pointer(bad), stream))
            return ids
        return run

    def kmeans(self, x, clusters, passes):
        """Centres, seconds until the first centres are there, seconds of each pass."""
        centres = torch.empty(clusters, x.shape[1])
        seconds = torch.zeros(passes + 1, dtype=torch.float64)
        rows, dim, k, count = map(ctypes.c_int64, (*x.shape, clusters, passes))
        self.check(self.lib.BenchKMeans(pointer(x), rows, dim, k, count, ctypes.c_uint64(1), 0, 0, pointer(centres),
                                        pointer(seconds)))
        return centres, float(seconds[0]), seconds[1:].tolist()


def torch_nearest(x, c, neighbours):
    block = max(1, SCORE_BYTES // (4 * len(c)))

    def run():
        torch.backends.cuda.matmul.allow_tf32 = False
        half = -0.5 * (c * c).sum(1)
        return torch.cat([torch.addmm(half, part, c.T).topk(neighbours).indices for part in x.split(block)])
    return run


def torch_search(x, c, tf32):
    block = max(1, SCORE_BYTES // (4 * len(c)))

    def run():
        torch.backends.cuda.matmul.allow_tf32 = tf32
        half = -0.5 * (c * c).sum(1)
        return torch.cat([torch.addmm(half, part, c.T).argmax(1) for part in x.split(block)])
    return run


def flash_search(x, c, dtype):
    from flash_kmeans.assign_euclid_triton import euclid_assign_triton
    x, c = x.to(dtype)[None], c.to(dtype)[None]
    x_sq = (x * x).sum(-1)

    def run():
        return euclid_assign_triton(x, c, x_sq)[0]
    return run


def exact(x, c):
    """Index of the least float64 distance by differences, lowest of equal ones."""
    found = []
    block = max(1, (1 << 27) // len(c))
    c = c.double()
    for part in x.split(block):
        distance = torch.cdist(part.double(), c, compute_mode="donot_use_mm_for_euclid_dist")
        least = distance.min(1, keepdim=True).values
        order = torch.arange(len(c), device="cuda")
        # Roots of close distances are equal: decide by the squares of those that are near.
        for row, near in enumerate(distance <= least * (1 + 1e-12)):
            ids = order[near]
            if len(ids) > 1:
                squares = (part[row].double() - c[ids]).pow(2).sum(1)
                ids = ids[squares == squares.min()]
            found.append(int(ids[0]))
    return torch.tensor(found, device="cuda")


def exact_nearest(x, c, neighbours):
    """Indices by float64 differences, equal ones by rising index."""
    c = c.double()
    return torch.stack([(row.double() - c).pow(2).sum(1).sort(stable=True).indices[:neighbours] for row in x])


def make(shape, data):
    rows, codes, dim = shape
    generator = torch.Generator("cuda").manual_seed(1)
    c = torch.randn(codes, dim, generator=generator, device="cuda")
    if data == "gaussian":
        return torch.randn(rows, dim, generator=generator, device="cuda"), c
    if data == "copies":
        c = c[torch.arange(codes, device="cuda") % max(1, codes // 40)].contiguous()
        return torch.randn(rows, dim, generator=generator, device="cuda"), c
    c[1::8] = c[0::8][:len(c[1::8])]
    c[3::8] = torch.nextafter(c[2::8][:len(c[3::8])], torch.tensor(float("inf"), device="cuda"))
    x = c[torch.randint(codes, (rows,), generator=generator, device="cuda")]
    return x + 0.25 * torch.randn(rows, dim, generator=generator, device="cuda"), c


def measure(programs, rounds):
    times = {name: [] for name in programs}
    names = list(programs)
    for run in programs.values():
        for _ in range(3):
            run()
    for turn in range(rounds):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            torch.cuda.synchronize()
            start.record()
            programs[name]()
            end.record()
            end.synchronize()
            times[name].append(start.elapsed_time(end))
    return {name: statistics.median(values) for name, values in times.items()}


def flash_kmeans_run(x, clusters, passes):
    from flash_kmeans import batch_kmeans_Euclid
    start = x[torch.randperm(len(x), generator=torch.Generator("cuda").manual_seed(2), device="cuda")[:clusters]][None]
    batch_kmeans_Euclid(x[None], clusters, max_iters=1, init_centroids=start)
    torch.cuda.synchronize()
    begin = time.perf_counter()
    _, centres, done = batch_kmeans_Euclid(x[None], clusters, max_iters=passes, tol=-1.0, init_centroids=start)
    torch.cuda.synchronize()
    return centres[0].float(), (time.perf_counter() - begin) / done


def kmeans(ours, options):
    generator = torch.Generator("cuda").manual_seed(1)
    x = torch.randn(options.rows, 64, generator=generator, device="cuda")

    def inertia(c):
        c = c.to("cuda")
        total = 0.0
        for part in x.split(1 << 20):
            total += float((part - c[ours.search(part, c)()]).double().pow(2).sum())
        return total

    record = {"card": torch.cuda.get_device_name(), "rows": options.rows, "dim": 64, "clusters": options.clusters}
    for name, rows in (("vqcodec", x), ("vqcodec, rows of the host", x.cpu())):
        centres, first, seconds = ours.kmeans(rows, options.clusters, options.passes)
        record[name] = {"ms_a_pass": 1e3 * statistics.median(seconds), "ms_of_the_first_pass": 1e3 * seconds[0],
                        "ms_before": 1e3 * first, "inertia": inertia(centres)}
    for name, rows in (("flash fp32", x), ("flash bf16", x.bfloat16())):
        centres, seconds = flash_kmeans_run(rows, options.clusters, options.passes)
        record[name] = {"ms_a_pass": 1e3 * seconds, "inertia": inertia(centres)}
    fastest = min(record[name]["ms_a_pass"] for name in ("flash fp32", "flash bf16"))
    record["speedup_over_fastest"] = fastest / record["vqcodec"]["ms_a_pass"]
    print(json.dumps(record, indent=None if options.json else 2), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--data", default="gaussian,near", help="also: copies")
    parser.add_argument("--shapes", type=int, nargs="*", default=range(len(SHAPES)), help="which of the nine")
    parser.add_argument("--neighbours", type=int, default=1)
    parser.add_argument("--kmeans", action="store_true")
    parser.add_argument("--rows", type=int, default=1 << 24, help="of --kmeans")
    parser.add_argument("--clusters", type=int, default=1 << 16, help="of --kmeans")
    parser.add_argument("--passes", type=int, default=5, help="of --kmeans")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ours = Ours(options.library)
    if options.kmeans:
        kmeans(ours, options)
        return
    if not options.json:
        print(f"{torch.cuda.get_device_name()}; ms (agreement with float64)")
    for data in options.data.split(","):
        for shape in (SHAPES[i] for i in options.shapes):
            x, c = make(shape, data)
            step = max(1, len(x) // min(CHECKED, max(256, (1 << 36) // (len(c) * shape[2]))))
            if options.neighbours > 1:
                programs = {"vqcodec": ours.nearest(x, c, options.neighbours),
                            "torch fp32": torch_nearest(x, c, options.neighbours)}
                expected = exact_nearest(x[::step], c, options.neighbours)
            else:
                programs = {"vqcodec": ours.search(x, c), "torch fp32": torch_search(x, c, False),
                            "torch tf32": torch_search(x, c, True), "flash fp32": flash_search(x, c, torch.float32),
                            "flash bf16": flash_search(x, c, torch.bfloat16)}
                expected = exact(x[::step], c)
            agreement = {name: float((run()[::step].long() == expected).double().mean())
                         for name, run in programs.items()}
            times = measure(programs, options.rounds)
            fastest = min(value for name, value in times.items() if name != "vqcodec")
            record = {"card": torch.cuda.get_device_name(), "data": data, "shape": shape, "ms": times,
                      "agreement": agreement, "rows_checked": len(expected),
                      "speedup_over_fastest": fastest / times["vqcodec"]}
            if options.json:
                print(json.dumps(record), flush=True)
            else:
                cells = "  ".join(f"{name} {times[name]:8.3f} ({agreement[name]:.4f})" for name in programs)
                print(f"{data:9}{'x'.join(map(str, shape)):18} {cells}  {record['speedup_over_fastest']:.2f}x", flush=True)


if __name__ == "__main__":
    main()
