// A graph that is wider than its room goes on in another row, as a line of text does. Nothing else is moved: between the
// columns of the layout it is cut, and an arrow that leads into another row is drawn anew, along the gaps.

const MARGIN = 11, SIDE = 22, LANE = 15; // in the units of the picture, in which letters are 11 high

// What a part reaches over: its lines, and outside of a box its letters, too, which are less than 7 wide.
function extent(part) {
  const lines = all("path, polygon, polyline", part).map((s) => s.getAttribute("d") || s.getAttribute("points"));
  const letters = all("text", part).map((t) => [-1, 1].map((way) => `${Number(t.getAttribute("x")) + way * 3 * t.textContent.length},${Number(t.getAttribute("y")) + 4 * way - 4} `));
  const outside = lines.length === 0 || part.matches(".edge") ? letters.flat() : [];
  const numbers = [...lines, ...outside].join(" ").match(/-?[\d.]+/g).map(Number);
  const [xs, ys] = [0, 1].map((odd) => numbers.filter((_, i) => i % 2 === odd));
  return { part, left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

function around(boxes) {
  const of = (f, side) => boxes.reduce((found, box) => f(found, box[side]), boxes[0][side]);
  return { left: of(Math.min, "left"), right: of(Math.max, "right"), top: of(Math.min, "top"), bottom: of(Math.max, "bottom") };
}

// The boxes of a picture in columns that nothing but arrows lies between, and its arrows.
function measured() {
  const boxes = all(".node, .cluster", picture).map(extent).sort((a, b) => a.left - b.left), columns = [];
  for (const box of boxes) {
    if (columns.length && box.left <= columns.at(-1).right) columns.at(-1).boxes.push(box);
    else columns.push({ boxes: [box] });
    Object.assign(columns.at(-1), around(columns.at(-1).boxes));
  }
  const box = (i) => boxes.find(({ part }) => part.id === `node-${i}`);
  const arrows = drawn.arrows.map(([start, end], i) => {
    const part = $(`edge-${i}`), shapes = all("path, polygon, text", part);
    const drawn = shapes.map((shape) => ["d", "points", "x", "y"].map((name) => [name, shape.getAttribute(name)]));
    return { part, shapes, drawn, start: box(start), end: box(end) };
  });
  picture.querySelector(".graph").removeAttribute("transform");
  return { columns, arrows, edges: around([...boxes, ...arrows.map(({ part }) => extent(part))]) };
}

// So many rows of columns, the widest as narrow as can be.
function rowsOf(columns, count) {
  const fill = (width) => {
    const rows = [];
    for (const column of columns) {
      if (rows.length && column.right - rows.at(-1)[0].left <= width) rows.at(-1).push(column);
      else rows.push([column]);
    }
    return rows;
  };
  let low = Math.max(...columns.map((c) => c.right - c.left)), high = columns.at(-1).right - columns[0].left;
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (fill(middle).length <= count) high = middle;
    else low = middle;
  }
  return fill(high).map((columns) => ({ columns, ...around(columns) }));
}

// Arrange a picture so that its letters are as large as they can be where all of it is seen; gives its size.
function arrange({ columns, arrows, edges }, width, height) {
  let best = null;
  for (let count = 1; count <= Math.min(columns.length, 16); count++) {
    const rows = rowsOf(columns, count), side = rows.length > 1 ? SIDE : MARGIN;
    if (rows.length === 1) Object.assign(rows[0], edges); // its arrows may reach beyond the boxes
    rows.forEach((row, k) => row.columns.forEach((column) => column.boxes.forEach((box) => (box.row = k))));
    const wide = Math.max(...rows.map((row) => row.right - row.left)) + 2 * side;
    let y = MARGIN;
    rows.forEach((row, k) => {
      const lanes = arrows.filter(({ start, end }) => end.row > start.row && (end.row === k || start.row === k - 1)).length;
      if (k) y += 2 * MARGIN + LANE * (lanes + 1);
      Object.assign(row, { x: side - row.left, y: y - row.top, lane: y - MARGIN - LANE });
      y += row.bottom - row.top;
    });
    const scale = Math.min(width / wide, height / (y + MARGIN), 1.5);
    if (!best || scale > 1.1 * best.scale) best = { rows, scale, width: wide, height: y + MARGIN };
  }
  const { rows } = best;
  const move = (part, row) => part.setAttribute("transform", `translate(${row.x.toFixed(1)} ${row.y.toFixed(1)})`);
  rows.forEach((row, k) => row.columns.forEach((column) => column.boxes.forEach((box) => ((box.row = k), move(box.part, row)))));
  for (const { part, shapes, drawn, start, end } of arrows) {
    const from = rows[start.row], to = rows[end.row];
    shapes.forEach((shape, i) => drawn[i].forEach(([name, value]) => value !== null && shape.setAttribute(name, value)));
    move(part, from);
    if (from === to) continue;
    part.removeAttribute("transform");
    const middle = (box, row) => (box.top + box.bottom) / 2 + row.y;
    const x = start.right + from.x, y = middle(start, from), right = end.left + to.x, down = middle(end, to);
    const lane = rows[start.row + 1].lane, last = to.lane;
    rows[start.row + 1].lane -= LANE;
    if (last !== lane) to.lane -= LANE;
    const aside = last === lane ? "" : `H${SIDE / 2}V${last}`;
    for (const shape of shapes) {
      if (shape.tagName === "path") shape.setAttribute("d", `M${x},${y}H${x + 11}V${lane}${aside}H${right - 18}V${down}H${right - 7}`);
      if (shape.tagName === "polygon") shape.setAttribute("points", `${right - 9},${down - 3} ${right - 1},${down} ${right - 9},${down + 3}`);
      if (shape.tagName === "text") {
        shape.setAttribute("x", Math.max(right + 30, Math.min(x - 30, (x + right) / 2)));
        shape.setAttribute("y", last - 3);
      }
    }
  }
  return best;
}
