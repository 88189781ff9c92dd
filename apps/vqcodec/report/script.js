// SPDX-License-Identifier: Apache-2.0
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const settingOf = (record) => `${record.codec} ${record.setting}`;
const marks = ["--mark1", "--mark2", "--mark3", "--mark4", "--mark5", "--mark6"];
const colourOf = (index) => `var(${marks[index % marks.length]})`;
const measured = data.results.filter((record) => record.error === null);
const sound = data.rate === "kbps", rateName = sound ? "kbit/s" : "bits a pixel";
const groups = [...new Set(measured.map(settingOf))];
// Codecs have a colour each; of "vqcodec", whose settings are models, each model.
const tintName = (item) => (item.codec === "vqcodec" ? settingOf(item) : item.codec);
const tints = [...new Set(data.models.map(tintName))];
const tintOf = (item) => colourOf(tints.indexOf(tintName(item)));

function element(name, attributes = {}, text) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function drawn(parent, name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

// null is infinity, an absent figure is none.
const shown = (value, digits) =>
  value === undefined ? "-" : value === null ? "inf" : typeof value === "number" ? value.toFixed(digits) : String(value);

// columns: {key, heading, digits}; without digits it is text.
function fill(table, columns, records, sortable) {
  const head = table.appendChild(element("thead")).appendChild(element("tr"));
  const body = table.appendChild(element("tbody"));
  const rows = records.map((record) => {
    const row = element("tr");
    for (const column of columns) {
      row.append(element("td", column.digits === undefined ? {class: "text"} : {}, shown(record[column.key], column.digits)));
    }
    if (record.error) {
      while (row.cells.length > 1) row.lastChild.remove();
      row.append(element("td", {class: "error", colspan: columns.length - 1}, record.error));
    }
    return {record, row};
  });
  body.append(...rows.map((entry) => entry.row));
  for (const column of columns) {
    const cell = head.appendChild(element("th", {scope: "col", ...(column.digits === undefined ? {class: "text"} : {})}));
    if (!sortable) {
      cell.textContent = column.heading;
      continue;
    }
    cell.append(element("button", {type: "button"}, column.heading));
    cell.firstChild.addEventListener("click", () => {
      const up = cell.getAttribute("aria-sort") !== "ascending";
      for (const other of head.cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rank = (entry) => {
        const value = entry.record[column.key];
        return value === null ? Infinity : value;
      };
      const order = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en", {numeric: true}) : a < b ? -1 : a > b ? 1 : 0);
      rows.sort((a, b) => {
        const left = rank(a), right = rank(b);
        if (left === undefined || right === undefined) return (left === undefined) - (right === undefined);
        return up ? order(left, right) : order(right, left);
      });
      body.append(...rows.map((entry) => entry.row));
    });
  }
}

function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => power * factor >= rough);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-12); ++i) found.push({at: i * step, text: String(Number((i * step).toPrecision(6)))});
  return found;
}

function logTicks(low, high) {
  const found = [];
  if (high - low < 1) return ticks(10 ** low, 10 ** high, 4).map((tick) => ({at: Math.log10(tick.at), text: tick.text}));
  for (let power = Math.floor(low); power <= Math.ceil(high); ++power) {
    for (const factor of high - low > 2.5 ? [1] : [1, 2, 5]) {
      const at = power + Math.log10(factor);
      if (at >= low - 1e-9 && at <= high + 1e-9) found.push({at, text: String(Number((10 ** at).toPrecision(2)))});
    }
  }
  return found;
}

