// Leaves that can be changed.

function change(leaf, text) {
  const x = Number(text);
  if (text === "" || Number.isNaN(x)) return;
  nodes[leaf].value = rounded(x);
  recompute();
}

if (data.live) {
  for (const input of all("[data-leaf]")) input.addEventListener("input", () => change(input.dataset.leaf, input.value));
  $("reset").hidden = false;
  $("reset").addEventListener("click", () => {
    for (const node of nodes) node.value = node.given;
    recompute();
  });
}
