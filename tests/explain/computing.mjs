// The scripts of a page that compute, without a page: one line of standard input is a page and what is changed in it, and
// the answer every number then. Numbers come and go as text, since JSON has no NaN.
import { createInterface } from "node:readline";

for await (const line of createInterface({ input: process.stdin })) {
  const { data, program, script, changes } = JSON.parse(line);
  const text = `"use strict"; const CALLS = ${program};\n${script}
  for (const [leaf, elements] of changes) {
    nodes[leaf].value = like(nodes[leaf].given, isArray(nodes[leaf].given) ? elements.map(Number) : rounded(Number(elements[0])));
  }
  recompute();
  const told = (value) => value === undefined ? "frozen" : value === null ? null : Array.from(isArray(value) ? numbers(value) : [value], String);
  return {
    values: nodes.map((n) => told(n.value)), gradients: nodes.map((n) => told(n.gradient)),
    steps: steps.map((s) => TOLD.map((k) => k in s ? told(s[k]) : null)), texts: nodes.map((n) => [format(n.value), brief(n.value), format(n.gradient)]),
  };`;
  try {
    const page = { getElementById: () => ({ textContent: JSON.stringify(data) }) };
    console.log(JSON.stringify(new Function("document", "changes", text)(page, changes)));
  } catch (error) {
    console.log(JSON.stringify({ error: error.stack }));
  }
}
