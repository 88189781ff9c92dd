#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Error against bits of the action tokenizers: trains what is missing, measures, and writes figures and plots.

    pip install metaworld==3.1.1 mujoco==3.3.0 numpy
    bench/actions/simulate.py sim
    bench/actions/evaluate.py --sim sim --real bridge.npy --work work [--replay] [--program build/dev/bin/vqcodec]

--real is an array [trajectories, 10, 7]. Models are kept in --work and taken from there when it is run again. Writes
WORK/figures.json, and docs/images/actions-*.svg, docs/actions-figures.md unless --no-docs.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import plots  # noqa: E402

ROOT = pathlib.Path(__file__).parents[2]
SLOTS = "0,1,2,6"
RVQ_LEVELS, MLP_LEVELS, OWN_TRAINING = (2, 4, 6, 8, 12, 16), (2, 4, 8, 16), 8
NETWORKS = {"rvq": {"widths": [12, 24, 48, 96], "blocks": 1, "hidden": 256, "hidden_blocks": 2},
            "mlp": {"widths": [256, 256]}}
RATES = {"rvq": 5e-4, "mlp": 1e-3}
FAST_SCALES, BINS = (1, 2, 3, 5, 10, 20), (3, 5, 9, 17, 33, 256)


class Bench:
    def __init__(self, options):
        self.options, self.work = options, options.work.resolve()
        self.work.mkdir(parents=True, exist_ok=True)

    def run(self, *arguments):
        done = subprocess.run([str(self.options.program), *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"vqcodec {' '.join(map(str, arguments))}\n{done.stderr}")
        return done.stdout

    def model(self, name, *arguments):
        """The folder of a model, which is trained if it is not there."""
        folder = self.work / name
        if not (folder / "card.json").exists():
            if "/" not in name:
                print("training", name, flush=True)
            self.run("train", "action", "-o", folder, "--name", name, "--gripper", 6, *arguments)
        return folder

    def measure(self, models, data, *arguments):
        names = ",".join(map(str, models))
        return json.loads(self.run("eval", data, "-r", "-m", names, "--json", *arguments))["models"]

    # Simulation: learned from 40 tasks, measured on 10 others.

    def network(self, kind, levels, data, *more):
        config = self.work / f"{kind}.json"
        config.write_text(json.dumps({"network": NETWORKS[kind]}))
        return ("--tokenizer", kind, "--levels", levels, "--config", config, "--learning-rate", RATES[kind], "--threads",
                self.options.threads, *data, *more)

    def simulation(self):
        data = ("--data", f"metaworld:{SLOTS}={self.options.sim}/train")
        models = []
        for kind, all_levels in (("rvq", RVQ_LEVELS), ("mlp", MLP_LEVELS)):
            most = max(all_levels)
            whole = self.model(f"{kind}-{most}", *self.network(kind, most, data, "--seconds", self.options.seconds))
            for levels in all_levels:  # the first levels of one training, each with a prior of its own
                seconds = self.options.seconds if levels == OWN_TRAINING else "1e-6"
                models.append(whole if levels == most else self.model(
                    f"{kind}-{levels}", *self.network(kind, levels, data, "--init", whole, "--seconds", seconds)))
        models += [self.model(f"fast-{scale}", "--tokenizer", "fast", "--scale", scale, *data) for scale in FAST_SCALES]
        models += [self.model(f"bins-{bins}", "--tokenizer", "bins", "--bins", bins, *data) for bins in BINS]
        return self.measure(models, self.options.sim / "held-out")

    # Real robot: one trajectory is left out at a time.

    def real(self):
        trajectories = np.load(self.options.real).astype("float32")
        runs = {}
        part = self.work / "sim-part"  # every fifth task: enough to keep what was learned
        part.mkdir(exist_ok=True)
        for path in sorted((self.options.sim / "train").glob("*.npz"))[::5]:
            if not (part / path.name).exists():
                (part / path.name).symlink_to(path.resolve())
        sim = ("--data", f"metaworld:{SLOTS}@9={part}")
        start = self.work / "rvq-8"
        for fold in range(len(trajectories)):
            print(f"trajectory {fold + 1} of {len(trajectories)}", flush=True)
            others, held = self.work / "fold" / f"{fold}-train.npy", self.work / "fold" / f"{fold}-test.npy"
            others.parent.mkdir(exist_ok=True)
            np.save(others, np.delete(trajectories, fold, 0))
            np.save(held, trajectories[fold])
            bridge, alone = ("--data", f"bridge@1={others}"), ("--stride", 10, "--batch", 128, "--quantile", 0)
            steps = self.options.fold_steps
            variants = {
                "real": self.network("rvq", 8, bridge, "--steps", steps, *alone),
                "simulation + real": self.network("rvq", 8, sim + bridge, "--init", start, "--steps", steps, *alone),
                "mlp, real": self.network("mlp", 8, bridge, "--steps", steps, *alone),
                "fast 10": ("--tokenizer", "fast", "--scale", 10, *bridge, *alone),
                "bins 256": ("--tokenizer", "bins", *bridge, *alone),
            }
            for name, arguments in variants.items():
                folder = self.model(f"fold/{fold}-{name.replace(' ', '')}".replace(",", "-"), *arguments)
                runs.setdefault(name, []).append(self.measure([folder], held, "--source", "bridge")[0])
        return runs


def interval(values, draws=10000, seed=1):
    """Mean and its 95 % interval by the bootstrap."""
    values = np.asarray(values)
    random = np.random.default_rng(seed)
    means = values[random.integers(0, len(values), (draws, len(values)))].mean(1)
    return float(values.mean()), float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sim", type=pathlib.Path, required=True)
    parser.add_argument("--real", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/vqcodec")
    parser.add_argument("--seconds", type=float, default=600, help="of training of each network (default 600)")
    parser.add_argument("--fold-steps", type=int, default=200, help="of training for each trajectory (default 200)")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--replay", action="store_true", help="also replay decoded actions in Meta-World")
    parser.add_argument("--no-docs", action="store_true")
    options = parser.parse_args()
    bench = Bench(options)
    kept = bench.work / "figures.json"
    figures = json.loads(kept.read_text()) if kept.exists() else {}
    figures["simulation"] = bench.simulation()
    kept.write_text(json.dumps(figures))
    if options.replay:
        import replay

        figures["replay"] = replay.measure(bench, figures.get("replay", {}))
        kept.write_text(json.dumps(figures))
    if options.real:
        figures["real"] = bench.real()
    kept.write_text(json.dumps(figures))
    if not options.no_docs:
        plots.write(figures, ROOT / "docs", interval)


if __name__ == "__main__":
    main()
