// The card of a value: all that is known of it.

let card = null, heats = new Map(); // the value and the step that it is about; the tables on it, by their keys
let again = () => {}; // tells the same anew

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
  again = () => describe(i, step);
  const wanted = data.arrays.length ? tables(i, step) : new Map(), keys = [...wanted.keys()].join();
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

// The card of what stands in a box.
function about({ closed, node }) {
  if (closed !== undefined) describeLayer(closed);
  else if (node !== undefined) describe(node);
}

onChange.push(() => again());
onMove.push(() => at && (layerAt(at - 1) === undefined ? describe(steps[at - 1].node, steps[at - 1]) : describeLayer(layerAt(at - 1))));
for (const moment of ["mouseover", "focusin", "click"]) picture.addEventListener(moment, ({ target }) => boxAt(target) && about(boxAt(target)));
picture.addEventListener("keydown", ({ key, target }) => key === "Enter" && boxAt(target) && about(boxAt(target)));
