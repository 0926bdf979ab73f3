// Markov chains that run on while pixels are held.

import { button, colour, el, paint, picture, slider, tell, toggle } from "./dom.js";
import { chart } from "./plot.js";
import { ask, Latest } from "./wire.js";

export const tab = "Chains";
export const title = "What the machine finds probable";
export const hint =
  "Draw on the large picture: what you draw is held, and the rest is filled in. All chains run on from where they are.";

const CHAINS = 9;
const KEPT = 200;
const BRUSHES = [["White", 1], ["Black", 0], ["Let go", NaN]];

export async function build(panel, about, { about: run }) {
  const view = new View(panel, about, run.shape);
  await view.begin("noise");
  view.running.set(true, true);
}

class View {
  constructor(panel, about, shape) {
    Object.assign(this, { panel, about, shape });
    [this.channels, this.height, this.width] = shape;
    this.area = this.height * this.width;
    this.pixels = this.channels * this.area;
    this.held = new Float32Array(this.pixels).fill(NaN);
    this.brush = 1;
    this.energies = [];
    this.next = new Latest((wish) => this.send(wish), (found) => this.show(found), (error) => this.stop(error));
    this.lay();
  }

  lay() {
    this.canvas = picture(this.shape, "The first chain");
    this.marks = el("canvas", {
      width: this.width,
      height: this.height,
      tabindex: 0,
      role: "application",
      "aria-label": "Drawing surface. Arrow keys move the brush, Space draws.",
    });
    const stage = el("div", { class: "stack" }, this.canvas, this.marks);
    stage.style.aspectRatio = `${this.width} / ${this.height}`;
    this.running = toggle("Run", (on) => on && this.run());
    this.mean = toggle("Show expected pixels", () => {}, this.about.mean);
    this.heat = slider("Temperature", 0, 1, 0.02, 0, () => {}, (x) => (10 ** x).toFixed(1));
    this.size = slider("Width of the brush", 1, Math.max(2, Math.round(this.width / 4)), 1, Math.max(1, Math.round(this.width / 12)), () => {}, (x) => `${x} px`);
    this.brushes = BRUSHES.map(([name, value]) =>
      toggle(name, () => {
        this.brush = value;
        this.brushes.forEach((other, at) => other.set(Object.is(BRUSHES[at][1], value)));
      }, value === 1),
    );
    this.small = Array.from({ length: CHAINS - 1 }, (_, at) => picture(this.shape, `Chain ${at + 2}`));
    this.chart = chart("Mean free energy of the chains", "steps, the newest to the right");
    this.told = el("figcaption", { class: "figure" }, "free energy in nats, mean of the chains");
    const classes = this.about.classes.map((name, label) => button(name, () => this.begin("class", { label })));
    this.panel.append(
      el(
        "div",
        { class: "two" },
        el(
          "div",
          {},
          el("div", { class: "big" }, stage),
          el("div", { class: "row", role: "group", "aria-label": "Brush" }, ...this.brushes, button("Let all go", () => this.release())),
          el("div", { class: "sliders" }, this.size, this.about.chains ? this.heat : null),
        ),
        el(
          "div",
          {},
          el("h3", {}, "Other chains, under what you hold"),
          el("div", { class: "tiles four" }, ...this.small),
          el(
            "div",
            { class: "row" },
            this.running,
            button("One step", () => this.next.ask(1)),
            this.about.mean ? this.mean : null,
          ),
          el(
            "div",
            { class: "row" },
            button("Begin at noise", () => this.begin("noise")),
            button("Begin at test examples", () => this.begin("examples")),
            button("Hold the upper half", () => this.hold()),
          ),
          classes.length ? el("div", { class: "row", role: "group", "aria-label": "A class on demand" }, el("span", { class: "note" }, "Begin at a sample of class"), ...classes) : null,
          this.about.chains ? el("figure", { class: "card" }, this.chart, this.told) : null,
        ),
      ),
    );
    this.draws();
  }

