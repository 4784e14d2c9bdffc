// How one element came about: its formula, read from the very function that computes it.

// The expressions of a function of CALLS: of each of its results, and of what they have in common.
function expressions(f) {
  const text = String(f).replaceAll("fround", ""), names = {};
  for (const [, name, expression] of text.matchAll(/const (t\d+) = (.*?);/g)) names[name] = expression;
  const body = text.includes("return ") ? text.slice(text.lastIndexOf("return ") + 7, text.lastIndexOf(";")) : text.slice(text.indexOf("=>") + 2).trim();
  if (!body.startsWith("[")) return { results: [body], names };
  const results = [""];
  let depth = 0;
  for (const character of body.slice(1, -1)) {
    depth += "([".includes(character) - ")]".includes(character);
    if (character === "," && !depth) results.push("");
    else results[results.length - 1] += character;
  }
  return { results: results.map((r) => r.trim()), names };
}

const OPERAND = /(?<![\w.])(g|z|p|[xyw]|x\d+)(?:\[(\d+)\])?(?![\w(])/g;

// Which elements an expression is computed from, as letter and place: "x 3".
function operands(expression, names, found = new Set()) {
  for (const [, letter, k] of expression.matchAll(OPERAND)) found.add(`${letter} ${k ?? 0}`);
  for (const [name] of expression.matchAll(/\bt\d+\b/g)) if (!found.has(name)) operands(names[name], names, found.add(name));
  return found;
}

const TERMS = 8, LETTERS = 240;

// An expression with numbers in it; nothing where it is too long to be read.
function inNumbers(expression, names, value) {
  let text = expression;
  while (/\bt\d+\b/.test(text) && text.length < LETTERS) text = text.replace(/\bt\d+\b/g, (name) => names[name]);
  text = text.replace(/\(([^()]*\*[^()]*)\)/g, "$1").replace(/^\(([^()]*)\)$/, "$1").replaceAll("Math.", "");
  const terms = text.split(" + ");
  if (terms.length > TERMS && !/[()]/.test(text)) text = [...terms.slice(0, TERMS - 2), "…", terms.at(-1)].join(" + ");
  if (text.length > LETTERS) return "";
  const number = (x) => (x < 0 ? `(${digitsOf(x, 4)})` : digitsOf(x, 4));
  return text.replace(OPERAND, (_, letter, k) => number(value(letter, k))).replaceAll("*", "·");
}
