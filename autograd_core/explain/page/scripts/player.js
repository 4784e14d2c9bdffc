// Stepping: which step is the present one, by buttons, slider and keys.

let at = 0; // 0 is before the first step
let timer = null;

function show(step) {
  at = Math.min(Math.max(step, 0), steps.length);
  $("position").value = at;
  $("count").textContent = at ? `step ${at} of ${steps.length}` : `${steps.length} steps`;
  for (const lit of all(".lit")) lit.classList.remove("lit");
  for (const li of all("#steps [aria-current]")) li.removeAttribute("aria-current");
  if (at) {
    const li = $(`step-${at - 1}`), now = steps[at - 1];
    li.setAttribute("aria-current", "step");
    data.pictures.forEach((picture, p) => {
      const lit = [now.node, now.out, ...(now.kind === "forward" ? nodes[now.node].parents : [])];
      for (const i of lit) if (i !== null) $(`picture-${p}-node-${picture.nodes[i]}`)?.classList.add("lit");
      for (const [step, edge] of Object.entries(picture.edges)) {
        const into = now.kind === "forward" ? steps[step].out === now.node : Number(step) === at - 1;
        if (into) $(`picture-${p}-edge-${edge}`)?.classList.add("lit");
      }
    });
  }
  for (const tell of onMove) tell();
}

function tell() {
  if (!at) return;
  const said = element("p");
  said.append(...(asked() ? question() : $(`step-${at - 1}`).querySelector("p").cloneNode(true).childNodes));
  if ($("say").textContent !== said.textContent) $("say").replaceChildren(...said.childNodes);
}

onMove.push(tell);
onChange.push(tell);

function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => (at < steps.length ? show(at + 1) : play(false)), 1800) : null;
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", on);
  if (on && at === steps.length) show(0);
}

$("position").max = steps.length;
$("position").addEventListener("input", (event) => show(Number(event.target.value)));
$("first").addEventListener("click", () => show(1));
$("previous").addEventListener("click", () => show(at - 1));
$("play").addEventListener("click", () => play(timer === null));
$("next").addEventListener("click", () => show(at + 1));
$("last").addEventListener("click", () => show(steps.length));
for (const button of all("[data-go]")) button.addEventListener("click", () => show(Number(button.dataset.go) + 1));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const typing = event.target.closest("input, td, textarea, select");
  const pressed = event.key === " " && event.target.closest("button, summary, [role=button]");
  const clicker = { PageDown: at + 1, PageUp: at - 1 }; // what a presenter holds in the hand
  const moves = typing ? clicker : { ...clicker, ArrowRight: at + 1, ArrowLeft: at - 1, Home: 1, End: steps.length };
  if (event.key in moves) show(moves[event.key]);
  else if (typing) return;
  else if (event.key === " " && !pressed) play(timer === null);
  else if (!pictures.length || !keyOfStage(event.key)) return;
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
