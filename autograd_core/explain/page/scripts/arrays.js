// Arrays as tables of coloured numbers.

const WINDOW = 10;

function numbers(array) {
  if (!array.numbers) {
    const bytes = Uint8Array.from(atob(array.data), (c) => c.charCodeAt(0)).buffer;
    array.numbers = array.kind === "f4" ? new Float32Array(bytes) : new Float64Array(bytes);
  }
  return array.numbers;
}

function heatmap(title, array) {
  const box = element("div", undefined, { class: "heat" }), shape = array.shape.join("×");
  const size = array.shape.reduce((a, b) => a * b, 1);
  box.append(element("p", size ? `${title}: ${shape}, min ${format(Number(array.min))}, max ${format(Number(array.max))}, mean ${format(Number(array.mean))}` : `${title}: ${shape}, empty`));
  if (!size || (size > 1 && array.min === array.max)) return box;
  const values = numbers(array), { rows, columns } = array;
  const largest = Math.max(Math.abs(Number(array.min)), Math.abs(Number(array.max))) || 1;
  const exact = element("output", "");
  const table = element("table");
  table.append(element("caption", title, { class: "hidden" }));
  let top = 0, left = 0;
  function fill() {
    const body = element("tbody"), head = element("tr");
    head.append(element("td"));
    for (let c = left; c < Math.min(columns, left + WINDOW); c++) head.append(element("th", c, { scope: "col" }));
    body.append(head);
    for (let r = top; r < Math.min(rows, top + WINDOW); r++) {
      const tr = element("tr");
      tr.append(element("th", r, { scope: "row" }));
      for (let c = left; c < Math.min(columns, left + WINDOW); c++) {
        const x = values[r * columns + c], share = Number.isFinite(x) ? Math.round((100 * Math.abs(x)) / largest) : 0;
        const td = element("td", Number.isFinite(x) ? Number(x.toPrecision(3)) : format(x), { tabindex: r === top && c === left ? 0 : -1 });
        td.style.background = `color-mix(in srgb, var(${x < 0 ? "--low" : "--high"}) ${share}%, var(--ground))`;
        td.addEventListener("focus", () => (exact.textContent = `[${r}, ${c}] = ${x}`));
        td.addEventListener("keydown", (event) => {
          const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
          const next = by && tr.parentElement.rows[tr.rowIndex + by[0]]?.cells[td.cellIndex + by[1]];
          if (next && next.tagName === "TD" && next.hasAttribute("tabindex")) next.focus();
          if (by) event.preventDefault();
        });
        tr.append(td);
      }
      body.append(tr);
    }
    table.querySelector("tbody")?.remove();
    table.append(body);
  }
  fill();
  box.append(table, exact);
  if (rows > WINDOW || columns > WINDOW) {
    const controls = element("div", undefined, { class: "row" });
    const slider = (text, length, move) => {
      if (length <= WINDOW) return;
      const label = element("label", text), input = element("input", undefined, { type: "range", min: 0, max: length - WINDOW, value: 0 });
      input.addEventListener("input", () => (move(Number(input.value)), fill()));
      label.append(input);
      controls.append(label);
    };
    slider("rows ", rows, (n) => (top = n));
    slider("columns ", columns, (n) => (left = n));
    box.append(controls);
  }
  if (rows * columns < size) box.append(element("p", `The page holds the first ${rows}×${columns} of ${shape}.`));
  return box;
}
