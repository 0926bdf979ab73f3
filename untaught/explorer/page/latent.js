// A plane of the latent space under the mouse.

import { button, choice, colour, el, image, paint, picture, sharp, slider, tell, toggle } from "./dom.js";
import { dropPlace } from "./drop.js";
import { ask, Latest, raw } from "./wire.js";

export const tab = "Latent space";
export const title = "Pictures that the model makes of its codes";
export const hint =
  "Move over the map: each place is a code, and the picture beside it is what the code decodes to. Click to freeze it.";

const REACH = 3; // deviations from the middle to the edge of the map
const BEGIN = 1.2; // where the map begins, in deviations
const SLIDERS = 8;
const KINDS = { unit: "units, the most active first", component: "principal directions", variable: "true variables", change: "directions of greatest change" };

export async function build(panel, about, { about: run, library }) {
  const shape = [1, ...run.shape];
  const waiting = el("p", { class: "quiet", role: "status" }, about.drawn ? "Finding what changes pictures most…" : "Encoding the test examples…");
  panel.append(waiting);
  const space = await ask("latent/space");
  waiting.remove();
  const state = new State(space, about.features);
  const view = new View(panel, shape, state, about, library, run.panels.examples);
  view.start();
}

/** The code, and how it is made: a beginning, steps along two chosen directions, and steps along others. */
class State {
  constructor(space, features) {
    this.features = features;
    this.axes = space.axes;
    this.directions = space.directions.values;
    this.coordinates = space.coordinates;
    this.mean = space.mean.values;
    this.base = this.mean;
    this.chosen = [...space.usual];
    this.steps = new Float32Array(this.axes.length);
    this.fixed = null; // a code between two that were kept
  }

  get atMean() {
    return this.base === this.mean;
  }

  /** The code with the two chosen directions at (a, b). */
  code(a = this.steps[this.chosen[0]], b = this.steps[this.chosen[1]]) {
    const code = Float32Array.from(this.base);
    this.steps.forEach((step, axis) => {
      if (!this.chosen.includes(axis) && step) this.#add(code, axis, step);
    });
    this.#add(code, this.chosen[0], a);
    if (this.chosen[1] !== this.chosen[0]) this.#add(code, this.chosen[1], b);
    return code;
  }

  get shown() {
    return this.fixed ?? this.code();
  }

  #add(code, axis, step) {
    const begin = axis * this.features;
    for (let at = 0; at < this.features; at++) code[at] += step * this.directions[begin + at];
  }

  /** Directions with a slider: of the kind that is on the map, but for the two on it. */
  get others() {
    const kind = this.axes[this.chosen[0]].kind;
    return this.axes.flatMap((axis, at) => (axis.kind === kind && !this.chosen.includes(at) ? [at] : [])).slice(0, SLIDERS);
  }
}

class View {
  constructor(panel, shape, state, about, library, examples) {
    Object.assign(this, { panel, shape, state, about, library, examples });
    this.frozen = false;
    this.kept = [null, null];
    const [, channels, height, width] = shape;
    this.count = Math.max(3, Math.min(13, Math.floor(Math.sqrt(about.most))));
    this.step = [width, height].map((side) => side + Math.max(1, Math.round(side / 14))); // tiles do not touch
    const [across, down] = this.step;
    this.tiles = el("canvas", { width: this.count * across, height: this.count * down, "aria-hidden": "true" });
    this.over = el("canvas", {
      class: "sharp",
      tabindex: 0,
      role: "application",
      "aria-label": "Map of the latent space. Arrow keys move, Enter freezes.",
    });
    this.map = el("div", { class: "stack" }, this.tiles, this.over);
    this.map.style.aspectRatio = `${width} / ${height}`;
    this.picture = picture([channels, height, width], "The picture that the code decodes to");
    this.where = el("figcaption", { class: "figure" });
    this.live = new Latest((wish) => raw("latent/decode", {}, wish.code), (bytes, wish) => this.show(bytes, wish), tell);
    this.below = new Latest((codes) => raw("latent/decode", { count: this.count ** 2 }, codes), (bytes) => this.tile(bytes), tell);
    this.lay();
  }

