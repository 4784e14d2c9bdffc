// The tables of a card. Without arrays there are none, and the page leaves this out.

// The arrays of a step, or of a value, by their keys, each a function that makes its table: what went in, and what came
// out, of which each element shows its formula.
function tables(i, step) {
  const made = new Map();
  const node = nodes[i], nth = steps.indexOf(step), back = step && step.kind !== "forward", undo = back && step.kind === "unbroadcast";
  const out = back ? nodes[step.out] : node, call = CALLS[out.call];
  const f = call && (undo ? call.u[step.position] : back ? call.d[step.position] : call.f);
  const given = {}; // the keys of what goes in, by the letters of formulas
  const inputs = (from, to) => !undo && out.parents?.forEach((p, k) => p !== null && k >= from && k < to && (given[out.letters?.[k] ?? k] = `v${p}`));
  inputs(0, back ? step.position : Infinity);
  if (back) given[undo ? "p" : "g"] = `u${nth}`;
  inputs(step?.position, Infinity);
  if (back && !undo) given.z = `v${step.out}`;
  const heat = (key, ...more) => {
    const value = lookUp(key), index = Number(key.slice(1));
    if (!isArray(value) || later(key) || made.has(key)) return;
    const title = key[0] === "v" ? `value of ${nodes[index].name}` : key[0] === "g" ? `gradient of ${nodes[index].name}` : `${KEYS[key[0]]} of step ${index + 1}`;
    made.set(key, () => heatmap(title, value, ...more));
  };
  const { results = [], names = {} } = f ? expressions(f) : {}, written = element("output", "", { class: "written" });
  const used = new Set([...results, ...Object.values(names), f ? "" : "g p"].flatMap((e) => [...e.matchAll(OPERAND)].map((m) => m[1])));
  for (const [letter, key] of Object.entries(given)) if (used.has(letter)) heat(key, letter);
  const came = back ? `c${nth}` : `v${i}`;
  const point = (k) => {
    const uses = operands(results[k], names);
    for (const td of all(".heat td[data-k]", $("card"))) {
      td.classList.toggle("used", uses.has(`${td.closest(".heat").dataset.letter} ${td.dataset.k}`));
    }
    const asked = inputs(out, nodes.map((n) => n.value)); // the answers of comparisons, which are no values
    const value = (letter, at) => {
      const array = letter in given ? flat(lookUp(given[letter])) : asked[out.letters.indexOf(letter)];
      return Number(at === undefined ? array : array[at]);
    };
    const text = inNumbers(results[k], names, value);
    written.textContent = text && `${text} = ${digitsOf(numbers(lookUp(came))[k])}`;
  };
  if (back) heat(`l${nth}`);
  heat(came, "", f && lookUp(came) !== undefined ? point : undefined);
  if (f && made.has(came)) made.set("written", () => written);
  heat(`v${i}`);
  if (node.gradient !== lookUp(came)) heat(`g${i}`);
  return made;
}
