"use strict";
// Theme, sorting of tables, and where in the contents a reader is. Runs in the head, so that no page flashes white.
(() => {
  const root = document.documentElement, KEY = "atomloom-theme";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => { try { return localStorage.getItem(KEY); } catch { return null; } }; // a frame has no storage
  const remember = theme => { try { localStorage.setItem(KEY, theme); } catch { /* then for this time only */ } };
  const current = () => root.dataset.theme || (dark.matches ? "dark" : "light");

  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();

  function themes() {
    const button = document.getElementById("theme");
    const label = () => {
      const other = current() === "dark" ? "light" : "dark";
      button.title = `Switch to ${other}`;
      button.setAttribute("aria-label", button.title);
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = current() === "dark" ? "light" : "dark";
      remember(root.dataset.theme);
      label();
    });
    dark.addEventListener("change", label);
    label();
  }

  // Ascending, descending, as it was; what has no value stays below.
  const NEXT = { none: "ascending", ascending: "descending", descending: "none" };
  const words = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  function key(cell) {
    if (!cell.classList.contains("number")) return cell.textContent === "–" ? null : cell.textContent;
    const value = cell.dataset.value === "inf" ? Infinity : cell.dataset.value === "-inf" ? -Infinity : parseFloat(cell.dataset.value);
    return Number.isNaN(value) ? null : value;
  }

  function sort(head) {
    const table = head.closest("table"), body = table.tBodies[0], place = head.cellIndex;
    const order = NEXT[head.getAttribute("aria-sort") || "none"];
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    if (order !== "none") head.setAttribute("aria-sort", order);
    const sign = order === "descending" ? -1 : 1;
    const rows = [...body.rows].map(row => [key(row.cells[place]), row]);
    rows.sort(([a, left], [b, right]) => {
      if (order !== "none" && a !== b) {
        if (a === null || b === null) return a === null ? 1 : -1;
        const less = typeof a === "number" ? a - b : words.compare(a, b);
        if (less) return sign * less;
      }
      return left.dataset.place - right.dataset.place;
    });
    body.append(...rows.map(([, row]) => row));
  }

  function tables() {
    for (const table of document.querySelectorAll("table")) {
      [...table.tBodies[0].rows].forEach((row, place) => { row.dataset.place = place; });
      if (table.querySelector("tr.none")) continue;
      for (const head of table.tHead.rows[0].cells) {
        head.firstElementChild.addEventListener("click", () => sort(head));
        head.firstElementChild.addEventListener("keydown", event => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          sort(head);
        });
      }
    }
  }

  function contents() {
    const nav = document.querySelector("nav details");
    if (!nav) return;
    const wide = matchMedia("(min-width: 1180px)");
    const fold = () => { nav.open = wide.matches; };
    wide.addEventListener("change", fold);
    fold();
    nav.addEventListener("click", event => { if (event.target.closest("a") && !wide.matches) nav.open = false; });
    const links = new Map([...nav.querySelectorAll("a")].map(link => [link.hash.slice(1), link]));
    const seen = new IntersectionObserver(entries => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const [anchor, link] of links) link.toggleAttribute("aria-current", anchor === entry.target.id);
      }
    }, { rootMargin: "0px 0px -70% 0px" });
    for (const anchor of links.keys()) seen.observe(document.getElementById(anchor));
  }

  document.addEventListener("DOMContentLoaded", () => { themes(); tables(); contents(); });
})();