  lay() {
    const options = {};
    for (const [kind, label] of Object.entries(KINDS)) {
      options[label] = this.state.axes.flatMap((axis, at) => (axis.kind === kind ? [[at, axis.name]] : []));
    }
    this.lists = ["across", "up"].map((name, side) => choice(name, options, (value) => this.choose(side, Number(value))));
    this.lists.forEach((row, side) => (row.list.value = this.state.chosen[side]));
    this.freezing = toggle("Freeze", (on) => (this.frozen = on));
    this.walking = toggle("Random walk", (on) => on && this.walk());
    this.dots = toggle(this.about.drawn ? "Show draws" : "Show test examples", () => this.draw());
    this.sliders = el("div", { class: "sliders" });
    const more = el(
      "div",
      { class: "card" },
      el("h3", {}, "The other directions"),
      this.sliders,
      el("p", { class: "note" }, `In standard deviations of ${this.about.drawn ? "codes that are drawn" : "the test examples"}.`),
    );
    this.panel.append(
      el(
        "div",
        { class: "two latent" },
        this.map,
        el(
          "div",
          {},
          el("figure", { class: "big" }, this.picture, this.where),
          el(
            "div",
            { class: "row" },
            this.freezing,
            this.walking,
            button(this.about.drawn ? "From a draw" : "From an example", () => this.fromExample()),
            button("From the mean", () => this.begin(this.state.mean)),
          ),
          this.about.classes.length ? this.classes() : null,
        ),
        el("div", {}, el("div", { class: "row" }, ...this.lists, this.dots), more),
        this.between(),
      ),
    );
    if (this.examples?.drop && !this.about.drawn) {
      this.panel.append(dropPlace(this.panel, this.examples, this.shape.slice(1), this.library, (found) => this.begin(found.code.values)));
    }
  }

  /** Two codes that are kept, and what lies between them. */
  between() {
    this.ends = [0, 1].map((side) => picture(this.shape.slice(1), `Picture ${"AB"[side]}, kept`));
    this.share = slider("from A to B", 0, 1, 0.01, 0, (x, event) => this.blend(x, event), (x) => x.toFixed(2));
    this.playing = toggle("Play", (on) => on && this.play());
    this.share.input.disabled = this.playing.disabled = true;
    return el(
      "div",
      { class: "card" },
      el("h3", {}, "Between two pictures"),
      el(
        "div",
        { class: "pair" },
        ...this.ends.map((canvas, side) => el("figure", {}, canvas, button(`Keep as ${"AB"[side]}`, () => this.keep(side)))),
      ),
      this.share,
      el("div", { class: "row" }, this.playing),
    );
  }

  start() {
    sharp(this.over, () => this.draw());
    window.addEventListener("themed", () => this.draw());
    const move = (event) => {
      if (!this.frozen || event.type === "pointerdown") this.point(event);
    };
    this.over.addEventListener("pointermove", move);
    this.over.addEventListener("pointerdown", (event) => {
      this.point(event);
      this.freezing.set(!this.frozen || event.pointerType === "touch", true);
      if (event.pointerType === "touch") this.freezing.set(false, true);
    });
    this.over.addEventListener("keydown", (event) => this.key(event));
    this.relist();
    this.state.chosen.forEach((axis) => (this.state.steps[axis] = BEGIN)); // at the mean itself all examples overlap
    if (this.about.drawn) this.fromExample({}, false); // hardly any draw is near the mean
    else this.refresh();
  }

