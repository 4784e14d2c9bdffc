// Arrays as small pictures: at most so many squares in a row, of a larger array each second, third, … of its numbers.

const SQUARES = 12, SIDE_OF = 36; // pixels of a picture

// The paths of a picture, one for each strength of a colour, in squares of one unit; and how many there are of them.
function thumbnail(array) {
  const all = numbers(array.small ?? array), [plane] = isWhole(array.small ?? array) ? planes(array.small ?? array) : corner(array);
  const every = [plane.rows, plane.columns].map((n) => Math.ceil(n / SQUARES)), count = [0, 1].map((i) => Math.ceil([plane.rows, plane.columns][i] / every[i]));
  const shown = [], paths = {};
  for (let r = 0; r < count[0]; r++) for (let c = 0; c < count[1]; c++) shown.push([r, c, Number(all[plane.at(r * every[0], c * every[1])])]);
  const largest = Math.max(...shown.map(([, , x]) => (Number.isFinite(x) ? Math.abs(x) : 0))) || 1;
  for (const [r, c, x] of shown) {
    const level = Number.isFinite(x) ? "abcdefg"[Math.round((3 * x) / largest) + 3] : "x";
    paths[level] = `${paths[level] ?? ""}M${c} ${r}h1v1h-1z`;
  }
  return { paths, rows: count[0], columns: count[1] };
}

function drawThumb(into) {
  const value = lookUp(into.dataset.thumb);
  into.replaceChildren();
  if (!isArray(value) || later(into.dataset.thumb)) return;
  const { paths, rows, columns } = thumbnail(value), scale = SIDE_OF / Math.max(rows, columns);
  const inner = document.createElementNS("http://www.w3.org/2000/svg", "g");
  inner.setAttribute("transform", `translate(${(SIDE_OF - columns * scale) / 2} ${(SIDE_OF - rows * scale) / 2}) scale(${scale})`);
  for (const [level, d] of Object.entries({ ...paths, frame: `M0 0h${columns}v${rows}h-${columns}z` })) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", level);
    path.setAttribute("d", d);
    inner.append(path);
  }
  into.append(inner);
}

// A picture to stand in a text.
function thumbOf(key, said) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({ class: "thumb", viewBox: `0 0 ${SIDE_OF} ${SIDE_OF}`, "data-thumb": key, role: "img", "aria-label": said })) svg.setAttribute(name, value);
  drawThumb(svg);
  return svg;
}

const drawThumbs = () => all("[data-thumb]").forEach(drawThumb);
onChange.push(drawThumbs);
