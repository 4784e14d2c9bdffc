// What keyboards and screen readers need, and the theme leaves out.
document.addEventListener("DOMContentLoaded", () => {
  for (const caption of document.querySelectorAll('p.caption[role="heading"]')) caption.setAttribute("aria-level", "2");
  for (const box of document.querySelectorAll("pre, .table-wrapper")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; // so that the arrow keys scroll it
  }
  // Lessons run at an address of http only: from a folder their links lead to how to get one.
  for (const link of location.protocol === "file:" ? document.querySelectorAll('a[href*="lite/"]') : []) {
    link.href = `${document.documentElement.dataset.content_root}lessons/run_them.html#in-your-browser`;
  }
});
