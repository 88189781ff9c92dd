// SPDX-License-Identifier: Apache-2.0
"use strict";
// The part of the page that lets people hear and see sound. Uses what script.js declares.

// Samples of a WAV file as the report holds it: 16 bits, one channel, 44 bytes of header.
function samplesOf(bytes) {
  const view = new DataView(bytes.buffer), samples = new Float32Array((bytes.length - 44) / 2);
  for (let i = 0; i < samples.length; ++i) samples[i] = view.getInt16(44 + 2 * i, true) / 32768;
  return samples;
}

// Real and imaginary parts in place; their length is a power of two.
function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; ++i) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j]] = [re[j], re[i]];  // the imaginary parts are zero
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; ++k) {
      const c = Math.cos((2 * Math.PI * k) / size), s = -Math.sin((2 * Math.PI * k) / size);
      for (let i = k; i < n; i += size) {
        const j = i + size / 2, x = re[j] * c - im[j] * s, y = re[j] * s + im[j] * c;
        re[j] = re[i] - x;
        im[j] = im[i] - y;
        re[i] += x;
        im[i] += y;
      }
    }
  }
}

const bins = 256, columns = 900;

// Levels in dB, [column][bin], of frames of 512 samples under a Hann window.
function spectrogram(samples) {
  const size = 2 * bins, width = Math.max(1, Math.min(columns, Math.ceil(samples.length / 128)));
  const levels = new Float32Array(width * bins), re = new Float64Array(size), im = new Float64Array(size);
  for (let column = 0; column < width; ++column) {
    const start = Math.round(((column + 0.5) * samples.length) / width) - bins;
    for (let i = 0; i < size; ++i) {
      re[i] = (samples[start + i] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
      im[i] = 0;
    }
    transform(re, im);
    for (let k = 0; k < bins; ++k) levels[column * bins + k] = 10 * Math.log10(re[k] ** 2 + im[k] ** 2 + 1e-12);
  }
  return {levels, width};
}

// From dark over violet and orange to white.
const heat = [[8, 8, 24], [70, 24, 110], [170, 50, 100], [245, 140, 50], [255, 250, 220]];

function paintSpectrogram(canvas, {levels, width}, loudest) {
  canvas.width = width;
  canvas.height = bins;
  const context = canvas.getContext("2d", {willReadFrequently: true}), image = context.createImageData(width, bins);
  for (let x = 0; x < width; ++x) {
    for (let k = 0; k < bins; ++k) {
      const part = Math.min(1, Math.max(0, (levels[x * bins + k] - loudest) / 80 + 1)) * (heat.length - 1);
      const at = Math.min(heat.length - 2, Math.floor(part));
      const mixed = heat[at].map((value, i) => value + (part - at) * (heat[at + 1][i] - value));
      image.data.set([...mixed, 255], 4 * ((bins - 1 - k) * width + x));
    }
  }
  context.putImageData(image, 0, 0);
}

let playing = null;  // the player that was started last

function soundRow(label, figures, sound, shown, loudest) {
  const row = element("div", {class: "sound"});
  row.append(element("strong", {}, label), element("span", {class: "note"}, figures));
  const strip = row.appendChild(element("div", {class: "strip"}));
  const canvas = strip.appendChild(element("canvas", {role: "img", "aria-label": `spectrogram of ${label}`}));
  const mark = strip.appendChild(element("div", {class: "playhead"}));
  const player = row.appendChild(element("audio", {controls: "", preload: "auto", "aria-label": label}));
  player.src = `data:audio/wav;base64,${sound.wav}`;
  paintSpectrogram(canvas, shown, loudest);
  const seconds = sound.frames / sound.rate;
  player.addEventListener("timeupdate", () => { mark.style.left = `${(100 * player.currentTime) / seconds}%`; });
  player.addEventListener("play", () => {
    if (playing && playing !== player) {
      playing.pause();
      if (!playing.ended) player.currentTime = playing.currentTime;
    }
    playing = player;
  });
  strip.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    if (playing && playing !== player) playing.pause();
    playing = player;
    player.currentTime = (seconds * (event.clientX - box.left)) / box.width;
    player.play().catch(() => {});  // where the browser wants the button to be used first
  });
  return row;
}

function chooseSound() {
  if (playing) playing.pause();
  playing = null;
  const input = byId("sound").value, original = data.originals[input];
  const entries = data.sounds.filter((entry) => data.results[entry.result].input === input);
  const pictured = [original, ...entries].map((sound) => spectrogram(samplesOf(bytesOf(sound.wav))));
  const loudest = pictured[0].levels.reduce((most, level) => Math.max(most, level), -60);
  const cut = original.cut ? ", its beginning" : "";
  byId("rows").replaceChildren(
    soundRow("original", `${(original.frames / original.rate).toFixed(2)} s at ${original.rate} Hz${cut}`, original, pictured[0], loudest),
    ...entries.map((entry, i) => {
      const record = data.results[entry.result];
      const figures = data.metrics.map((metric) => `${metric.heading} ${shown(record[metric.key], metric.digits)}`);
      return soundRow(settingOf(record), `${shown(record.kbps, 2)} kbit/s, ${figures.join(", ")}`, entry, pictured[i + 1], loudest);
    }));
}

function startSounds() {
  byId("listen").hidden = data.sounds.length === 0;
  if (data.sounds.length === 0) return;
  const inputs = Object.keys(data.originals).filter((input) => data.sounds.some((entry) => data.results[entry.result].input === input));
  byId("sound").append(...inputs.map((input) => element("option", {value: input}, input.split("/").pop())));
  byId("sound").addEventListener("change", chooseSound);
  chooseSound();
}
