// A page made of an expression: its computation as a list of nodes, and what pages say of it, put together from TEMPLATES.
// OPS holds each op and its rules in JavaScript; both were written by Python, from the ops themselves.

class Value {
  // A number; where a node of the graph holds it, `node`, else a constant. `op` and `args` say what it came from.
  constructor(number, { node = null, op = null, args = [], text = "" } = {}) {
    Object.assign(this, { number: Number(number), node, op, args, text });
    this.moves = node !== null || args.some((arg) => arg.moves);
  }

  // The same under another name.
  shown(text) {
    return Object.assign(new Value(this.number), this, { text });
  }
}

// Carry out the instructions of an expression; `given` maps names to { value, data }, and unknown names are given 1.
function compute(instructions, given) {
  const leaves = new Map(), stack = [];
  let born = 0;
  for (const [name, { value, data }] of given) {
    if (typeof value !== "number") throw new ExpressionError(filled("arrays", { name }), 0);
    leaves.set(name, new Value(value, data ? { text: name } : { node: { name, born: born++ } }));
  }
  const apply = (op, args, text, column) => {
    if (has(TEMPLATES.compositions, op)) {
      const made = [...args];
      for (const [part, operands] of TEMPLATES.compositions[op]) {
        made.push(apply(part, operands.map((o) => (typeof o === "number" ? made[o] : new Value(o.constant))), "", column));
      }
      return made.at(-1);
    }
    if (!has(OPS, op)) throw new ExpressionError(filled("arrays", { name: op }), column);
    const number = OPS[op].f(...args.map((arg) => arg.number));
    const recorded = OPS[op].d && args.some((arg, i) => arg.node && OPS[op].d[i]);
    const decides = TEMPLATES.decides[op];
    if (recorded && decides !== undefined && args[decides].node) throw new ExpressionError(filled("arrays", { name: op }), column);
    if (decides !== undefined && args[decides].text.startsWith("(")) args[decides] = args[decides].shown(args[decides].text.slice(1, -1));
    return new Value(number, { node: recorded ? { born: born++ } : null, op, args, text: text && `(${text})` });
  };
  for (const { do: kind, value, column, count, keywords, text } of instructions) {
    if (kind === "number") stack.push(new Value(value));
    else if (kind === "name") stack.push(named(value, column));
    else if (kind === "call" && !Object.keys(keywords).length) stack.push(apply(value, stack.splice(-count), text, column));
    else throw new ExpressionError(filled("arrays", { name: kind === "call" ? value : kind === "array" ? "[…]" : "x[…]" }), column);
  }
  function named(name, column) {
    if (!leaves.has(name) && has(GRAMMAR.constants, name)) return new Value(Number(GRAMMAR.constants[name]));
    if (!leaves.has(name) && has(GRAMMAR.functions, name)) throw new ExpressionError(filled("call", { name }), column);
    if (!leaves.has(name)) leaves.set(name, new Value(1, { node: { name, born: born++ } }));
    return leaves.get(name);
  }
  const [root] = stack;
  if (!root.node) throw new ExpressionError(filled("none", { used: [...leaves.keys()].join(" and ") || "x" }), 0);
  if (!root.op) throw new ExpressionError(filled("nothing", {}), 0);
  return { root, leaves };
}

// The nodes that the result was computed from, by their births, each with a name: f, those of leaves, v1, v2, …
function ordered({ root, leaves }) {
  const found = new Set(), waiting = [root];
  while (waiting.length) {
    const value = waiting.pop();
    if (!value.node || found.has(value)) continue;
    found.add(value);
    waiting.push(...value.args);
  }
  const values = [...found].sort((a, b) => (a.op ? 1 : 0) - (b.op ? 1 : 0) || a.node.born - b.node.born);
  const taken = new Set(values.filter((v) => !v.op).map((v) => v.node.name));
  const usual = (name) => (leaves.has(name) ? null : name);
  let fresh = 0;
  values.forEach((value, place) => {
    value.node.place = place;
    if (!value.op) return;
    value.node.name = value === root ? usual("f") : null;
    while (!value.node.name) {
      fresh += 1;
      if (!taken.has(`v${fresh}`)) value.node.name = `v${fresh}`;
    }
  });
  return values;
}

