#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The measuring part of results.sh: writes results.md and its plots from runs of `vqcodec eval`.

python3 alone is enough. Where it has pesq, scipy, soundfile and numpy, speech is also judged by PESQ-WB; where it has
Pillow 11.3 or later and numpy, bench/peers.py adds what picture codecs reach at half size. The codecs' own programs are
needed for pictures (cjpeg, cwebp, avifenc, cjxl); one that is missing is left out, and the page says so.
"""
import argparse
import base64
import io
import json
import math
import os
import pathlib
import re
import subprocess
import sys

import rate_plot

VQCODEC = os.environ.get("VQCODEC", "vqcodec")
PICTURE_CODECS, SOUND_CODECS = "jpeg,webp,avif,jxl", "opus,codec2"
PICTURE_MODELS, SPEECH_MODELS = "image-f16,image-f8,image-f8-262k", "speech-rvq,speech-75,speech-40,speech-fsq"


def evaluate(work, name, *arguments, shown=2):
    """Runs eval with its state in `work`, so that a stopped run goes on, and the first `shown` items on the page; returns
    figures.json and the page's path."""
    folder = work / name
    command = [VQCODEC, "eval", *map(str, arguments), "--report", str(folder), "--force", "--report-items", str(shown),
               "--state", str(work / f"{name.split('-')[0]}.state"), "--quiet"]
    print(f"results: {name}", file=sys.stderr)
    done = subprocess.run(command, stdout=subprocess.DEVNULL)
    if done.returncode not in (0, 1):  # 1: some items failed, which are rows of the report
        sys.exit(f"results: exit status {done.returncode} from: {' '.join(command)}")
    return json.loads((folder / "figures.json").read_text()), folder / "index.html"


def number(value, digits):
    return "–" if value is None or (isinstance(value, float) and math.isnan(value)) else f"{value:.{digits}f}"


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def means(figures):
    return [(model, model["mean"]) for model in figures["models"] if model["mean"]]


def name_of(model):
    return model["setting"] if model["codec"] == "vqcodec" else f"{model['codec']} {model['setting']}"


def at_rate(points, rate):
    """Quality at the rate, between two points over the logarithm of the rate; None beyond the curve."""
    points = sorted(points)
    for (low, worse), (high, better) in zip(points, points[1:]):
        if low <= rate <= high:
            return worse + (better - worse) * (math.log(rate) - math.log(low)) / (math.log(high) - math.log(low))
    return None


def failures(figures):
    failed = [result["error"] for result in figures["results"] if result["error"]]
    left_out = [value for key, value in figures["environment"].items() if key.startswith("left out")]
    return "".join(f"\n{len(failed)} measurements failed, the first: {failed[0]}\n" if failed else "") + "".join(
        f"\nLeft out: {text}.\n" for text in left_out)


def settings_of(figures):
    """Lines on how the other codecs were run."""
    models = {name_of(model) for model in figures["models"] if model["levels"]}
    lines = []
    for model in figures["models"]:
        if name_of(model) in models:
            continue
        text = figures["environment"].get(f"{model['codec']} {model['setting']}")
        if text and not any(line.startswith(f"- {model['codec']}:") for line in lines):
            lines.append(f"- {model['codec']}: `{text}` and its like")
    return "\n".join(lines)


# --- pictures -----------------------------------------------------------------------------------------------

PICTURE_METRICS = [("psnr", "PSNR dB", 2), ("ms_ssim", "MS-SSIM", 4), ("ssim", "SSIM", 4), ("gmsd", "GMSD", 4)]


