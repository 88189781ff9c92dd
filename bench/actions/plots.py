# SPDX-License-Identifier: Apache-2.0
"""Figures of evaluate.py as SVG pictures and a page of tables. No plotting library: lines and text are enough."""
import html
import math

import numpy as np

COLOURS = {"action-courses": "#111111", "action-rvq": "#2a6fbb", "action-mlp": "#c2571a", "action-fast": "#3b8f4b", "action-bins": "#8a4fa3"}
NAMES = {"action-courses": "courses", "action-rvq": "pyramid RVQ", "action-mlp": "MLP-RVQ", "action-fast": "FAST", "action-bins": "uniform bins"}
SHOWN, EPISODES = "courses-0.00015", 20  # whose trajectories are drawn; episodes of a task in replay.py
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 380, 70, 50, 20, 130


def chart(path, title, series, x_label, y_label, y_range, log_y=False, x_range=None):
    """series: name -> (colour, [(x, y)])."""
    points = [p for _, line in series.values() for p in line]
    low, high = x_range or (0, max(x for x, _ in points) * 1.05)
    scale = (lambda y: math.log10(y)) if log_y else (lambda y: y)
    bottom, top = scale(y_range[0]), scale(y_range[1])

    def at(x, y):
        y = min(max(scale(max(y, 1e-12) if log_y else y), bottom), top)
        return (LEFT + (x - low) / (high - low) * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - (y - bottom) / (top - bottom) * (HEIGHT - BOTTOM - TOP))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f"<title>{html.escape(title)}</title>", f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for i in range(6):
        x = low + (high - low) * i / 5
        px, py = at(x, y_range[0])
        out.append(f'<line x1="{px:.1f}" y1="{py:.1f}" x2="{px:.1f}" y2="{TOP}" stroke="#e5e5e5"/>'
                   f'<text x="{px:.1f}" y="{py + 18:.1f}" text-anchor="middle">{x:.0f}</text>')
    ticks = ([10**k for k in range(math.ceil(bottom - 1e-9), math.floor(top + 1e-9) + 1)] if log_y
             else [y_range[0] + (y_range[1] - y_range[0]) * i / 5 for i in range(6)])
    for y in ticks:
        px, py = at(low, y)
        out.append(f'<line x1="{px:.1f}" y1="{py:.1f}" x2="{WIDTH - RIGHT}" y2="{py:.1f}" stroke="#e5e5e5"/>'
                   f'<text x="{px - 6:.1f}" y="{py + 4:.1f}" text-anchor="end">{y:g}</text>')
    for i, (name, (colour, line)) in enumerate(series.items()):
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*p) for p in line))
        out.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in (at(*p) for p in line) if len(line) < 30]
        out.append(f'<text x="{WIDTH - RIGHT + 8}" y="{TOP + 16 + 18 * i}" fill="{colour}">{html.escape(name)}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{html.escape(x_label)}</text>')
    out.append(f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{html.escape(y_label)}</text></svg>')
    path.write_text("\n".join(out) + "\n")


def curves(models, key):
    found = {}
    for kind in COLOURS:
        line = sorted((m["bits_per_chunk"], m[key]) for m in models if m["tokenizer"] == kind)
        if line:
            found[NAMES[kind]] = (COLOURS[kind], line)
    return found


def table(rows, head):
    return "\n".join(["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
                     + ["| " + " | ".join(row) + " |" for row in rows])


def simulation_table(models):
    rows = []
    for m in sorted(models, key=lambda m: m["bits_per_chunk"]):
        dims = " ".join("-" if r is None else f"{r:.3f}" for r in m["dim_r2"])
        rows.append([m["model"], f"{m['bits_raw_per_chunk']:.0f}", f"{m['bits_per_chunk']:.1f}", f"{m['r2']:.5f}", dims,
                     f"{m['mse']:.1e}", f"{m['max_error']:.2f}", f"{m['roughness']:.2f}",
                     f"{1e3 * m['seconds_encode_per_chunk']:.3f} / {1e3 * m['seconds_decode_per_chunk']:.4f}"])
    return table(rows, ["model", "index bits", "coded bits", "R²", "R² of x, y, z, gripper", "MSE", "largest error",
                        "roughness", "ms to encode / decode"])


def real_table(runs, interval):
    rows = []
    for name, folds in runs.items():
        mse = [m["mse"] for m in folds]
        mean, low, high = interval(mse)
        alone = runs.get(name.replace("simulation + real", "real"), folds)
        d, d_low, d_high = interval([a["mse"] - b["mse"] for a, b in zip(folds, alone)])
        less = f"{d:+.4f} ({d_low:+.4f} to {d_high:+.4f})" if alone is not folds else ""
        dims = " ".join(f"{sum(m['dim_mse'][i] for m in folds) / len(folds):.1e}" for i in range(len(folds[0]["dim_mse"])))
        rows.append([name, f"{sum(m['bits_raw_per_chunk'] for m in folds) / len(folds):.0f}",
                     f"{mean:.4f} ({low:.4f} to {high:.4f})", less, dims])
    return table(rows, ["tokenizer", "index bits", "MSE (95 %)", "less that of real alone, paired (95 %)",
                        "MSE of each dimension, raw units"])


def replay_table(done, models):
    bits = {m["model"]: m["bits_per_chunk"] for m in models}
    names = [name for name in next(iter(done.values())) if all(name in row for row in done.values())]
    total = EPISODES * len(done)
    whole = sum(row["untokenised"] for row in done.values())
    rows = []
    for name in names:
        count = sum(row[name] for row in done.values())
        rows.append([name, f"{bits[name]:.1f}" if name in bits else "", f"{100 * count / total:.1f} %",
                     f"{100 * (count - whole) / total:+.1f}"])
    return table(rows, ["actions", "coded bits a chunk", f"success of {total} episodes", "points against untokenised"])


def trajectories(path, title, original, decoded, names):
    """Small charts under each other, one for each dimension: steps to the right, values up."""
    height, width, left = 90, 640, 70
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height * len(names) + 40}" '
           'font-family="sans-serif" font-size="12">', f"<title>{html.escape(title)}</title>",
           f'<rect width="{width}" height="{height * len(names) + 40}" fill="white"/>']
    for d, name in enumerate(names):
        both = np.concatenate([original[:, d], decoded[:, d]])
        low, high = float(both.min()), float(both.max())
        span = high - low or 1.0
        top = 10 + height * d
        out.append(f'<text x="8" y="{top + height / 2:.0f}">{html.escape(name)}</text>'
                   f'<text x="{left - 6}" y="{top + 10}" text-anchor="end" fill="#888">{high:.2g}</text>'
                   f'<text x="{left - 6}" y="{top + height - 20}" text-anchor="end" fill="#888">{low:.2g}</text>')
        for values, colour, thickness in ((original[:, d], "#bbbbbb", 4), (decoded[:, d], "#c2571a", 1.5)):
            drawn = " ".join(f"{left + (width - left - 10) * t / max(1, len(values) - 1):.1f},"
                             f"{top + (height - 20) * (1 - (float(v) - low) / span):.1f}" for t, v in enumerate(values))
            out.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="{thickness}"/>')
    out.append(f'<text x="{left}" y="{height * len(names) + 30}">{html.escape(title)}: original gray, decoded orange</text></svg>')
    path.write_text("\n".join(out) + "\n")


