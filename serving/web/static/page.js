// The page works without this file; it only takes a copied block of a spreadsheet into the grid.
"use strict";
(() => {
  const grid = [...document.querySelectorAll("table.grid tr")].map(row => [...row.querySelectorAll("input")]);
  const place = field => {
    for (let r = 0; r < grid.length; r++) {
      const c = grid[r].indexOf(field);
      if (c >= 0) return [r, c];
    }
    return null;
  };
  const rows = text => text.replace(/\r/g, "").replace(/\n+$/, "").split("\n").map(line => line.split("\t"));

  const MONTHS = ["jan", "feb", "mar mär mrz", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez"];

  // A date field takes ISO only; days that can mean one day are spelled so, others are left out.
  const iso = text => {
    const pad = n => String(n).padStart(2, "0");
    let found = text.match(/^(\d{4})[-\/.](\d{1,2})[-\/.](\d{1,2})$/);
    if (found) return `${found[1]}-${pad(found[2])}-${pad(found[3])}`;
    found = text.match(/^(\d{1,2})\.(\d{1,2})\.(\d{4})$/);
    if (found) return `${found[3]}-${pad(found[2])}-${pad(found[1])}`;
    found = text.match(/^(\d{1,2})[\/-](\d{1,2})[\/-](\d{4})$/);
    if (found && (+found[1] > 12 || found[1] === found[2])) return `${found[3]}-${pad(found[2])}-${pad(found[1])}`;
    if (found && +found[2] > 12) return `${found[3]}-${pad(found[1])}-${pad(found[2])}`;
    found = text.match(/^(\d{1,2})\.?[ -]([a-zä]{3})[a-z]*\.?[ -](\d{4})$/i);
    const month = found ? MONTHS.findIndex(names => names.includes(found[2].toLowerCase())) : -1;
    return month >= 0 ? `${found[3]}-${pad(month + 1)}-${pad(found[1])}` : "";
  };

  document.addEventListener("paste", event => {
    const start = place(event.target);
    const text = event.clipboardData.getData("text/plain");
    if (!start || !/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    rows(text).forEach((cells, down) => cells.forEach((cell, across) => {
      const field = (grid[start[0] + down] || [])[start[1] + across];
      if (field) field.value = field.type === "date" ? iso(cell.trim()) : cell.trim();
    }));
  });
})();