// An empty plot of 420 x 280 with its axes; returns [svg, x, y], which place a value.
function axes(title, xs, ys, xTitle, xTicks, yTicks) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 420 280");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", title);
  const x = (value) => 52 + (350 * (value - xs[0])) / (xs[1] - xs[0]);
  const y = (value) => 236 - (200 * (value - ys[0])) / (ys[1] - ys[0]);
  for (const tick of xTicks) {
    drawn(svg, "line", {class: "grid", x1: x(tick.at), x2: x(tick.at), y1: 36, y2: 236});
    drawn(svg, "text", {x: x(tick.at), y: 251, "text-anchor": "middle"}, tick.text);
  }
  for (const tick of yTicks) {
    drawn(svg, "line", {class: "grid", x1: 52, x2: 402, y1: y(tick.at), y2: y(tick.at)});
    drawn(svg, "text", {x: 47, y: y(tick.at) + 4, "text-anchor": "end"}, tick.text);
  }
  drawn(svg, "rect", {class: "axis", x: 52, y: 36, width: 350, height: 200});
  drawn(svg, "text", {x: 52, y: 16, "font-weight": "bold"}, title);
  drawn(svg, "text", {x: 227, y: 270, "text-anchor": "middle"}, xTitle);
  return [svg, x, y];
}

function extent(values, margin) {
  const low = Math.min(...values), high = Math.max(...values), room = (high - low || Math.abs(high) * 0.1 || 1) * margin;
  return [low - room, high + room];
}

function plotMetric(metric) {
  const has = (record) => typeof record[metric.key] === "number" && typeof record[data.rate] === "number";
  const points = measured.filter(has), all = [...points, ...data.models.map((model) => model.mean).filter(has)];
  if (all.length === 0) return;
  const rate = (record) => Math.log10(record[data.rate]);
  const xs = extent(all.map(rate), 0.06), ys = extent(all.map((record) => record[metric.key]), 0.06);
  const [svg, x, y] = axes(metric.heading, xs, ys, rateName, logTicks(...xs), ticks(...ys, 5));
  const codecs = [...new Set(data.models.map((model) => model.codec))];
  for (const record of points) {
    const dot = drawn(svg, "circle", {cx: x(rate(record)), cy: y(record[metric.key]), r: 2.5, fill: tintOf(record), opacity: 0.6});
    drawn(dot, "title", {}, `${record.input}\n${shown(record[data.rate], 4)} ${data.rate}, ${shown(record[metric.key], metric.digits)}`);
  }
  for (const codec of codecs) {
    const means = data.models.filter((model) => model.codec === codec && has(model.mean));
    const placed = means.map((model) => [x(rate(model.mean)), y(model.mean[metric.key]), model]);
    placed.sort((a, b) => a[0] - b[0]);
    const curve = codec !== "vqcodec";
    if (placed.length > 1) drawn(svg, "polyline", {class: "axis", style: curve ? `stroke: ${tintOf(placed[0][2])}` : "", points: placed.map((at) => `${at[0]},${at[1]}`).join(" ")});
    placed.forEach(([cx, cy, model], i) => {
      const dot = drawn(svg, "circle", {cx, cy, r: 5, fill: tintOf(model), class: "mean"});
      drawn(dot, "title", {}, `${settingOf(model)}\n${shown(model.mean[data.rate], 4)} ${data.rate}, ${shown(model.mean[metric.key], metric.digits)}`);
      if (curve && i > 0 && i + 1 < placed.length) return;  // its ends have names
      const name = curve && i === 0 ? `${codec} ${model.setting}` : model.setting;
      drawn(svg, "text", cx > 260 ? {x: cx - 8, y: cy - 8, "text-anchor": "end"} : {x: cx + 8, y: cy - 8}, name);
    });
  }
  byId("plots").append(svg);
}

