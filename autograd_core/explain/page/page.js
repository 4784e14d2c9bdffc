// The page is complete without this script: it adds stepping, the card of a value, and recomputing.
// CALLS holds the ops and rules of this graph, written by Python from those that ran.

const data = JSON.parse(document.getElementById("data").textContent);
const { nodes, steps, result } = data;
const $ = (id) => document.getElementById(id);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// -- numbers, written as Python writes them with six digits -------------------------------------------------

function format(x) {
  if (x === null) return "not computed";
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (x === 0) return Object.is(x, -0) ? "-0" : "0";
  const [digits, exponent] = x.toExponential(5).split("e");
  if (exponent < -4 || exponent >= 6) {
    const trimmed = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
    return `${trimmed}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const fixed = Number(x.toPrecision(6)).toFixed(Math.max(0, 5 - exponent));
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
}

const single = (value) => (value === null || typeof value === "object" ? value : Number(value));
for (const node of nodes) {
  node.value = single(node.value);
  node.gradient = single(node.gradient);
  node.given = node.value;
}

// -- computing everything again ------------------------------------------------------------------------------

const rounded = (x) => (data.single ? Math.fround(x) : x);

function recompute() {
  const inputs = nodes.map((node) => () => node.parents.map((p, i) => (p === null ? Number(node.constants[i]) : nodes[p].value)));
  nodes.forEach((node, i) => {
    node.gradient = null;
    if (node.call !== null && node.call !== undefined) node.value = Number(CALLS[node.call].f(...inputs[i]()));
  });
  nodes[result].gradient = Number(data.seed);
  for (const step of steps) {
    if (step.kind === "forward") continue;
    const out = nodes[step.out], receiver = nodes[step.node];
    const rule = CALLS[out.call].d[step.position], args = inputs[step.out]();
    step.upstream = out.gradient;
    step.local = step.local === null ? null : Number(rule(1, out.value, ...args));
    step.contribution = Number(rule(out.gradient, out.value, ...args));
    receiver.gradient = receiver.gradient === null ? step.contribution : rounded(receiver.gradient + step.contribution);
    step.total = receiver.gradient;
  }
  write();
}

// Every number on the page has a key: v and g for the value and the gradient of a node, u, l, c and t for
// upstream, local, contribution and total of a step.
const KEYS = { u: "upstream", l: "local", c: "contribution", t: "total" };
function lookUp(key) {
  const kind = key[0], index = Number(key.slice(1));
  if (kind === "v") return nodes[index].value;
  if (kind === "g") return nodes[index].gradient;
  return steps[index][KEYS[kind]];
}

function write() {
  for (const element of all("[data-n]")) {
    const text = format(lookUp(element.dataset.n));
    const shown = element.hasAttribute("data-operand") && text.startsWith("-") ? `(${text})` : text;
    element.textContent = (element.dataset.prefix || "") + shown;
  }
  for (const input of all("[data-leaf]")) {
    if (input !== document.activeElement) input.value = nodes[input.dataset.leaf].value;
  }
  strengths();
  tell();
  if (card) describe(card);
}

// Colour and width by the size of the gradient, a step for each power of ten, as Python draws them.
function strengths() {
  const sizes = nodes.map((n) => Math.abs(n.gradient)).concat(steps.map((s) => Math.abs(s.contribution || 0)));
  const largest = Math.max(...sizes.filter(Number.isFinite), 0);
  const paint = (group, g) => {
    if (!group || g === null) return;
    const s = !Number.isFinite(g) ? 1 : g && largest ? Math.min(1, Math.max(0, 1 + Math.log10(Math.abs(g) / largest) / 4)) : 0;
    group.classList.remove(...Array.from({ length: 6 }, (_, i) => `s${i}`));
    group.classList.add(`s${Math.round(5 * s)}`);
    for (const shape of all("path, polygon", group)) shape.setAttribute("stroke-width", (1 + 4 * s * s).toFixed(2));
  };
  data.pictures.forEach((picture, p) => {
    nodes.forEach((node, i) => paint($(`picture-${p}-node-${picture.nodes[i]}`), node.gradient));
    for (const [step, edge] of Object.entries(picture.edges)) paint($(`picture-${p}-edge-${edge}`), steps[step].contribution);
  });
}

function change(leaf, text) {
  const x = Number(text);
  if (text === "" || Number.isNaN(x)) return;
  nodes[leaf].value = rounded(x);
  recompute();
}

// -- stepping ------------------------------------------------------------------------------------------------

let at = 0; // 0 is before the first step
let timer = null;

function show(step) {
  at = Math.min(Math.max(step, 0), steps.length);
  $("position").value = at;
  $("count").textContent = at ? `step ${at} of ${steps.length}` : `${steps.length} steps`;
  for (const lit of all(".lit")) lit.classList.remove("lit");
  for (const li of all("#steps [aria-current]")) li.removeAttribute("aria-current");
  if (at) {
    const li = $(`step-${at - 1}`), now = steps[at - 1];
    li.setAttribute("aria-current", "step");
    data.pictures.forEach((picture, p) => {
      const lit = [now.node, now.out, ...(now.kind === "forward" ? nodes[now.node].parents : [])];
      for (const i of lit) if (i !== null) $(`picture-${p}-node-${picture.nodes[i]}`)?.classList.add("lit");
      for (const [step, edge] of Object.entries(picture.edges)) {
        const into = now.kind === "forward" ? steps[step].out === now.node : Number(step) === at - 1;
        if (into) $(`picture-${p}-edge-${edge}`)?.classList.add("lit");
      }
    });
    for (const picture of all(".picture")) follow(picture);
    describe(now.node, now);
  }
  tell();
}

// Scroll the picture, and never the page, to what is lit.
function follow(picture) {
  const lit = all(".node.lit", picture).map((node) => node.getBoundingClientRect());
  if (!lit.length || picture.hidden) return;
  const frame = picture.getBoundingClientRect();
  const middle = (a, b) => (Math.min(...lit.map((r) => r[a])) + Math.max(...lit.map((r) => r[b]))) / 2;
  picture.scrollLeft += middle("left", "right") - (frame.left + frame.right) / 2;
  picture.scrollTop += middle("top", "bottom") - (frame.top + frame.bottom) / 2;
}

function tell() {
  if (!at) return;
  const said = $(`step-${at - 1}`).querySelector("p").textContent;
  if ($("say").textContent !== said) $("say").textContent = said;
}

function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => (at < steps.length ? show(at + 1) : play(false)), 1800) : null;
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", on);
  if (on && at === steps.length) show(0);
describe(result);
}

$("position").max = steps.length;
$("position").addEventListener("input", (event) => show(Number(event.target.value)));
$("first").addEventListener("click", () => show(1));
$("previous").addEventListener("click", () => show(at - 1));
$("play").addEventListener("click", () => play(timer === null));
$("next").addEventListener("click", () => show(at + 1));
$("last").addEventListener("click", () => show(steps.length));
for (const button of all("[data-go]")) button.addEventListener("click", () => show(Number(button.dataset.go) + 1));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, td")) return;
  const pressed = event.key === " " && event.target.closest("button, summary, [role=button]");
  const moves = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 1, End: steps.length };
  if (event.key in moves) show(moves[event.key]);
  else if (event.key === " " && !pressed) play(timer === null);
  else return;
  event.preventDefault();
});

// -- the card of a value ---------------------------------------------------------------------------------------

let card = null;

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text; // never as markup: names are the user's
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function brief(value) {
  return value !== null && typeof value === "object" ? data.arrays[value.array].text : format(value);
}

function describe(i, step) {
  card = i;
  const node = nodes[i], panel = $("card"), list = element("dl"), name = nodes[result].name;
  const row = (term, text) => text && list.append(element("dt", term), element("dd", text));
  row("value", brief(node.value));
  row(`∂${name}/∂${node.name}`, brief(node.gradient));
  row("formula", node.op ? `${node.name} = ${node.formula}` : "a leaf: nothing computed it");
  row("with", node.settings);
  (node.parents || []).forEach((p, k) => {
    if (p === null) return;
    const [called, formula, rule] = node.derivatives[k];
    row(called, formula);
    row("as the rule runs", rule);
  });
  row("layer", node.layer);
  row("line", node.where);
  const heats = [];
  const heat = (title, value) => value !== null && typeof value === "object" && heats.push(heatmap(title, data.arrays[value.array]));
  if (step && step.kind !== "forward") {
    for (const key of ["upstream", "local", "contribution"]) heat(`${key} of step ${steps.indexOf(step) + 1}`, step[key]);
  }
  heat(`value of ${node.name}`, node.value);
  heat(`gradient of ${node.name}`, node.gradient);
  if (heats.length) heats.unshift(element("p", "Focus a number to read all its digits.", { class: "note" }));
  panel.replaceChildren(element("h2", node.name), list, ...heats);
  panel.hidden = false;
}

for (const [p, picture] of data.pictures.entries()) {
  nodes.forEach((node, i) => {
    const box = $(`picture-${p}-node-${picture.nodes[i]}`);
    if (!box || (box.classList.contains("layer") && !node.op)) return;
    for (const moment of ["mouseenter", "focus", "click"]) box.addEventListener(moment, () => describe(i));
    box.addEventListener("keydown", (event) => event.key === "Enter" && describe(i));
  });
}

// -- arrays as tables of coloured numbers ----------------------------------------------------------------------

const WINDOW = 10;

function numbers(array) {
  if (!array.numbers) {
    const bytes = Uint8Array.from(atob(array.data), (c) => c.charCodeAt(0)).buffer;
    array.numbers = array.kind === "f4" ? new Float32Array(bytes) : new Float64Array(bytes);
  }
  return array.numbers;
}

function heatmap(title, array) {
  const box = element("div", undefined, { class: "heat" }), shape = array.shape.join("×");
  const size = array.shape.reduce((a, b) => a * b, 1);
  box.append(element("p", size ? `${title}: ${shape}, min ${format(Number(array.min))}, max ${format(Number(array.max))}, mean ${format(Number(array.mean))}` : `${title}: ${shape}, empty`));
  if (!size || (size > 1 && array.min === array.max)) return box;
  const values = numbers(array), { rows, columns } = array;
  const largest = Math.max(Math.abs(Number(array.min)), Math.abs(Number(array.max))) || 1;
  const exact = element("output", "");
  const table = element("table");
  table.append(element("caption", title, { class: "hidden" }));
  let top = 0, left = 0;
  function fill() {
    const body = element("tbody"), head = element("tr");
    head.append(element("td"));
    for (let c = left; c < Math.min(columns, left + WINDOW); c++) head.append(element("th", c, { scope: "col" }));
    body.append(head);
    for (let r = top; r < Math.min(rows, top + WINDOW); r++) {
      const tr = element("tr");
      tr.append(element("th", r, { scope: "row" }));
      for (let c = left; c < Math.min(columns, left + WINDOW); c++) {
        const x = values[r * columns + c], share = Number.isFinite(x) ? Math.round((100 * Math.abs(x)) / largest) : 0;
        const td = element("td", Number.isFinite(x) ? Number(x.toPrecision(3)) : format(x), { tabindex: r === top && c === left ? 0 : -1 });
        td.style.background = `color-mix(in srgb, var(${x < 0 ? "--low" : "--high"}) ${share}%, var(--ground))`;
        td.addEventListener("focus", () => (exact.textContent = `[${r}, ${c}] = ${x}`));
        td.addEventListener("keydown", (event) => {
          const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
          const next = by && tr.parentElement.rows[tr.rowIndex + by[0]]?.cells[td.cellIndex + by[1]];
          if (next && next.tagName === "TD" && next.hasAttribute("tabindex")) next.focus();
          if (by) event.preventDefault();
        });
        tr.append(td);
      }
      body.append(tr);
    }
    table.querySelector("tbody")?.remove();
    table.append(body);
  }
  fill();
  box.append(table, exact);
  if (rows > WINDOW || columns > WINDOW) {
    const controls = element("div", undefined, { class: "row" });
    const slider = (text, length, move) => {
      if (length <= WINDOW) return;
      const label = element("label", text), input = element("input", undefined, { type: "range", min: 0, max: length - WINDOW, value: 0 });
      input.addEventListener("input", () => (move(Number(input.value)), fill()));
      label.append(input);
      controls.append(label);
    };
    slider("rows ", rows, (n) => (top = n));
    slider("columns ", columns, (n) => (left = n));
    box.append(controls);
  }
  if (rows * columns < size) box.append(element("p", `The page holds the first ${rows}×${columns} of ${shape}.`));
  return box;
}

// -- layers, leaves, and off we go -----------------------------------------------------------------------------

const pictures = all(".picture");
const seen = () => pictures.find((picture) => !picture.hidden);
const openIn = (picture) => (picture.dataset.open ? picture.dataset.open.split(" ") : []);

// Show the picture in which exactly these layers are open; where there is none, that of ``otherwise``.
function choose(layers, otherwise) {
  const wanted = [...layers].sort((a, b) => a - b).join(" ");
  const chosen = pictures.find((p) => p.dataset.open === wanted) || pictures.find((p) => p.dataset.open === otherwise);
  if (!chosen) return;
  for (const picture of pictures) picture.hidden = picture !== chosen;
  follow(chosen);
  buttons();
}

function toggle(layer, byKey) {
  const now = openIn(seen()), closes = now.includes(layer);
  choose(closes ? now.filter((l) => l !== layer) : [...now, layer], closes ? "" : layer);
  if (byKey) all(`[data-layer="${layer}"]`, seen())[0]?.focus(); // the one that was pressed is in a hidden picture now
}

function buttons() {
  const most = Math.max(...pictures.map((p) => openIn(p).length), 0), picture = seen();
  $("fold").hidden = most === 0;
  $("fold").textContent = openIn(picture).length < most ? "Open all layers" : "Close all layers";
  $("fit").hidden = !picture.classList.contains("whole") && picture.scrollWidth <= picture.clientWidth;
}

if (pictures.length) {
  for (const layer of all("[data-layer]")) {
    layer.addEventListener("click", () => toggle(layer.dataset.layer));
    layer.addEventListener("keydown", (event) => event.key === "Enter" && toggle(layer.dataset.layer, true));
  }
  $("fold").addEventListener("click", () => {
    const most = pictures.reduce((a, b) => (openIn(b).length > openIn(a).length ? b : a));
    choose(openIn(seen()).length < openIn(most).length ? openIn(most) : []);
  });
  $("fit").addEventListener("click", () => {
    const whole = pictures.map((picture) => picture.classList.toggle("whole"))[0];
    $("fit").setAttribute("aria-pressed", whole);
    follow(seen());
  });
  addEventListener("resize", buttons);
  buttons();
}
if (data.live) {
  for (const input of all("[data-leaf]")) input.addEventListener("input", () => change(input.dataset.leaf, input.value));
  $("reset").hidden = false;
  $("reset").addEventListener("click", () => {
    for (const node of nodes) node.value = node.given;
    recompute();
  });
}
show(0);
describe(result);
