// What was typed is not lost by a slip, nor an answer taken for that of other values.
"use strict";
(() => {
  const form = () => document.getElementById("patient");
  const fields = () => [...form().elements].filter(field => field.name && field.type !== "hidden" && field.type !== "submit");
  const given = field => (field.type === "checkbox" ? field.checked : field.type === "text" && field.value.trim() !== "");
  const initial = select => [...select.options].find(option => option.defaultSelected) || select.options[0];
  const altered = field => {
    if (field.type === "checkbox") return field.checked !== field.defaultChecked;
    return field.value !== (field.options ? initial(field).value : field.defaultValue);
  };

  // Changed since the page came: the answer above is of the values before, and leaving loses them.
  const warn = event => { event.preventDefault(); };
  const changed = () => {
    const dirty = fields().some(altered);
    const answer = document.getElementById("answer");
    if (answer) {
      answer.classList.toggle("stale", dirty);
      document.getElementById("stale").hidden = !dirty;
    }
    // Only while it is needed: browsers keep no page for the way back that listens for its end.
    if (dirty) addEventListener("beforeunload", warn); else removeEventListener("beforeunload", warn);
  };
  document.addEventListener("input", event => { if (event.target.form === form()) changed(); });
  document.addEventListener("change", event => { if (event.target.form === form()) changed(); });
  document.addEventListener("submit", () => removeEventListener("beforeunload", warn));

  document.addEventListener("htmx:confirm", event => {
    const { elt, issueRequest } = event.detail;
    if (!elt.dataset.lost || !fields().some(given)) return;
    event.preventDefault();
    if (window.confirm(elt.dataset.lost)) issueRequest(true);
  });

  // While the server works the form stands still, as what was typed meanwhile would be replaced.
  const SOON = 400;
  let left = null, soon = 0;
  document.addEventListener("htmx:beforeSend", event => {
    if (event.detail.target.id !== "main") return;
    left = document.activeElement;
    form().inert = true;
    soon = setTimeout(() => { document.getElementById("waiting").hidden = false; }, SOON);
  });
  document.addEventListener("htmx:afterRequest", event => {
    if (event.detail.target.id !== "main") return;
    clearTimeout(soon);
    document.getElementById("waiting").hidden = true;
    form().inert = false;
    if (!event.detail.successful && document.activeElement === document.body) left?.focus({ preventScroll: true });
  });
  document.addEventListener("htmx:afterSettle", event => { if (event.target.id === "main") changed(); });
})();
