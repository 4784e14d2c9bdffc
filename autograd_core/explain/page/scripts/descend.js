// Descent: the chosen leaves go a step against their gradients.

let fall = [], home = null, running = null, stepping = false; // f at each step, the leaves before the first, a timer

const movable = nodes.map((node, i) => i).filter((i) => nodes[i].live), MOST = 1000;
const isWeight = (name) => /^(.*\/)?(w|b|u|v|k|theta|weight|bias|kernel|gamma|beta)(?![a-z])/i.test(name);
const anyWeight = movable.some((i) => isWeight(nodes[i].name)); // else nothing says which leaves are data
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const isScalar = sizeOf(nodes[result].value) === 1;
const valueOf = (value) => Number(flat(value)[0] ?? flat(value));

for (const i of movable) {
  const box = element("input", undefined, { type: "checkbox", value: i, "aria-label": `move ${nodes[i].name}` }), label = element("label");
  box.checked = !anyWeight || isWeight(nodes[i].name);
  label.append(box, ` ${nodes[i].name}`);
  $("movable").append(label);
}
const chosen = () => all("#movable :checked").map((box) => Number(box.value));

const isFinal = () => ![nodes[result].value, ...movable.map((i) => nodes[i].value)].every((v) => (isArray(v) ? numbers(v).every(Number.isFinite) : Number.isFinite(v)));

function descend() {
  const rate = Number($("rate").value), before = fall.length ? fall : [valueOf(nodes[result].value)];
  if (!fall.length) home = movable.map((i) => nodes[i].value);
  for (const i of chosen()) {
    const { value, gradient, given } = nodes[i], g = flat(gradient);
    nodes[i].value = like(given, isArray(value) ? numbers(value).map((x, k) => x - rate * g[k]) : rounded(value - rate * g));
  }
  stepping = true;
  recompute();
  stepping = false;
  fall = [...before, valueOf(nodes[result].value)];
  if (isFinal() || fall.length > MOST) run(false);
  showFall();
}

function showFall() {
  const n = fall.length - 1, { name } = nodes[result], [last, before] = [fall.at(-1), fall.at(-2)].map((f) => digitsOf(f ?? 0));
  let said = "";
  if (!allTold()) said = UNTOLD;
  else if (n > 0) said = `Step ${n}: ${name} = ${last}, and before it was ${before}.`;
  if (n > 0 && isFinal()) said = `Stopped at step ${n}: ${name} = ${last}, or a leaf is no number any more. A smaller rate may help.`;
  else if (n > 0 && chosen().every((i) => magnitude(nodes[i].gradient) === 0)) said += " All gradients of these leaves are 0: nothing moves.";
  if (n >= MOST) said += ` It stops after ${MOST} steps.`;
  $("descended").setAttribute("aria-live", running ? "off" : "polite");
  $("descended").textContent = said;
  $("once").disabled = $("run").disabled = !allTold() || (n > 0 && isFinal());
  $("rewind").disabled = !fall.length;
  const line = fall.map((f, i) => [i, f]);
  plot("fall", { curve: line }, line.slice(-1), `${n} step${n === 1 ? "" : "s"}`, n > 0 ? `${name} over ${n} step${n === 1 ? "" : "s"}, from ${digitsOf(fall[0])} to ${last}` : "no step was taken yet");
}

function run(on) {
  clearInterval(running);
  running = on ? setInterval(descend, calm ? 500 : 60) : null;
  $("run").textContent = on ? "Stop" : "Run";
  $("run").setAttribute("aria-pressed", on);
  if (!on) showFall();
}

if (movable.length && isScalar) {
  $("tools").hidden = $("descend").hidden = $("nudge").hidden = false;
  $("once").addEventListener("click", descend);
  $("run").addEventListener("click", () => run(!running));
  $("rewind").addEventListener("click", () => {
    movable.forEach((i, k) => (nodes[i].value = home[k]));
    run(false);
    recompute();
  });
  // What somebody else changes begins a new descent.
  onChange.push(() => {
    if (stepping) return;
    fall = [];
    run(false);
  });
  onMove.push(() => running || showFall());
  $("descend").addEventListener("toggle", () => !$("descend").open && run(false));
}
