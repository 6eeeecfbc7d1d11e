"use strict";
// Points, surfaces and molecules in space, painted from the back to the front on a canvas: no WebGL is needed, any
// number of figures may stand on a page, and a printer gets what the screen shows.
(() => {
  const SHADES = 255, VEIL = 0.86, FINENESS = 2;
  const kinds = { f4: Float32Array, f8: Float64Array, u4: Uint32Array, i2: Int16Array };
  const unpack = (text, kind) => new kinds[kind](Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
  const parts = color => [1, 3, 5].map(at => parseInt(color.slice(at, at + 2), 16));
  const css = (color, light = 1) => `rgb(${color.map(part => Math.round(part * light)).join()})`;

  function shades(stops) {
    const colors = stops.map(parts);
    return Array.from({ length: SHADES }, (_, i) => {
      const place = i / (SHADES - 1) * (colors.length - 1), low = Math.min(Math.floor(place), Math.max(colors.length - 2, 0));
      const high = Math.min(low + 1, colors.length - 1);
      return colors[low].map((part, k) => part + (colors[high][k] - part) * (place - low));
    });
  }

  // A shaded ball, drawn once for each colour.
  const balls = new Map();
  function ball(color) {
    if (!balls.has(color)) {
      const canvas = document.createElement("canvas"), size = canvas.width = canvas.height = 96, pen = canvas.getContext("2d");
      const glow = pen.createRadialGradient(size * .36, size * .34, size * .04, size / 2, size / 2, size / 2);
      const base = parts(color);
      glow.addColorStop(0, css(base.map(part => part + (255 - part) * .75)));
      glow.addColorStop(.45, css(base));
      glow.addColorStop(1, css(base, .5));
      pen.fillStyle = glow;
      pen.beginPath();
      pen.arc(size / 2, size / 2, size / 2 - 1, 0, 7);
      pen.fill();
      balls.set(color, canvas);
    }
    return balls.get(color);
  }

  const START = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  function turned(view, right, down) { // by angles about the upright and the horizontal axis of the screen
    const [a, b, c, d] = [Math.cos(right), Math.sin(right), Math.cos(down), Math.sin(down)];
    const step = [a, 0, b, d * b, c, -d * a, -c * b, d, c * a];
    return [0, 1, 2].flatMap(i => [0, 1, 2].map(j => [0, 1, 2].reduce((sum, k) => sum + step[3 * i + k] * view[3 * k + j], 0)));
  }

  class Scene {
    constructor(holder, found) {
      Object.assign(this, { holder, found, view: START, zoom: 1, points: unpack(found.points, "f4"), atoms: unpack(found.atoms, "f4") });
      this.triangles = unpack(found.triangles, "u4");
      this.shades = unpack(found.shades, "i2");
      this.values = found.values ? unpack(found.values, "f8") : null;
      this.colors = shades(found.stops);
      this.canvas = document.createElement("canvas");
      this.veil = document.createElement("canvas");
      this.tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
      holder.append(this.canvas, this.tip, this.buttons());
      this.listen();
      new ResizeObserver(() => this.resize()).observe(holder);
      this.resize();
    }

    buttons() {
      const row = Object.assign(document.createElement("div"), { className: "turn" });
      for (const [sign, title, act] of [["+", "Larger", () => this.scale(1.25)], ["−", "Smaller", () => this.scale(.8)], ["↺", "As it was", () => this.reset()]]) {
        const button = Object.assign(document.createElement("button"), { type: "button", textContent: sign, title });
        button.setAttribute("aria-label", title);
        button.addEventListener("click", act);
        row.append(button);
      }
      return row;
    }

    scale(by) { this.zoom = Math.min(Math.max(this.zoom * by, .3), 20); this.later(); }
    reset() { this.view = START; this.zoom = 1; this.later(); }
    turn(right, down) { this.view = turned(this.view, right, down); this.later(); }

    listen() {
      const { holder, canvas } = this, fingers = new Map();
      canvas.addEventListener("pointerdown", event => { canvas.setPointerCapture(event.pointerId); fingers.set(event.pointerId, event); this.tip.hidden = true; });
      canvas.addEventListener("pointermove", event => {
        const before = fingers.get(event.pointerId);
        if (!before) return this.name(event);
        const others = [...fingers.values()].filter(each => each.pointerId !== event.pointerId);
        if (others.length) {
          const apart = each => Math.hypot(each.clientX - others[0].clientX, each.clientY - others[0].clientY) || 1;
          this.scale(apart(event) / apart(before));
        } else {
          this.turn((event.clientX - before.clientX) / 120, (event.clientY - before.clientY) / 120);
        }
        fingers.set(event.pointerId, event);
      });
      for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) canvas.addEventListener(end, event => fingers.delete(event.pointerId));
      canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
      canvas.addEventListener("wheel", event => {
        if (!event.ctrlKey && document.activeElement !== holder) return; // else the page could not be scrolled over it
        event.preventDefault();
        this.scale(Math.exp(-event.deltaY / 400));
      }, { passive: false });
      const keys = {
        ArrowLeft: () => this.turn(-.15, 0), ArrowRight: () => this.turn(.15, 0), ArrowUp: () => this.turn(0, -.15),
        ArrowDown: () => this.turn(0, .15), "+": () => this.scale(1.15), "-": () => this.scale(1 / 1.15), 0: () => this.reset(),
      };
      holder.addEventListener("keydown", event => {
        if (event.target !== holder || !keys[event.key] || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        keys[event.key]();
      });
    }

    resize() {
      const width = this.holder.clientWidth, height = Math.round(Math.min(width * .85, 400));
      if (!width || (width === this.width && height === this.height)) return;
      Object.assign(this, { width, height });
      this.fine = Math.max(devicePixelRatio || 1, FINENESS);
      for (const each of [this.canvas, this.veil]) { each.width = width * this.fine; each.height = height * this.fine; }
      this.canvas.style.aspectRatio = `${width} / ${height}`;
      this.draw();
    }

    later() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => { this.waiting = false; this.draw(); });
    }

    places(xyz) { // across and down in pixels, towards the viewer in angstrom
      const [a, b, c, d, e, f, g, h, i] = this.view, out = new Float32Array(xyz.length), { unit, width, height } = this;
      for (let at = 0; at < xyz.length; at += 3) {
        const x = xyz[at], y = xyz[at + 1], z = xyz[at + 2];
        out[at] = width / 2 + unit * (a * x + b * y + c * z);
        out[at + 1] = height / 2 - unit * (d * x + e * y + f * z);
        out[at + 2] = g * x + h * y + i * z;
      }
      return out;
    }

    draw() {
      this.unit = this.zoom * .48 * Math.min(this.width, this.height) / this.found.radius;
      this.seen = { points: this.places(this.points), atoms: this.places(this.atoms) };
      const pen = this.canvas.getContext("2d");
      pen.setTransform(this.fine, 0, 0, this.fine, 0, 0);
      pen.clearRect(0, 0, this.width, this.height);
      const jobs = [...this.bondJobs(), ...this.atomJobs(), ...(this.triangles.length ? [] : this.pointJobs())];
      jobs.sort((one, other) => one[0] - other[0]);
      for (const [, paint] of jobs) paint(pen);
      if (this.triangles.length) this.surface(pen);
    }

    color(shade) { return shade < 0 ? parts(this.found.nowhere) : this.colors[shade]; }

    bondJobs() {
      const { atoms } = this.seen;
      return this.found.bonds.map(([i, j]) => [(atoms[3 * i + 2] + atoms[3 * j + 2]) / 2 - .01, pen => {
        const ends = [i, j].map(k => [atoms[3 * k], atoms[3 * k + 1]]);
        for (const [width, tone] of [[this.found.thick, "#5b6570"], [.77 * this.found.thick, "#a9b2bc"]]) {
          pen.lineWidth = Math.max(width * this.unit, 1);
          pen.strokeStyle = tone;
          pen.beginPath(); pen.moveTo(...ends[0]); pen.lineTo(...ends[1]); pen.stroke();
        }
      }]);
    }

    atomJobs() {
      const { atoms } = this.seen;
      return this.found.colors.map((color, i) => [atoms[3 * i + 2], pen => {
        const size = Math.max(this.found.radii[i] * this.unit, 1.5);
        pen.drawImage(ball(color), atoms[3 * i] - size, atoms[3 * i + 1] - size, 2 * size, 2 * size);
      }]);
    }

    pointJobs() {
      const { points } = this.seen, size = Math.min(Math.max(.11 * this.unit, 1.6), 9), deep = this.found.radius;
      return Array.from(this.shades, (shade, i) => [points[3 * i + 2], pen => {
        pen.globalAlpha = .5 + .45 * Math.min(Math.max((points[3 * i + 2] / deep + 1) / 2, 0), 1);
        pen.fillStyle = css(this.color(shade));
        pen.beginPath(); pen.arc(points[3 * i], points[3 * i + 1], size, 0, 7); pen.fill();
        pen.globalAlpha = 1;
      }]);
    }

    surface(pen) { // on a sheet of its own, laid over the molecule, which then shines through
      const { points } = this.seen, { triangles, shades, unit } = this, count = triangles.length / 3;
      const depth = new Float32Array(count), order = new Uint32Array(count).map((_, i) => i);
      for (let t = 0; t < count; t++) depth[t] = points[3 * triangles[3 * t] + 2] + points[3 * triangles[3 * t + 1] + 2] + points[3 * triangles[3 * t + 2] + 2];
      order.sort((one, other) => depth[one] - depth[other]);
      const sheet = this.veil.getContext("2d");
      sheet.setTransform(this.fine, 0, 0, this.fine, 0, 0);
      sheet.clearRect(0, 0, this.width, this.height);
      sheet.lineWidth = .6;
      for (const t of order) {
        const [i, j, k] = [triangles[3 * t], triangles[3 * t + 1], triangles[3 * t + 2]].map(v => 3 * v);
        const u = [points[j] - points[i], points[j + 1] - points[i + 1], (points[j + 2] - points[i + 2]) * unit];
        const v = [points[k] - points[i], points[k + 1] - points[i + 1], (points[k + 2] - points[i + 2]) * unit];
        const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
        const light = .55 + .45 * Math.abs(normal[2]) / (Math.hypot(...normal) || 1);
        const three = [i, j, k].map(at => this.color(shades[at / 3]));
        const color = css([0, 1, 2].map(part => (three[0][part] + three[1][part] + three[2][part]) / 3), light);
        sheet.fillStyle = sheet.strokeStyle = color;
        sheet.beginPath();
        sheet.moveTo(points[i], points[i + 1]); sheet.lineTo(points[j], points[j + 1]); sheet.lineTo(points[k], points[k + 1]);
        sheet.closePath(); sheet.fill(); sheet.stroke();
      }
      pen.globalAlpha = this.found.colors.length ? VEIL : 1;
      pen.drawImage(this.veil, 0, 0, this.width, this.height);
      pen.globalAlpha = 1;
    }

    name(event) { // of what lies nearest under the mouse, the foremost first
      const box = this.canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
      let best = null;
      const near = (places, reach, text) => {
        for (let at = 0; at < places.length; at += 3) {
          const apart = Math.hypot(places[at] - x, places[at + 1] - y);
          if (apart < reach(at / 3) && (!best || places[at + 2] > best.z)) best = { z: places[at + 2], text: () => text(at / 3) };
        }
      };
      near(this.seen.atoms, i => Math.max(this.found.radii[i] * this.unit, 5), i => this.found.names[i]);
      near(this.seen.points, () => 7, i => this.values && !Number.isNaN(this.values[i])
        ? `${Number(this.values[i].toPrecision(4))} ${this.found.unit}` : `point ${i + 1}`);
      this.tip.hidden = !best;
      if (best) {
        this.tip.textContent = best.text();
        this.tip.style.left = `${Math.min(x + 12, this.width - 110)}px`;
        this.tip.style.top = `${y + 14}px`;
      }
    }
  }

  for (const holder of document.querySelectorAll(".scene")) new Scene(holder, JSON.parse(holder.nextElementSibling.textContent));
})();
