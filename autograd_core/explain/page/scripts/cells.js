// The cells in which an array can be changed.

function editable(leaf) {
  const node = nodes[leaf], box = all(`[data-cells="${leaf}"]`)[0];
  box.append(grids(node.name, node.value, (td, k, place, tab) => {
    const input = element("input", undefined, { type: "text", inputmode: "decimal", "data-leaf": leaf, "data-k": k, "aria-label": `${node.name}[${place}]` });
    input.tabIndex = tab;
    input.addEventListener("input", () => typedInto(input, leaf, k));
    input.addEventListener("focus", () => input.select());
    input.addEventListener("keydown", (event) => {
      const [start, end] = [input.selectionStart, input.selectionEnd], whole = start === 0 && end === input.value.length;
      const leaves = { ArrowUp: true, ArrowDown: true, ArrowLeft: whole || end === 0, ArrowRight: whole || start === input.value.length };
      const next = leaves[event.key] && beside(td, event.key);
      if (!next) return;
      next.firstChild.focus();
      event.preventDefault();
    });
    td.append(input);
    fillLeaf(input);
  }, Infinity));
}
