// The page works without this file: it takes a copied block of a spreadsheet into the grid, keeps
// still under a button that is being pressed, takes a double click for one, leads the eye to an
// answer that came without a new page, and says when none came.
"use strict";
(() => {
  const inputs = row => [...row.querySelectorAll("input")];
  const grid = () => [...document.querySelectorAll("table.grid tr")].map(inputs).filter(row => row.length);
  const cells = text => text.replace(/\r/g, "").replace(/\n+$/, "").split("\n").map(line => line.split("\t"));
  const changed = field => field.dispatchEvent(new Event("change", { bubbles: true }));
  const later = (last, visits) => {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = last.name.replace(/\d+/, place => +place + visits);
    return last.form.appendChild(field);
  };

  document.addEventListener("paste", event => {
    const rows = grid();
    const top = rows.findIndex(row => row.includes(event.target));
    const text = event.clipboardData.getData("text/plain");
    if (top < 0 || !/[\t\n]/.test(text.trim())) return;
    const left = rows[top].indexOf(event.target);
    event.preventDefault();
    let more = false;
    cells(text).slice(0, rows.length - top).forEach((line, down) => {
      const row = rows[top + down];
      const taken = line.map((cell, across) => {
        let field = row[left + across];
        if (!field && cell.trim()) { more = true; field = later(row[row.length - 1], left + across - row.length + 1); }
        return [field, cell.trim()];
      }).filter(([field]) => field);
      taken.forEach(([field, cell]) => { field.value = cell; });
      taken[0][0].closest("details")?.setAttribute("open", "");
      taken.filter(([field], i) => !i || field.hasAttribute("hx-post")).forEach(([field]) => changed(field));
    });
    // Visits that have no column yet get theirs from the server, which is told them with the others.
    if (more) document.getElementById("add").click();
  });

  // A press on a button leaves the field before it, and what is then said beside that field would
  // push the button away before it is let go: a click that nobody gets. It is said afterwards.
  let pressed = false;
  const held = [];
  const released = () => {
    pressed = false;
    setTimeout(() => held.splice(0).forEach(({ target, serverResponse }) => { target.innerHTML = serverResponse; }));
  };
  document.addEventListener("pointerdown", () => { pressed = true; }, true);
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, released, true);
  document.addEventListener("htmx:beforeSwap", event => {
    if (!pressed || !event.detail.shouldSwap || event.detail.target.id === "main") return;
    event.detail.shouldSwap = false;
    held.push(event.detail);
  });

  // The second click of a double click would press what has come under the pointer meanwhile, or ask
  // for the same again. Buttons that are pressed again and again on purpose say so.
  document.addEventListener("click", event => {
    if (event.detail < 2 || !event.target.closest("button:not([data-again])")) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  // A page of this server is shown whatever its status says; a gateway's or a network's own page
  // never takes the place of what was typed.
  document.addEventListener("htmx:beforeSwap", event => {
    const { detail } = event;
    if (detail.target.id !== "main") return;
    detail.shouldSwap = detail.xhr.responseText.includes('<main id="main"');
    detail.isError = !detail.shouldSwap;
  }, true);

  const ready = () => document.querySelectorAll("button.print[hidden]").forEach(button => { button.hidden = false; });
  const notices = ["trouble", "signed-out"].map(id => document.getElementById(id));
  const tell = chosen => notices.forEach(notice => { notice.hidden = notice.id !== chosen; });

  document.addEventListener("click", event => { if (event.target.matches("button.print")) window.print(); });
  document.addEventListener("htmx:afterSettle", event => {
    ready();
    if (event.target.id !== "main") return;
    const told = document.querySelector(".problems, #answer");
    if (told) { told.focus({ preventScroll: true }); told.scrollIntoView(); }
  });
  document.addEventListener("htmx:beforeRequest", event => { if (event.detail.target.id === "main") tell(""); });
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, ({ detail }) => {
      if (detail.xhr.status === 401) tell("signed-out");
      else if (detail.target.id === "main") tell("trouble");
    });
  }

  // A page that comes back as it was left is not for whoever came to this computer meanwhile.
  addEventListener("pageshow", async event => {
    if (!event.persisted || !document.querySelector("form.leave")) return;
    document.body.hidden = true;
    const told = await fetch("/ui/", { method: "HEAD", redirect: "manual" }).catch(() => null);
    if (told?.ok) document.body.hidden = false; else location.reload();
  });
  ready();
})();
