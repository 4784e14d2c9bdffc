// Why a gradient is what it is: the paths from a number to the result, each a product of local derivatives.

const PATHS = 10;

// The local derivatives of one step, element by element: [of which element, by which, how much]. They are what the rule
// makes of an upstream gradient with a single 1 in it; an element that the formula does not name has none.
function locals(step) {
  const out = nodes[step.out], call = CALLS[out.call], undo = call.u?.[step.position], rule = call.d[step.position];
  const n = sizeOf(nodes[step.node].value), m = sizeOf(out.value), given = inputs(out, nodes.map((node) => node.value));
  const gradient = (g) => {
    const product = rule(g, flat(out.value), ...given);
    return [undo ? undo(product) : product].flat();
  };
  if (n * m === 1) return [[0, 0, Number(gradient(isArray(out.value) ? [1] : 1)[0])]];
  const places = (f, letter) => {
    const { results, names } = expressions(f);
    return results.map((r) => [...operands(r, names)].filter((o) => o.startsWith(`${letter} `)).map((o) => Number(o.slice(2))));
  };
  const of = places(rule, "g"), through = undo && places(undo, "p"), found = [];
  for (let k = 0; k < m; k++) {
    const row = gradient(isArray(out.value) ? Array.from({ length: m }, (_, i) => Number(i === k)) : 1);
    for (let j = 0; j < n; j++) {
      if ((through ? through[j].some((p) => of[p].includes(k)) : of[j].includes(k))) found.push([k, j, Number(row[j])]);
    }
  }
  return found;
}

const most = ({ product }) => (Number.isNaN(product) ? Infinity : Math.abs(product));

// For each element of a node how many paths lead from it to the result, and the ten largest: each a product and its way,
// from node to node. They are not found one by one, of which there may be more than anyone can count: the largest paths
// from here begin with a step, and go on as one of the largest from there.
function ways(from) {
  const found = new Map(), needed = new Set([from]);
  const of = (i) => found.get(i) || found.set(i, Array.from({ length: sizeOf(nodes[i].value) }, () => ({ count: 0, best: [] }))).get(i);
  steps.forEach((s) => s.kind === "forward" && nodes[s.node].parents.some((p) => needed.has(p)) && needed.add(s.node));
  Array.from([flat(seed)].flat(), (g, k) => (of(result)[k] = { count: 1, best: [{ product: g, way: [[result, k, g]] }] }));
  for (const step of steps) {
    if (step.kind !== "backward" || !needed.has(step.node)) continue;
    for (const [k, j, local] of locals(step)) {
      const there = of(step.out)[k], here = of(step.node)[j];
      const longer = there.best.map(({ product, way }) => ({ product: local * product, way: [[step.node, j, local], ...way] }));
      here.count += there.count;
      here.best = [...here.best, ...longer].sort((a, b) => most(b) - most(a)).slice(0, PATHS);
    }
  }
  return of(from);
}

// The way back along which most arrives, as [node, the size of its gradient, how that of the node before was changed].
function chain(leaf) {
  const way = [];
  for (let i = leaf; i !== result; ) {
    const handed = steps.filter((s) => s.kind === "backward" && s.node === i).sort((a, b) => magnitude(b.contribution) - magnitude(a.contribution))[0];
    if (!handed) return [];
    way.push([i, magnitude(nodes[i].gradient), magnitude(nodes[i].gradient) / magnitude(nodes[handed.out].gradient)]);
    i = handed.out;
  }
  return [[result, magnitude(seed), 1], ...way.reverse()];
}

// -- shown --------------------------------------------------------------------------------------------------

const isSmall = (factor) => Math.abs(factor) <= 0.1;
const called = (i, k) => (isArray(nodes[i].value) ? `${nodes[i].name}[${placeOf(nodes[i].value, k)}]` : nodes[i].name);

const factorOf = (factor, marked, title = "") => element(marked ? "mark" : "span", factor < 0 ? `(${digitsOf(factor, 4)})` : digitsOf(factor, 4), { title });

function pathOf({ product, way }) {
  const li = element("li"), line = element("p"), size = ([, , factor]) => Math.abs(factor);
  const first = way.reduce((least, link, n) => (size(link) < size(way[least]) ? n : least), 0), [, , smallest] = way[first];
  const said = way.map(([i, k], n) => (n < way.length - 1 ? `∂${called(...way[n + 1])}/∂${called(i, k)}` : `∂${called(i, k)}/∂${called(i, k)}`));
  way.forEach(([, , factor], n) => {
    if (n && n === way.length - 1 && factor === 1) return; // the gradient that the walk starts from
    line.append(n ? " · " : "", factorOf(factor, size(way[n]) === size(way[first]) && isSmall(factor), said[n]));
  });
  line.append(` = ${digitsOf(product)}`);
  li.append(line, element("p", `through ${way.slice(1).map(([i, k]) => called(i, k)).join(", ")}`, { class: "note" }));
  if (isSmall(smallest)) li.append(element("p", `${smallest ? "small" : "0"} because of ${said[first]} = ${digitsOf(smallest)}`, { class: "note" }));
  return li;
}

// Of a layer: sizes in place of numbers.
function sizesOf(leaf) {
  const way = chain(leaf), arrays = way.some(([i]) => isArray(nodes[i].value));
  $("sizes-said").hidden = !arrays;
  if (!arrays) return;
  $("sizes").replaceChildren(...way.map(([i, size, factor], n) => {
    const li = element("li", `${nodes[i].name}: ${digitsOf(size, 3)}`);
    if (n) li.append(", × ", factorOf(factor, isSmall(factor) || factor >= 10));
    return li;
  }));
}

function why() {
  const { leaf, k, name } = questions[$("question-why").value], g = `∂${nodes[result].name}/∂${name}`;
  const known = allTold() && nodes[leaf].live && ways(leaf)[k ?? 0];
  $("paths").replaceChildren(...(known ? known.best.map(pathOf) : []));
  $("sizes").replaceChildren();
  $("sizes-said").hidden = true;
  if (!allTold()) return ($("paths-said").textContent = UNTOLD);
  sizesOf(leaf);
  if (!known) return ($("paths-said").textContent = "");
  const sum = known.best.reduce((total, { product }) => total + product, 0), value = digitsOf(flat(nodes[leaf].gradient)[k] ?? nodes[leaf].gradient);
  const few = known.count <= PATHS, count = known.count === 1 ? "One path leads" : `${known.count < 1e15 ? known.count : digitsOf(known.count, 3)} paths lead`;
  const zero = known.best.length && known.best.every(({ product }) => product === 0) ? " Each has a factor that is 0." : "";
  const adds = known.count === 0 ? "" : few ? ` Their sum is the gradient: ${digitsOf(sum)}.` : ` The ten largest, below, add up to ${digitsOf(sum)}.`;
  $("paths-said").textContent = `${g} = ${value}. ${count} from ${name} to ${nodes[result].name}; a path contributes the product of its local derivatives.${zero || adds}`;
}

const questions = nodes.flatMap((node, leaf) => (node.op ? [] : node.live ? spots.filter((spot) => spot.leaf === leaf) : [{ leaf, name: node.name }]));
questions.forEach(({ name }, i) => $("question-why").append(element("option", name, { value: i })));
if (questions.length) {
  $("tools").hidden = false;
  const again = () => $("why").open && why();
  $("question-why").addEventListener("input", again);
  $("why").addEventListener("toggle", again);
  onChange.push(again);
  onMove.push(again);
}