def pictures(options, work):
    files = sorted(options.kodak.glob("*.png"))
    if not files:
        sys.exit(f"results: {options.kodak} has no .png file")
    ladder, _ = evaluate(work, "pictures-ladder", *files, "-m", "image-f16", "--decoder", "perceptual",
                         "--rungs", "1,2,3,4,5,6")
    figures, _ = evaluate(work, "pictures", *files, "-m", PICTURE_MODELS, "--against", PICTURE_CODECS)
    models = means(ladder) + [entry for entry in means(figures) if entry[0]["codec"] == "vqcodec"]
    models.sort(key=lambda entry: entry[1]["bpp"])
    peers = {}
    for model, mean in means(figures):
        if model["codec"] != "vqcodec":
            peers.setdefault(model["codec"], []).append((model, mean))
    rows = []
    for model, mean in models + [entry for entries in peers.values() for entry in entries]:
        rows.append([name_of(model), number(mean["bytes"], 0), number(mean["bpp"], 4)] +
                    [number(mean.get(key), digits) for key, _, digits in PICTURE_METRICS])
    equal = []
    for model, mean in models:
        for key, heading, digits in PICTURE_METRICS[:2]:
            cells = [f"{name_of(model)}, {heading}", number(mean["bpp"], 4), number(mean[key], digits)]
            for entries in peers.values():
                cells.append(number(at_rate([(m["bpp"], m[key]) for _, m in entries], mean["bpp"]), digits))
            equal.append(cells)
    for key, heading, _ in PICTURE_METRICS[:2]:
        curves = [(codec, [(m["bpp"], m[key], name_of(model)) for model, m in entries]) for codec, entries in peers.items()]
        ours = [(name_of(model), [(m["bpp"], m[key], name_of(model))]) for model, m in models if model["codec"] == "vqcodec"]
        ours.append((means(ladder)[0][0]["codec"], [(m["bpp"], m[key], model["setting"]) for model, m in means(ladder)]))
        plot = rate_plot.plot(f"{heading} on {len(files)} Kodak pictures", "bits a pixel, whole files", ours + curves)
        (options.out / "images" / f"results-pictures-{key}.svg").write_text(plot)
    text = f"""## Pictures

Means over the {len(files)} Kodak pictures, 768 x 512 or 512 x 768. Rates count every byte of the file.

![PSNR against rate](images/results-pictures-psnr.svg)

![MS-SSIM against rate](images/results-pictures-ms_ssim.svg)

At the rate of each of our models, what the others reach; between two of their qualities over the logarithm of the rate. A
dash: the codec gets no smaller, or was measured no larger, at full size.

{table(["model", "bpp", "ours"] + list(peers), equal)}

{table(["setting", "bytes", "bpp"] + [heading for _, heading, _ in PICTURE_METRICS], rows)}

{settings_of(figures)}
{failures(figures)}"""
    return text + half_size(options, [mean["bpp"] for model, mean in models if "perceptual" not in model["setting"]])


def half_size(options, rates):
    rates = sorted({round(rate, 4) for rate in rates} | {0.03, 0.04, 0.06, 0.1, 0.15, 0.2, 0.3})
    program = pathlib.Path(__file__).with_name("peers.py")
    command = [sys.executable, "-B", str(program), str(options.kodak), "--rates", *map(str, rates)]
    print("results: pictures at half size", file=sys.stderr)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"results: no figures at half size: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return ""
    return ("\nCodecs of pictures reach lower rates, and more at the lowest, where the picture is halved before and doubled after "
            "(`bench/peers.py`):\n\n" + done.stdout)


# --- sound --------------------------------------------------------------------------------------------------

SOUND_METRICS = [("stoi", "STOI", 4), ("estoi", "ESTOI", 4), ("mel_distance", "mel distance", 4),
                 ("stft_distance", "STFT distance", 4), ("si_sdr", "SI-SDR dB", 2)]


def pesq_means(page):
    """Mean PESQ-WB by (codec, setting), of the sounds that the page holds; {} without the packages."""
    try:
        import numpy
        import soundfile
        from pesq import NoUtterancesError, pesq
        from scipy.signal import resample_poly
    except ImportError as missing:
        print(f"results: no PESQ: {missing}", file=sys.stderr)
        return {}

    def samples(sound):
        data, rate = soundfile.read(io.BytesIO(base64.b64decode(sound["wav"])))
        divisor = math.gcd(rate, 16000)
        return resample_poly(data, 16000 // divisor, rate // divisor)

    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.DOTALL)
    data = json.loads(found[1])
    originals = {path: samples(sound) for path, sound in data["originals"].items()}
    scores = {}
    for sound in data["sounds"]:
        result = data["results"][sound["result"]]
        try:
            score = pesq(16000, originals[result["input"]], samples(sound), "wb")
        except NoUtterancesError:
            continue
        scores.setdefault((result["codec"], result["setting"]), []).append(score)
    return {key: float(numpy.mean(values)) for key, values in scores.items()}


def sounds(options, work, name, files, judged):
    if not files:
        sys.exit(f"results: there is no .flac file for {name}")
    figures, page = evaluate(work, name, *files, "-m", SPEECH_MODELS, "--levels", "2,4,8", "--against", SOUND_CODECS,
                             shown=len(files) if judged else 2)
    for model, mean in means(figures):
        mean["pesq"] = None
    if judged:
        scores = pesq_means(page)
        for model, mean in means(figures):
            mean["pesq"] = scores.get((model["codec"], model["setting"]))
    return figures


def sound_table(figures, judged):
    metrics = ([("pesq", "PESQ-WB", 2)] if judged else []) + SOUND_METRICS
    rows = [[name_of(model), number(mean["kbps"], 2), number(mean["kbps_payload"], 2), number(mean["kbps_nominal"], 2)] +
            [number(mean.get(key), digits) for key, _, digits in metrics] for model, mean in means(figures)]
    return table(["setting", "kbit/s, whole files", "payload", "nominal"] + [heading for _, heading, _ in metrics], rows)


