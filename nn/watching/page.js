// A training, told: which step is shown, and everything that follows from it.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function made(tag, text, attributes = {}, space = "http://www.w3.org/1999/xhtml") {
  const element = document.createElementNS(space, tag);
  if (text !== undefined) element.textContent = text; // never as markup: names are the user's
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
const svg = (tag, attributes, text) => made(tag, text, attributes, "http://www.w3.org/2000/svg");

// -- numbers --------------------------------------------------------------------------------------------------

const raised = (n) => String(n).replace(/[-\d]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
const numberOf = (x) => (x === null ? NaN : Number(x)); // "Infinity" and "NaN" come as text

function written(x, digits = 2) {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0 || (Math.abs(x) >= 1e-3 && Math.abs(x) < 1e4)) return String(Number(x.toPrecision(digits))).replace("-", "−");
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  return `${String(Number(mantissa)).replace("-", "−")} × 10${raised(Number(exponent))}`;
}
const power = (n) => (n === 0 ? "1" : n === 1 ? "10" : `10${raised(n)}`);
const shortened = (name, most) => (name.length > most ? `${name.slice(0, Math.ceil(most / 2) - 1)}…${name.slice(-Math.floor(most / 2))}` : name);

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
for (const run of data.runs) run.bars = { gradient: bytes(run.gradientBars), output: bytes(run.outputBars) };

// -- colours --------------------------------------------------------------------------------------------------

const SHADES = 6;
const MEASURES = {
  gradient: { bars: "gradient", means: "Mean magnitude of the gradient of a layer’s weights." },
  update: { bars: "gradient", means: "Change of a layer’s weights in the step, relative to the weights. 10⁻³ is usual." },
  spread: { bars: "output", means: "Standard deviation of what a layer gives." },
  dead: { bars: "output", means: "Share of a layer’s units that gave 0 for the whole batch." },
};
let by = "gradient";

// Shades are powers of ten, as many each as make six of them hold all steps and runs; of shares there are fifths.
function scaleOf(measure) {
  if (measure === "dead") return { shade: (x) => Math.ceil(5 * x), labels: ["none", "≤ 20 %", "≤ 40 %", "≤ 60 %", "≤ 80 %", "≤ 100 %"] };
  const [low, high] = data.decades[measure], each = Math.max(1, Math.ceil((high - low) / SHADES)), first = high - each * SHADES;
  const used = Math.min(SHADES, Math.ceil((high - low) / each));
  const labels = [...Array(SHADES).keys()].map((i) => (i < SHADES - used ? null : `≤ ${power(first + each * (i + 1))}`));
  return { shade: (x) => Math.min(SHADES - 1, Math.max(0, Math.ceil((Math.log10(x) - first) / each - 1e-9) - 1)), labels };
}
const scales = Object.fromEntries(Object.keys(MEASURES).map((measure) => [measure, scaleOf(measure)]));

// How a box looks: a class, by what the chosen number is.
function look(x, measure) {
  if (x === null) return "none";
  const number = numberOf(x);
  if (!Number.isFinite(number)) return "wrong";
  return number === 0 && measure !== "dead" ? "none" : `s${scales[measure].shade(number)}`;
}

function choose(measure) {
  by = measure;
  for (const input of all("#by input")) input.checked = input.value === by;
  $("means").textContent = MEASURES[by].means;
  const items = scales[by].labels.map((text, i) => text && made("li", text, { class: `s${i}` })).filter(Boolean);
  if (by !== "dead") items.unshift(made("li", "0", { class: "none" }));
  $("scale").replaceChildren(...items, made("li", "NaN, ∞", { class: "wrong" }));
  for (const cell of all("#runs .number")) cell.classList.toggle("chosen", cell.dataset.of === by);
  for (const cell of all("#runs .bars")) cell.classList.toggle("chosen", cell.dataset.of === MEASURES[by].bars);
  draw();
  overview();
}

// -- the layers of a run --------------------------------------------------------------------------------------

const BARS = data.bars; // of each kind: how many, and where the ticks are

function outline(run, kind, record, layer) {
  const count = BARS[kind].count, from = (record * run.layers + layer) * count, heights = run.bars[kind].subarray(from, from + count);
  let path = "M0 1";
  heights.forEach((height, i) => (path += `V${(1 - height / 255).toFixed(3)}H${i + 1}`));
  const most = heights.indexOf(Math.max(...heights));
  return { path: `${path}V1Z`, most: heights.some(Boolean) ? BARS[kind].names[most] : null };
}