function plotUsage(model, level, index) {
  const counts = level.counts;  // [rank, times], thinned out
  if (counts.length === 0) return;
  const xs = [0, Math.log10(Math.max(level.used, 2))], ys = [0, Math.log10(Math.max(counts[0][1], 2))];
  const title = `${model.model}, level ${index}: ${level.used} of ${level.codebook_size} ids`;
  const [svg, x, y] = axes(title, xs, ys, "rank of the id", logTicks(...xs), logTicks(...ys));
  const even = Math.log10(level.tokens / level.codebook_size);
  if (even > ys[0] && even < ys[1]) drawn(svg, "line", {class: "even", x1: 52, x2: 402, y1: y(even), y2: y(even)});
  const path = counts.map(([rank, times]) => `${x(Math.log10(rank))},${y(Math.log10(times))}`).join(" ");
  drawn(svg, "polyline", {points: path, fill: "none", stroke: colourOf(groups.indexOf(settingOf(model))), "stroke-width": 2});
  byId("usage").append(svg);
}

// "-25.1 (-27.0 to -23.2)" of a delta between curves.
function deltaText(delta, scale, digits) {
  if (!delta || delta.error !== null) return "-";
  const [value, low, high] = [delta.value, delta.low, delta.high].map((number) => (scale * number).toFixed(digits));
  return `${value} (${low} to ${high})`;
}

function fillCurves() {
  const rows = data.curves.flatMap((curve) => curve.metrics.map((row) => {
    const metric = data.metrics.find((candidate) => candidate.key === row.metric);
    return {test: curve.test, reference: curve.reference, metric: metric.heading,
      rate: deltaText(row.bd_rate, 100, 1), quality: deltaText(row.bd_quality, 1, metric.digits)};
  })).filter((row) => row.rate !== "-" || row.quality !== "-");
  byId("curves-section").hidden = rows.length === 0;
  fill(byId("curves"), [{key: "test", heading: "curve"}, {key: "reference", heading: "against"}, {key: "metric", heading: "metric"},
    {key: "rate", heading: "BD-rate %"}, {key: "quality", heading: "BD-quality"}], rows);
}

