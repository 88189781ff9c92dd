# SPDX-License-Identifier: Apache-2.0
"""The measuring part of kodak.sh: needs python3 alone. VQCODEC and VQ16_BASELINE name the two programs."""
import argparse
import hashlib
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

VQCODEC = os.environ.get("VQCODEC", "vqcodec")
BASELINE = os.environ.get("VQ16_BASELINE", "")


class Run:
    """One process from start to end: wall seconds, peak resident bytes, and what it printed."""

    def __init__(self, *command, may_fail=False):
        command = [str(part) for part in command]
        start = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            self.text = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            self.wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        self.status = process.returncode
        if self.status != 0 and not may_fail:
            sys.exit(f"kodak: exit status {self.status} from: {' '.join(command[:3])} ...")
        self.peak = usage.ru_maxrss * 1024


class Bench:
    def __init__(self, options, folder):
        self.model = ["-m", options.model] if options.model else []
        self.folder = folder

    def encode(self, pictures, name, *extra):
        out = self.folder / name
        out.mkdir(exist_ok=True)
        run = Run(VQCODEC, "encode", *pictures, "--output-dir", out, "--force", *self.model, *extra)
        return run, sorted(out.rglob("*.vqc"))

    def decode(self, streams, name):
        out = self.folder / name
        out.mkdir(exist_ok=True)
        return Run(VQCODEC, "decode", *streams, "--output-dir", out, "--force", *self.model)

    def evaluate(self, pictures):
        return json.loads(Run(VQCODEC, "eval", *pictures, "--json", *self.model).text)


def digest(files):
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files, key=lambda f: f.name)]


def timed(bench, pictures, options):
    """Interleaves all timings, so that a machine that slows down slows all of them; returns medians."""
    bench.decode(bench.encode(pictures[:1], "warm")[1], "warm")
    samples = {}
    for index in range(options.rounds):
        picture = pictures[index % len(pictures)]
        encode, streams = bench.encode([picture], f"one{index}")
        batch, all_streams = bench.encode(pictures, "all")
        one = bench.evaluate([picture])["results"][0]
        row = {
            "encode_s": encode.wall,
            "decode_s": bench.decode(streams, f"one{index}").wall,
            "info_s": Run(VQCODEC, "info", streams[0]).wall,
            "encode_network_s": one["seconds_encode_network"],
            "decode_network_s": one["seconds_decode_network"],
            "encode_pictures_per_s": len(pictures) / batch.wall,
            "decode_pictures_per_s": len(pictures) / bench.decode(all_streams, "all").wall,
        }
        if BASELINE and not options.quick:
            peer = json.loads(Run(BASELINE, "--threads", options.threads, "--runs", 1,
                                  "--width", one["width"], "--height", one["height"]).text)
            row |= {f"vq16_{key}": peer[key] for key in ("encode_s", "decode_s")}
            row["vq16_ratio"] = (peer["encode_s"] + peer["decode_s"]) / (
                row["encode_network_s"] + row["decode_network_s"])
        for key, value in row.items():
            samples.setdefault(key, []).append(value)
        print(f"kodak: round {index + 1} of {options.rounds}", file=sys.stderr)
    return {key: statistics.median(values) for key, values in samples.items()}


def same_bytes(bench, pictures):
    """Whether the files are equal with one worker, with two, one call a picture, and a second time."""
    streams = [bench.encode(pictures, "j1", "-j", 1)[1], bench.encode(pictures, "j2", "-j", 2)[1],
               bench.encode(pictures, "again", "-j", 2)[1]]
    for picture in pictures:
        alone = bench.encode([picture], "alone")[1]
    return all(digest(other) == digest(alone) for other in streams)


def made_pictures(bench, pictures, options):
    """Sizes of 256 x 256 crops; time and peak memory of a picture of 25 megapixels."""
    program = pathlib.Path(__file__).with_name("pixels.py")
    made = Run(sys.executable, "-B", program, bench.folder, *pictures, may_fail=True)
    if made.status != 0:
        print("kodak: crops and the large picture are left out: they take 8-bit RGB PNG of 256 x 256 or more",
              file=sys.stderr)
        return {}
    crops = sorted(bench.folder.glob("crop-*.ppm"))
    sizes = [stream.stat().st_size for stream in bench.encode(crops, "crops")[1]]
    figures = {"crop_bytes_mean": statistics.mean(sizes), "crop_bytes_max": max(sizes)}
    if not options.quick:
        encode, streams = bench.encode([bench.folder / "large.ppm"], "large")
        decode = bench.decode(streams, "large")
        figures |= {"large_encode_s": encode.wall, "large_decode_s": decode.wall,
                    "large_peak_bytes": max(encode.peak, decode.peak)}
    return figures


