// The picture of the graph: which of its layers are open, and what of it is seen.

// Scroll the picture, and never the page, to what is lit.
function follow(picture) {
  const lit = all(".node.lit", picture).map((node) => node.getBoundingClientRect());
  if (!lit.length || picture.hidden) return;
  const frame = picture.getBoundingClientRect();
  const middle = (a, b) => (Math.min(...lit.map((r) => r[a])) + Math.max(...lit.map((r) => r[b]))) / 2;
  picture.scrollLeft += middle("left", "right") - (frame.left + frame.right) / 2;
  picture.scrollTop += middle("top", "bottom") - (frame.top + frame.bottom) / 2;
}

onMove.push(() => at && pictures.forEach(follow));

const pictures = all(".picture");
const seen = () => pictures.find((picture) => !picture.hidden);
const openIn = (picture) => (picture.dataset.open ? picture.dataset.open.split(" ") : []);

// Show the picture in which exactly these layers are open; where there is none, that of ``otherwise``.
function choose(layers, otherwise) {
  const wanted = [...layers].sort((a, b) => a - b).join(" ");
  const chosen = pictures.find((p) => p.dataset.open === wanted) || pictures.find((p) => p.dataset.open === otherwise);
  if (!chosen) return;
  for (const picture of pictures) picture.hidden = picture !== chosen;
  follow(chosen);
  buttons();
}

function toggle(layer, byKey) {
  const now = openIn(seen()), closes = now.includes(layer);
  choose(closes ? now.filter((l) => l !== layer) : [...now, layer], closes ? "" : layer);
  if (byKey) all(`[data-layer="${layer}"]`, seen())[0]?.focus(); // the one that was pressed is in a hidden picture now
}

function buttons() {
  const most = Math.max(...pictures.map((p) => openIn(p).length), 0), picture = seen();
  $("fold").hidden = most === 0;
  $("fold").textContent = openIn(picture).length < most ? "Open all layers" : "Close all layers";
  $("fit").hidden = !picture.classList.contains("whole") && picture.scrollWidth <= picture.clientWidth;
}

if (pictures.length) {
  for (const layer of all("[data-layer]")) {
    layer.addEventListener("click", () => toggle(layer.dataset.layer));
    layer.addEventListener("keydown", (event) => event.key === "Enter" && toggle(layer.dataset.layer, true));
  }
  $("fold").addEventListener("click", () => {
    const most = pictures.reduce((a, b) => (openIn(b).length > openIn(a).length ? b : a));
    choose(openIn(seen()).length < openIn(most).length ? openIn(most) : []);
  });
  $("fit").addEventListener("click", () => {
    const whole = pictures.map((picture) => picture.classList.toggle("whole"))[0];
    $("fit").setAttribute("aria-pressed", whole);
    follow(seen());
  });
  addEventListener("resize", buttons);
  buttons();
}
