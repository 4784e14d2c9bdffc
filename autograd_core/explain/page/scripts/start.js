// Off we go, from what the address says; and it says what is changed.

const changeable = [...new Set(all("[data-leaf]").map((input) => Number(input.dataset.leaf)))];
const RESERVED = ["step", "reveal", "quiz"]; // what is no leaf's

function leavesOfAddress() {
  const before = changeable.map((i) => nodes[i].value);
  for (const i of changeable) {
    const { name, given } = nodes[i], found = RESERVED.includes(name) ? [] : (address.get(name) || "NaN").split(",").map(Number);
    if (found.length === sizeOf(given) && !found.some(Number.isNaN)) nodes[i].value = like(given, isArray(given) ? found : rounded(found[0]));
  }
  if (changeable.some((i, k) => nodes[i].value !== before[k])) recompute();
}

onChange.push(() => {
  for (const i of changeable) {
    const { name, value, given } = nodes[i];
    if (!RESERVED.includes(name)) remember(name, value === given ? null : isArray(value) ? numbers(value).join() : value);
  }
});

function arrive() {
  leavesOfAddress();
  reveal = ["step", "all"].includes(address.get("reveal")) ? address.get("reveal") : data.reveal;
  show(Number(address.get("step")) || 0);
  cover();
  if (address.has("quiz") !== quizzing) setQuiz(address.has("quiz"));
  if (!at) describe(result);
}
onAddress.push(arrive);
onMove.push(() => remember("step", at || null));
arrive();
