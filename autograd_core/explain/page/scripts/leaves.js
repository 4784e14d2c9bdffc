// Leaves that can be changed: a number in a box and a slider, an array in cells.

const isNumber = (text) => text.trim() !== "" && !Number.isNaN(Number(text));

// A slider reaches as far to both sides; it begins anew around its number where that has left it, or come to an end.
function centre(slider, x) {
  if (!Number.isFinite(x) || (x > slider.min && x < slider.max) || slider.matches(":active")) return;
  const reach = Math.max(1, 2 * Math.abs(x));
  Object.assign(slider, { min: x - reach, max: x + reach, value: x });
}

const extremes = new Map(); // the largest of each array, until one is changed

function fillLeaf(input) {
  const { leaf, k } = input.dataset, { value } = nodes[leaf], x = isArray(value) ? numbers(value)[k] : value;
  if (isArray(value)) {
    if (!extremes.has(leaf)) extremes.set(leaf, Math.max(...numbers(value).map(Math.abs)) || 1);
    colour(input.parentElement, x, extremes.get(leaf));
  }
  if (input.type === "range") centre(input, x);
  const written = String(isArray(value) && data.single ? Number(x.toPrecision(8)) : x);
  if (input !== document.activeElement && input.value !== written) input.value = written;
}

// Somebody types; where all was deleted it says what counts until there is a number again.
function typedInto(input, leaf, k) {
  if (isNumber(input.value)) return change(leaf, Number(input.value), k);
  const { value } = nodes[leaf];
  input.placeholder = `${format(k === undefined ? value : numbers(value)[k])} still counts`;
}

// The numbers that can be changed, as other tools call them: "w" or "w[0, 1]".
const spots = nodes.flatMap(({ live, value, name }, leaf) => {
  if (!live) return [];
  return isArray(value) ? Array.from(numbers(value), (_, k) => ({ leaf, k, name: `${name}[${placeOf(value, k)}]` })) : [{ leaf, name }];
});

if (nodes.some((node) => node.live)) {
  nodes.forEach((node, i) => node.live && isArray(node.value) && editable(i));
  onChange.push(() => (extremes.clear(), all("[data-leaf]").forEach(fillLeaf)));
  for (const input of all("[data-leaf]:not([data-k])")) {
    input.addEventListener("input", () => typedInto(input, Number(input.dataset.leaf)));
    for (const done of ["change", "blur"]) input.addEventListener(done, () => fillLeaf(input)); // the slider is let go, the box left
  }
  $("reset").hidden = false;
  $("reset").addEventListener("click", () => {
    for (const node of nodes) node.value = node.given;
    recompute();
  });
}
