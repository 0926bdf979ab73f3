// The map of the test examples.

import { button, choice, colour, el, paint, picture, sharp, tell, toggle, wipe } from "./dom.js";
import { dropPlace } from "./drop.js";
import { Library } from "./library.js";
import { short } from "./plot.js";
import { ask } from "./wire.js";

export const tab = "Examples";
export const title = "Test examples, laid out by what the model says of them";
export const hint =
  "Near points are alike to the model. Point at one to see it; drag a loop around some to see their mean and what is nearest to it.";

const MARGIN = 0.04;

export async function build(panel, about, { about: run, library }) {
  const waiting = el("p", { class: "quiet", role: "status" }, "Encoding the test examples…");
  panel.append(waiting);
  const held = await library.read();
  waiting.remove();
  const view = new View(panel, about, run, library, held);
  await view.take("pca");
}

/** A colour for a class, told apart from its neighbours; or for a share from 0 to 1. */
const ofClass = (n) => `hsl(${(n * 137.5 + 210) % 360} 65% ${n % 2 ? 46 : 58}%)`;
const ofShare = (x) => `hsl(${260 - 215 * x} 70% ${36 + 26 * x}%)`;

class View {
  constructor(panel, about, run, library, held) {
    Object.assign(this, { panel, about, library, held });
    this.shape = held.pictures ? held.pictures.shape : null;
    this.loop = [];
    this.group = new Set();
    this.at = -1;
    this.lay(run);
  }

  lay(run) {
    this.canvas = el("canvas", {
      class: "sharp",
      tabindex: 0,
      role: "application",
      "aria-label": "Map of the test examples. Arrow keys go from one example to the next, Enter takes its neighbours as a group.",
    });
    const stage = el("div", { class: "stack light" }, this.canvas);
    stage.style.aspectRatio = "1";
    this.methods = choice("map", Object.entries(this.about.methods), (name) => this.take(name));
    const colours = [["", "nothing"]];
    if (this.about.classes.length > 1) colours.unshift(["class", "class"]);
    this.variables = this.held.named;
    colours.push(...this.variables.map((name, at) => [String(at), name]));
    this.by = choice("colour", colours, () => this.draw());
    this.pictures = toggle("Pictures as points", () => this.draw());
    this.legend = el("div", { class: "legend" });
    this.seen = this.shape ? picture(this.shape, "The example that is pointed at") : null;
    this.name = el("figcaption", { class: "figure" }, "Point at an example.");
    this.mean = this.shape ? picture(this.shape, "Mean of the group") : null;
    this.decoded = this.about.decodes ? picture(run.shape, "What the mean code of the group decodes to") : null;
    this.told = el("p", { class: "note" }, "Drag a loop around some points.");
    this.nearest = el("div", { class: "tiles six" });
    this.panel.append(
      el(
        "div",
        { class: "two" },
        el(
          "div",
          {},
          stage,
          this.legend,
          el("div", { class: "row" }, this.methods, this.by, this.shape ? this.pictures : null),
        ),
        el(
          "div",
          {},
          el("figure", { class: "pair" }, this.seen, el("div", {}, this.name)),
          el(
            "div",
            { class: "card" },
            el("h3", {}, "The group"),
            this.told,
            el(
              "div",
              { class: "pair" },
              this.mean ? el("figure", {}, this.mean, el("figcaption", {}, "mean picture")) : null,
              this.decoded ? el("figure", {}, this.decoded, el("figcaption", {}, "mean code, decoded")) : null,
            ),
            el("div", { class: "row" }, button("No group", () => this.clear())),
            this.nearest,
          ),
          this.about.drop ? dropPlace(this.panel, this.about, run.shape, this.library, () => {}) : null,
        ),
      ),
    );
    sharp(this.canvas, () => this.draw());
    window.addEventListener("themed", () => this.draw());
    this.listen();
  }