def write_trajectories(bench, images):
    from replay import decoded

    chosen = sorted((bench.options.sim / "held-out").glob("*.npz"))[-1]
    with np.load(chosen) as episodes:
        original = episodes[episodes.files[0]]
    back = decoded(bench, bench.work / SHOWN, [original], bench.work / "shown")[0]
    trajectories(images / "actions-trajectory.svg", f"An episode of {chosen.stem}, not trained on", original, back,
                 ["x", "y", "z", "gripper"])
    if bench.options.real:
        original = np.load(bench.work / "fold" / "0-test.npy")
        back = decoded(bench, bench.work / "fold" / "0-simulation-real-3-1", [original], bench.work / "shown", "--source", "bridge")[0]
        trajectories(images / "actions-bridge.svg", "A trajectory of BridgeData V2, left out", original, back,
                     ["x", "y", "z", "roll", "pitch", "yaw", "gripper"])


def write(bench, figures, docs, interval, steps):
    images = docs / "images"
    images.mkdir(parents=True, exist_ok=True)
    models = figures["simulation"]
    chart(images / "actions-mse.svg", "Error against bits, held-out tasks", curves(models, "mse"), "coded bits per chunk of 10 steps",
          "mean squared error", (1e-6, 0.1), log_y=True, x_range=(0, 150))
    chart(images / "actions-r2.svg", "R² against bits, held-out tasks", curves(models, "r2"), "coded bits per chunk of 10 steps", "R²",
          (0.9, 1), x_range=(0, 150))
    write_trajectories(bench, images)
    networks = f"The pyramid was trained for {steps['rvq']} steps of 512 chunks, the MLP for {steps['mlp']}."
    parts = ["# Figures of action tokenizers",
             f"Written by `bench/actions/evaluate.py`; [actions.md](actions.md) says what they mean. {networks}",
             "## Held-out tasks of Meta-World", "![Error against bits](images/actions-mse.svg)",
             "![R² against bits](images/actions-r2.svg)", simulation_table(models),
             "![An episode of a held-out task](images/actions-trajectory.svg)"]
    if figures.get("replay"):
        parts += ["## Replay in Meta-World", replay_table(figures["replay"], models)]
    if figures.get("real"):
        parts += ["## BridgeData V2, one trajectory left out at a time", real_table(figures["real"], interval),
                  "![A trajectory that was left out](images/actions-bridge.svg)"]
    (docs / "actions-figures.md").write_text("\n\n".join(parts) + "\n")
