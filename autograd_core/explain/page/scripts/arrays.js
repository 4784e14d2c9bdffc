// Arrays as tables of coloured numbers.

const WINDOW = 10, PLANES = 6;

// An array as planes of rows and columns, with where each element is among all. Which axes make a plane Python says of
// images; else they are the last two that are longer than 1.
function planes(array) {
  const { shape } = array, n = shape.length, long = shape.map((_, i) => i).filter((i) => shape[i] > 1);
  const last = long.length > 1 ? long.slice(-2) : long.length && long[0] < n - 1 ? [long[0], n - 1] : [n - 2, n - 1];
  const [down, across] = n < 2 ? [null, 0] : array.grid || last;
  const step = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const others = shape.map((_, i) => i).filter((i) => i !== down && i !== across);
  const count = others.reduce((product, i) => product * shape[i], 1);
  return Array.from({ length: count }, (_, plane) => {
    const index = shape.map(() => ":");
    let rest = plane, start = 0;
    for (const i of [...others].reverse()) {
      index[i] = rest % shape[i];
      start += index[i] * step[i];
      rest = Math.floor(rest / shape[i]);
    }
    const place = (r, c) => index.map((at, i) => (i === down ? r : i === across ? c : at)).join(", ");
    const at = (r, c) => start + (down === null ? 0 : r * step[down]) + c * step[across];
    return { title: `[${index.join(", ")}]`, rows: down === null ? 1 : shape[down], columns: shape[across], at, place };
  });
}

// Of an array that is not here whole the rows of its corner.
const corner = ({ rows, columns }) => [{ title: "", rows, columns, at: (r, c) => r * columns + c, place: (r, c) => `${r}, ${c}` }];
const isWhole = (array) => numbers(array).length === sizeOf(array);

const arrows = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

// The cell beside another one, where there is one with a number.
function beside(td, key) {
  const [down, across] = arrows[key], row = td.parentElement.parentElement.rows[td.parentElement.rowIndex + down];
  const next = row?.cells[td.cellIndex + across];
  return next && "k" in next.dataset ? next : null;
}

// The background of a number: the larger beside the largest, the stronger. Of twenty strengths, because a browser works
// out once what many cells share, and a colour for each cell took a third of a step's time.
function colour(td, x, largest) {
  const share = Number.isFinite(x) ? Math.ceil(20 * (Math.abs(x) / largest)) : 0;
  const shade = [x < 0 ? "low" : "high", `t${share}`];
  if (String(td.shade) === String(shade)) return;
  td.classList.remove(...(td.shade ?? []));
  td.classList.add(...shade);
  td.shade = shade;
}

// A table of a plane, or of a window of it; ``cell(td, k, place, tab)`` fills one, and says where Tab leads to.
function grid(title, plane, cell, first) {
  const table = element("table");
  table.append(element("caption", title, { class: "hidden" }));
  let top = 0, left = 0;
  const fill = () => {
    const body = element("tbody"), head = element("tr");
    head.append(element("td"));
    for (let c = left; c < Math.min(plane.columns, left + WINDOW); c++) head.append(element("th", c, { scope: "col" }));
    body.append(head);
    for (let r = top; r < Math.min(plane.rows, top + WINDOW); r++) {
      const tr = element("tr");
      tr.append(element("th", r, { scope: "row" }));
      for (let c = left; c < Math.min(plane.columns, left + WINDOW); c++) {
        const td = element("td", undefined, { "data-k": plane.at(r, c) });
        cell(td, plane.at(r, c), plane.place(r, c), first && r === top && c === left ? 0 : -1);
        tr.append(td);
      }
      body.append(tr);
    }
    table.querySelector("tbody")?.remove();
    table.append(body);
  };
  fill();
  const controls = element("div", undefined, { class: "row" });
  const slider = (text, length, window, move) => {
    if (length <= window) return;
    const label = element("label", text), input = element("input", undefined, { type: "range", min: 0, max: length - window, value: 0 });
    input.addEventListener("input", () => (move(Number(input.value)), fill()));
    label.append(input);
    controls.append(label);
  };
  slider("rows ", plane.rows, WINDOW, (n) => (top = n));
  slider("columns ", plane.columns, WINDOW, (n) => (left = n));
  return controls.childElementCount ? [table, controls] : [table];
}

// All planes of an array, side by side.
function grids(title, array, cell, most = PLANES) {
  const box = element("div", undefined, { class: "planes" }), found = isWhole(array) ? planes(array) : corner(array);
  for (const plane of found.slice(0, most)) {
    const one = element("div");
    if (found.length > 1) one.append(element("p", plane.title));
    one.append(...grid(found.length > 1 ? `${title} ${plane.title}` : title, plane, cell, plane === found[0]));
    box.append(one);
  }
  if (found.length > most) box.append(element("p", `and ${found.length - most} more like these`));
  return box;
}

// The numbers of an array to read; ``letter`` is what formulas call it, and ``point(k)`` is told which one is looked at.
// ``refill`` of what it gives writes other numbers of that shape into the same cells.
function heatmap(title, array, letter = "", point = () => {}) {
  const box = element("div", undefined, { class: "heat", "data-letter": letter }), head = element("p"), exact = element("output", "");
  let values, largest, look = null;
  const read = (now) => {
    const size = sizeOf(now), [low, high, mean] = size ? range(now) : [];
    const said = !size ? ", empty" : size > WINDOW * WINDOW ? `, min ${digitsOf(low)}, max ${digitsOf(high)}, mean ${digitsOf(mean)}` : "";
    put(head, `${title}: ${dimensions(now)}${said}`);
    values = numbers(now);
    largest = Math.max(Math.abs(low), Math.abs(high)) || 1;
  };
  const fill = (td) => {
    const x = values[td.dataset.k];
    put(td, String(Number.isFinite(x) ? Number(x.toPrecision(3)) : format(x)));
    colour(td, x, largest);
  };
  read(array);
  box.append(head);
  box.refill = (now) => {
    read(now);
    all("td[data-k]", box).forEach(fill);
    look?.();
  };
  if (!sizeOf(array)) return box;
  box.append(grids(title, array, (td, k, place, tab) => {
    fill(td);
    td.tabIndex = tab;
    td.place = place;
  }), exact);
  const on = (moment, act) => box.addEventListener(moment, (event) => {
    const td = event.target.closest("td[data-k]");
    if (td) act(td, event);
  });
  on("focusin", (td) => (look = () => ((exact.textContent = `[${td.place}] = ${values[td.dataset.k]}`), point(td.dataset.k)))());
  on("mouseover", (td) => (look = () => point(td.dataset.k))());
  on("keydown", (td, event) => {
    if (!(event.key in arrows)) return;
    beside(td, event.key)?.focus();
    event.preventDefault();
  });
  if (!isWhole(array)) box.append(element("p", `The page holds the first ${array.rows}×${array.columns} of ${dimensions(array)}.`));
  return box;
}
