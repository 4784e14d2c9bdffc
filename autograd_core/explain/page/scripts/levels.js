// Layers that open and close: a closed one is one box, and all that leads into it or out of it leads there.

const OPEN = 400; // boxes that are laid out at once
const THUMBS = 4, MANY = 12; // weights of a closed layer that are shown as pictures, and arrows that leave a leaf


function grouped() {
  const boxes = [], lines = [], frames = [], edges = {}, places = new Map(), fan = new Map();
  const place = (key, list, made) => {
    if (!places.has(key)) places.set(key, list.push(made()) - 1);
    return places.get(key);
  };
  const frame = (layer) => place(`frame ${layer}`, frames, () => [`− ${graph.layers[layer].name}`, { "data-layer": layer, role: "button", tabindex: 0, "aria-expanded": true, "aria-label": `Close the layer ${graph.layers[layer].name}` }]);
  const framed = (box, layer) => ({ ...box, layers: above(layer).map(frame) });
  const homes = graph.boxes.map((box, i) => {
    const layer = closedOf(box.layer);
    return layer === undefined ? place(`box ${i}`, boxes, () => framed(box, box.layer)) : place(`layer ${layer}`, boxes, () => framed(closedBox(layer), graph.layers[layer].parent));
  });
  const own = graph.boxes.map((box) => closedOf(box.layer) === undefined);
  // Of a leaf that leads to many boxes one arrow is drawn, which says so.
  graph.arrows.forEach(([start, end]) => graph.boxes[start].kind === "leaf" && fan.set(homes[start], (fan.get(homes[start]) ?? new Set()).add(homes[end])));
  const merged = graph.arrows.map(([start, end, text, key, dashed], i) => {
    const [from, to] = [homes[start], homes[end]], { value } = nodes[graph.boxes[start].node] ?? {};
    if (from === to) return null;
    const shape = isArray(value) ? dimensions(value) : "", many = own[start] && fan.get(from)?.size > MANY;
    const at = place(many ? `fan ${from}` : own[start] && own[end] ? `arrow ${i}` : `${from} ${to}`, lines, () => [from, to, text || shape, key, true, shape]);
    const line = lines[at];
    line[4] &&= dashed;
    if (many) [line[2], line[3]] = [`1 of ${fan.get(from).size}`, ""];
    else if (line[3] !== key) line[2] = line[3] = "";
    else if (line[5] !== shape) line[2] = "";
    return at;
  });
  for (const [step, arrow] of Object.entries(graph.edges)) if (merged[arrow] !== null) edges[step] = merged[arrow];
  return { boxes, arrows: lines, frames, nodes: boxOf.map((i) => homes[i]), edges };
}

function closedBox(layer) {
  const { lines, weights, gives, family } = graph.layers[layer];
  const tables = (of) => of.filter(([i]) => isArray(nodes[i].value) && nodes[i].value.shape.filter((n) => n > 1).length > 1);
  const shown = [...tables(weights).slice(0, THUMBS), ...tables(gives.map((i) => [i, nodes[i].name])).slice(0, 1)];
  const thumbs = shown.map(([i, name]) => [`v${i}`, name]);
  return { kind: `layer is_${family}`, closed: layer, lines, thumbs, attributes: { "data-layer": layer, "aria-expanded": false } };
}

// Open exactly these layers.
function openOnly(layers) {
  opened.clear();
  for (const layer of layers) if (layer in graph.layers) opened.add(Number(layer));
  redraw();
  remember("open", opened.size ? [...opened].sort((a, b) => a - b).join(".") : null);
}

function toggle(layer, byKey) {
  openOnly(opened.has(layer) ? [...opened].filter((l) => l !== layer) : [...opened, layer]);
  const part = picture.querySelector(`[data-layer="${layer}"]`);
  if (byKey) part.focus(); // the one that was pressed is gone
  else follow([part]);
}

function folds() {
  const few = graph.boxes.length <= OPEN, opens = few && opened.size < graph.layers.length;
  $("fold").hidden = !graph.layers.length || (!few && !opened.size);
  $("fold").textContent = opens ? "Open all layers" : "Close all layers";
}

onDraw.push(folds);
$("fold").addEventListener("click", () => openOnly($("fold").textContent.startsWith("Open") ? graph.layers.keys() : []));
picture.addEventListener("click", ({ target }) => {
  const part = target.closest("[data-layer]");
  if (part) toggle(Number(part.dataset.layer));
});
picture.addEventListener("keydown", ({ key, target }) => key === "Enter" && target.dataset.layer && toggle(Number(target.dataset.layer), true));