function bytesOf(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// Paints a picture of the report ({width, height, png} or {width, height, rgb}) on a canvas.
async function paint(canvas, picture) {
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext("2d", {willReadFrequently: true});
  if (picture.png !== undefined) {
    context.drawImage(await createImageBitmap(new Blob([bytesOf(picture.png)], {type: "image/png"})), 0, 0);
    return;
  }
  const from = bytesOf(picture.rgb), image = context.createImageData(picture.width, picture.height);
  for (let i = 0, j = 0; i < from.length; i += 3, j += 4) {
    image.data.set([from[i], from[i + 1], from[i + 2], 255], j);
  }
  context.putImageData(image, 0, 0);
}

const viewer = {entry: null};

function paintDifference() {
  const canvas = byId("map"), a = byId("original"), b = byId("decoded");
  canvas.width = a.width;
  canvas.height = a.height;
  const of = (from) => from.getContext("2d").getImageData(0, 0, a.width, a.height);
  const image = of(a), other = of(b).data;
  for (let i = 0; i < other.length; ++i) image.data[i] = i % 4 === 3 ? 255 : 128 + 8 * (other[i] - image.data[i]);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Each id has a colour of its own, which says nothing but that ids are equal or not.
function paintTokens(tokens, level) {
  const canvas = byId("map");
  canvas.width = tokens.w;
  canvas.height = tokens.h;
  const bytes = bytesOf(tokens.ids), ids = new DataView(bytes.buffer);
  const image = canvas.getContext("2d").createImageData(tokens.w, tokens.h);
  for (let i = 0; i < tokens.w * tokens.h; ++i) {
    let hash = Math.imul(ids.getUint32(4 * (i * tokens.levels + level), true) + 1, 2654435761);
    hash = Math.imul(hash ^ (hash >>> 15), 2246822519);
    image.data.set([(hash >>> 8) & 255, (hash >>> 16) & 255, (hash >>> 24) & 255, 255], 4 * i);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function arrange() {
  const entry = viewer.entry, mode = byId("mode").value, zoom = Number(byId("zoom").value);
  byId("level-label").hidden = mode !== "tokens" || entry.tokens.levels < 2;
  byId("map").hidden = mode === "slider";
  byId("handle").hidden = byId("slider").disabled = mode !== "slider";
  if (mode === "difference") paintDifference();
  if (mode === "tokens") paintTokens(entry.tokens, Number(byId("level").value));
  byId("stage").style.width = zoom === 0 ? "100%" : `${zoom * entry.decoded.width}px`;
  const part = byId("slider").value;
  byId("original").style.clipPath = `inset(0 ${100 - part}% 0 0)`;
  byId("handle").style.left = `${part}%`;
  const record = data.results[entry.result];
  const figures = data.metrics.map((metric) => `${metric.heading} ${shown(record[metric.key], metric.digits)}`);
  byId("caption").textContent = `${settingOf(record)}: ${record.bytes} bytes, ${shown(record.bpp, 4)} bits a pixel, ` +
    `${figures.join(", ")}. Original left, reconstruction right.` + (entry.cut ? " The middle of a larger picture is shown." : "");
}

async function choose() {
  const entry = data.pictures[Number(byId("picture").value)];
  await Promise.all([paint(byId("original"), entry.original), paint(byId("decoded"), entry.decoded)]);
  viewer.entry = entry;
  byId("level").replaceChildren(...Array.from({length: entry.tokens.levels}, (_, i) => element("option", {value: i}, String(i))));
  arrange();
}

async function start() {
  const failed = data.results.length - measured.length;
  byId("summary").textContent = `${data.results.length} measurements, ${groups.length} settings` + (failed ? `, ${failed} failed` : "");
  const text = [{key: "codec", heading: "codec"}, {key: "setting", heading: "setting"}];
  const count = sound ? "sounds" : "pictures";
  fill(byId("means"), [sound ? text[0] : text[1], sound ? text[1] : text[0], {key: count, heading: count, digits: 0}, ...data.columns],
       data.models.map((model) => ({...model.mean, codec: model.codec, setting: model.setting})));
  fill(byId("items"), [{key: "input", heading: sound ? "sound" : "picture"}, ...text, ...data.columns], data.results, true);
  fillCurves();
  data.metrics.forEach(plotMetric);
  const levels = data.models.flatMap((model) => (model.levels ?? []).map((level, index) => ({model: model.model, level: index, ...level})));
  fill(byId("levels"), [{key: "model", heading: "model"}, {key: "level", heading: "level", digits: 0},
    {key: "codebook_size", heading: "ids", digits: 0}, {key: "tokens", heading: "tokens", digits: 0},
    {key: "used", heading: "used", digits: 0}, {key: "usage", heading: "usage", digits: 4},
    {key: "usage_bound", heading: "at most", digits: 4}, {key: "perplexity", heading: "perplexity", digits: 1},
    {key: "entropy", heading: "entropy", digits: 3}, {key: "bits_raw", heading: "bits raw", digits: 3}], levels);
  for (const model of data.models) (model.levels ?? []).forEach((level, index) => plotUsage(model, level, index));
  byId("command").textContent = data.command_line;
  byId("environment").textContent = Object.entries(data.environment).map(([key, value]) => `${key}: ${value}`).join("\n");
  startSounds();
  byId("viewer").hidden = data.pictures.length === 0;
  if (data.pictures.length === 0) return;
  byId("picture").append(...data.pictures.map((entry, i) => {
    const record = data.results[entry.result];
    return element("option", {value: i}, `${record.input.split("/").pop()}, ${record.setting}`);
  }));
  byId("picture").addEventListener("change", choose);
  for (const id of ["mode", "zoom", "level", "slider"]) byId(id).addEventListener("input", arrange);
  byId("stage").addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && event.buttons !== 1) return;
    const box = byId("stage").getBoundingClientRect();
    byId("slider").value = (100 * (event.clientX - box.left)) / box.width;
    arrange();
  });
  await choose();
}

start().then(() => document.documentElement.setAttribute("data-ready", "yes"));
