// Asks the server now and then, and shows what it says.

import { chart, grouped, short } from "./charts.js";

const PAUSE = 2000; // milliseconds between two looks
const at = (id) => document.getElementById(id);
let chosen = decodeURIComponent(location.hash.slice(1));
let shown = "";
let run = null;

async function fetched(path) {
  const answer = await fetch(path, { cache: "no-store" });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return found;
}

async function look() {
  try {
    const runs = await fetched("runs.json");
    offer(runs);
    const latest = runs.length ? await fetched(`run.json?name=${encodeURIComponent(chosen)}`) : null;
    if (!latest || latest.name === chosen) show(latest);
    trouble("");
  } catch (error) {
    const gone = error instanceof TypeError;
    trouble(gone ? "The server has ended; this is the last state that it told." : error.message);
  }
}

function trouble(text) {
  const reason = text || (run && run.reason) || "";
  at("trouble").textContent = reason;
  at("trouble").hidden = !reason;
}

function offer(runs) {
  if (!runs.some((one) => one.name === chosen)) chosen = runs.length ? runs[0].name : "";
  const options = runs.map((one) => {
    const option = new Option(`${one.name}${one.status === "running" ? "  ●" : ""}`, one.name);
    option.selected = one.name === chosen;
    return option;
  });
  const same = (a, b) => a.text === b.text && a.value === b.value && a.selected === b.selected;
  const old = [...at("pick").options];
  if (old.length !== options.length || old.some((one, k) => !same(one, options[k]))) at("pick").replaceChildren(...options);
  at("empty").hidden = runs.length > 0;
  at("empty").textContent = runs.length ? "" : "There are no runs here yet. The first one will appear by itself.";
}

function show(latest) {
  const state = JSON.stringify(latest);
  const reading = run && latest && run.name === latest.name && document.querySelector(".plot:hover, .plot:focus");
  if (state === shown || reading) return; // a redrawn chart would take the epoch away that a person looks at
  shown = state;
  run = latest;
  for (const id of ["facts", "status"]) at(id).hidden = !run;
  at("numbers").hidden = !run || !Object.keys(run.final).length;
  at("model").textContent = run ? run.model : "";
  document.title = run ? `${run.name} · ${run.status}` : "atomloom runs";
  if (!run) return at("charts").replaceChildren();
  at("status").textContent = run.status;
  at("status").className = `chip ${run.status}`;
  showProgress();
  showCharts();
  showNumbers();
}

function showProgress() {
  const part = run.total ? (100 * run.epochs) / run.total : 0;
  at("epochs").textContent = run.total ? `${run.epochs} / ${run.total}` : String(run.epochs);
  at("time").textContent = duration(run.seconds);
  at("left").textContent = run.status === "finished" ? "none" : run.seconds_left === null ? "–" : `~ ${duration(run.seconds_left)}`;
  at("best").textContent = run.best_epoch || "–";
  at("done").style.width = `${part}%`;
  at("done").parentElement.setAttribute("aria-valuenow", Math.round(part));
}

function showCharts() {
  const { epoch = [], ...metrics } = run.curves;
  const cards = [];
  for (const [title, members] of epoch.length ? grouped(Object.keys(metrics)) : []) {
    const series = members.map((one) => ({ label: one.label, values: metrics[one.name].map(Number) }));
    cards.push(chart(title, series, epoch, run.best_epoch, unitOf(title)));
  }
  at("charts").replaceChildren(...cards);
  cards.forEach((card) => card.draw());
}

function unitOf(title) {
  const [field, what] = title.split("/");
  return ["mae", "rmse", "mean", "std", "min", "max"].includes(what) ? run.units[field] : "";
}

function showNumbers() {
  const groups = grouped(Object.keys(run.final));
  const data = [...new Set([...groups.values()].flat().map((one) => one.label))].filter((one) => !groups.has(one));
  const plain = [...groups.keys()].some((title) => title in run.final);
  const columns = ["metric", ...(plain ? ["value"] : []), ...data];
  const best = run.best_epoch ? data.map((one) => `${one}, epoch ${run.best_epoch}`) : [];
  at("columns").replaceChildren(...[...columns, ...best].map((text) => cell("th", text)));
  at("rows").replaceChildren(
    ...[...groups].map(([title, members]) => {
      const name = (label) => members.find((one) => one.label === label)?.name;
      const number = (from, key) => cell("td", key in from ? (from[key] === "NaN" ? "NaN" : short(Number(from[key]))) : "");
      const row = document.createElement("tr");
      row.append(cell("th", title), ...(plain ? [number(run.final, title)] : []));
      row.append(...data.map((one) => number(run.final, name(one))));
      row.append(...(best.length ? data.map((one) => number(run.best, name(one))) : []));
      return row;
    }),
  );
}

function cell(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}

function duration(seconds) {
  const whole = Math.round(seconds);
  for (const [unit, below, size, small] of [["d", "h", 86400, 3600], ["h", "min", 3600, 60], ["min", "s", 60, 1]]) {
    if (whole >= size) return `${Math.floor(whole / size)} ${unit} ${Math.floor((whole % size) / small)} ${below}`;
  }
  return `${whole} s`;
}

at("pick").addEventListener("change", (event) => {
  chosen = event.target.value;
  history.replaceState(null, "", `#${encodeURIComponent(chosen)}`);
  look();
});
window.addEventListener("hashchange", () => {
  chosen = decodeURIComponent(location.hash.slice(1));
  look();
});
document.addEventListener("redraw", showCharts);
window.addEventListener("resize", () => document.querySelectorAll(".charts > *").forEach((card) => card.draw()));
document.addEventListener("visibilitychange", () => document.hidden || look());

await look();
setInterval(() => document.hidden || look(), PAUSE);
