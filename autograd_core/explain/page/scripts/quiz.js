// Quiz: the reader finds the number of each step. The page marks it and, where one wrong way leads to it, says which.

// -- what was typed -----------------------------------------------------------------------------------------

// A number, half of the unit of its last digit, and how many digits it has; null where it is none. A fraction counts
// as three digits.
function typed(text) {
  const clean = text.replace(/\s/g, "").replace(/[−–]/g, "-").replace(",", ".").replace("∞", "inf").toLowerCase();
  const special = { nan: NaN, inf: Infinity, "+inf": Infinity, "-inf": -Infinity }[clean];
  if (special !== undefined) return { value: special, half: 0, digits: 3 };
  const parts = clean.split("/");
  if (parts.length > 2 || !parts.every((part) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(part))) return null;
  const [value, below = 1] = parts.map(Number);
  if (parts.length === 2) return { value: value / below, half: 5e-4 * Math.abs(value / below), digits: 3 };
  const [mantissa, exponent = 0] = clean.split("e"), decimals = (mantissa.split(".")[1] || "").length;
  return { value, half: 0.5 * 10 ** (exponent - decimals), digits: mantissa.replace(/\D/g, "").replace(/^0+/, "").length };
}

const EXACT = data.single ? 1e-5 : 1e-9;

// Whether an answer is a number: exactly, but for what is lost where so large numbers were added, or rounded to three
// digits or more.
function matches(answer, x, added = 0) {
  if (!Number.isFinite(x) || !Number.isFinite(answer.value)) return Object.is(answer.value, x);
  const off = Math.abs(answer.value - x);
  if (off <= EXACT * Math.abs(x) || off <= 1e-5 * EXACT * added) return true;
  return answer.digits > 2 && off <= answer.half * (1 + 1e-9);
}

// -- what is asked for --------------------------------------------------------------------------------------

const cells = (value) => (isArray(value) ? Array.from(numbers(value)) : [value]);
const partial = (of, by) => `∂${nodes[of].name}/∂${nodes[by].name}`;
const arrivals = (node) => steps.filter((s) => s.kind !== "forward" && s.node === node && s.total !== null);
const isLast = (step) => arrivals(step.node).at(-1) === step;

// The value that a step computes, or the gradient that is whole with it, or else what it contributes.
function wanted(step) {
  return step.kind === "forward" ? nodes[step.node].value : isLast(step) ? step.total : step.contribution;
}

function nameOf(step) {
  const whole = partial(result, step.node);
  return step.kind === "forward" ? nodes[step.node].name : isLast(step) ? whole : `contribution to ${whole}`;
}

function question() {
  const step = steps[at - 1], { name, formula } = nodes[step.node], count = arrivals(step.node).length;
  if (step.kind === "forward") return ["Forward: ", math([["mi", name], ["mo", "="], ...formula]), `. What is ${name}?`];
  const from = step.kind === "backward" ? `Backward, from ${nodes[step.out].name} to ${name}.` : `Undo broadcasting: ${name} was stretched, and its copies are one.`;
  const sum = isLast(step) && count > 1 ? ` This is the last of ${count} contributions: their sum is asked for.` : "";
  return [`${from}${sum} What is the ${isLast(step) ? `gradient ${nameOf(step)}` : nameOf(step)}?`];
}

// -- how one goes wrong -------------------------------------------------------------------------------------

// A function of numbers for each cell; null where the shapes do not fit.
function each(f, ...values) {
  const n = Math.max(...values.map((v) => v?.length));
  if (!values.every((v) => v?.length === n || v?.length === 1)) return null;
  return Array.from({ length: n }, (_, i) => f(...values.map((v) => v[v.length === 1 ? 0 : i])));
}
const times = (a, b) => each((x, y) => x * y, a, b), plus = (a, b) => each((x, y) => x + y, a, b);

