// The test examples: read from the server once, when a panel first needs them.

import { el, paint, picture } from "./dom.js";
import { ask } from "./wire.js";

export class Library {
  constructor(classes) {
    this.classes = classes;
    this.reading = null;
  }

  read() {
    this.reading ??= ask("examples/examples");
    return this.reading;
  }

  /** What a person calls an example: its number and class. */
  static name(held, classes, number) {
    const label = held.label.values[number];
    return label >= 0 && classes[label] !== undefined ? `${number} · ${classes[label]}` : String(number);
  }

  /** Small pictures of some examples, with a number below each. */
  async tiles(numbers, values = null) {
    const held = await this.read();
    return numbers.map((number, at) => {
      const name = Library.name(held, this.classes, number);
      const caption = el("figcaption", {}, name);
      if (!held.pictures) return el("figure", {}, caption);
      const canvas = picture(held.pictures.shape, `Test example ${name}`);
      paint(canvas, held.pictures.values, held.pictures.shape, number);
      if (values) canvas.title = `distance ${values[at].toPrecision(3)}`;
      return el("figure", {}, canvas, caption);
    });
  }
}