// -- a value as code, which the page runs -------------------------------------------------------------------------------

function literal(x) {
  return x < 0 || Object.is(x, -0) ? `(${exact(x)})` : String(x);
}

// What decides where(x > 0, …) is no step, but changes with the leaves.
function code(value) {
  if (!value.moves || (value.node && !value.op && value.node.place === undefined)) return literal(value.number);
  if (!value.op) return `nodes[${value.node.place}].value`;
  return `Number((${OPS[value.op].f})(${value.args.map(code).join(", ")}))`;
}

function call(value) {
  const letters = value.args.map((_, i) => `x${i}`);
  const args = value.args.map((arg, i) => (arg.node ? letters[i] : code(arg))).join(", ");
  const rules = value.args.map((arg, i) => (arg.node ? `(${["g", "z", ...letters]}) => (${OPS[value.op].d[i]})(g, z, ${args})` : "null"));
  return `{ f: (${letters}) => (${OPS[value.op].f})(${args}), d: [${rules}] }`;
}

// -- templates filled ----------------------------------------------------------------------------------------------------

const L = TEMPLATES.letters;
const markup = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

function template(value) {
  const decides = TEMPLATES.decides[value.op], told = TEMPLATES.operations[value.op];
  const mask = value.args.map((arg, i) => (i === decides || (!arg.node && !arg.text) ? "c" : "x")).join("");
  const constant = value.args.findLast((_, i) => mask[i] === "c" && i !== decides)?.number ?? 0;
  const kinds = ["", format(constant), constant < 0 ? "<0" : constant < 1 ? "<1" : ">1", ">0"];
  return told[mask + kinds.find((kind) => has(told, mask + kind))];
}

// What stands for each letter of a template in the telling of one value.
function letters(value, result, step) {
  const map = { [L.out]: value.node.name, [L.root]: result, [L.place]: value.node.place, [L.step]: step, [L.counted]: step + 1 };
  value.args.forEach((arg, i) => {
    const number = format(arg.number), less = format(arg.number - 1);
    const put = (form, text) => {
      map[L[form][i]] = text;
      if (has(L, `${form}Math`)) map[L[`${form}Math`][i]] = text.replaceAll("-", "\u2212");
    };
    put("names", arg.node ? arg.node.name : arg.text || number);
    put("places", arg.node ? arg.node.place : `d${i}`);
    put("free", number);
    put("bound", number.startsWith("-") ? `(${number})` : number);
    put("size", number.replace(/^-/, ""));
    put("less", less);
    put("lessSize", less.replace(/^-/, ""));
  });
  return map;
}

function fill(told, map) {
  if (typeof told === "string") return told.replace(/[\ue000-\uf8ff]/g, (letter) => map[letter] ?? letter);
  if (Array.isArray(told)) return told.map((part) => fill(part, map));
  if (told && typeof told === "object") return Object.fromEntries(Object.entries(told).map(([k, v]) => [k, fill(v, map)]));
  return told;
}

// A row of the transcript; the numbers of data are written into it, for no step of the page changes them.
function row(value, html, map) {
  const safe = Object.fromEntries(Object.entries(map).map(([letter, text]) => [letter, markup(String(text))]));
  return fill(html, safe).replace(/<(\w+)([^>]*) data-n="vd(\d)"([^>]*)>(<\/\1>)/g, (_, tag, before, i, after) => {
    const number = format(value.args[i].number), text = tag === "mn" ? number.replaceAll("-", "\u2212") : number;
    const inside = number.startsWith("-") && after.includes("data-operand");
    return `<${tag}${before}>${inside ? `(${text})` : text}</${tag}>`;
  });
}

// -- the page --------------------------------------------------------------------------------------------------------------

