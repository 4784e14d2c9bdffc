// A nudge: what the result does when one number moves by ε, beside what its gradient says.

const SAMPLES = 40;

function nudge() {
  const { leaf, k } = spots[$("nudged").value], { name } = nodes[result], epsilon = Number($("epsilon").value);
  const at = (value) => (k === undefined ? value : numbers(value)[k]), x = at(nodes[leaf].value), g = at(nodes[leaf].gradient);
  if (!allTold()) $("difference").textContent = UNTOLD;
  if (!allTold()) return plot("tangent", {}, [], "", UNTOLD);
  const f = (t) => valueOf(resultWith(leaf, k, t)), here = f(x), there = f(x + epsilon), rise = there - here;
  const label = spots[$("nudged").value].name, off = rise - g * epsilon;
  const said = `${name}(${label} + ε) − ${name}(${label}) = ${digitsOf(rise)}, and gradient · ε = ${digitsOf(g)} · ${digitsOf(epsilon)} = ${digitsOf(g * epsilon)}. They differ by ${digitsOf(off, 3)}.`;
  $("difference").textContent = said;
  const reach = Math.max(2 * Math.abs(epsilon), 1e-9), around = Array.from({ length: SAMPLES + 1 }, (_, i) => x - reach + (2 * reach * i) / SAMPLES);
  const ends = [x - reach, x + reach];
  plot("tangent", { curve: around.map((t) => [t, f(t)]), slope: ends.map((t) => [t, here + g * (t - x)]), gap: [[x + epsilon, there], [x + epsilon, here + g * epsilon]] }, [[x, here], [x + epsilon, there]], label, said);
}

if (spots.length && isScalar) {
  spots.forEach((spot, i) => $("nudged").append(element("option", spot.name, { value: i })));
  const wanted = spots.findIndex((spot) => isWeight(spot.name));
  $("nudged").value = Math.max(wanted, 0);
  const again = () => $("nudge").open && nudge();
  for (const [from, to] of [["epsilon", "epsilon-slider"], ["epsilon-slider", "epsilon"]]) {
    $(from).addEventListener("input", () => Number.isFinite($(from).valueAsNumber) && (($(to).value = $(from).value), again()));
  }
  $("nudged").addEventListener("input", again);
  $("nudge").addEventListener("toggle", again);
  onChange.push(again);
  onMove.push(again);
}
