// The graph: what is drawn of it, and which of its layers are open.

const { graph } = data, picture = document.querySelector(".picture");
const given = picture.firstElementChild !== null; // Python has laid it out: there is nothing to open

const opened = new Set(); // layers, by their places
const above = (layer) => (layer < 0 ? [] : [...above(graph.layers[layer].parent), layer]); // the outermost first
const closedOf = (layer) => above(layer).find((l) => !opened.has(l)); // the box that it is in; undefined where it is seen
const layerOf = nodes.map(() => -1), boxOf = nodes.map(() => null);
graph.boxes.forEach(({ node, layer }, i) => node !== undefined && ([layerOf[node], boxOf[node]] = [layer, i]));

// What is drawn: boxes and arrows, the box of each node and the arrow of each step.
let drawn = { ...graph, nodes: boxOf };

// What is called after it was drawn anew.
const onDraw = [];

function redraw() {
  if (!given) {
    drawn = grouped();
    picture.innerHTML = laidOut(drawn.boxes, drawn.arrows, drawn.frames);
  }
  for (const box of all(".node:is(.leaf, .op, .layer)", picture)) for (const [name, value] of [["tabindex", 0], ["role", "button"]]) box.setAttribute(name, value);
  for (const follow of onDraw) follow();
}

// The box that something on the picture belongs to; the title of a layer's frame stands for the layer.
function boxAt(target) {
  const layer = target.closest(".cluster[data-layer]")?.dataset.layer;
  if (!picture.contains(target)) return undefined; // it was drawn anew since
  return layer ? { closed: Number(layer) } : drawn.boxes[target.closest(".node")?.id.slice("node-".length)];
}
