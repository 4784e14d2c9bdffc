// Predict, then step: what comes later is hidden until its step, or until everything is asked for.

let reveal = data.reveal; // "step" or "all"
let quizzing = false;
const answered = new Set(); // steps whose number the reader has found in the quiz, or was shown
const asked = () => quizzing && at > 0 && !answered.has(at - 1) && wanted(steps[at - 1]) !== undefined; // not what is frozen

// How many steps have told what they do.
const told = () => (reveal === "all" ? Infinity : asked() ? at - 1 : at);

// The step from which on the value and the gradient of a node are known: its own, and the last that hands it something.
const since = { v: nodes.map(() => 0), g: nodes.map(() => 0) };
steps.forEach((step, i) => {
  if (step.kind === "forward") since.v[step.node] = i + 1;
  else if (step.total !== null) since.g[step.node] = i + 1;
});
since.g[result] = since.v[result]; // the walk back starts from it
since.m = since.g;

// Whether the number with this key (they are explained in write.js) comes later.
function later(key) {
  const index = Number(key.slice(1));
  return (key[0] in since ? since[key[0]][index] : index + 1) > told();
}

const transcript = all("#steps > li");

function cover() {
  figures();
  transcript.forEach((li, i) => li.classList.toggle("later", i >= told()));
  // A box may hold many values, and a line stand for many steps: it has its colour when all of them are known.
  const parts = {};
  const count = (part, hidden) => (parts[part] = parts[part] || hidden);
  nodes.forEach((_, i) => count(`node-${drawn.nodes[i]}`, later(`g${i}`)));
  for (const [step, edge] of Object.entries(drawn.edges)) count(`edge-${edge}`, later(`c${step}`));
  for (const [part, hidden] of Object.entries(parts)) $(part)?.classList.toggle("later", hidden);
  $("reveal").textContent = reveal === "all" ? "Hide what comes later" : "Show all numbers";
}

onMove.push(() => reveal === "step" && cover());

function setReveal(mode) {
  reveal = mode;
  if (mode === "all" && quizzing) setQuiz(false); // who sees all has nothing to find
  show(at);
  cover();
}

$("reveal").addEventListener("click", () => {
  setReveal(reveal === "all" ? "step" : "all");
  remember("reveal", reveal === data.reveal ? null : reveal);
});
