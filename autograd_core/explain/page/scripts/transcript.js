// The transcript, whose two halves close: on a phone they begin closed, and the present step is always there.

for (const [kind, name] of [["forward", "Forward"], ["back", "Backward"]]) {
  const of = steps.filter((step) => (step.kind === "forward") === (kind === "forward")).length;
  const button = element("button", `${name}, ${of} step${of === 1 ? "" : "s"}`, { type: "button" });
  const open = (on) => {
    button.setAttribute("aria-expanded", on);
    $("steps").classList.toggle(`no-${kind}`, !on);
  };
  button.addEventListener("click", () => open(button.getAttribute("aria-expanded") === "false"));
  open(!matchMedia("(max-width: 55.99rem)").matches);
  $("halves").append(button);
}

$("steps").classList.toggle("long", steps.length >= 100);

$("legend").open = matchMedia("(min-width: 75rem)").matches; // there is room beside the transcript

// On paper all is told, and the graph is laid out for its width, that of A4 or Letter between margins, in pixels.
const closed = [], PAPER = [680, 640];
addEventListener("beforeprint", () => {
  closed.push(...all("#legend:not([open])"));
  for (const details of closed) details.open = true;
  fit(...PAPER);
});
addEventListener("afterprint", () => {
  for (const details of closed.splice(0)) details.open = false;
  fit();
});
