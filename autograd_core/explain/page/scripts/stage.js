// The picture of the graph: how near one looks at what of it.

const LEGIBLE = 8 / 11, LARGE = 13 / 11; // of a scale at which letters are 11 pixels high

let whole = false; // whether all of it is to be seen, however small
let view; // how it is arranged, and from where and how large it is seen

// Lay the picture out in the room that it has, and show all of it.
function fit(width = picture.clientWidth, most = parseFloat(getComputedStyle(picture).maxHeight)) {
  const size = arrange(view, width, most);
  const large = document.body.classList.contains("full") || (drawn.frames?.length && size.scale < LEGIBLE); // one looks nearer
  const height = large ? most : Math.min(most, size.height * size.scale);
  Object.assign(view, { size, width, height, home: size.scale });
  picture.style.height = `${height}px`;
  look(size.scale, 0, 0);
}

// See it at this scale, with this point in its upper left corner, or in its middle where it is smaller than its frame.
function look(scale, x, y) {
  const { size, width, height } = view;
  const within = (at, length, room) => (length <= room ? (length - room) / 2 : Math.min(Math.max(at, 0), length - room));
  view.scale = Math.min(Math.max(scale, view.home), 6 * Math.max(view.home, 1));
  view.x = within(x, size.width, width / view.scale);
  view.y = within(y, size.height, height / view.scale);
  picture.firstElementChild.setAttribute("viewBox", [view.x, view.y, width / view.scale, height / view.scale].join(" "));
  picture.classList.toggle("near", view.scale > 1.01 * view.home);
}

// Look nearer, or from further away, and keep the point at these pixels of the frame where it is.
function zoom(by, px, py) {
  const scale = Math.min(Math.max(view.scale * by, view.home), 6 * Math.max(view.home, 1));
  px ??= view.width / 2;
  py ??= view.height / 2;
  whole = scale === view.home;
  look(scale, view.x + px / view.scale - px / scale, view.y + py / view.scale - py / scale);
}

// Bring boxes into sight, and nearer where their letters are too small to be read.
function follow(boxes) {
  const found = view.columns.flatMap((c) => c.boxes).filter((box) => boxes.includes(box.part));
  if (!found.length) return;
  const rows = view.size.rows;
  const to = around(found.map((b) => ({ left: b.left + rows[b.row].x, right: b.right + rows[b.row].x, top: b.top + rows[b.row].y, bottom: b.bottom + rows[b.row].y })));
  const both = Math.min(view.width / (to.right - to.left + 24), view.height / (to.bottom - to.top + 24));
  const scale = whole || view.home >= LEGIBLE ? view.scale : Math.max(view.home, Math.min(LARGE, both));
  const room = { x: view.width / scale, y: view.height / scale };
  const inside = scale === view.scale && to.left >= view.x && to.right <= view.x + room.x && to.top >= view.y && to.bottom <= view.y + room.y;
  if (!inside) look(scale, (to.left + to.right - room.x) / 2, (to.top + to.bottom - room.y) / 2);
}

onMove.push(() => at && follow(all(".node.lit", picture)));
onDraw.push(() => {
  view = measured();
  fit();
});

// The graph and the player alone; where the browser does not give the whole screen, in the whole window.
function full(on) {
  document.body.classList.toggle("full", on);
  $("full").setAttribute("aria-pressed", on);
  if (on && !document.fullscreenElement) document.documentElement.requestFullscreen?.().catch(() => {});
  if (!on && document.fullscreenElement) document.exitFullscreen();
  fit();
}

// Go to the value or layer that is called so, or begins so, or has that in its name.
function find(name) {
  const sought = name.trim().toLowerCase(), names = [...nodes, ...graph.layers].map((part) => part.name.toLowerCase());
  const tests = [(n) => n === sought, (n) => n.startsWith(sought), (n) => n.includes(sought)];
  const i = sought ? tests.map((test) => names.findIndex(test)).find((i) => i >= 0) ?? -1 : -1;
  $("find").setCustomValidity(i < 0 && sought ? `Nothing is called ${name}` : "");
  if (!$("find").reportValidity() || i < 0) return;
  const layer = i - nodes.length;
  if (layer < 0) {
    $(`node-${drawn.nodes[i]}`).focus();
    return describe(i); // a box may be a layer, and hold others
  }
  const around = above(graph.layers[layer].parent);
  if (around.some((l) => !opened.has(l))) openOnly([...opened, ...around]);
  picture.querySelector(`[data-layer="${layer}"]`).focus();
}

function keyOfStage(key) {
  const does = {
    "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: () => ((whole = true), fit()), f: () => full(!document.body.classList.contains("full")),
    "/": () => $("find").focus(), Escape: () => document.body.classList.contains("full") && full(false),
  }[key.length === 1 ? key.toLowerCase() : key];
  does?.();
  return does;
}

// Wheel, fingers, mouse: two fingers and Ctrl + wheel zoom, as on a map; the plain wheel scrolls the page.
{
  const down = new Map();
  let moved = false;
  const place = (event) => ({ x: event.clientX - picture.getBoundingClientRect().left, y: event.clientY - picture.getBoundingClientRect().top });
  picture.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && !document.body.classList.contains("full")) return;
    event.preventDefault();
    const at = place(event);
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), at.x, at.y);
  }, { passive: false });
  picture.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    moved = false;
    down.set(event.pointerId, place(event));
  });
  picture.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId), now = place(event);
    if (!before || (!moved && Math.hypot(now.x - before.x, now.y - before.y) < 4)) return;
    moved = true;
    picture.setPointerCapture(event.pointerId);
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) zoom(Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y)), other.x, other.y);
    else look(view.scale, view.x + (before.x - now.x) / view.scale, view.y + (before.y - now.y) / view.scale);
    down.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"]) picture.addEventListener(end, (event) => down.delete(event.pointerId));
  picture.addEventListener("click", (event) => moved && event.stopPropagation(), true); // a drag is no click
  picture.addEventListener("focusin", (event) => event.target !== picture && !down.size && follow([event.target])); // nothing moves under the pointer
}

document.body.classList.add("staged");
for (const [id, key] of [["out", "-"], ["in", "+"], ["fit", "0"], ["full", "f"]]) $(id).addEventListener("click", () => keyOfStage(key));
$("find").addEventListener("keydown", (event) => event.key === "Enter" && find(event.target.value));
$("find").addEventListener("input", () => $("find").setCustomValidity(""));
addEventListener("resize", () => fit());
document.addEventListener("fullscreenchange", () => document.fullscreenElement || full(false));
// What is focused never lies beneath the graph, which stays while one scrolls.
new ResizeObserver(() => document.documentElement.style.setProperty("--stage", `${$("stage").offsetHeight}px`)).observe($("stage"));