function pageOf(instructions, given, spoken) {
  const computed = compute(instructions, given), values = ordered(computed), { root } = computed;
  const result = root.node.name, jsonNumber = (x) => (Number.isFinite(x) && !Object.is(x, -0) ? x : exact(x)); // which JSON has not
  const nodes = [], steps = [], rows = [], calls = [];
  for (const value of values) {
    const { name } = value.node, common = { name, value: jsonNumber(value.number), gradient: 0 };
    if (!value.op) {
      nodes.push({ ...common, ...TEMPLATES.page.node });
      continue;
    }
    const told = template(value), map = letters(value, result, steps.length);
    nodes.push({
      ...common,
      ...fill(told.node, map),
      parents: value.args.map((arg) => (arg.node ? arg.node.place : null)),
      constants: value.args.map((arg) => jsonNumber(arg.number)),
      call: calls.length,
    });
    calls.push(call(value));
    const repeats = format(value.number) === `-${format(value.args[0].number)}`;
    rows.push(row(value, TEMPLATES.heads.forward + (repeats ? told.rows.forward : (told.rows.otherwise ?? told.rows.forward)), map));
    steps.push({ kind: "forward", node: value.node.place, out: value.node.place });
  }
  const received = new Set();
  for (const value of values.filter((v) => v.op).reverse()) {
    value.args.forEach((arg, i) => {
      if (!arg.node) return;
      const told = template(value), map = letters(value, result, steps.length);
      const again = TEMPLATES.again.replaceAll(L.names[0], L.names[i]);
      rows.push(row(value, TEMPLATES.heads.backward + (received.has(arg) ? told.rows[i] : told.rows[i].replace(again, "")), map));
      received.add(arg);
      const zero = { upstream: 0, local: told.local[i] ? 0 : null, contribution: 0, total: 0 };
      steps.push({ kind: "backward", node: arg.node.place, out: value.node.place, position: i, ...zero });
    });
  }
  const drawn = drawing(values, steps, result), leaves = values.filter((value) => !value.op);
  const data = { ...TEMPLATES.page.data, result: root.node.place, seed: 1, nodes, steps, graph: drawn.graph };
  const reach = (x) => Math.max(1, 2 * Math.abs(x));
  const leafRow = (html, { node, number }) => {
    const middle = Number.isFinite(number) ? number : 0, far = Number.isFinite(number) ? reach(number) : 1;
    return fill(html, { [L.names[0]]: markup(node.name), [L.root]: result, [L.places[0]]: node.place, [L.leaf]: number, [L.low]: middle - far, [L.high]: middle + far });
  };
  const parts = {
    picture: drawn.svg,
    leaves: leaves.map((leaf) => leafRow(TEMPLATES.page.leaf, leaf)).join("\n"),
    gradients: leaves.map((leaf) => leafRow(TEMPLATES.page.gradient, leaf)).join("\n"),
    steps: rows.join("\n"),
    data: JSON.stringify(data).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`),
    program: `[\n${calls.join(",\n")}\n]`,
    summary: markup(spoken),
    signs: [...new Set(nodes.flatMap((node) => node.signs ?? []))].sort((a, b) => a - b).map((i) => TEMPLATES.signs[`sign-${i}`]).join("\n"),
  };
  const html = fill(TEMPLATES.page.page, { [L.root]: markup(result) }).replace(/\{\{(\w+)\}\}/g, (_, part) => parts[part]);
  return { html, values, decided: decisions(values), nodes, steps };
}

// The numbers that no node holds and that change all the same: where they do, the page is made again.
function decisions(values) {
  return values.flatMap((value) => value.args.filter((arg) => !arg.node && arg.moves).map((arg) => arg.number));
}

function drawing(values, steps, result) {
  const boxes = values.map((value) => {
    const title = value.op ? fill(template(value).title, letters(value, result, 0)) : value.node.name;
    const { place, name } = value.node, gradient = `∂${result}/∂${name} = `;
    const lines = [{ text: title }, { "data-n": `v${place}` }, { "data-n": `g${place}`, "data-prefix": gradient }];
    return { kind: value.op ? "op" : "leaf", lines, attributes: { tabindex: 0, role: "button" } };
  });
  const edges = {}, arrows = [];
  steps.forEach((step, i) => {
    if (step.kind === "forward") return;
    edges[i] = arrows.length;
    arrows.push([step.node, step.out, "", `c${i}`]);
  });
  const places = values.map((value) => ({ node: value.node.place, layer: -1 }));
  return { svg: laidOut(boxes, arrows), graph: { boxes: places, arrows, edges, layers: [] } };
}
