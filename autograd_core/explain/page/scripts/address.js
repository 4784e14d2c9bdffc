// What the address says behind its #, such as `step=7&reveal=all`; it is kept true, so that it can be copied as a link.

let address = new URLSearchParams(location.hash.slice(1)), writing;

// Write `name=value` into the address, and take it out for null. Browsers allow but some writes a second.
function remember(name, value) {
  if (value === null) address.delete(name);
  else address.set(name, value);
  clearTimeout(writing);
  if (location.protocol === "about:") return; // a frame in a notebook has no address of its own
  writing = setTimeout(() => history.replaceState(null, "", `#${address.toString().replace(/=(?=&|$)/g, "")}`), 400);
}

// What is done with the address, at the start and when somebody changes it.
const onAddress = [];
addEventListener("hashchange", () => {
  address = new URLSearchParams(location.hash.slice(1));
  for (const follow of onAddress) follow();
});
