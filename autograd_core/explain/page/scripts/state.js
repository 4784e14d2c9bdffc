// What the page is about, and what its scripts share. The page is complete without them: they add stepping, the card of a
// value, and recomputing.

const data = JSON.parse(document.getElementById("data").textContent);
const { nodes, steps, result } = data;
const $ = (id) => document.getElementById(id);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// What is called after every number was computed again, and after the present step has moved.
const onChange = [], onMove = [];

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text; // never as markup: names are the user's
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// A formula: rows of elements, each its tag and its content, as Python writes them for the transcript.
function math(row, tag = "math") {
  const made = document.createElementNS("http://www.w3.org/1998/Math/MathML", tag);
  for (const part of row) {
    if (Array.isArray(part)) made.append(math(part.slice(1), part[0]));
    else if (typeof part === "string") made.append(part);
    else for (const [name, value] of Object.entries(part)) made.setAttribute(name, value);
  }
  return made;
}
