// Computing everything again. CALLS holds the ops and rules of this graph, written by Python from those that ran.

const Numbers = data.single ? Float32Array : Float64Array;
const rounded = (x) => (data.single ? Math.fround(x) : x);

// The elements of an array in a row; of those that are large the page holds a corner.
function numbers(array) {
  if (!array.numbers) {
    const bytes = Uint8Array.from(atob(array.data), (c) => c.charCodeAt(0)).buffer;
    array.numbers = array.kind === "f4" ? new Float32Array(bytes) : new Float64Array(bytes);
  }
  return array.numbers;
}

// From here on the value of a node is a number or an array, {shape, numbers}, and so is all that a step tells.
const TOLD = ["upstream", "local", "contribution", "total"];
const read = (value) => (isArray(value) ? data.arrays[value.array] : value === null ? null : Number(value));
const seed = read(data.seed);
for (const node of nodes) {
  node.value = node.given = read(node.value);
  node.gradient = read(node.gradient);
  // What a value is computed from, and what was compared to choose it.
  const from = [...(node.parents || []), ...Object.values(node.asks || {}).flatMap(([, operands]) => operands)];
  node.moves = node.live || from.some((p) => p !== null && nodes[p].moves);
}
for (const step of steps) {
  step.given = {};
  for (const told of TOLD) if (told in step) step[told] = step.given[told] = read(step[told]);
}

const flat = (value) => (isArray(value) ? numbers(value) : value);
const like = (given, found) => (isArray(given) ? { shape: given.shape, grid: given.grid, numbers: Numbers.from(found) } : Number(found));
const joined = (a, b) => (a === undefined || b === undefined ? undefined : like(a, isArray(a) ? numbers(a).map((x, i) => x + numbers(b)[i]) : rounded(a + b)));
const same = (a, b) => a !== undefined && sizeOf(a) === sizeOf(b) && (isArray(a) ? numbers(a).every((x, i) => Object.is(x, numbers(b)[i])) : Object.is(a, b));

function inputs(node, values) {
  const given = (p) => (p === null ? null : flat(values[p]));
  return node.parents.map((p, k) => {
    const [call, operands] = node.asks?.[k] || [];
    return call === undefined ? given(p) : CALLS[call].f(...operands.map(given));
  });
}

// The values of all nodes that follow from those of the leaves among ``values``.
function forwards(values) {
  nodes.forEach((node, i) => node.op && node.moves && (values[i] = like(node.given, CALLS[node.call].f(...inputs(node, values)))));
  return values;
}

function recompute() {
  const values = forwards(nodes.map((node) => node.value));
  nodes.forEach((node, i) => ([node.value, node.gradient] = [values[i], null]));
  nodes[result].gradient = seed;
  let before = null;
  for (const step of steps) {
    if (step.kind === "forward") continue;
    const out = nodes[step.out], receiver = nodes[step.node], call = CALLS[out.call], { given } = step;
    step.upstream = step.kind === "unbroadcast" ? before.contribution : out.gradient;
    if (!call || step.upstream === undefined) {
      const still = same(step.upstream, given.upstream);
      for (const told of ["local", "contribution"]) step[told] = still ? given[told] : undefined;
    } else if (step.kind === "unbroadcast") {
      step.contribution = like(given.contribution, call.u[step.position](flat(step.upstream)));
    } else {
      const rule = (g) => call.d[step.position](g, flat(out.value), ...inputs(out, values));
      const ones = isArray(out.value) ? new Numbers(sizeOf(out.value)).fill(1) : 1;
      if (given.local !== null) step.local = like(given.local, rule(ones));
      step.contribution = like(given.contribution, rule(flat(step.upstream)));
    }
    if (given.total !== null) {
      step.total = receiver.gradient = receiver.gradient === null ? step.contribution : joined(receiver.gradient, step.contribution);
    }
    before = step;
  }
  for (const tell of onChange) tell();
}

// The value of a leaf with one number in it changed; ``k`` says which one of an array.
function changed(leaf, k, x) {
  const { value, given } = nodes[leaf];
  return like(given, isArray(value) ? numbers(value).map((old, i) => (i === k ? x : old)) : rounded(x));
}

function change(leaf, x, k) {
  nodes[leaf].value = changed(leaf, k, x);
  recompute();
}

// The same for the result alone, and nothing on the page changes.
const resultWith = (leaf, k, x) => forwards(nodes.map((node, i) => (i === leaf ? changed(leaf, k, x) : node.value)))[result];
