// A graph laid out in the browser by dagre, as the SVG that Graphviz draws of it for the pages that Python writes.

const LETTER = 11, LINE = 13, MARGIN = 10;
const pen = document.createElement("canvas").getContext("2d");

function widthOf(text, size = LETTER) {
  pen.font = `${size}px system-ui, sans-serif`;
  return pen.measureText(text).width;
}

// A line that the page writes numbers into has room for any of six digits.
const NUMBER = "-0.123456";

function svgElement(tag, attributes, children = []) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const round = (x) => Number(x.toFixed(2));

// Boxes have a kind and lines, arrows go from box to box; what has a key is a number that the page writes.
function picture(boxes, arrows, prefix) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 22, edgesep: 14, ranksep: 34, marginx: 6, marginy: 6 });
  boxes.forEach(({ lines }, i) => {
    const widths = lines.map(({ text = "", key, prefix: before = "" }) => widthOf(key ? before + NUMBER : text));
    graph.setNode(i, { width: Math.max(...widths) + 2 * MARGIN, height: lines.length * LINE + 12 });
  });
  arrows.forEach(({ start, end, key }, i) => {
    graph.setEdge(start, end, { width: key ? widthOf(NUMBER, 10) + 6 : 0, height: 14, labelpos: "c" }, `e${i}`);
  });
  dagre.layout(graph);
  const { width, height } = graph.graph();
  const shapes = arrows.map((arrow, i) => {
    const { points, x, y } = graph.edge({ v: arrow.start, w: arrow.end, name: `e${i}` });
    const parts = [svgElement("path", { d: curve(points) }), svgElement("polygon", { points: head(points) })];
    if (arrow.key) parts.push(svgElement("text", { x: round(x), y: round(y - 7), "text-anchor": "middle", "font-size": 10, "data-n": arrow.key }));
    return svgElement("g", { id: `${prefix}-edge-${i}`, class: "edge" }, parts);
  });
  boxes.forEach((box, i) => {
    const { x, y, width: w, height: h } = graph.node(i), label = box.lines.find((line) => line.text).text;
    const [left, top] = [x - w / 2, y - h / 2].map(round);
    const outline = box.kind === "leaf"
      ? svgElement("path", { d: rounded(left, top, w, h, 7) })
      : svgElement("polygon", { points: `${left},${top} ${round(left + w)},${top} ${round(left + w)},${round(top + h)} ${left},${round(top + h)}` });
    const texts = box.lines.map(({ text = "", key, prefix: before }, n) => {
      const attributes = { x: round(x), y: round(top + 6 + LINE * (n + 0.8)), "text-anchor": "middle", "font-size": LETTER };
      if (key) attributes["data-n"] = key;
      if (before) attributes["data-prefix"] = before;
      return svgElement("text", attributes, [text]);
    });
    shapes.push(svgElement("g", { id: `${prefix}-node-${i}`, class: `node ${box.kind}`, tabindex: 0, role: "button", "aria-label": label }, [outline, ...texts]));
  });
  const size = `0 0 ${round(width)} ${round(height)}`;
  const svg = svgElement("svg", { viewBox: size, role: "group", "aria-label": "Computation graph" }, [svgElement("g", { class: "graph" }, shapes)]);
  return new XMLSerializer().serializeToString(svg);
}

// Through the points, with their corners rounded off; the last stretch is the arrow's.
function curve(points) {
  const [first, ...rest] = points, last = tip(points).base;
  let d = `M${round(first.x)},${round(first.y)}`;
  rest.forEach((point, i) => {
    if (i === rest.length - 1) d += ` L${round(last.x)},${round(last.y)}`;
    else {
      const next = i === rest.length - 2 ? last : { x: (point.x + rest[i + 1].x) / 2, y: (point.y + rest[i + 1].y) / 2 };
      d += ` Q${round(point.x)},${round(point.y)} ${round(next.x)},${round(next.y)}`;
    }
  });
  return d;
}

function tip(points) {
  const end = points.at(-1), before = points.at(-2), length = Math.hypot(end.x - before.x, end.y - before.y) || 1;
  const along = { x: (end.x - before.x) / length, y: (end.y - before.y) / length };
  return { end, along, base: { x: end.x - 7 * along.x, y: end.y - 7 * along.y } };
}

function head(points) {
  const { end, along, base } = tip(points), side = { x: -2.5 * along.y, y: 2.5 * along.x };
  return [end, { x: base.x + side.x, y: base.y + side.y }, { x: base.x - side.x, y: base.y - side.y }].map((p) => `${round(p.x)},${round(p.y)}`).join(" ");
}

// In pairs of coordinates only, which the page measures.
function rounded(x, y, w, h, r) {
  const [right, bottom] = [round(x + w), round(y + h)], [innerX, innerY, farX, farY] = [x + r, y + r, x + w - r, y + h - r].map(round);
  return (
    `M${innerX},${y} L${farX},${y} Q${right},${y} ${right},${innerY} L${right},${farY} Q${right},${bottom} ${farX},${bottom} ` +
    `L${innerX},${bottom} Q${x},${bottom} ${x},${farY} L${x},${innerY} Q${x},${y} ${innerX},${y} Z`
  );
}