// Pairs of what was done wrong and what that gives.
function wrongWays(step) {
  const ways = [], right = cells(wanted(step)), { name, value } = nodes[step.node];
  const way = (said, given) => given?.length === right.length && ways.push([said, given]);
  way("the sign is wrong", times(right, [-1]));
  if (step.kind === "forward") return ways;
  const out = nodes[step.out], brought = cells(step.contribution), upstream = cells(step.upstream);
  const before = isLast(step) ? plus(right, times(brought, [-1])) : [0];
  // A wrong contribution is given as it is, or added to what had arrived before.
  const wrong = (said, given) => (way(said, given), way(said, plus(given, before)));
  if (!isLast(step)) way("that is the sum so far, and asked for is what this step brings", step.total && cells(step.total));
  else if (arrivals(step.node).length > 1) {
    way(`that is what this step brings, and ${name} has other ways to ${nodes[result].name}: add them`, brought);
    way("that is what had arrived before: add what this step brings", before);
  }
  wrong("the sign is wrong", times(brought, [-1]));
  if (step.kind === "unbroadcast") {
    way("that is one of the copies: add up all of them", upstream.slice(0, right.length));
    way("that is the mean of the copies: add them up", times(brought, [right.length / upstream.length]));
  } else if (step.local !== null) {
    const local = cells(step.local), g = partial(result, step.out);
    wrong(`the upstream gradient, ${g}, is missing: that is the local derivative alone`, local);
    wrong(`the local derivative, ${partial(step.out, step.node)}, is missing: that is the upstream gradient as it came`, upstream);
    wrong("upstream and local are added: multiply them", plus(upstream, local));
    wrong(`the upstream gradient is multiplied by the value of ${out.name}, and not by the local derivative`, times(upstream, cells(out.value)));
    wrong(`the upstream gradient is multiplied by ${name} itself, and not by the local derivative`, times(upstream, cells(value)));
    // The chain from here to the result, as long as there is one way, without one of its links; a chain of one link is
    // the upstream gradient.
    let nearer = local, link = step;
    for (;;) {
      const next = steps.filter((s) => s.kind === "backward" && s.node === link.out);
      if (next.length !== 1 || next[0].local === null || (link === step && next[0].out === result)) break;
      [link] = next;
      wrong(`${partial(link.out, link.node)} is missing: the chain goes through ${nodes[link.out].name}, too`, times(nearer, cells(link.upstream)));
      nearer = times(nearer, cells(link.local));
    }
  } else if (CALLS[out.call]) {
    const ones = isArray(out.value) ? new Numbers(sizeOf(out.value)).fill(1) : 1;
    const alone = CALLS[out.call].d[step.position](ones, flat(out.value), ...out.parents.map((p) => (p === null ? null : flat(nodes[p].value))));
    wrong(`the upstream gradient, ${partial(result, step.out)}, is missing: that is for ones in its place`, cells(like(step.contribution, alone)));
  }
  const { shape = [] } = wanted(step), [n] = shape;
  if (shape.length === 2 && shape[1] === n) way("rows and columns are exchanged: transpose it", right.map((_, i) => right[(i % n) * n + Math.floor(i / n)]));
  return ways;
}

// What is said of a wrong answer. Where two ways lead to it both are, and where more do, none.
function reason(step, answers) {
  const right = cells(wanted(step));
  const differs = (given) => given.some((x, k) => !matches({ value: x, half: 0, digits: 0 }, right[k]));
  const fits = wrongWays(step).filter(([, given]) => differs(given) && answers.every(({ k, answer }) => matches(answer, given[k])));
  const said = [...new Set(fits.map(([text]) => text))];
  return said.length === 1 || said.length === 2 ? ` It looks as if ${said.join(", or ")}.` : "";
}

// -- the form -----------------------------------------------------------------------------------------------

const WHOLE = 24, SAMPLE = 4; // up to how many cells are all asked for, and how many of more
const firsts = new Map(); // of each step that was answered, whether it was right at once
let fields = [], built = null;