# Figure, what it is, unit, digits, factor, goal: ">" or "<" with the value in the printed unit.
ROWS = [
    ("psnr", "PSNR, mean over the pictures", "dB", 2, 1, ">", 24.4),
    ("bpp", "rate, whole files", "bpp", 4, 1, "<", 0.060),
    ("payload_ratio", "coded tokens against raw index bits", "", 3, 1, "<", 0.95),
    ("crop_bytes_max", "largest file of a 256 x 256 crop", "bytes", 0, 1, "<", 500),
    ("crop_bytes_mean", "mean file of a 256 x 256 crop", "bytes", 0, 1, "", 0),
    ("encode_s", "encode one picture, whole process", "s", 3, 1, "<", 1.2),
    ("decode_s", "decode one picture, whole process", "s", 3, 1, "<", 1.5),
    ("encode_network_s", "encode, the network alone", "s", 3, 1, "<", 0.5),
    ("decode_network_s", "decode, the network alone", "s", 3, 1, "<", 0.8),
    ("info_s", "`vqcodec info`, whole process", "s", 3, 1, "<", 0.1),
    ("encode_pictures_per_s", "encode all in one call", "pictures/s", 2, 1, ">", 2),
    ("decode_pictures_per_s", "decode all in one call", "pictures/s", 2, 1, "", 0),
    ("vq16_encode_s", "VQ-16 network (71.9 M parameters), encode", "s", 2, 1, "", 0),
    ("vq16_decode_s", "VQ-16 network, decode", "s", 2, 1, "", 0),
    ("vq16_ratio", "VQ-16 against our networks, both ways", "times", 1, 1, ">", 15),
    ("large_peak_bytes", "peak memory, 6144 x 4096", "GiB", 2, 2.0**-30, "<", 1.5),
    ("large_encode_s", "encode 6144 x 4096, whole process", "s", 1, 1, "", 0),
    ("large_decode_s", "decode 6144 x 4096, whole process", "s", 1, 1, "", 0),
]
SIGNS = {">": "≥", "<": "≤"}
WORDS = {True: "met", False: "missed", None: ""}


def table(figures):
    lines = ["| figure | measured | goal | |", "| --- | ---: | ---: | --- |"]
    for key, text, unit, digits, factor, sign, goal in ROWS:
        if figures.get(key) is None:
            continue
        value = figures[key] * factor
        met = {">": value >= goal, "<": value <= goal, "": None}[sign]
        shown, bound = f"{value:.{digits}f} {unit}".strip(), f"{SIGNS[sign]} {goal:g}" if sign else ""
        lines.append(f"| {text} | {shown} | {bound} | {WORDS[met]} |")
    if "same_bytes" in figures:
        same = figures["same_bytes"]
        lines.append(f"| same bytes with -j 1, -j 2, alone, again | {'yes' if same else 'no'} | yes | {WORDS[same]} |")
    return "\n".join(lines)


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(prog="kodak.sh", description="Figures of a model on a folder of pictures.")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("-m", "--model", help="name or folder of the model (default: that of vqcodec)")
    parser.add_argument("--rounds", type=int, default=3, help="timings behind each median (default 3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the VQ-16 network (default: all cores)")
    parser.add_argument("--out", type=pathlib.Path, help="folder for figures.json and figures.md")
    parser.add_argument("--quick", action="store_true", help="without the VQ-16 network and the large picture")
    options = parser.parse_args()
    pictures = sorted(options.folder.glob("*.png"))
    if not pictures or options.rounds < 1:
        parser.error(f"{options.folder} has no .png file" if not pictures else "--rounds takes 1 or more")
    if not BASELINE and not options.quick:
        print("kodak: no build of vq16_baseline (-DVQCODEC_BENCH=ON); its rows are left out", file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="vqc-kodak-") as folder:
        bench = Bench(options, pathlib.Path(folder))
        evaluation = bench.evaluate(pictures)
        if any(result.get("error") for result in evaluation["results"]):
            sys.exit("kodak: vqcodec eval failed on a picture")
        figures = {key: evaluation["mean"][key] for key in ("psnr", "bpp", "payload_ratio")}
        figures |= timed(bench, pictures, options)
        figures["same_bytes"] = same_bytes(bench, pictures)
        figures |= made_pictures(bench, pictures, options)
    model = evaluation["results"][0]
    report = {"model": model["model"], "model_hash": model["model_hash"], "pictures": len(pictures), "cpu": cpu_name(),
              "cores": os.cpu_count(), "rounds": options.rounds, "load": os.getloadavg()[0], "figures": figures}
    text = (f"`{report['model']}` on {len(pictures)} pictures, {report['cores']} cores ({report['cpu']}), "
            f"medians of {options.rounds}:\n\n{table(figures)}\n")
    print(text, end="")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "figures.md").write_text(text)
        (options.out / "figures.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