def sound_plot(options, figures, name, key, heading, title):
    curves = {}
    for model, mean in means(figures):
        if mean.get(key) is not None:
            curves.setdefault(model["codec"], []).append((mean["kbps"], mean[key], name_of(model)))
    if curves:
        (options.out / "images" / f"results-{name}-{key}.svg").write_text(
            rate_plot.plot(f"{heading}, {title}", "kbit/s, whole files", list(curves.items())))


def bd_lines(figures):
    rows = []
    for curve in figures["curves"]:
        for row in curve["metrics"]:
            delta = row.get("bd_rate")
            if not delta or delta["error"] is not None:
                continue
            low, value, high = (100 * delta[part] for part in ("low", "value", "high"))
            rows.append([f"{curve['test']} against {curve['reference']}", row["metric"], f"{value:+.0f} % ({low:+.0f} to {high:+.0f})"])
    return table(["curves", "metric", "BD-rate, 95 % interval"], rows) if rows else ""


def speech(options, work):
    text = "## Speech\n"
    for group, title in (("seen", "speakers that were in the training"), ("unseen", "speakers that were not")):
        files = sorted(options.speech.glob(f"{group}_*.flac"))
        figures = sounds(options, work, f"speech-{group}", files, True)
        judged = any(mean["pesq"] is not None for _, mean in means(figures))
        for key, heading in (("stoi", "STOI"), ("pesq", "PESQ-WB")):
            sound_plot(options, figures, f"speech-{group}", key, heading, f"{len(files)} clips, {title}")
        shown = "\n\n".join(f"![{heading} against rate](images/results-speech-{group}-{key}.svg)"
                            for key, heading in (("stoi", "STOI"), ("pesq", "PESQ-WB")) if key != "pesq" or judged)
        text += (f"\n### {title.capitalize()}: {len(files)} clips at 24 kHz\n\n{shown}\n\n{sound_table(figures, judged)}\n\n"
                 f"{bd_lines(figures)}\n{failures(figures)}")
    return text + (f"\n{settings_of(figures)}\n\nCodec2's decoder draws phases at random, so its rows differ a little from run "
                   "to run; all others are the same each time. The losses of our models follow PESQ and STOI.\n")


def other_sounds(options, work):
    files = sorted(options.sounds.glob("*.flac"))
    figures = sounds(options, work, "sounds", files, False)
    sound_plot(options, figures, "sounds", "mel_distance", "mel distance (less is better)", f"{len(files)} clips")
    return (f"## Other sounds\n\nMeans over {len(files)} clips of 5 s at 24 kHz from ESC-10 (rain, dogs, engines ...), which the models of "
            f"speech were not trained for.\n\n![Mel distance against rate](images/results-sounds-mel_distance.svg)\n\n"
            f"{sound_table(figures, False)}\n{failures(figures)}")


def main():
    parser = argparse.ArgumentParser(prog="results.sh", description="Writes results.md: the models against other codecs.")
    parser.add_argument("--kodak", type=pathlib.Path, help="the 24 Kodak pictures, PNG")
    parser.add_argument("--speech", type=pathlib.Path, help="seen_*.flac and unseen_*.flac")
    parser.add_argument("--sounds", type=pathlib.Path, help="other sounds, FLAC")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/results"), help="reports and state of the runs")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs"), help="where results.md goes")
    options = parser.parse_args()
    sections = [("kodak", options.kodak, pictures), ("speech", options.speech, speech), ("sounds", options.sounds, other_sounds)]
    if not any(folder for _, folder, _ in sections):
        parser.error("give one or more of --kodak, --speech and --sounds")
    options.work.mkdir(parents=True, exist_ok=True)
    (options.out / "images").mkdir(parents=True, exist_ok=True)
    parts = []
    for name, folder, measure in sections:  # what is not asked for stays as an earlier run in this folder left it
        kept = options.work / f"{name}.md"
        if folder:
            kept.write_text(measure(options, options.work))
        if kept.exists():
            parts.append(kept.read_text())
    version = subprocess.run([VQCODEC, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    head = f"""# Results

The models that come with {version.split(',')[0]} against other codecs, made by one command, which also says how its
figures are taken; [metrics.md](metrics.md) defines them:

    bench/results.sh --kodak KODAK_FOLDER --speech SPEECH_FOLDER --sounds ESC10_FOLDER

Nothing of these sets was trained on but the voices that are called seen. Figures are of quality and size; times are in the
reports that the command leaves in `build/results`, and depend on the machine.
"""
    (options.out / "results.md").write_text("\n\n".join(part.strip() for part in [head, *parts]) + "\n")
    print(f"results: {options.out / 'results.md'}", file=sys.stderr)


if __name__ == "__main__":
    main()