function fill(row, run, record) {
  const layer = Number(row.dataset.layer), value = (name) => run.values[name][record][layer];
  const shown = { gradient: value("gradient"), update: value("update"), spread: value("spread"), dead: value("dead") };
  row.querySelector(".box").className = `box ${look(shown[by], by)}`;
  const why = run.states[record][layer], [units, dead] = [value("units"), value("silent")];
  const tell = {
    gradient: shown.gradient === null ? [why] : [written(numberOf(shown.gradient)), value("gradientSpecial")],
    update: shown.update === null ? [why || "not known"] : [written(numberOf(shown.update))],
    spread: shown.spread === null ? ["not called"] : [written(numberOf(shown.spread)), value("outputSpecial")],
    dead: shown.dead === null ? ["–"] : [`${dead} of ${units}`],
  };
  for (const [name, [text, special]] of Object.entries(tell)) {
    const cell = row.querySelector(`.number[data-of="${name}"]`);
    cell.replaceChildren(text, ...(special ? [made("small", special)] : []));
  }
  for (const [kind, of] of [["gradient", shown.gradient], ["output", shown.spread]]) {
    const picture = row.querySelector(`.bars[data-of="${kind}"] svg`), { path, most } = outline(run, kind, record, layer);
    picture.querySelector("path:last-child").setAttribute("d", path);
    const what = kind === "gradient" ? "gradients" : "outputs";
    picture.setAttribute("aria-label", of === null || most === null ? `no ${what} that have a bar` : `${what}, most at about ${most}`);
  }
}

function prepare() {
  for (const head of all(".ticks")) {
    const { ticks } = BARS[head.dataset.of];
    head.replaceChildren(...ticks.map(([at, text]) => made("span", text, { style: `left: ${100 * at}%` })));
  }
  for (const cell of all("td.bars")) {
    const { count, ticks, names } = BARS[cell.dataset.of];
    const picture = svg("svg", { viewBox: `0 0 ${count} 1`, preserveAspectRatio: "none", role: "img", "aria-label": "" });
    picture.append(svg("path", { class: "ground", d: ticks.map(([at]) => `M${at * count} 0V1`).join("") }), svg("path", {}));
    cell.append(picture);
  }
}

// -- the loss -------------------------------------------------------------------------------------------------

