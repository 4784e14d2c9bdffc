// Stepping: which step is the present one, by buttons, slider and keys.

let at = 0; // 0 is before the first step
let timer = null;

// The layer whose box a step is within, which is passed in one go; in a quiz each step is a question.
const layerAt = (i) => (quizzing ? undefined : closedOf(layerOf[steps[i].out]));

// After how many steps one stops.
function stops() {
  const within = steps.map((_, i) => layerAt(i)), half = (step) => step?.kind === "forward";
  const goesOn = (i) => i + 1 < steps.length && within[i] !== undefined && within[i] === within[i + 1] && half(steps[i]) === half(steps[i + 1]);
  return [0, ...steps.map((_, i) => i + 1).filter((i) => !goesOn(i - 1))];
}
let halts;

// Which steps the present stop is about.
const present = () => steps.slice(halts[halts.indexOf(at) - 1] ?? 0, at);
const halt = (by) => halts[Math.min(Math.max(halts.indexOf(at) + by, 0), halts.length - 1)];

function show(step) {
  halts = stops();
  at = halts.find((n) => n >= Math.min(Math.max(step, 0), steps.length));
  const place = halts.indexOf(at), count = halts.length - 1;
  $("position").max = count;
  $("position").value = place;
  $("count").textContent = at ? `step ${place} of ${count}` : `${count} steps`;
  for (const lit of all(".lit")) lit.classList.remove("lit");
  for (const li of all("#steps [aria-current], #steps .run")) {
    li.removeAttribute("aria-current");
    li.classList.remove("run");
  }
  if (at) {
    $(`step-${at - 1}`).setAttribute("aria-current", "step");
    for (let i = at - present().length; i < at; i++) $(`step-${i}`).classList.add("run");
    const now = new Set(present()), computed = new Set([...now].filter((s) => s.kind === "forward").map((s) => s.node));
    for (const { node, out, kind } of now) {
      const lit = [node, out, ...(kind === "forward" ? nodes[node].parents : [])];
      for (const i of lit) if (i !== null) $(`node-${drawn.nodes[i]}`)?.classList.add("lit");
    }
    for (const [step, edge] of Object.entries(drawn.edges)) {
      if (now.has(steps[step]) || computed.has(steps[step].out)) $(`edge-${edge}`)?.classList.add("lit");
    }
  }
  for (const tell of onMove) tell();
}

function tell() {
  if (!at) return;
  const said = element("p"), layer = layerAt(at - 1);
  said.append(...(asked() ? question() : layer !== undefined ? passing(layer, at - present().length, at) : $(`step-${at - 1}`).querySelector("p").cloneNode(true).childNodes));
  if ($("say").textContent !== said.textContent) $("say").replaceChildren(...said.childNodes);
}

onMove.push(tell);
onChange.push(tell);

function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => (at < steps.length ? show(halt(1)) : play(false)), 1800) : null;
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", on);
  if (on && at === steps.length) show(0);
}

$("position").addEventListener("input", (event) => show(halts[event.target.value]));
$("first").addEventListener("click", () => show(1));
$("previous").addEventListener("click", () => show(halt(-1)));
$("play").addEventListener("click", () => play(timer === null));
$("next").addEventListener("click", () => show(halt(1)));
$("last").addEventListener("click", () => show(steps.length));
for (const button of all("[data-go]")) button.addEventListener("click", () => show(Number(button.dataset.go) + 1));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const typing = event.target.closest("input, td, textarea, select");
  const pressed = event.key === " " && event.target.closest("button, summary, [role=button]");
  const clicker = { PageDown: halt(1), PageUp: halt(-1) }; // what a presenter holds in the hand
  const moves = typing ? clicker : { ...clicker, ArrowRight: halt(1), ArrowLeft: halt(-1), Home: 1, End: steps.length };
  if (event.key in moves) show(moves[event.key]);
  else if (typing) return;
  else if (event.key === " " && !pressed) play(timer === null);
  else if (!keyOfStage(event.key)) return;
  event.preventDefault();
});

// In a frame, as in a notebook, keys arrive once the frame has the focus: it asks for it when one points at it, and says
// so where the browser does not give it.
if (window.parent !== window) {
  const asks = () => ($("first-click").hidden = document.hasFocus());
  document.addEventListener("pointerenter", () => (window.focus(), asks()));
  for (const event of ["focus", "blur"]) addEventListener(event, asks);
  asks();
}
