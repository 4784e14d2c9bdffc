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
