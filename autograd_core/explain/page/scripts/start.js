// Off we go, from what the address says; and it says what is changed.

// Leaves, by the names under which the address has them; those that are called as these are not in it.
const changeable = nodes.filter((node) => node.live && !data.reserved.includes(node.name));

function leavesOfAddress() {
  let moved = false;
  for (const node of changeable.filter(({ name }) => address.has(name))) {
    const found = address.get(node.name).replace(/[\[\]\s]/g, "").split(",");
    if (found.length !== sizeOf(node.value) || !found.every(isNumber)) continue;
    node.value = like(node.given, isArray(node.given) ? found.map(Number) : rounded(Number(found[0])));
    moved = true;
  }
  if (moved) recompute();
}

onChange.push(() => {
  for (const { name, value, given } of changeable) remember(name, same(value, given) ? null : isArray(value) ? Array.from(numbers(value), exact).join() : exact(value));
});

function arrive() {
  opened.clear();
  for (const layer of address.get("open")?.split(".") ?? []) if (layer in graph.layers) opened.add(Number(layer));
  leavesOfAddress();
  reveal = ["step", "all"].includes(address.get("reveal")) ? address.get("reveal") : data.reveal;
  at = Number(address.get("step")) || 0;
  redraw();
  if (address.has("quiz") !== quizzing) setQuiz(address.has("quiz"));
  if (!at) describe(result);
}
onDraw.push(strengths, () => show(at), cover);
if (typeof drawThumbs === "function") onDraw.push(drawThumbs);
onAddress.push(arrive);
onMove.push(() => remember("step", at || null));
arrive();
