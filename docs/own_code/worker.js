// Python, in a worker of its own: a loop without end is ended with it.
let answer;
const tell = (stage) => postMessage({ stage });

async function begin({ home, library, answering }) {
  tell("Fetching Python, some 15 MB, which the browser keeps …");
  const { loadPyodide } = await import(`${home}pyodide.mjs`);
  const python = await loadPyodide({ indexURL: home });
  tell("Fetching NumPy …");
  await python.loadPackage("numpy", { messageCallback: () => {} });
  for (const name of ["rich", "threadpoolctl"]) await python.loadPackage(name, { messageCallback: () => {}, errorCallback: () => {} }).catch(() => {}); // tables, and threads, which there are none of
  const bytes = Uint8Array.from(atob(library), (letter) => letter.charCodeAt(0));
  python.unpackArchive(bytes, "zip", { extractDir: "/library" });
  python.runPython("import sys; sys.path.insert(0, '/library')");
  python.runPython(answering);
  answer = python.runPython("import json; lambda code: json.dumps(answer(code), allow_nan=False)");
}

onmessage = async ({ data: { id, code, ...told } }) => {
  try {
    if (told.home) await begin(told);
    else postMessage({ id, answer: JSON.parse(answer(code)) });
    if (told.home) postMessage({ ready: true });
  } catch (error) {
    postMessage({ id, failed: String(error.message ?? error).trim().split("\n").at(-1) });
  }
};
