// Computing everything again. CALLS holds the ops and rules of this graph, written by Python from those that ran.

const single = (value) => (value === null || typeof value === "object" ? value : Number(value));
for (const node of nodes) {
  node.value = single(node.value);
  node.gradient = single(node.gradient);
  node.given = node.value;
}

const rounded = (x) => (data.single ? Math.fround(x) : x);

function recompute() {
  const inputs = nodes.map((node) => () => node.parents.map((p, i) => (p === null ? Number(node.constants[i]) : nodes[p].value)));
  nodes.forEach((node, i) => {
    node.gradient = null;
    if (node.call !== null && node.call !== undefined) node.value = Number(CALLS[node.call].f(...inputs[i]()));
  });
  nodes[result].gradient = Number(data.seed);
  for (const step of steps) {
    if (step.kind === "forward") continue;
    const out = nodes[step.out], receiver = nodes[step.node];
    const rule = CALLS[out.call].d[step.position], args = inputs[step.out]();
    step.upstream = out.gradient;
    step.local = step.local === null ? null : Number(rule(1, out.value, ...args));
    step.contribution = Number(rule(out.gradient, out.value, ...args));
    receiver.gradient = receiver.gradient === null ? step.contribution : rounded(receiver.gradient + step.contribution);
    step.total = receiver.gradient;
  }
  for (const tell of onChange) tell();
}
