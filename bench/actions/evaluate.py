#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Error against bits of the action tokenizers: trains what is missing, measures, and writes figures and plots.

    pip install metaworld==3.1.1 mujoco==3.3.0 packaging numpy
    bench/actions/evaluate.py --real bridge.npy --work work --replay [--program build/dev/bin/vqcodec]

--real is an array [trajectories, 10, 7]. Simulation, models and figures are kept in --work and taken from there when it
is run again. Writes WORK/figures.json, and docs/images/actions-*.svg, docs/actions-figures.md unless --no-docs.
"""
import argparse
import concurrent.futures
import itertools
import json
import pathlib
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import plots  # noqa: E402

ROOT = pathlib.Path(__file__).parents[2]
SLOTS = "0,1,2,6"
# Levels, weight of a bit and whether each step is corrected; the first is the model that the program comes with.
COURSES = ((6, 0.00015, False), (4, 0.02, False), (4, 0.005, False), (4, 0.0015, False), (4, 0.0005, False),
           (8, 0.00005, False), (8, 0.00002, True), (8, 0.00001, True), (8, 0.000005, True))
# Network, learning rate, steps of training (both take about as long) and levels.
NETWORKS = {"rvq": ({"widths": [12, 24, 48, 96], "blocks": 1, "hidden": 256, "hidden_blocks": 2}, 5e-4, 800, (4, 8, 16)),
            "mlp": ({"widths": [256, 256]}, 1e-3, 6000, (2, 4, 8, 16))}
REAL_COMMON = ("--quantile", 0, "--prior", "static")
FAST_SCALES, BINS = (1, 2, 3, 5, 10), (3, 5, 9, 17, 33, 128, 256, 512)
# Of one trajectory left out: levels, at 8 bits a level and dimension, each number of them with models of its own; how
# often the real ones are drawn beside the simulation (chosen among 1, 4, 16 and 64 on three of the trajectories); seeds
# of training, over which errors are averaged.
REAL_LEVELS, REAL_SHARE, REAL_SEEDS = (1, 2, 3), 16, (1, 2, 3)


class Bench:
    def __init__(self, options):
        self.options, self.work = options, options.work.resolve()
        self.work.mkdir(parents=True, exist_ok=True)

    def run(self, *arguments):
        done = subprocess.run([str(self.options.program), *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"vqcodec {' '.join(map(str, arguments))}\n{done.stderr}")
        return done.stdout

    def all_of(self, work, items):
        """work(item) of all items, --jobs at a time."""
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            return list(pool.map(work, items))

    def model(self, name, *arguments):
        """The folder of a model, which is trained if it is not there."""
        folder = self.work / name
        if not (folder / "card.json").exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            self.run("train", "action", "-o", folder, "--name", folder.name, "--gripper", 6, *arguments)
        return folder

    def measure(self, model, data, *arguments):
        return json.loads(self.run("eval", data, "-r", "-m", model, "--json", *arguments))["models"][0]

    # Simulation: learned from 40 tasks, measured on 10 others.

    def simulation_models(self):
        """name -> arguments."""
        data = ("--data", f"metaworld:{SLOTS}={self.options.sim}/train", "--stride", 2)
        models = {}
        for levels, weight, corrected in COURSES:
            models[f"courses-{weight}"] = ("--tokenizer", "courses", "--levels", levels, "--bit-weight", weight,
                                           *(["--corrections"] if corrected else []), "--threads", 1, *data)
        for scale in FAST_SCALES:
            models[f"fast-{scale}"] = ("--tokenizer", "fast", "--scale", scale, *data)
        for bins in BINS:
            models[f"bins-{bins}"] = ("--tokenizer", "bins", "--bins", bins, *data)
        for kind, (network, rate, steps, all_levels) in NETWORKS.items():
            config = self.work / f"{kind}.json"
            config.write_text(json.dumps({"network": network}))
            for levels in all_levels:
                models[f"{kind}-{levels}"] = ("--tokenizer", kind, "--levels", levels, "--config", config, "--learning-rate",
                                              rate, "--steps", steps, "--threads", self.options.threads, *data)
        return {name: given for name, given in models.items() if name.split("-")[0] in self.options.kinds}

    def simulation(self):
        held_out = self.options.sim / "held-out"

        def one(item):
            model = self.model(item[0], *item[1])
            kept = model / "held-out.json"
            if not kept.exists():
                kept.write_text(json.dumps(self.measure(model, held_out)))
            return json.loads(kept.read_text())

        return self.all_of(one, list(self.simulation_models().items()))

    # Real robot: one trajectory is left out at a time. Copies of it are left out with it.

    def real_arguments(self, real, levels, seed, simulation=False):
        """Of courses of so many levels learned from the real trajectories, beside simulation or alone."""
        part = self.work / "sim-part"  # every fifth task: enough for the shapes of courses
        part.mkdir(exist_ok=True)
        for path in sorted((self.options.sim / "train").glob("*.npz"))[::5]:
            if not (part / path.name).exists():
                (part / path.name).symlink_to(path.resolve())
        sim = ("--data", f"metaworld:{SLOTS}={part}") if simulation else ()
        return ("--tokenizer", "courses", "--levels", levels, "--bit-weight", 0, "--threads", 1, "--stride", 25, *sim,
                "--data", f"bridge@{REAL_SHARE}={real}", "--seed", seed, *REAL_COMMON)

    def real(self):
        trajectories = np.load(self.options.real).astype("float32")
        trajectories = np.unique(trajectories.reshape(len(trajectories), -1), axis=0).reshape(-1, *trajectories.shape[1:])
        folder = self.work / "fold"
        folder.mkdir(exist_ok=True)
        work = []
        for fold in range(len(trajectories)):
            others, held = folder / f"{fold}-train.npy", folder / f"{fold}-test.npy"
            np.save(others, np.delete(trajectories, fold, 0))
            np.save(held, trajectories[fold])
            bridge = ("--data", f"bridge={others}")
            for name, levels, seed in itertools.product(("real", "simulation + real"), REAL_LEVELS, REAL_SEEDS):
                shown = f"{name}, {levels} {'level' if levels == 1 else 'levels'}"
                work.append((shown, f"{fold}-{name.replace(' + ', '-')}-{levels}-{seed}", held,
                             self.real_arguments(others, levels, seed, simulation=name != "real")))
            work += [("FAST 10", f"{fold}-fast-10", held, ("--tokenizer", "fast", "--scale", 10, *bridge, *REAL_COMMON)),
                     ("256 bins", f"{fold}-256-bins", held, ("--tokenizer", "bins", *bridge, *REAL_COMMON))]

        def one(item):
            name, folder, held, arguments = item
            return name, self.measure(self.model(f"fold/{folder}", *arguments), held, "--source", "bridge")

        runs = {}
        for name, figures in self.all_of(one, work):
            runs.setdefault(name, []).append(figures)
        # Of each trajectory the mean over the seeds, so that they stay the samples.
        count = len(trajectories)
        return {name: [mean_of(part) for part in np.array(found).reshape(count, -1).tolist()]
                for name, found in runs.items()}


def mean_of(figures):
    """Of several measurements of one kind the means of what is shown of them."""
    keys = ("mse", "bits_raw_per_chunk", "dim_mse")
    return {key: np.mean([one[key] for one in figures], axis=0).tolist() for key in keys}


def interval(values, draws=10000, seed=1):
    """Mean and its 95 % interval by the bootstrap."""
    values = np.asarray(values)
    random = np.random.default_rng(seed)
    means = values[random.integers(0, len(values), (draws, len(values)))].mean(1)
    return float(values.mean()), float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sim", type=pathlib.Path, help="what simulate.py wrote (default: WORK/sim, made if need be)")
    parser.add_argument("--real", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/vqcodec")
    parser.add_argument("--threads", type=int, default=1, help="of the training of each network (default 1)")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="models at a time (default 2)")
    parser.add_argument("--kinds", default="courses,fast,bins,rvq,mlp", help="of tokenizers; the last two need libtorch")
    parser.add_argument("--replay", action="store_true", help="also replay decoded actions in Meta-World")
    parser.add_argument("--no-docs", action="store_true")
    options = parser.parse_args()
    options.kinds = options.kinds.split(",")
    bench = Bench(options)
    if not options.sim:
        options.sim = bench.work / "sim"
        simulate = pathlib.Path(__file__).parent / "simulate.py"
        subprocess.run([sys.executable, str(simulate), str(options.sim), "-j", str(options.jobs)], check=True)
    kept = bench.work / "figures.json"
    figures = json.loads(kept.read_text()) if kept.exists() else {}

    def stage(name, measure):
        figures[name] = measure()
        kept.write_text(json.dumps(figures))
        print(name, "measured", flush=True)

    stage("simulation", bench.simulation)
    if options.real:
        stage("real", bench.real)
    if options.replay:
        import replay

        stage("replay", lambda: replay.measure(bench, list(bench.simulation_models())))
    if not options.no_docs:
        steps = {kind: network[2] for kind, network in NETWORKS.items()}
        plots.write(bench, figures, ROOT / "docs", interval, steps)


if __name__ == "__main__":
    main()
