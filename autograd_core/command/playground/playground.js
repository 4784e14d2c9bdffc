// What is typed, and the address, which holds it: #f=(x+y)*z&x=-2&y=5&z=-4&step=3

const field = (id) => document.getElementById(id);
const KEPT = ["step", "reveal"]; // what the address holds beside the expression and its values
let now = null; // what the frame shows: { source, given, made, state }

// As it is read again: the numbers that JavaScript writes as NaN and Infinity have other names in the grammar.
const writtenNumber = (x) => (Array.isArray(x) ? `[${x.map(writtenNumber)}]` : Number.isFinite(x) ? exact(x) : digitsOf(x));
const written = ([name, { value, data }]) => `${name}${data ? ":=" : "="}${writtenNumber(value)}`;
const readable = (text) => encodeURIComponent(text).replace(/%(2B|2C|2F|3A|3D|40|5B|5D)/g, decodeURIComponent);

// The expression comes first, then the leaves, then the state: each may be called as what comes later.
function fromAddress() {
  const found = { f: "", given: [], state: {} }, leaves = new Set(), names = new RegExp(GRAMMAR.tokens.name, "g");
  for (const part of location.hash.slice(1).split("&").filter(Boolean)) {
    const [, name, sign, text] = /^([^:=]*)(:?=?)(.*)$/s.exec(decoded(part));
    if (name === "f" && !found.f) found.f = text;
    else if (KEPT.includes(name) && (leaves.has(name) || !found.f.match(names)?.includes(name))) found.state[name] = text;
    else {
      leaves.add(name);
      found.given.push(`${name}${sign}${text}`);
    }
  }
  return found;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a % that was typed by hand
  }
}

let writing;
function toAddress() {
  const { source, given, state } = now;
  const parts = [`f=${readable(source)}`, ...[...given].map((entry) => readable(written(entry)))];
  for (const name of KEPT) if (state[name]) parts.push(`${name}=${readable(String(state[name]))}`);
  clearTimeout(writing); // browsers allow but some writes a second
  writing = setTimeout(() => history.replaceState(null, "", `#${parts.join("&")}`), 300);
}

// Compute what is typed, and show its page; `state` is where to begin.
function show(state = {}) {
  const source = field("expression").value;
  let given;
  try {
    given = parsedValues();
    if (!given) return;
    const made = pageOf(parse(source), given, `f = ${source}`);
    for (const value of made.values) {
      if (!value.op && !given.has(value.node.name)) given.set(value.node.name, { value: value.number, data: false });
    }
    now = { source, given, made, state };
    say(unused(given, source));
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    say(pointed(error, source), true);
    return;
  }
  if (document.activeElement !== field("given")) field("given").value = [...given].map(written).join(" ");
  const frame = field("page"), address = new URLSearchParams(state).toString();
  frame.srcdoc = now.made.html.replace("/*at the end*/", `address = new URLSearchParams(${JSON.stringify(address)}); arrive();`);
  toAddress();
}

function parsedValues() {
  const texts = field("given").value.trim().split(/\s+(?=[^\s:=]+\s*:?=)/).filter(Boolean);
  for (const text of texts) {
    try {
      parseGiven([text]);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      say(pointed(error, text), true);
      return null;
    }
  }
  return parseGiven(texts);
}

function unused(given, source) {
  const mentioned = new Set(parse(source).filter((i) => i.do === "name").map((i) => i.value));
  const names = [...given.keys()].filter((name) => !mentioned.has(name));
  return names.length ? filled("unused", { names: names.join(" and "), result: given.has("f") ? "the result" : "f" }) : "";
}

function pointed({ message, column }, source) {
  return source ? `${message}\n  ${source}\n  ${" ".repeat([...source.slice(0, column)].length)}^` : message;
}

function say(text, wrong = false) {
  field("error").textContent = text;
  field("error").classList.toggle("wrong", wrong);
}

// The page in the frame tells where it is, and what its leaves are. Where what was decided by them, as in where(x > 0, …),
// has changed, the page is made again.
addEventListener("message", ({ source, data }) => {
  if (source !== field("page").contentWindow || !now) return;
  for (const [name, value] of Object.entries(data.values)) {
    if (now.given.has(name)) now.given.get(name).value = Number(value);
  }
  now.state = { ...(data.at ? { step: data.at } : {}), ...(data.reveal === TEMPLATES.page.data.reveal ? {} : { reveal: data.reveal }) };
  if (document.activeElement !== field("given")) field("given").value = [...now.given].map(written).join(" ");
  toAddress();
  const again = decisions(ordered(compute(parse(now.source), now.given)));
  if (again.some((x, i) => !Object.is(x, now.made.decided[i]))) show(now.state);
});

let waiting;
for (const id of ["expression", "given"]) {
  field(id).addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 350);
  });
}
field("typed").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  show();
  field("page").focus(); // so that the arrow keys step
});

GALLERY.forEach(({ title }, i) => {
  const option = document.createElement("option");
  option.value = i;
  option.textContent = title;
  field("gallery").append(option);
});
field("gallery").addEventListener("change", () => {
  const chosen = GALLERY[field("gallery").value];
  if (chosen) arrive({ f: chosen.f, given: chosen.given.split(" "), state: {} });
});

function arrive({ f, given, state }) {
  if (!f) [f, given] = [GALLERY[0].f, GALLERY[0].given.split(" ")];
  field("expression").value = f;
  field("given").value = given.join(" ");
  show(state);
}
addEventListener("hashchange", () => arrive(fromAddress()));
arrive(fromAddress());