  listen() {
    let down = false;
    this.canvas.addEventListener("pointerdown", (event) => {
      down = true;
      this.canvas.setPointerCapture(event.pointerId);
      this.loop = [this.place(event)];
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (down) {
        this.loop.push(this.place(event));
        this.draw();
      } else this.point(this.nearestTo(this.place(event)));
    });
    this.canvas.addEventListener("pointerup", (event) => {
      down = false;
      if (this.loop.length > 4) this.enclose();
      else this.point(this.nearestTo(this.place(event)));
      this.loop = [];
      this.draw();
    });
    this.canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (step) this.point(this.towards(step));
      else if (event.key === "Enter" && this.at >= 0) this.takeAround(this.at);
      else return;
      event.preventDefault();
    });
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  async take(method) {
    this.methods.list.disabled = true;
    this.legend.textContent = `Computing ${this.about.methods[method]}…`;
    try {
      const found = await ask("examples/map", { method });
      this.numbers = [...found.examples.values];
      this.layOut(found.places.values);
    } catch (error) {
      tell(error);
    }
    this.methods.list.disabled = false;
    this.draw();
  }

  /** Bring a map into the square, the same scale across and up. */
  layOut(values) {
    const xs = this.numbers.map((_, at) => values[2 * at]);
    const ys = this.numbers.map((_, at) => values[2 * at + 1]);
    const ends = (some) => [Math.min(...some), Math.max(...some)];
    const [[x0, x1], [y0, y1]] = [ends(xs), ends(ys)];
    const size = Math.max(x1 - x0, y1 - y0) || 1;
    const scale = (value, low, high) => 0.5 + ((value - (low + high) / 2) / size) * (1 - 2 * MARGIN);
    this.places = xs.map((x, at) => [scale(x, x0, x1), 1 - scale(ys[at], y0, y1)]);
  }

  nearestTo([x, y]) {
    let [best, found] = [Infinity, -1];
    this.places?.forEach(([a, b], at) => {
      const apart = (a - x) ** 2 + (b - y) ** 2;
      if (apart < best) [best, found] = [apart, at];
    });
    return found;
  }

  /** The nearest point that lies in a direction. */
  towards([dx, dy]) {
    if (this.at < 0) return 0;
    const [x, y] = this.places[this.at];
    let [best, found] = [Infinity, this.at];
    this.places.forEach(([a, b], at) => {
      const along = (a - x) * dx + (b - y) * dy;
      const apart = Math.hypot(a - x, b - y);
      if (at !== this.at && along > 0.7 * apart && apart < best) [best, found] = [apart, at];
    });
    return found;
  }

  point(at) {
    if (at < 0 || at === this.at) return;
    this.at = at;
    const number = this.numbers[at];
    if (this.seen) paint(this.seen, this.held.pictures.values, this.shape, number);
    const count = this.held.label.values.length;
    const known = this.variables.map((name, row) => `${name} ${short(this.held.variables.values[row * count + number])}`);
    this.name.replaceChildren(el("strong", {}, Library.name(this.held, this.about.classes, number)), el("br"), known.join(", "));
    this.draw();
  }

  enclose() {
    const inside = ([x, y]) => {
      let odd = false;
      this.loop.forEach(([x1, y1], at) => {
        const [x2, y2] = this.loop.at(at - 1);
        if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd;
      });
      return odd;
    };
    this.choose(this.places.flatMap((place, at) => (inside(place) ? [at] : [])));
  }

  takeAround(at) {
    const [x, y] = this.places[at];
    const order = this.places.map(([a, b], other) => [(a - x) ** 2 + (b - y) ** 2, other]).sort((p, q) => p[0] - q[0]);
    this.choose(order.slice(0, 10).map(([, other]) => other));
  }

  async choose(some) {
    if (!some.length) return this.clear();
    this.group = new Set(some);
    this.draw();
    try {
      const found = await ask("examples/group", {}, Int32Array.from(some, (at) => this.numbers[at]));
      if (this.mean) paint(this.mean, found.mean.values, found.mean.shape);
      if (this.decoded) paint(this.decoded, found.decoded.values, found.decoded.shape);
      this.told.textContent = `${some.length} examples${this.counts(some)}. The nearest of the others:`;
      this.nearest.replaceChildren(...(await this.library.tiles(found.nearest, found.apart.values)));
    } catch (error) {
      tell(error);
    }
  }

  counts(some) {
    const counted = new Map();
    for (const at of some) {
      const label = this.held.label.values[this.numbers[at]];
      if (label >= 0) counted.set(label, (counted.get(label) ?? 0) + 1);
    }
    const most = [...counted].sort((a, b) => b[1] - a[1]).slice(0, 3);
    return most.length ? `: ${most.map(([label, count]) => `${count} of ${this.about.classes[label]}`).join(", ")}` : "";
  }

  clear() {
    this.group.clear();
    this.told.textContent = "Drag a loop around some points.";
    this.nearest.replaceChildren();
    for (const canvas of [this.mean, this.decoded]) if (canvas) wipe(canvas);
    this.draw();
  }

  /** The colour of every example, and what the colours mean. */
  colours() {
    const by = this.by.list.value;
    const count = this.held.label.values.length;
    if (by === "class") {
      const used = new Set(this.held.label.values);
      this.legend.replaceChildren(...this.about.classes.flatMap((name, n) => (used.has(n) && n < 40 ? [this.entry(ofClass(n), name)] : [])));
      return (number) => (this.held.label.values[number] < 0 ? colour("--muted") : ofClass(this.held.label.values[number]));
    }
    if (by === "") {
      this.legend.replaceChildren(`${this.numbers.length} examples`);
      return () => colour("--accent");
    }
    const values = this.held.variables.values.slice(Number(by) * count, (Number(by) + 1) * count);
    const sorted = Float32Array.from(values).sort();
    const [low, high] = [sorted[Math.floor(0.02 * count)], sorted[Math.ceil(0.98 * (count - 1))]];
    const middle = (low + high) / 2;
    this.legend.replaceChildren(...[[0, low], [0.5, middle], [1, high]].map(([share, value]) => this.entry(ofShare(share), short(value))));
    return (number) => ofShare(Math.max(0, Math.min(1, (values[number] - low) / (high - low || 1))));
  }

  entry(ink, name) {
    const dot = el("i");
    dot.style.background = ink;
    return el("span", {}, dot, name);
  }

  draw() {
    if (!this.places) return;
    const paper = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    const ratio = window.devicePixelRatio || 1;
    const ink = this.colours();
    paper.clearRect(0, 0, width, height);
    paper.imageSmoothingEnabled = false;
    const size = Math.max(2.2 * ratio, Math.min(5 * ratio, width / 110));
    this.places.forEach(([x, y], at) => {
      paper.globalAlpha = this.group.size && !this.group.has(at) ? 0.25 : 1;
      if (this.pictures.on && this.shape) this.stamp(paper, this.numbers[at], x * width, y * height, ink, ratio);
      else {
        paper.fillStyle = ink(this.numbers[at]);
        paper.beginPath();
        paper.arc(x * width, y * height, size, 0, 7);
        paper.fill();
      }
    });
    paper.globalAlpha = 1;
    this.outline(paper, width, height, ratio, size);
  }

  outline(paper, width, height, ratio, size) {
    paper.strokeStyle = colour("--ink");
    paper.lineWidth = 2 * ratio;
    if (this.at >= 0 && this.places[this.at]) {
      paper.beginPath();
      paper.arc(this.places[this.at][0] * width, this.places[this.at][1] * height, size + 4 * ratio, 0, 7);
      paper.stroke();
    }
    if (this.loop.length < 2) return;
    paper.beginPath();
    this.loop.forEach(([x, y]) => paper.lineTo(x * width, y * height));
    paper.stroke();
  }

  /** A small picture in place of a point, framed in its colour. */
  stamp(paper, number, x, y, ink, ratio) {
    this.stamps ??= new Map();
    if (!this.stamps.has(number)) {
      const small = document.createElement("canvas");
      paint(small, this.held.pictures.values, this.shape, number);
      this.stamps.set(number, small);
    }
    const side = 22 * ratio;
    paper.fillStyle = ink(number);
    paper.fillRect(x - side / 2 - 2, y - side / 2 - 2, side + 4, side + 4);
    paper.drawImage(this.stamps.get(number), x - side / 2, y - side / 2, side, side);
  }
}
