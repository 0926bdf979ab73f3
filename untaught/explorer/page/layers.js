// What a layer sees, example by example, and weights as pictures.

import { button, choice, el, paint, paintSigned, picture, slider, tell } from "./dom.js";
import { short } from "./plot.js";
import { ask, Latest } from "./wire.js";

export const tab = "Layers";
export const title = "What each layer sees";
export const hint = "Choose a layer and an example: each square is a unit, orange where it is driven up and blue where down. Click one to see what drives it most.";

export async function build(panel, about, { about: run, library }) {
  const names = Object.keys(about.layers);
  if (names.length) await new Layer(panel, about, run, library).look();
  if (about.filters.length) await filters(panel, about, names.length > 0);
}

class Layer {
  constructor(panel, about, run, library) {
    Object.assign(this, { panel, about, library });
    this.unit = 0;
    const told = ([name, shape]) => [name, `${name} (${shape.join(" × ")})`];
    this.layer = choice("Layer", Object.entries(about.layers).map(told), () => {
      this.unit = 0;
      this.look();
      this.strongest.replaceChildren();
    });
    this.example = slider("example", 0, run.examples - 1, 1, 0, () => this.look(), (x) => String(x));
    this.seen = picture(run.shape, "The example");
    this.name = el("figcaption");
    this.units = el("div", { class: "tiles" });
    this.note = el("p", { class: "note figure" });
    this.strongest = el("div", { class: "tiles six" });
    this.which = el("h3", {}, "What drives a unit most");
    this.asked = new Latest((wish) => ask("layers/look", wish), (found, wish) => this.show(found, wish), tell);
    panel.append(
      el("div", { class: "row" }, this.layer),
      el(
        "div",
        { class: "two" },
        el("div", {}, this.units, this.note),
        el(
          "div",
          { class: "stays" },
          el("div", { class: "pair" }, el("figure", {}, this.seen, this.name), el("div", {}, this.example)),
          el("div", { class: "card" }, this.which, el("p", { class: "note" }, "The test examples to which the unit responds most."), this.strongest),
        ),
      ),
    );
  }

  async look() {
    this.asked.ask({ layer: this.layer.list.value, example: this.example.input.valueAsNumber });
  }

  async show(found, wish) {
    const { shape, values } = found.activations;
    const [count, height, width] = shape.length === 3 ? shape : [shape[0], 1, 1];
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
    if (this.units.children.length !== count || this.shown !== wish.layer) {
      this.units.replaceChildren(...Array.from({ length: count }, (_, unit) => this.tile(unit)));
      this.units.classList.toggle("wide", height > 1);
      this.units.classList.toggle("dense", height === 1);
      this.shown = wish.layer;
    }
    [...this.units.children].forEach((tile, unit) => {
      const part = values.subarray(unit * height * width, (unit + 1) * height * width);
      paintSigned(tile.firstChild, part, height, width, largest);
      if (height * width === 1) tile.title = `unit ${unit + 1}: ${short(part[0])}`;
    });
    const more = found.units > count ? `The first ${count} of ${found.units} units. ` : "";
    this.note.textContent = `${more}The strongest has ${short(largest)}.`;
    const held = await this.library.read();
    if (held.pictures) paint(this.seen, held.pictures.values, held.pictures.shape, wish.example);
    const label = held.label.values[wish.example];
    this.name.textContent = label >= 0 ? (this.library.classes[label] ?? String(label)) : "";
  }

  tile(unit) {
    const canvas = el("canvas", { width: 1, height: 1 });
    const made = button(canvas, () => this.drive(unit), { "aria-label": `Unit ${unit + 1}`, "aria-pressed": "false" });
    return made;
  }

  async drive(unit) {
    [...this.units.children].forEach((tile, at) => tile.setAttribute("aria-pressed", String(at === unit)));
    this.which.textContent = `Looking for what drives unit ${unit + 1} most…`;
    try {
      const found = await ask("layers/strongest", { layer: this.layer.list.value, unit });
      this.which.textContent = `What drives unit ${unit + 1} most: up to ${short(found.activation.values[0])}, ${short(found.mean.values[0])} on average`;
      this.strongest.replaceChildren(...(await this.library.tiles(found.examples)));
    } catch (error) {
      tell(error);
    }
  }
}

const AT_FIRST = 60;

async function filters(panel, about, below) {
  const tiles = el("div", { class: "tiles" });
  const note = el("p", { class: "note" });
  const more = button("Show more", () => {}, { hidden: true });
  const take = async (name) => {
    try {
      const { pictures, units } = await ask("layers/filters", { name });
      const all = Array.from({ length: pictures.shape[0] }, (_, unit) => {
        const canvas = picture(pictures.shape, `Weights of unit ${unit + 1}`);
        paint(canvas, pictures.values, pictures.shape, unit);
        return canvas;
      });
      tiles.replaceChildren(...all.slice(0, AT_FIRST));
      more.hidden = all.length <= AT_FIRST;
      more.onclick = () => {
        tiles.replaceChildren(...all);
        more.hidden = true;
      };
      const which = units > pictures.shape[0] ? `The first ${pictures.shape[0]} of ${units} units. ` : "";
      note.textContent = `${which}Grey is 0, white the unit's largest weight, black minus the largest.`;
    } catch (error) {
      tell(error);
    }
  };
  const names = choice("of", about.filters.map((name) => [name, name]), take);
  panel.append(
    el("div", { class: below ? "card" : "" }, el("h3", {}, "Weights as pictures"), about.filters.length > 1 ? names : null, note, tiles, el("div", { class: "row" }, more)),
  );
  await take(about.filters[0]);
}
