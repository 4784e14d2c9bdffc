// The editor, the worker in which Python runs, and the frame that shows what it answers.

const field = (id) => document.getElementById(id);
const TOLD = JSON.parse(field("told").textContent);
const known = new Map(TOLD.gallery.map((example) => [example.code, example])); // answers that were there before Python

let worker = null, ready = false, wanted = null, asked = 0; // the code that waits for its answer, and the number of the question

const say = (text) => (field("state").textContent = text);

function busy(on) {
  field("stop").disabled = !on;
  field("page").classList.toggle("old", on);
}

// The library is a script, which also a page on one's own disk may load.
let loaded = null;
const library = () =>
  (loaded ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.onload = () => done(globalThis.LIBRARY);
    script.onerror = () => fail(new Error(`${TOLD.library} is not beside this page`));
    script.src = TOLD.library;
    document.head.append(script);
  }));

// Python is fetched when there is something for it to do, or soon will be.
function begin() {
  if (worker) return;
  const source = new Blob([field("worker").textContent], { type: "text/javascript" });
  const mine = (worker = new Worker(URL.createObjectURL(source)));
  mine.onmessage = ({ data }) => mine === worker && heard(data);
  mine.onerror = (event) => mine === worker && heard({ failed: event.message ?? "the worker cannot be started" });
  library().then(
    (bytes) => mine.postMessage({ home: TOLD.home, library: bytes, answering: TOLD.answering }),
    (error) => mine === worker && heard({ failed: error.message }),
  );
}

function heard({ stage, ready: is, failed, id, answer }) {
  if (stage) return wanted !== null && say(stage);
  if (is) {
    ready = true;
    return wanted !== null && ask();
  }
  if (failed) {
    end();
    show({ html: "", printed: "", error: ready ? failed : `Python could not be started: ${failed}\nThe examples above need none of it.`, line: null });
    return say("");
  }
  if (id !== asked) return undefined;
  wanted = null;
  busy(false);
  show(answer);
  return say(answer.error ? "" : "Done.");
}

function ask() {
  say("Running …");
  worker.postMessage({ id: ++asked, code: wanted });
}

function end() {
  worker?.terminate();
  [worker, ready, wanted] = [null, false, null];
  busy(false);
}

function run() {
  const code = field("code").value;
  toAddress(code);
  if (wanted !== null) end(); // the one that still runs is of no interest any more
  const there = known.get(code.trim());
  if (there) {
    show(there);
    return say("");
  }
  wanted = code;
  busy(true);
  begin();
  return ready ? ask() : say("Python is on its way …");
}

function show({ html, printed, error, line }) {
  const frame = field("page");
  if (html || !error) frame.srcdoc = html || "<p style='font: 16px system-ui; padding: 1rem'>There is nothing to step through: let the last line be a Tensor, <code>explain(…)</code> or <code>draw(…)</code>.</p>";
  frame.classList.toggle("old", Boolean(error));
  field("printed").textContent = printed;
  field("printed").hidden = !printed;
  const told = [];
  if (error) {
    const text = document.createElement("pre");
    text.textContent = error;
    if (line) {
      const go = document.createElement("button");
      go.type = "button";
      go.textContent = `Line ${line}`;
      go.addEventListener("click", () => select(line));
      told.push(go);
    }
    told.push(text);
  }
  field("error").replaceChildren(...told);
  number(line);
}

// -- the editor ----------------------------------------------------------------------------------------------

function number(wrong = null) {
  const count = field("code").value.split("\n").length;
  field("numbers").replaceChildren(
    ...Array.from({ length: count }, (_, i) => {
      const line = document.createElement("span");
      line.textContent = i + 1;
      if (i + 1 === wrong) line.className = "wrong";
      return line;
    }).flatMap((line) => [line, "\n"]),
  );
  follow();
}

const follow = () => (field("numbers").scrollTop = field("code").scrollTop);

function select(line) {
  const lines = field("code").value.split("\n"), from = lines.slice(0, line - 1).join("\n").length + (line > 1);
  field("code").focus();
  field("code").setSelectionRange(from, from + lines[line - 1].length);
}

field("code").addEventListener("scroll", follow);
field("code").addEventListener("input", () => {
  number();
  begin();
});
field("code").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    run();
  } else if (!event.shiftKey && !event.altKey) {
    const { value, selectionStart: at } = event.target, line = value.slice(0, at).split("\n").at(-1);
    const indent = /^ */.exec(line)[0] + (line.trimEnd().endsWith(":") ? "    " : "");
    if (!indent) return;
    event.preventDefault();
    event.target.setRangeText(`\n${indent}`, at, event.target.selectionEnd, "end");
    event.target.dispatchEvent(new Event("input"));
  }
});
field("typed").addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
field("stop").addEventListener("click", () => {
  end();
  say("Stopped. The next run fetches Python again, from what the browser kept.");
  field("run").focus();
});

// -- the gallery, and the address, which holds the code: #code=… ---------------------------------------------------

TOLD.gallery.forEach(({ title }, i) => field("gallery").append(new Option(title, i)));
field("gallery").addEventListener("change", () => {
  const example = TOLD.gallery[field("gallery").value];
  if (!example) return;
  put(example.code);
  run();
});

function put(code) {
  field("code").value = code;
  field("code").scrollTop = 0;
  number();
  const place = TOLD.gallery.findIndex((example) => example.code === code.trim());
  const own = field("gallery").querySelector("[value='']");
  if (place >= 0) own?.remove();
  else if (!own) field("gallery").prepend(new Option("your own code", ""));
  field("gallery").value = place >= 0 ? place : "";
}

const toAddress = (code) => history.replaceState(null, "", `#code=${encodeURIComponent(code)}`);

field("link").addEventListener("click", async () => {
  toAddress(field("code").value);
  try {
    await navigator.clipboard.writeText(location.href);
    say("Copied: the link holds all of the code.");
  } catch {
    say("The address of this page holds all of the code: copy it.");
  }
});

// What comes with a link is shown, and runs when the reader says so.
function arrive() {
  const [, text] = /^#code=(.*)$/s.exec(location.hash) ?? [];
  let code = TOLD.gallery[0].code;
  try {
    if (text !== undefined) code = decodeURIComponent(text);
  } catch {
    say("The link is cut off: this is the first example.");
  }
  end();
  put(code);
  const there = known.get(code.trim());
  show(there ?? { html: "<p style='font: 16px system-ui; padding: 1rem'>This code came with the link. Read it, then run it.</p>", printed: "" });
}
addEventListener("hashchange", arrive);
arrive();
