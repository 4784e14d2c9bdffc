// The numbers and the strength of lines on the page, written again.

// Every number on the page has a key: v and g for the value and the gradient of a node, u, l, c and t for
// upstream, local, contribution and total of a step.
const KEYS = { u: "upstream", l: "local", c: "contribution", t: "total" };
function lookUp(key) {
  const kind = key[0], index = Number(key.slice(1));
  if (kind === "v") return nodes[index].value;
  if (kind === "g") return nodes[index].gradient;
  return steps[index][KEYS[kind]];
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function figures() {
  for (const element of all("[data-n]")) {
    const text = later(element.dataset.n) ? "?" : format(lookUp(element.dataset.n));
    const shown = element.hasAttribute("data-operand") && text.startsWith("-") ? `(${text})` : text;
    put(element, (element.dataset.prefix || "") + (element.tagName === "mn" ? shown.replaceAll("-", "−") : shown));
  }
  for (const box of all(".node[role=button]")) {
    box.setAttribute("aria-label", all("text", box).map((text) => text.textContent.replace("+ ", "")).join(", "));
  }
}

function write() {
  figures();
  for (const input of all("[data-leaf]")) {
    if (input !== document.activeElement) input.value = nodes[input.dataset.leaf].value;
  }
  strengths();
}
onChange.push(write);

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