  draws() {
    let down = false;
    const at = (event) => {
      const box = this.marks.getBoundingClientRect();
      this.mark(((event.clientX - box.left) / box.width) * this.width, ((event.clientY - box.top) / box.height) * this.height);
    };
    this.marks.addEventListener("pointerdown", (event) => {
      down = true;
      this.marks.setPointerCapture(event.pointerId);
      at(event);
    });
    this.marks.addEventListener("pointermove", (event) => down && at(event));
    for (const end of ["pointerup", "pointercancel"]) this.marks.addEventListener(end, () => (down = false));
    this.cursor = [this.width / 2, this.height / 2];
    this.marks.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (step) this.cursor = [(this.cursor[0] + step[0] + this.width) % this.width, (this.cursor[1] + step[1] + this.height) % this.height];
      else if (event.key === " ") this.mark(...this.cursor);
      else return;
      event.preventDefault();
      this.overlay(true);
    });
    window.addEventListener("themed", () => this.overlay());
  }

  mark(x, y) {
    const reach = this.size.input.valueAsNumber / 2;
    for (let row = 0; row < this.height; row++)
      for (let column = 0; column < this.width; column++) {
        if (Math.hypot(column + 0.5 - x, row + 0.5 - y) > Math.max(0.71, reach)) continue;
        for (let channel = 0; channel < this.channels; channel++) this.held[channel * this.area + row * this.width + column] = this.brush;
      }
    this.overlay();
    if (!this.running.on) this.next.ask(1);
  }

  /** Tint the pixels that are held, over the picture as drawn. */
  overlay(cursor = false) {
    const paper = this.marks.getContext("2d");
    paper.clearRect(0, 0, this.width, this.height);
    for (let at = 0; at < this.area; at++) {
      if (Number.isNaN(this.held[at])) continue;
      const grey = Math.round(255 * this.held[at]);
      paper.fillStyle = `rgb(${grey}, ${grey}, ${grey})`;
      paper.fillRect(at % this.width, Math.floor(at / this.width), 1, 1);
      paper.fillStyle = colour("--held");
      paper.fillRect(at % this.width, Math.floor(at / this.width), 1, 1);
    }
    if (!cursor) return;
    paper.fillStyle = colour("--warm");
    paper.fillRect(Math.floor(this.cursor[0]), Math.floor(this.cursor[1]), 1, 1);
  }

  release() {
    this.held.fill(NaN);
    this.overlay();
  }

  /** Hold the upper half as the first chain has it now. */
  hold() {
    for (let channel = 0; channel < this.channels; channel++)
      for (let at = 0; at < this.area / 2; at++) {
        const place = channel * this.area + at;
        this.held[place] = this.shown[Math.min(this.shown.length / this.area - 1, channel) * this.area + at] / 255 > 0.5 ? 1 : 0;
      }
    this.overlay();
  }

  async begin(from, more = {}) {
    try {
      const found = await ask("chains/start", { count: CHAINS, from, ...more });
      this.energies = [];
      this.show(found);
    } catch (error) {
      tell(error);
    }
  }

  send(steps) {
    const body = new Float32Array(this.states.length + this.pixels);
    body.set(this.states);
    body.set(this.held, this.states.length);
    const temperature = 10 ** this.heat.input.valueAsNumber;
    return ask("chains/step", { count: CHAINS, steps, temperature, show: this.mean.on ? "mean" : "states" }, body);
  }

  show(found) {
    this.states = found.states.values;
    const { shape, values } = found.pictures;
    this.shown = values.slice(0, shape[1] * this.area);
    paint(this.canvas, values, shape);
    this.small.forEach((canvas, at) => paint(canvas, values, shape, at + 1));
    if (!found.energy) return;
    this.energies.push(found.energy.values.reduce((a, b) => a + b, 0) / CHAINS);
    this.energies = this.energies.slice(-KEPT);
    this.chart.set([this.energies.map((y, x) => [x - this.energies.length + 1, y])]);
    this.told.textContent = `free energy ${this.energies.at(-1).toFixed(1)} nats, mean of the chains`;
  }

  stop(error) {
    this.running.set(false);
    tell(error);
  }

  run() {
    const step = () => {
      if (!this.running.on) return;
      if (this.panel.hidden) return this.running.set(false);
      if (!this.next.running) this.next.ask(1);
      setTimeout(() => requestAnimationFrame(step), 40);
    };
    step();
  }
}
