// Learning curves as SVG: one chart for all data sets on which a metric was measured.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 230;
const MARGIN = { left: 58, right: 14, top: 10, bottom: 26 };
const TONES = 4;
const WIDE_RANGE = 30; // curves that span more than this factor start on a logarithmic axis
const scales = new Map(); // title -> the axis that a person chose

export function element(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function html(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

export function short(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e") : String(+value.toPrecision(4));
  return text.replace(/-/g, "−");
}

// Metrics by what was measured: "train/energy/mae" and "valid/energy/mae" share the chart "energy/mae".
export function grouped(names) {
  const groups = new Map();
  for (const name of names) {
    const [data, ...rest] = name.split("/");
    const title = rest.length ? rest.join("/") : name;
    if (!groups.has(title)) groups.set(title, []);
    groups.get(title).push({ name, label: rest.length ? data : name });
  }
  return groups;
}

// A card with a chart.
export function chart(title, series, epochs, bestEpoch, unit) {
  const card = html("article", "card");
  const values = series.flatMap((one) => one.values).filter(Number.isFinite);
  const allPositive = values.length > 0 && values.every((value) => value > 0);
  const lowest = values.reduce((a, b) => Math.min(a, b), Infinity);
  const highest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const wide = allPositive && highest / lowest > WIDE_RANGE;
  const logarithmic = allPositive && (scales.get(title) ?? wide);

  const heading = document.createElement("h2");
  heading.textContent = title;
  if (unit) heading.append(Object.assign(document.createElement("small"), { textContent: ` ${unit}` }));
  const top = html("div", "top", heading);
  if (allPositive) top.append(scaleButton(title, logarithmic));
  const readings = series.map((one, tone) => reading(one, tone));
  const plot = element("svg", { class: "plot", role: "img", tabindex: 0, "aria-label": `${title} by epoch` });
  card.append(top, html("ul", "legend", ...readings.map((one) => one.item)), plot);

  card.draw = () => {
    const width = Math.max(plot.clientWidth, 200);
    plot.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    plot.replaceChildren();
    if (values.length) drawInto(plot, { width, series, epochs, lowest, highest, logarithmic, bestEpoch, readings });
  };
  return card;
}

function scaleButton(title, logarithmic) {
  const button = html("button", "", logarithmic ? "log" : "linear");
  button.type = "button";
  button.title = "Change the axis";
  button.setAttribute("aria-label", `${title}: ${logarithmic ? "logarithmic" : "linear"} axis; change`);
  button.addEventListener("click", () => {
    scales.set(title, !logarithmic);
    document.dispatchEvent(new Event("redraw"));
  });
  return button;
}

function reading(one, tone) {
  const key = element("svg", { width: 22, height: 8, "aria-hidden": "true" });
  key.append(element("line", { x1: 1, x2: 21, y1: 4, y2: 4, class: `curve tone${tone % TONES}` }));
  const value = document.createElement("b");
  const show = (index) => (value.textContent = short(one.values[index]));
  show(one.values.length - 1);
  const label = document.createElement("span");
  label.textContent = one.label;
  return { item: html("li", "", key, label, value), show };
}

function drawInto(plot, c) {
  const across = axis(c.epochs[0], c.epochs.at(-1), MARGIN.left, c.width - MARGIN.right);
  const span = c.highest - c.lowest || Math.abs(c.highest) || 1;
  const [low, high] = c.logarithmic ? [c.lowest / 1.1, c.highest * 1.1] : [c.lowest - 0.05 * span, c.highest + 0.05 * span];
  const change = c.logarithmic ? Math.log10 : (value) => value;
  const up = axis(change(low), change(high), HEIGHT - MARGIN.bottom, MARGIN.top);
  const place = (value) => up(change(value));

  for (const tick of c.logarithmic ? decades(low, high) : steps(low, high, 4)) {
    plot.append(element("line", { x1: MARGIN.left, x2: c.width - MARGIN.right, y1: place(tick), y2: place(tick), class: "grid" }));
    plot.append(label(short(tick), MARGIN.left - 8, place(tick) + 4, "end"));
  }
  const room = Math.max(3, Math.floor(c.width / 90));
  for (const tick of steps(c.epochs[0], c.epochs.at(-1), room).filter(Number.isInteger)) {
    plot.append(label(String(tick), across(tick), HEIGHT - 8, "middle"));
  }
  const floor = HEIGHT - MARGIN.bottom;
  plot.append(element("line", { x1: MARGIN.left, x2: c.width - MARGIN.right, y1: floor, y2: floor, class: "axis" }));
  c.series.forEach((one, tone) => plot.append(...curve(one.values, c.epochs, across, place, tone % TONES)));
  if (c.bestEpoch > 0) markBest(plot, across(c.bestEpoch), c.width);
  follow(plot, c, across, place);
}

function markBest(plot, x, width) {
  plot.append(element("line", { x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, class: "bestline" }));
  const late = x > width - 60;
  const text = label("best", late ? x - 5 : x + 5, MARGIN.top + 10, late ? "end" : "start");
  text.setAttribute("class", "besttext");
  plot.append(text);
}

// The line, with gaps where there are no numbers, and a dot at its last number.
function curve(values, epochs, across, place, tone) {
  let path = "";
  let pen = false;
  let last = -1;
  values.forEach((value, index) => {
    if (!Number.isFinite(value)) return;
    const gap = last >= 0 && values.slice(last + 1, index).some((between) => Math.abs(between) === Infinity);
    path += `${pen && !gap ? "L" : "M"}${across(epochs[index]).toFixed(1)} ${place(value).toFixed(1)}`;
    pen = true;
    last = index;
  });
  if (last < 0) return [];
  const dot = { cx: across(epochs[last]), cy: place(values[last]), r: 4, class: `dot fill${tone}` };
  return [element("path", { d: path, class: `curve tone${tone}` }), element("circle", dot)];
}

// The numbers of the epoch under the pointer, or of the one that the arrow keys reach.
function follow(plot, c, across, place) {
  const line = element("line", { y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, class: "cursor", visibility: "hidden" });
  const text = label("", 0, HEIGHT - 8, "middle");
  const dots = c.series.map((_, tone) => element("circle", { r: 4, class: `dot fill${tone % TONES}`, visibility: "hidden" }));
  const cover = element("rect", { width: 64, height: 17, y: HEIGHT - 21, fill: "var(--card)", visibility: "hidden" });
  plot.append(line, ...dots, cover, text);
  let index = c.epochs.length - 1;

  const show = (chosen) => {
    index = Math.min(Math.max(chosen, 0), c.epochs.length - 1);
    const x = across(c.epochs[index]);
    const held = Math.min(Math.max(x, MARGIN.left + 32), c.width - 32);
    for (const one of [line, cover]) one.setAttribute("visibility", "visible");
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    cover.setAttribute("x", held - 32);
    text.setAttribute("x", held);
    text.textContent = `epoch ${c.epochs[index]}`;
    c.series.forEach((one, number) => {
      const value = one.values[index];
      dots[number].setAttribute("visibility", Number.isFinite(value) ? "visible" : "hidden");
      dots[number].setAttribute("cx", x);
      if (Number.isFinite(value)) dots[number].setAttribute("cy", place(value));
      c.readings[number].show(index);
    });
  };
  const hide = () => {
    for (const one of [line, cover, ...dots]) one.setAttribute("visibility", "hidden");
    text.textContent = "";
    c.readings.forEach((one) => one.show(c.epochs.length - 1));
  };
  plot.onpointermove = (event) => {
    const x = event.clientX - plot.getBoundingClientRect().left;
    show(nearest(c.epochs, across.back(x)));
  };
  plot.onpointerleave = hide;
  plot.onblur = hide;
  plot.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      event.preventDefault();
      show(index + step);
    }
  };
}

function nearest(epochs, wanted) {
  let [low, high] = [0, epochs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (epochs[middle] < wanted) low = middle;
    else high = middle;
  }
  return wanted - epochs[low] < epochs[high] - wanted ? low : high;
}

function axis(from, to, start, end) {
  const width = to - from;
  const scale = (value) => (width ? start + ((value - from) / width) * (end - start) : (start + end) / 2);
  scale.back = (x) => from + ((x - start) / (end - start)) * width;
  return scale;
}

function steps(low, high, about) {
  const rough = (high - low || 1) / about;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((one) => one >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, k) => +((first + k) * step).toPrecision(12));
}

function decades(low, high) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const within = (factors, every = 1) => {
    const found = [];
    for (let power = first; power <= last; power += every) for (const factor of factors) found.push(factor * 10 ** power);
    return found.filter((tick) => tick >= low && tick <= high);
  };
  const whole = within([1], Math.max(1, Math.ceil((last - first) / 6)));
  if (whole.length >= 3) return whole;
  const finer = within([1, 2, 5]);
  return finer.length >= 2 ? finer : steps(low, high, 4);
}

function label(text, x, y, anchor) {
  return element("text", { x, y, "text-anchor": anchor }, text);
}
