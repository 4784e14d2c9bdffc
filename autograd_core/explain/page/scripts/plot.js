// Small curves.

const WIDE = 320, TALL = 130, EDGE = 12;

function svg(tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// Draw lines, each an array of points [x, y] with a class, and dots, over what lies ``along`` the axis; ``said`` is what
// one hears in place of it.
function plot(id, lines, dots, along, said) {
  const points = [...Object.values(lines).flat(), ...dots].filter((p) => p.every(Number.isFinite));
  const ends = (i) => [Math.min(...points.map((p) => p[i])), Math.max(...points.map((p) => p[i]))];
  const scale = ([low, high], length) => (x) => EDGE + ((length - 2 * EDGE) * (x - low)) / (high - low || 1);
  const across = scale(ends(0), WIDE), up = scale(ends(1), TALL), place = ([x, y]) => [across(x), TALL - up(y)].map((v) => v.toFixed(1));
  const [low, high] = [3, 6].map((digits) => ends(1).map((y) => digitsOf(y, digits))).find(([a, b], i) => a !== b || i), made = [];
  for (const [name, line] of Object.entries(lines)) made.push(svg("polyline", { class: name, points: line.filter((p) => p.every(Number.isFinite)).map(place).join(" ") }));
  for (const dot of dots.filter((p) => p.every(Number.isFinite))) made.push(svg("circle", { cx: place(dot)[0], cy: place(dot)[1], r: 4 }));
  if (points.length) made.push(svg("text", { x: 2, y: 10 }, high), svg("text", { x: 2, y: TALL - 2 }, low), svg("text", { x: WIDE - 2, y: TALL - 2, "text-anchor": "end" }, along));
  $(id).replaceChildren(...made);
  $(id).setAttribute("aria-label", said);
}

// Numbers that come later are in these tools, too.
const allTold = () => told() >= steps.length;
const UNTOLD = "This would tell numbers that are yet to come: go on to the last step, or show all numbers.";
