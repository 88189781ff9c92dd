#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""report_page.py CHROMIUM INDEX.html: opens the page of a report in headless Chromium, sorts the table, moves the slider and
changes the view or, of sound, looks at spectrograms and players, and prints what is wrong with it. The exit status is 0 where nothing is."""
import html
import json
import pathlib
import re
import subprocess
import sys
import tempfile

WATCH = """<script>
window.problems = [];
addEventListener("error", (event) => problems.push(`error: ${event.message || event.target.tagName}`), true);
addEventListener("unhandledrejection", (event) => problems.push(`rejection: ${event.reason}`));
for (const name of ["error", "warn"]) console[name] = (...words) => problems.push(`console: ${words.join(" ")}`);
</script>"""

PROBE = """<script>
const check = (fine, what) => { if (!fine) problems.push(what); };
const put = (id, value) => { byId(id).value = value; byId(id).dispatchEvent(new Event("input", {bubbles: true})); };
const pixels = (id) => { const c = byId(id); return c.getContext("2d").getImageData(0, 0, c.width, c.height).data; };
const colours = (id) => new Set(new Uint32Array(pixels(id).buffer)).size;
const column = (at) => [...byId("items").tBodies[0].rows].filter((row) => row.cells.length > at + 1)
  .map((row) => row.cells[at].textContent);
