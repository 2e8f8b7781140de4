// Results that change in place, and "/" for the box. Without this file every link is a page.
"use strict";

(() => {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    document.querySelector("input[type=search]")?.focus();
    event.preventDefault();
  });

  document.addEventListener("htmx:afterSettle", () => {
    // What was in focus may be gone with the old results: then the new ones' heading is.
    if (document.activeElement === document.body) document.querySelector("h1")?.focus();
    // A region that was there before is read out; one that came with the results is not.
    const count = document.querySelector(".count");
    document.getElementById("said").textContent = count ? count.textContent : "";
  });

  // A page that says what is wrong is a page too: "too broad", "too many requests".
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { status, responseText } = event.detail.xhr;
    if (status !== 503 && status !== 400 && status !== 429) return;
    // One that nginx made while the site starts is no page to put in: it is shown as it is.
    if (responseText.includes('id="page"')) event.detail.shouldSwap = true;
    else window.location.assign(event.detail.pathInfo.finalRequestPath);
  });
})();
