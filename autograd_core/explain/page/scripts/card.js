// The card of a value: all that is known of it.

let card = null, heats = new Map(); // the value and the step that it is about; the tables on it, by their keys

function describe(i, step) {
  const node = nodes[i], panel = $("card"), list = element("dl"), name = nodes[result].name;
  const row = (term, ...said) => {
    if (!said[0]?.length) return;
    for (const [tag, parts] of [["dt", [term]], ["dd", said]]) {
      const made = element(tag);
      made.append(...parts.map((part) => (typeof part === "string" ? part : math(part))));
      list.append(made);
    }
  };
  const unless = (key, text) => (later(key) ? "?" : text);
  row("value", unless(`v${i}`, format(node.value)));
  row(`∂${name}/∂${node.name}`, unless(`g${i}`, format(node.gradient, true)));
  row("formula", node.op ? [["mi", node.name], ["mo", "="], ...node.formula] : "a leaf: nothing computed it");
  row("with", node.settings);
  (node.parents || []).forEach((p, k) => {
    if (p === null) return;
    const [name, formula, rule] = node.derivatives[k], over = (of) => ["mrow", ["mo", "∂"], ["mi", of]];
    const called = name || [["mfrac", over(node.name), over(node.inputs[k])]];
    const back = steps.findIndex((s) => s.kind === "backward" && s.out === i && s.position === k);
    if (back >= 0 && later(`l${back}`)) return row(called, "?");
    row(called, formula);
    row("as the rule runs", rule);
  });
  if (node.derivatives?.some((d) => d[2].length)) row("where", `g is ∂${name}/∂${node.name}, the gradient that arrives here`);
  for (const sign of node.signs || []) row("", $(`sign-${sign}`).textContent);
  row("layer", node.layer);
  row("line", node.where);
  const wanted = tables(i, step), keys = [...wanted.keys()].join();
  if (card?.[0] === i && card[1] === step && keys === [...heats.keys()].join()) { // the numbers have changed, no more
    for (const [key, heat] of heats) heat.refill?.(lookUp(key));
    panel.querySelector("dl").replaceWith(list);
    return;
  }
  card = [i, step];
  heats = new Map([...wanted].map(([key, make]) => [key, make()]));
  const box = element("div", undefined, { class: "heats" });
  if (heats.size) box.append(element("p", "Point at a number, or focus it, to read all its digits and what it was computed from.", { class: "note" }), ...heats.values());
  panel.replaceChildren(element("h2", node.name), list, box);
  panel.hidden = false;
}

// The arrays of a step, or of a value, by their keys, each a function that makes its table: what went in, and what came
// out, of which each element shows its formula.
function tables(i, step) {
  const made = new Map();
  if (!data.arrays.length) return made;
  const node = nodes[i], nth = steps.indexOf(step), back = step && step.kind !== "forward", undo = back && step.kind === "unbroadcast";
  const out = back ? nodes[step.out] : node, call = CALLS[out.call];
  const f = call && (undo ? call.u[step.position] : back ? call.d[step.position] : call.f);
  const given = {}; // the keys of what goes in, by the letters of formulas
  const inputs = (from, to) => !undo && out.parents?.forEach((p, k) => p !== null && k >= from && k < to && (given[out.letters?.[k] ?? k] = `v${p}`));
  inputs(0, back ? step.position : Infinity);
  if (back) given[undo ? "p" : "g"] = `u${nth}`;
  inputs(step?.position, Infinity);
  if (back && !undo) given.z = `v${step.out}`;
  const heat = (key, ...more) => {
    const value = lookUp(key), index = Number(key.slice(1));
    if (!isArray(value) || later(key) || made.has(key)) return;
    const title = key[0] === "v" ? `value of ${nodes[index].name}` : key[0] === "g" ? `gradient of ${nodes[index].name}` : `${KEYS[key[0]]} of step ${index + 1}`;
    made.set(key, () => heatmap(title, value, ...more));
  };
  const { results = [], names = {} } = f ? expressions(f) : {}, written = element("output", "", { class: "written" });
  const used = new Set([...results, ...Object.values(names), f ? "" : "g p"].flatMap((e) => [...e.matchAll(OPERAND)].map((m) => m[1])));
  for (const [letter, key] of Object.entries(given)) if (used.has(letter)) heat(key, letter);
  const came = back ? `c${nth}` : `v${i}`;
  const point = (k) => {
    const uses = operands(results[k], names);
    for (const td of all(".heat td[data-k]", $("card"))) {
      td.classList.toggle("used", uses.has(`${td.closest(".heat").dataset.letter} ${td.dataset.k}`));
    }
    const asked = inputs(out, nodes.map((n) => n.value)); // the answers of comparisons, which are no values
    const value = (letter, at) => {
      const array = letter in given ? flat(lookUp(given[letter])) : asked[out.letters.indexOf(letter)];
      return Number(at === undefined ? array : array[at]);
    };
    const text = inNumbers(results[k], names, value);
    written.textContent = text && `${text} = ${digitsOf(numbers(lookUp(came))[k])}`;
  };
  if (back) heat(`l${nth}`);
  heat(came, "", f && lookUp(came) !== undefined ? point : undefined);
  if (f && made.has(came)) made.set("written", () => written);
  heat(`v${i}`);
  if (node.gradient !== lookUp(came)) heat(`g${i}`);
  return made;
}

onChange.push(() => card && describe(...card));
onMove.push(() => at && describe(steps[at - 1].node, steps[at - 1]));

for (const [p, picture] of data.pictures.entries()) {
  nodes.forEach((node, i) => {
    const box = $(`picture-${p}-node-${picture.nodes[i]}`);
    if (!box || (box.classList.contains("layer") && !node.op)) return;
    for (const moment of ["mouseenter", "focus", "click"]) box.addEventListener(moment, () => describe(i));
    box.addEventListener("keydown", (event) => event.key === "Enter" && describe(i));
  });
}