async function probePictures() {
  check(byId("listen").hidden, "there are players without sound");
  check(colours("original") > 4 && colours("decoded") > 4, "the pictures are not painted");
  put("slider", 20);
  check(byId("original").style.clipPath.includes("80%"), `slider at 20: ${byId("original").style.clipPath}`);
  check(byId("handle").style.left === "20%", "the handle does not follow the slider");
  put("slider", 75);
  check(byId("original").style.clipPath.includes("25%"), `slider at 75: ${byId("original").style.clipPath}`);
  const box = byId("stage").getBoundingClientRect();
  byId("stage").dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + box.width / 2, pointerType: "touch", bubbles: true}));
  check(Math.abs(byId("slider").value - 50) < 1, `a finger in the middle sets the slider to ${byId("slider").value}`);
  put("zoom", 4);
  check(byId("stage").getBoundingClientRect().width === 4 * byId("decoded").width, "zoom 4 does not show 4 pixels for one");
  put("zoom", 0);
  put("mode", "difference");
  check(!byId("map").hidden && colours("map") > 1, "there is no difference map");
  put("mode", "tokens");
  check(byId("map").width === data.pictures[0].tokens.w && colours("map") > 1, "there is no token map");
  put("mode", "slider");
  check(byId("map").hidden, "the token map stays");
  byId("picture").value = data.pictures.length - 1;
  await choose();
  check(byId("decoded").width === data.pictures.at(-1).decoded.width, "another picture cannot be chosen");
}
async function probeSounds() {
  check(byId("viewer").hidden, "there is a slider without pictures");
  const contenders = data.models.filter((model) => model.mean[data.rate] !== undefined).length;
  for (const input of Object.keys(data.originals)) {
    byId("sound").value = input;
    byId("sound").dispatchEvent(new Event("change"));
    const rows = [...document.querySelectorAll("#rows .sound")];
    check(rows.length === 1 + contenders, `${rows.length} rows of ${input}`);
    for (const row of rows) {
      const canvas = row.querySelector("canvas"), player = row.querySelector("audio");
      const bytes = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      check(new Set(new Uint32Array(bytes.buffer)).size > 4, `an empty spectrogram of ${input}`);
      for (let i = 0; i < 200 && !player.duration; ++i) await new Promise((done) => setTimeout(done, 25));
      const seconds = data.originals[input].frames / data.originals[input].rate;
      check(Math.abs(player.duration - seconds) < 1e-3, `a player of ${player.duration} s for ${seconds} s: ${player.error?.message}`);
    }
    const strip = rows[1].querySelector(".strip"), box = strip.getBoundingClientRect(), player = rows[1].querySelector("audio");
    strip.dispatchEvent(new MouseEvent("click", {clientX: box.left + box.width / 2, bubbles: true}));
    check(Math.abs(player.currentTime / player.duration - 0.5) < 0.1, `a click in the middle plays from ${player.currentTime} s`);
    player.pause();
  }
  // A tone of one bin is at its place in the spectrogram, and its level is right.
  const tone = Float32Array.from({length: 4096}, (_, i) => Math.cos((2 * Math.PI * 32 * i) / 512));
  const {levels, width} = spectrogram(tone), middle = levels.subarray((width >> 1) * 256, ((width >> 1) + 1) * 256);
  check(middle.indexOf(Math.max(...middle)) === 32, `a tone of bin 32 is at ${middle.indexOf(Math.max(...middle))}`);
  check(Math.abs(middle[32] - 20 * Math.log10(128)) < 0.01 && middle[64] < -60, `its level is ${middle[32]} dB, elsewhere ${middle[64]}`);
}
async function probe() {
  for (let i = 0; i < 200 && !document.documentElement.dataset.ready; ++i) await new Promise((done) => setTimeout(done, 25));
  check(document.documentElement.dataset.ready === "yes", "the page does not get ready");
  await (data.sounds.length > 0 ? probeSounds() : probePictures());
  const headings = [...byId("items").tHead.rows[0].cells];
  const at = headings.findIndex((cell) => cell.textContent.startsWith(data.sounds.length > 0 ? "si_sdr" : "psnr"));
  for (const [direction, sign] of [["ascending", 1], ["descending", -1]]) {
    headings[at].querySelector("button").click();
    check(headings[at].getAttribute("aria-sort") === direction, `the heading is not ${direction}`);
    const values = column(at).map(Number);
    check(values.length > 1 && values.every((value, i) => i === 0 || sign * (value - values[i - 1]) >= 0), `not ${direction}: ${values}`);
  }
  headings[0].querySelector("button").click();
  const names = column(0);
  check(names.every((name, i) => i === 0 || names[i - 1].localeCompare(name, "en", {numeric: true}) <= 0), `names: ${names}`);
  const plotted = data.metrics.filter((metric) => [...measured, ...data.models.map((model) => model.mean)]
    .some((record) => typeof record[metric.key] === "number"));
  check(byId("plots").querySelectorAll("svg").length === plotted.length, "there is not one plot a metric");
  check(byId("plots").querySelectorAll("circle.mean").length >= plotted.length, "the means are not plotted");
  check(byId("usage").querySelectorAll("polyline").length > 0, "the codebook usage is not plotted");
  const curves = data.curves.some((curve) => curve.metrics.some((row) => row.bd_rate?.error === null));
  check(byId("curves-section").hidden !== curves, "curves are not shown where there are some");
  check(!document.querySelector("main").innerHTML.includes("NaN"), "there is a NaN on the page");
  check(document.documentElement.scrollWidth <= innerWidth, `the page is ${document.documentElement.scrollWidth} wide in a window of ${innerWidth}`);
  const fetched = performance.getEntriesByType("resource").map((entry) => entry.name).filter((name) => !/^(data|blob):/.test(name));
  check(fetched.length === 0, `the page loads ${fetched}`);
}
probe().catch((error) => problems.push(`probe: ${error}`)).finally(() => {
  document.body.append(element("pre", {id: "probe"}, JSON.stringify({problems, background: getComputedStyle(document.body).backgroundColor})));
});
</script></body>"""


def browse(chromium, page, *options):
    with tempfile.TemporaryDirectory() as folder:
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                   f"--user-data-dir={folder}", "--virtual-time-budget=20000", "--dump-dom", *options, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)
    if not found:
        sys.exit(f"report_page: Chromium said nothing: {done.stderr[-2000:]}")
    return json.loads(html.unescape(found[1]))


def main(chromium, index):
    text = pathlib.Path(index).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "probed.html"
        page.write_text(text.replace("<head>", "<head>" + WATCH, 1).replace("</body>", PROBE, 1), encoding="utf-8")
        light = browse(chromium, page, "--window-size=1280,900", "--blink-settings=preferredColorScheme=1")
        phone = browse(chromium, page, "--window-size=390,844", "--blink-settings=preferredColorScheme=0")
    problems = light["problems"] + [f"on a phone, dark: {problem}" for problem in phone["problems"]]
    if light["background"] == phone["background"]:
        problems.append("dark looks like light")
    print("\n".join(problems) or "the page works")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
