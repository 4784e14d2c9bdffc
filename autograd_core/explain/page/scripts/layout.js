// A graph laid out in the browser by dagre, as the SVG that Graphviz draws of it where Python has that.

// A box has a ``kind`` and ``lines``: of each its text, and other attributes of its element, by which the page writes
// numbers into it; ``layers`` are the frames that it is in, and ``attributes`` are those of its element. An arrow is
// [from box, to box, its text, the key of its number, whether it is dashed]. Below its lines a box has ``thumbs``, small
// pictures: of each the key of the array and its name. A frame is [title, attributes].
const laidOut = (() => {
  const LETTER = 11, LINE = 13, TALL = 20, PAD = 10, THUMB = 36, APART = 58; // a small picture, and from one to the next
  const NUMBER = "-0.123456"; // where one is written later there is room for any of six digits
  const pen = document.createElement("canvas").getContext("2d");

  function widthOf(text, size = LETTER) {
    pen.font = `${size}px system-ui, sans-serif`;
    return pen.measureText(text).width;
  }

  function svgElement(tag, attributes, children = []) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  // The end of a name that is wider than a small picture: what comes last in a path tells most.
  const fitting = (name) => (name.length > 12 ? `…${name.slice(-11)}` : name);
  const round = (x) => Number(x.toFixed(2));
  const corners = (x, y, w, h) => [[x, y], [x + w, y], [x + w, y + h], [x, y + h]].map((corner) => corner.map(round).join()).join(" ");
  const textAt = (x, y, size, text, attributes) => svgElement("text", { x: round(x), y: round(y), "text-anchor": "middle", "font-size": size, ...attributes }, [text]);

  function picture(boxes, arrows, frames = [], direction = "LR") {
    const graph = new dagre.graphlib.Graph({ multigraph: true, compound: frames.length > 0 });
    graph.setGraph({ rankdir: direction, nodesep: 22, edgesep: 14, ranksep: 34, marginx: 6, marginy: 6 });
    frames.forEach((_, k) => graph.setNode(`frame-${k}`, {}));
    boxes.forEach(({ lines, layers = [], thumbs = [] }, i) => {
      const widths = lines.map(({ text = "", "data-n": key, "data-prefix": before = "" }) => Math.max(widthOf(text), key ? widthOf(before + NUMBER) : 0));
      graph.setNode(i, { width: Math.max(...widths, thumbs.length * APART) + 2 * PAD, height: lines.length * LINE + 12 + (thumbs.length && THUMB + LINE + 2) });
      [...layers, i].forEach((inner, n) => n && graph.setParent(n < layers.length ? `frame-${inner}` : i, `frame-${layers[n - 1]}`));
    });
    arrows.forEach(([start, end, text = "", key], i) => {
      const width = key ? widthOf(NUMBER, 10) : widthOf(text, 10);
      graph.setEdge(start, end, { width: width ? width + 6 : 0, height: 14, labelpos: "c" }, `e${i}`);
    });
    dagre.layout(graph);
    // Texts stand above the middle of their arrows, where dagre leaves room around it.
    const said = arrows.map(([start, end, text, key], i) => (key || text ? graph.edge({ v: start, w: end, name: `e${i}` }).y : Infinity));
    const down = Math.max(0, TALL - Math.min(...said)), lower = (place) => (place.y += down);
    graph.nodes().forEach((v) => lower(graph.node(v)));
    graph.edges().map((e) => graph.edge(e)).forEach((edge) => [edge, ...edge.points].forEach(lower));
    const { width, height } = graph.graph();
    const shapes = frames.map(([title, attributes], k) => {
      const { x, y, width: w, height: h } = graph.node(`frame-${k}`), top = y - h / 2 - LINE - 4; // above it stands its title
      const outline = svgElement("polygon", { points: corners(x - w / 2, top, w, h + LINE + 4) });
      return svgElement("g", { id: `cluster-${k}`, class: "cluster", ...attributes }, [outline, textAt(x, top + LINE, LETTER, title)]);
    });
    arrows.forEach(([start, end, text = "", key, dashed], i) => {
      const { points, x, y } = graph.edge({ v: start, w: end, name: `e${i}` });
      const parts = [svgElement("path", { d: curve(points) }), svgElement("polygon", { points: head(points) })];
      if (dashed) parts[0].setAttribute("stroke-dasharray", "5,2");
      if (key || text) parts.push(textAt(x, y - 7, 10, text, key && { "data-n": key }));
      shapes.push(svgElement("g", { id: `edge-${i}`, class: "edge" }, parts));
    });
    boxes.forEach(({ kind, lines, dashed, thumbs = [], attributes = {} }, i) => {
      const { x, y, width: w, height: h } = graph.node(i), left = x - w / 2, top = y - h / 2;
      const outline = kind === "leaf" ? svgElement("path", { d: rounded(...[left, top, w, h].map(round), 7) }) : svgElement("polygon", { points: corners(left, top, w, h) });
      if (dashed) outline.setAttribute("stroke-dasharray", "5,2");
      const texts = lines.map(({ text = "", ...more }, n) => textAt(x, top + 6 + LINE * (n + 0.8), LETTER, text, more));
      const below = top + 8 + LINE * lines.length, pictures = thumbs.flatMap(([key, name], k) => {
        const middle = x + (k - (thumbs.length - 1) / 2) * APART;
        return [svgElement("g", { class: "thumb", "data-thumb": key, transform: `translate(${round(middle - THUMB / 2)} ${round(below)})` }), "\n", textAt(middle, below + THUMB + 10, 8, fitting(name), { class: "small" })];
      });
      shapes.push(svgElement("g", { id: `node-${i}`, class: `node ${kind}`, "aria-label": lines[0].text, ...attributes }, [outline, ...texts.flatMap((text) => ["\n", text]), ...pictures]));
    });
    const size = `0 0 ${round(width)} ${round(height + down)}`;
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

  return picture;
})();
