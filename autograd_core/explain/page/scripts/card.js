// The card of a value: all that is known of it.

let card = null;

function brief(value) {
  return value !== null && typeof value === "object" ? data.arrays[value.array].text : format(value);
}

function describe(i, step) {
  card = i;
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
  row("value", unless(`v${i}`, brief(node.value)));
  row(`∂${name}/∂${node.name}`, unless(`g${i}`, brief(node.gradient)));
  row("formula", node.op ? [["mi", node.name], ["mo", "="], ...node.formula] : "a leaf: nothing computed it");
  row("with", node.settings);
  (node.parents || []).forEach((p, k) => {
    if (p === null) return;
    const [called, formula, rule] = node.derivatives[k];
    const back = steps.findIndex((s) => s.kind === "backward" && s.out === i && s.position === k);
    if (back >= 0 && later(`l${back}`)) return row(called, "?");
    row(called, formula);
    row("as the rule runs", rule);
  });
  if (node.derivatives?.some((d) => d[2].length)) row("where", `g is ∂${name}/∂${node.name}, the gradient that arrives here`);
  for (const sign of node.signs || []) row("", $(`sign-${sign}`).textContent);
  row("layer", node.layer);
  row("line", node.where);
  const heats = [];
  const heat = (title, value) => value !== null && typeof value === "object" && heats.push(heatmap(title, data.arrays[value.array]));
  if (step && step.kind !== "forward" && !asked()) {
    for (const key of ["upstream", "local", "contribution"]) heat(`${key} of step ${steps.indexOf(step) + 1}`, step[key]);
  }
  if (!later(`v${i}`)) heat(`value of ${node.name}`, node.value);
  if (!later(`g${i}`)) heat(`gradient of ${node.name}`, node.gradient);
  if (heats.length) heats.unshift(element("p", "Focus a number to read all its digits.", { class: "note" }));
  panel.replaceChildren(element("h2", node.name), list, ...heats);
  panel.hidden = false;
}
onChange.push(() => card !== null && describe(card));
onMove.push(() => at && describe(steps[at - 1].node, steps[at - 1]));

for (const [p, picture] of data.pictures.entries()) {
  nodes.forEach((node, i) => {
    const box = $(`picture-${p}-node-${picture.nodes[i]}`);
    if (!box || (box.classList.contains("layer") && !node.op)) return;
    for (const moment of ["mouseenter", "focus", "click"]) box.addEventListener(moment, () => describe(i));
    box.addEventListener("keydown", (event) => event.key === "Enter" && describe(i));
  });
}