  point(event) {
    const box = this.over.getBoundingClientRect();
    const [a, b] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    this.move((2 * a - 1) * REACH, (1 - 2 * b) * REACH, event.timeStamp);
  }

  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.key === "Enter" || event.key === " ") this.freezing.set(!this.frozen, true);
    else if (!step) return;
    else this.move(this.at(0) + 0.1 * step[0], this.at(1) + 0.1 * step[1], event.timeStamp);
    event.preventDefault();
  }

  at(side) {
    return this.state.steps[this.state.chosen[side]];
  }

  move(a, b, since) {
    const inside = (x) => Math.max(-REACH, Math.min(REACH, x));
    this.state.fixed = null;
    this.state.steps[this.state.chosen[1]] = inside(b);
    this.state.steps[this.state.chosen[0]] = inside(a);
    this.update(since);
  }

  /** Ask for the picture of the code as it is now. */
  update(since = null) {
    this.live.ask({ code: this.state.shown, since });
    this.draw();
  }

  /** Ask for the map below too: something else than the place on it has changed. */
  refresh(since = null) {
    this.update(since);
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.retile(), 60);
  }

  retile() {
    const codes = new Float32Array(this.count ** 2 * this.state.features);
    const place = (at) => ((at + 0.5) / this.count) * 2 * REACH - REACH;
    for (let row = 0; row < this.count; row++)
      for (let column = 0; column < this.count; column++)
        codes.set(this.state.code(place(column), -place(row)), (row * this.count + column) * this.state.features);
    this.below.ask(codes);
  }

  tile(bytes) {
    const [, , height, width] = this.shape;
    const [across, down] = this.step;
    const values = new Uint8Array(bytes);
    const paper = this.tiles.getContext("2d");
    const drawn = values.length / (this.count ** 2 * height * width);
    for (let at = 0; at < this.count ** 2; at++) {
      const place = [(at % this.count) * across, Math.floor(at / this.count) * down];
      paper.putImageData(image(values, drawn, height, width, at), ...place);
    }
  }

  show(bytes, wish) {
    const [, , height, width] = this.shape;
    const values = new Uint8Array(bytes);
    paint(this.picture, values, [values.length / (height * width), height, width]);
    this.last = values;
    if (wish.since === null) return;
    // From the movement to the picture, for whoever looks into the browser's timeline.
    performance.measure("picture", { start: wish.since, end: performance.now() });
    if (performance.getEntriesByName("picture").length > 2000) performance.clearMeasures("picture");
  }

  draw() {
    const paper = this.over.getContext("2d");
    const { width, height } = this.over;
    paper.clearRect(0, 0, width, height);
    const place = (a, b) => [((a / REACH + 1) / 2) * width, ((1 - b / REACH) / 2) * height];
    const ratio = window.devicePixelRatio || 1;
    if (this.dots.on && this.state.atMean) this.drawExamples(paper, place, ratio);
    const [x, y] = place(this.at(0), this.at(1));
    paper.lineWidth = 3 * ratio;
    for (const [ink, extra] of [["rgba(0,0,0,.7)", 2 * ratio], [colour("--warm"), 0]]) {
      paper.strokeStyle = ink;
      paper.lineWidth = 3 * ratio + extra;
      paper.beginPath();
      paper.arc(x, y, 9 * ratio, 0, 7);
      paper.stroke();
    }
    const names = this.state.chosen.map((axis, side) => `${this.state.axes[axis].name} ${this.at(side).toFixed(1)}`);
    this.where.textContent = this.state.fixed ? "between A and B" : `${[...new Set(names)].join(", ")}${this.state.atMean ? "" : " from where it began"}`;
  }

  drawExamples(paper, place, ratio) {
    const count = this.state.coordinates.shape[1];
    const [i, j] = this.state.chosen.map((axis) => axis * count);
    const values = this.state.coordinates.values;
    paper.fillStyle = "rgba(255, 210, 90, .8)";
    for (let at = 0; at < count; at++) {
      const [x, y] = place(values[i + at], values[j + at]);
      paper.fillRect(x - 1.5 * ratio, y - 1.5 * ratio, 3 * ratio, 3 * ratio);
    }
  }

  choose(side, axis) {
    this.state.chosen[side] = axis;
    this.state.fixed = null;
    this.relist();
    this.refresh();
  }

  /** Sliders of the directions that are not on the map. */
  relist() {
    this.rows = this.state.others.map((axis) => {
      const row = slider(this.state.axes[axis].name, -REACH, REACH, 0.05, this.state.steps[axis], (x, event) => {
        this.state.steps[axis] = x;
        this.state.fixed = null;
        this.refresh(event.timeStamp);
      });
      row.axis = axis;
      return row;
    });
    this.sliders.replaceChildren(...this.rows);
  }

  /** Go on from a code: all steps begin at 0. */
  begin(code) {
    this.state.base = code;
    this.state.fixed = null;
    this.state.steps.fill(0);
    this.rows.forEach((row) => row.set(0));
    this.refresh();
  }

  /** A class on demand: the code begins at a draw of it. */
  classes() {
    const kinds = this.about.classes.map((name, label) => button(name, () => this.fromExample({ label })));
    return el("div", { class: "row", role: "group", "aria-label": "A class on demand" }, el("span", { class: "note" }, "A draw of class"), ...kinds);
  }

  async fromExample(wish = null, freeze = true) {
    try {
      wish ??= this.about.drawn ? {} : { example: Math.floor(Math.random() * (await this.library.read()).label.values.length) };
      this.begin((await ask("latent/code", wish)).code.values);
      this.freezing.set(freeze, true);
    } catch (error) {
      tell(error);
    }
  }

  /** A walk that is drawn back to the middle (Ornstein and Uhlenbeck), in all directions that can be seen. */
  walk() {
    const step = () => {
      if (!this.walking.on || this.panel.hidden) return this.walking.set(false);
      for (const axis of new Set([...this.state.chosen, ...this.state.others])) {
        const normal = Math.random() + Math.random() + Math.random() + Math.random() - 2;
        this.state.steps[axis] = Math.max(-REACH, Math.min(REACH, 0.985 * this.state.steps[axis] + 0.25 * normal));
      }
      this.rows.forEach((row) => row.set(this.state.steps[row.axis]));
      this.state.fixed = null;
      if (this.live.running) this.draw();
      else this.update();
      setTimeout(step, 60);
    };
    this.freezing.set(true, true);
    step();
  }

  keep(side) {
    this.kept[side] = this.state.shown;
    if (this.last) {
      const [, , height, width] = this.shape;
      paint(this.ends[side], this.last, [this.last.length / (height * width), height, width]);
    }
    this.share.input.disabled = this.playing.disabled = !(this.kept[0] && this.kept[1]);
  }

  blend(share, event = null) {
    const [a, b] = this.kept;
    this.state.fixed = a.map((value, at) => value + share * (b[at] - value));
    this.freezing.set(true, true);
    this.update(event?.timeStamp ?? null);
  }

  play() {
    const begun = performance.now();
    const step = () => {
      if (!this.playing.on || this.panel.hidden) return this.playing.set(false);
      const share = 0.5 - 0.5 * Math.cos((performance.now() - begun) / 700);
      this.share.set(share);
      this.blend(share);
      requestAnimationFrame(step);
    };
    step();
  }
}