function build() {
  const step = steps[at - 1], value = wanted(step), all = cells(value), few = all.length <= WHOLE;
  const array = isArray(value), shape = !array ? [] : isWhole(value) ? value.shape : [value.rows, value.columns];
  const place = (k) => shape.map((n, i) => Math.floor(k / shape.slice(i + 1).reduce((a, b) => a * b, 1)) % n).join(", ");
  const which = few ? all.map((_, k) => k) : Array.from({ length: SAMPLE }, (_, i) => Math.floor(((i + 0.5) * all.length) / SAMPLE));
  fields = which.map((k) => {
    const label = array ? `${nameOf(step)} [${place(k)}]` : nameOf(step);
    return { k, input: element("input", undefined, { "aria-label": label, autocomplete: "off", size: all.length > 1 ? 7 : 12 }) };
  });
  const shown = fields.map(({ k, input }) => {
    const cell = element("label", few ? "" : `[${place(k)}] `);
    cell.append(input);
    return cell;
  });
  const lead = all.length > 1 && few ? [] : [element("span", array ? "" : `${nameOf(step)} =`, { "aria-hidden": true })];
  const box = $("cells");
  box.replaceChildren(...lead, ...shown);
  box.style.gridTemplateColumns = few && all.length > 1 ? `repeat(${Math.min(shape.at(-1), 8)}, max-content)` : "";
}

// The form for the present step: empty where it is asked, and with the answer where it was told.
function ask() {
  $("question").hidden = !at;
  if (!quizzing || !at) return (built = null);
  const moved = built !== at, focused = $("quiz").contains(document.activeElement);
  if (moved) {
    build();
    built = at;
    $("verdict").textContent = "";
  }
  for (const { k, input } of fields) {
    if (!asked() && !input.value) input.value = format(cells(wanted(steps[at - 1]))[k]);
    input.readOnly = !asked();
  }
  $("check").textContent = asked() ? "Check" : at < steps.length ? "Next step" : "To the first step";
  $("answer").hidden = !asked();
  if (moved && focused) fields[0]?.input.focus();
}

function settle(atOnce, verdict) {
  firsts.set(at - 1, firsts.get(at - 1) ?? atOnce);
  answered.add(at - 1);
  show(at);
  $("verdict").textContent = verdict;
  $("score").textContent = `Right at once: ${[...firsts.values()].filter(Boolean).length} of ${firsts.size}`;
}

function check() {
  const step = steps[at - 1], right = cells(wanted(step));
  const answers = fields.map(({ k, input }) => ({ k, input, answer: typed(input.value) }));
  const unread = answers.find(({ answer }) => !answer);
  if (unread) {
    $("verdict").textContent = "Type a number: 0.25, -1/3 or 1.5e-4.";
    return unread.input.focus();
  }
  const added = Math.max(...arrivals(step.node).map((s) => Math.max(...cells(s.contribution).map(Math.abs))), 0);
  const wrong = answers.filter(({ k, answer }) => !matches(answer, right[k], added));
  for (const { input } of answers) input.removeAttribute("aria-invalid");
  if (!wrong.length) return settle(true, "Right.");
  for (const { input } of wrong) input.setAttribute("aria-invalid", true);
  wrong[0].input.focus();
  const near = ({ k, answer }) => answer.digits && Number.isFinite(right[k]) && Math.abs(answer.value - right[k]) <= Math.max(answer.half, 0.01 * Math.abs(right[k]));
  const why = reason(step, answers);
  if (!why && wrong.every(near)) {
    $("verdict").textContent = "Nearly: give three digits or more, rounded.";
    return;
  }
  firsts.set(at - 1, false);
  const count = answers.length > 1 ? ` ${wrong.length} of ${answers.length} cells are wrong.` : "";
  $("verdict").textContent = `Not yet.${count}${why}`;
}

function setQuiz(on) {
  quizzing = on;
  $("quiz").open = on;
  document.body.classList.toggle("quizzing", on); // the graph makes room
  fit();
  if (on && reveal === "all") setReveal("step");
  show(on && !at ? steps.findIndex((s) => s.kind !== "forward") + 1 : at);
  cover();
  remember("quiz", on ? "" : null);
}

$("quiz").hidden = false;
$("quiz").addEventListener("toggle", () => $("quiz").open !== quizzing && setQuiz($("quiz").open));
$("question").addEventListener("submit", (event) => {
  event.preventDefault();
  if (asked()) check();
  else show(at < steps.length ? at + 1 : 1);
});
$("answer").addEventListener("click", () => settle(false, "That is the answer."));
onMove.push(ask);
onChange.push(() => ((built = null), ask()));
