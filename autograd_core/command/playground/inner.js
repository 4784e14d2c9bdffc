
// In the playground: everything is computed here for the first time, and told to the page around.
recompute();
function report() {
  const values = Object.fromEntries(nodes.filter((node) => !node.op).map((node) => [node.name, exact(node.value)]));
  parent.postMessage({ at, reveal, values }, "*");
}
/*at the end*/
onChange.push(report);
onMove.push(report);