function curve() {
  const place = $("curve"), width = place.clientWidth, height = place.clientHeight, left = 64, top = 8, bottom = 20;
  const lines = data.runs.flatMap((run, r) => ["loss", "val_loss"].map((name) => ({ r, name, points: run.epochs.map((epoch, i) => [epoch, numberOf(run[name][i])]) }))).filter((line) => line.points.some(known));
  const points = lines.flatMap((line) => line.points.filter(known));
  if (!points.length) return place.replaceChildren(made("p", "There is no finite loss to draw."));
  const named = ({ r, name }) => [data.runs.length > 1 ? shortened(data.runs[r].name, 12) : "", name === "loss" ? "" : "val"].filter(Boolean).join(" ") || "loss";
  const right = 18 + 7 * Math.max(...lines.map((line) => named(line).length));
  const values = points.map((p) => p[1]), logarithmic = Math.min(...values) > 0 && Math.max(...values) > 30 * Math.min(...values);
  const f = logarithmic ? Math.log10 : (y) => y;
  const [low, high] = logarithmic ? [Math.floor(f(Math.min(...values))), Math.ceil(f(Math.max(...values)))] : [Math.min(0, ...values), Math.max(...values) || 1];
  const end = Math.max(1, ...points.map((p) => p[0]), data.places.at(-1)[0]);
  const x = (epoch) => left + ((width - left - right) * epoch) / end, y = (v) => top + (height - top - bottom) * (1 - (f(v) - low) / (high - low || 1));
  const picture = svg("svg", { width, height, role: "img", "aria-label": lossTold() });
  const ticks = logarithmic ? [...Array(high - low + 1).keys()].map((i) => low + i).filter((n, i, every) => (high - n) % Math.ceil(every.length / 5) === 0) : [low, (low + high) / 2, high];
  for (const tick of ticks) {
    const value = logarithmic ? 10 ** tick : tick;
    picture.append(svg("path", { class: "grid", d: `M${left} ${y(value)}H${width - right}` }), svg("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, logarithmic ? power(tick) : written(value)));
  }
  const [epoch] = data.places[at];
  picture.append(svg("path", { class: "now", d: `M${x(epoch)} ${top}V${height - bottom}` }));
  picture.append(svg("text", { x: left, y: height - 4 }, "epoch 1"), ...(data.last > 1 ? [svg("text", { x: width - right, y: height - 4, "text-anchor": "end" }, end + 1)] : []));
  const labels = [];
  for (const { r, name, points } of lines) {
    const of = `run${r}`, shade = name === "loss" ? "" : " val";
    picture.append(svg("path", { class: of + shade, d: points.map((p, i) => known(p) ? `${i && known(points[i - 1]) ? "L" : "M"}${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}` : "").join("") }));
    const now = points.filter((p) => p[0] <= epoch).at(-1);
    if (now && known(now)) picture.append(svg("circle", { class: of, cx: x(now[0]), cy: y(now[1]), r: 4.5 }));
    const [e, v] = points.findLast(known);
    labels.push({ x: x(e) + 8, y: y(v) + 4, text: named({ r, name }) });
  }
  labels.sort((a, b) => a.y - b.y).forEach((label, i) => {
    if (i) label.y = Math.max(label.y, labels[i - 1].y + 13);
    picture.append(svg("text", { x: label.x, y: label.y, class: "end" }, label.text));
  });
  return place.replaceChildren(picture);
}

// The losses of the epoch that is shown, of each run.
function lossesAt(run) {
  const [epoch] = data.places[at], i = run.epochs.findLastIndex((e) => e <= epoch);
  return i < 0 ? "" : ["loss", "val_loss"].filter((n) => run[n][i] !== null).map((n) => `${n} ${written(numberOf(run[n][i]), 3)}`).join(", ");
}
const known = (point) => Number.isFinite(point[1]);
const lossTold = () => data.runs.map((run) => `${run.name}: ${lossesAt(run) || "no loss"}`).join("; ");

// -- all layers and steps ---------------------------------------------------------------------------------------

// A cell for each layer and step; those of one look that follow each other are one.
function overview() {
  $("all").replaceChildren(...data.runs.map((run, r) => {
    const steps = run.ended === null ? data.places.length : run.ended + 1, rows = run.order.length;
    const picture = svg("svg", { viewBox: `0 0 ${data.places.length} ${rows}`, preserveAspectRatio: "none", role: "img", "aria-label": `${run.name}: ${by} of all layers in all steps` });
    picture.style.height = `${Math.min(140, Math.max(60, 12 * rows))}px`;
    run.order.forEach((layer, y) => {
      const looks = run.at.slice(0, steps).map((record) => look(run.values[by][record][layer], by));
      for (let x = 0, next; x < steps; x = next) {
        for (next = x + 1; next < steps && looks[next] === looks[x]; next++);
        picture.append(svg("rect", { x, y, width: next - x, height: 1, class: looks[x] }));
      }
    });
    const strip = made("div"), figure = made("figure");
    const go = (event) => {
      const { left, width } = strip.getBoundingClientRect();
      show(Math.floor(((event.clientX - left) / width) * data.places.length));
    };
    strip.addEventListener("pointerdown", go);
    strip.addEventListener("pointermove", (event) => event.buttons && go(event));
    strip.append(picture, made("i"));
    figure.append(made("figcaption", data.runs.length > 1 ? run.name : data.steps ? "all steps" : "all epochs"), strip);
    return figure;
  }));
  mark();
}

function mark() {
  const wide = 100 / data.places.length;
  for (const here of all("#all i")) here.style.cssText = `left: ${at * wide}%; width: ${wide}%`;
}

// -- which step -----------------------------------------------------------------------------------------------

let at = 0, timer = null;

const nameOf = ([epoch, step]) => (data.steps ? `epoch ${epoch + 1}, step ${step + 1}` : `epoch ${epoch + 1} of ${data.last}`);

function draw() {
  data.runs.forEach((run, r) => {
    for (const row of all(`#run${r} tr[data-layer]`)) fill(row, run, run.at[at]);
    $(`run${r}`).querySelector(".ended").textContent = run.ended !== null && at > run.ended ? "has ended: its last look" : "";
  });
}

function show(step) {
  at = Math.min(Math.max(step, 0), data.places.length - 1);
  $("position").value = at;
  $("position").setAttribute("aria-valuetext", nameOf(data.places[at]));
  $("count").textContent = nameOf(data.places[at]);
  const tagged = (run, r, text) => {
    const line = made(text === undefined ? "span" : "p");
    if (data.runs.length > 1) line.append(made("span", shortened(run.name, 24), { class: `of run${r}` }), " ");
    line.append(text ?? lossesAt(run));
    return line;
  };
  $("said").replaceChildren(...data.runs.map((run, r) => tagged(run, r, run.said[run.at[at]])));
  $("losses").replaceChildren(...data.runs.map((run, r) => tagged(run, r)));
  draw();
  curve();
  mark();
}

function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => (at < data.places.length - 1 ? show(at + 1) : play(false)), Math.max(120, Math.min(700, 20000 / data.places.length))) : null;
  $("said").setAttribute("aria-live", on ? "off" : "polite"); // or a reader would never come to an end
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", on);
  if (on && at === data.places.length - 1) show(0);
}

$("position").max = data.places.length - 1;
$("position").addEventListener("input", (event) => show(Number(event.target.value)));
$("first").addEventListener("click", () => show(0));
$("previous").addEventListener("click", () => show(at - 1));
$("play").addEventListener("click", () => play(timer === null));
$("next").addEventListener("click", () => show(at + 1));
$("last").addEventListener("click", () => show(data.places.length - 1));
for (const input of all("#by input")) input.addEventListener("change", () => choose(input.value));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const own = event.target.closest("input"); // a slider, or a row of choices, has keys of its own
  const moves = { PageDown: at + 1, PageUp: at - 1, ...(own ? {} : { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: data.places.length - 1 }) };
  const measure = Object.keys(MEASURES)[Number(event.key) - 1];
  if (event.key in moves) show(moves[event.key]);
  else if (measure && event.key !== " ") choose(measure);
  else if (event.key === " " && !event.target.closest("button, summary, input[type=radio]")) play(timer === null);
  else return;
  event.preventDefault();
});

let width = 0;
new ResizeObserver(() => $("curve").clientWidth !== width && ((width = $("curve").clientWidth), curve())).observe($("curve"));
addEventListener("beforeprint", () => ((document.querySelector("details").open = true), curve()));
prepare();
choose(by);
show(0);
