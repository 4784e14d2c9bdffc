// What is told of a layer that is closed: its card, and what a step through all of it says.

// What goes in, by its name and shape, of which an array without a name has one.
const into = ([name, , shape]) => (shape && !name.includes(shape) ? `${name} (${shape})` : name);

const written = (key) => element("span", later(key) ? "?" : format(lookUp(key)), { class: isArray(lookUp(key)) ? "n array" : "n", "data-n": key });
const sized = (key, digits = 3) => element("span", later(key) ? "?" : format(lookUp(key), true, digits), { class: "n", "data-n": key, "data-digits": digits });

function listed(parts, most = 6) {
  const shown = parts.slice(0, most);
  if (parts.length > most) shown.push([`${parts.length - most} more`]);
  return shown.flatMap((part, i) => [...(i ? [i === shown.length - 1 ? " and " : ", "] : []), ...part]);
}

// A run of steps in a closed layer as one sentence: what goes in and comes out, or what gradients arrive and which come of it.
function passing(layer, from, to) {
  const { name, kind, takes, gives, weights } = graph.layers[layer], called = kind ? `${name} (${kind})` : name, f = nodes[result].name;
  if (steps[from].kind === "forward") {
    const out = gives.map((i) => [`${nodes[i].name} = `, written(`v${i}`)]);
    return [`Forward through ${called}: `, ...(takes.length ? ["from ", ...listed(takes.map((taken) => [into(taken)])), " "] : []), out.length > 1 ? "come " : "comes ", ...listed(out), "."];
  }
  const last = new Map(); // of each value the last step that hands it something
  for (let i = from; i < to; i++) if (steps[i].total !== null) last.set(steps[i].node, i);
  const received = (of) => of.filter(([i]) => last.has(i)).map(([i, name]) => [sized(`s${last.get(i)}`), ` (${name})`]);
  const own = received(weights), back = received(takes.map(([name, i]) => [i, name]));
  const said = [`Back through ${called}: `, ...listed(gives.map((i) => [`∂${f}/∂${nodes[i].name}`, " of mean size ", sized(`m${i}`)])), gives.length > 1 ? " arrive" : " arrives"];
  if (own.length) said.push("; its weights receive gradients of mean size ", ...listed(own));
  if (back.length) said.push(own.length ? ", and what went in " : "; what went in receives ", ...listed(back));
  return [...said, "."];
}

function describeLayer(layer) {
  const { name, kind, takes, gives, weights, ops } = graph.layers[layer], panel = $("card"), list = element("dl"), f = nodes[result].name;
  const row = (term, text) => text && list.append(element("dt", term), element("dd", text));
  row("class", kind);
  row("in", above(graph.layers[layer].parent).map((l) => graph.layers[l].name).join(" › "));
  row("takes", takes.map(into).join("; "));
  row("gives", gives.map((i) => `${nodes[i].name} = ${later(`v${i}`) ? "?" : format(nodes[i].value)}`).join("; "));
  const count = weights.reduce((sum, [i]) => sum + sizeOf(nodes[i].value), 0);
  row("computes", `${ops} op${ops === 1 ? "" : "s"}, with ${count.toLocaleString("en")} weight${count === 1 ? "" : "s"}`);
  const table = element("table"), head = element("tr"), body = element("tbody");
  table.append(element("caption", `What ${name} holds and gives`, { class: "hidden" }));
  for (const title of ["name", "shape", "value", `mean |∂${f}/∂…|`, "gradient"]) head.append(element("th", title, { scope: "col" }));
  for (const [i, called] of [...weights, ...gives.map((i) => [i, nodes[i].name])]) {
    const tr = element("tr"), array = isArray(nodes[i].value), go = element("button", called, { type: "button" });
    go.addEventListener("click", () => describe(i));
    const cells = [go, array ? dimensions(nodes[i].value) : "", array ? thumbOf(`v${i}`, `numbers of ${called}`) : sized(`v${i}`, 6), sized(`m${i}`), array ? thumbOf(`g${i}`, `gradient of ${called}`) : ""];
    for (const [k, cell] of cells.entries()) {
      const made = element(k ? "td" : "th", undefined, k ? {} : { scope: "row" });
      made.append(cell);
      tr.append(made);
    }
    body.append(tr);
  }
  table.append(element("thead"), body);
  table.tHead.append(head);
  const box = element("div", undefined, { class: "held" });
  box.append(table);
  panel.replaceChildren(element("h2", name), list, box);
  panel.hidden = false;
  card = null;
  again = () => describeLayer(layer);
}
