// The numbers and the strength of lines on the page, written again.

// Every number on the page has a key: v, g and m for the value, the gradient and the mean magnitude of the gradient of a
// node, u, l, c and t for upstream, local, contribution and total of a step, and s for the mean magnitude of that total.
const KEYS = { u: "upstream", l: "local", c: "contribution", t: "total" };
function lookUp(key) {
  const kind = key[0], index = Number(key.slice(1));
  if (kind === "v") return nodes[index].value;
  if (kind === "g") return nodes[index].gradient;
  if (kind === "m") return magnitude(nodes[index].gradient);
  if (kind === "s") return magnitude(steps[index].total);
  return steps[index][KEYS[kind]];
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function figures() {
  for (const element of all("[data-n]")) {
    const { n, digits = 6, prefix = "" } = element.dataset, value = lookUp(n), gradient = n[0] !== "v";
    const text = later(n) ? "?" : "brief" in element.dataset ? brief(value, gradient) : format(value, gradient, Number(digits));
    const shown = "operand" in element.dataset && text.startsWith("-") ? `(${text})` : text;
    put(element, prefix + (element.tagName === "mn" ? shown.replaceAll("-", "−") : shown));
  }
  for (const box of all(".node[role=button]")) {
    const said = all("text", box).map((text) => text.textContent.replace("+ ", "")).join(", ");
    if (box.getAttribute("aria-label") !== said) box.setAttribute("aria-label", said);
  }
}

function write() {
  figures();
  strengths();
}
onChange.push(write);

// Colour and width by the size of the gradient, a step for each power of ten, as Python draws them.
function strengths() {
  const boxes = {}, sizes = {}; // of a layer that is closed the largest of its weights, else its last value
  nodes.forEach((node, i) => {
    const box = (boxes[drawn.nodes[i]] ??= { weights: [], last: null });
    if (!node.op) box.weights.push(magnitude(node.gradient ?? null));
    else box.last = magnitude(node.gradient ?? null);
  });
  for (const [box, { weights, last }] of Object.entries(boxes)) {
    const known = weights.filter((g) => g !== null);
    sizes[`node-${box}`] = known.length ? Math.max(...known) : last;
  }
  for (const [step, edge] of Object.entries(drawn.edges)) {
    const { kind, contribution } = steps[step], g = magnitude(contribution ?? null);
    if (kind === "backward" && g !== null) sizes[`edge-${edge}`] = Math.max(sizes[`edge-${edge}`] ?? 0, g);
  }
  const largest = Math.max(...Object.values(sizes).filter(Number.isFinite), 0);
  for (const [part, g] of Object.entries(sizes)) paint($(part), g, largest);
}

function paint(group, g, largest) {
  if (!group || g === null) return;
  const s = !Number.isFinite(g) ? 1 : g && largest ? Math.min(1, Math.max(0, 1 + Math.log10(g / largest) / 4)) : 0;
  const shade = `s${Math.round(5 * s)}`, width = (1 + 4 * s * s).toFixed(2);
  if (!group.classList.contains(shade)) {
    group.classList.remove(...Array.from({ length: 6 }, (_, i) => `s${i}`));
    group.classList.add(shade);
  }
  for (const shape of all("path, polygon", group)) if (shape.getAttribute("stroke-width") !== width) shape.setAttribute("stroke-width", width);
}
