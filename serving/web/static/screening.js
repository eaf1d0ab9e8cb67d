// The list page works without this file; it takes a dropped file, tells how far it is, and keeps the place.
"use strict";
(() => {
  const of = (element, selector) => element.closest("form")?.querySelector(selector);

  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, event => {
      const zone = document.getElementById("drop");
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragover");
      if (kind !== "drop" || !event.dataTransfer.files.length) return;
      document.getElementById("file").files = event.dataTransfer.files;
      document.getElementById("file").focus();
    });
  }

  const say = (element, what, share) => {
    const box = of(element, ".progress");
    if (!box) return;
    const said = box.querySelector("[role=status]"), bar = box.querySelector("progress");
    box.hidden = !what;
    said.textContent = what ? said.dataset[what] : "";
    if (share === undefined) bar.removeAttribute("value"); else bar.value = share;
  };

  document.addEventListener("htmx:beforeRequest", event => say(event.target, "working"));
  document.addEventListener("htmx:xhr:progress", event => {
    const { loaded, total } = event.detail;
    if (total && loaded < total) say(event.target, "sending", loaded / total);
    else say(event.target, "working");
  });
  document.addEventListener("htmx:afterRequest", event => say(event.target, ""));

  // After a page was changed the keyboard goes on where it was, or at the head of what is new.
  document.addEventListener("htmx:afterSettle", () => {
    if (document.activeElement !== document.body) return;
    (document.querySelector("#problems, #people") || document.getElementById("main"))?.focus();
  });
})();
