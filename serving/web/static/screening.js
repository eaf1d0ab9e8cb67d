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

  // Told once to those who hear the page; the bar and the count below it move on silently.
  const say = (element, what, done, total) => {
    const box = of(element, ".progress");
    if (!box) return;
    const said = box.querySelector("[role=status]"), bar = box.querySelector("progress");
    const words = what ? said.dataset[what] : "", counted = box.querySelector(".counted");
    box.hidden = !what;
    if (said.textContent !== words) said.textContent = words;
    if (total) bar.value = done / total; else bar.removeAttribute("value");
    const count = what === "working" && total;
    counted.textContent = count ? counted.dataset.words.replace("{done}", done).replace("{total}", total) : "";
  };

  // The page of a list begins with comments that say how far it is: <!-- 4300/10000 -->
  const FRONT = 16384;
  const share = text => [...text.slice(0, FRONT).matchAll(/<!-- (\d+)\/(\d+) -->/g)].pop();

  document.addEventListener("htmx:beforeSend", event => {
    const { elt, xhr } = event.detail;
    say(elt, "working");
    xhr.upload.addEventListener("progress", ({ loaded, total }) => {
      if (loaded < total) say(elt, "sending", loaded, total); else say(elt, "working");
    });
    xhr.addEventListener("progress", () => {
      const found = share(xhr.responseText);
      if (found) say(elt, "working", +found[1], +found[2]);
    });
  });
  document.addEventListener("htmx:afterRequest", event => say(event.target, ""));

  // After a page was changed the keyboard goes on where it was, or at the head of what is new.
  document.addEventListener("htmx:afterSettle", () => {
    if (document.activeElement !== document.body) return;
    (document.querySelector("#problems, #people") || document.getElementById("main"))?.focus();
  });
})();
