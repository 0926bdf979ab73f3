// Video: each frame beside its prediction, how far predictions hold, and a state that is pushed.

import { choice, el, fill, paint, picture, slider, tell, toggle, wipe } from "./dom.js";
import { chart, short } from "./plot.js";
import { ask, Latest, told } from "./wire.js";

export const tab = "Prediction";
export const title = "What the model expects to see next";
export const hint = "Move the slider through the clip: the frame that came, the one that was predicted from those before it, and the error.";

export async function build(panel, about, { about: run }) {
  const view = new View(panel, about, run.shape);
  await view.take(0);
  if (about.push) await view.offer();
}

class View {
  constructor(panel, about, shape) {
    Object.assign(this, { panel, about, shape });
    this.number = 0;
    this.time = 0;
    this.ahead = new Latest((wish) => ask("clips/ahead", wish), (found, wish) => this.follow(found, wish), tell);
    this.pushed = new Latest((wish) => ask("clips/push", wish), (found) => this.pushes(found), tell);
    this.lay();
  }

  lay() {
    const canvases = ["The frame that came", "The frame that was predicted", "The difference"].map((name) => picture(this.shape, name));
    [this.true, this.predicted, this.error] = canvases;
    this.captions = ["came", "predicted", "difference"].map((name) => el("figcaption", { class: "figure" }, name));
    const clips = this.about.clips.map((frames, at) => [at, `${at + 1} (${frames} frames)`]);
    this.clip = choice("Clip", clips, (value) => this.take(Number(value)));
    this.slider = slider("frame", 1, 2, 1, 1, (x) => this.go(x - 1), (x) => String(x));
    this.playing = toggle("Play", (on) => on && this.play());
    this.chart = chart("Squared error of each frame", "frame");
    this.far = slider("frames ahead", 1, this.about.ahead, 1, 10, () => this.look(), (x) => String(x));
    this.strip = el("div", { class: "strip", tabindex: 0, role: "group", "aria-label": "Frames ahead, predicted above and true below" });
    this.holds = el("p", { class: "verdict", role: "status" });
    this.panel.append(
      el("div", { class: "row" }, this.clip, this.playing),
      el("div", { class: "three" }, ...canvases.map((canvas, at) => el("figure", {}, canvas, this.captions[at]))),
      this.slider,
      el("figure", { class: "card" }, this.chart, el("figcaption", {}, el("span", { class: "key" }), "error of the prediction", el("span", { class: "key s1" }), "of expecting no change")),
      el("div", { class: "card" }, el("h3", {}, "From this frame on, predictions from predictions"), this.far, this.holds, this.strip, el("p", { class: "note" }, "Above what was predicted, below what came.")),
      this.about.push ? this.pushing() : null,
    );
  }

  async take(number) {
    this.number = number;
    try {
      this.held = await ask("clips/clip", { clip: number });
    } catch (error) {
      return tell(error);
    }
    const frames = this.held.frames.shape[0];
    this.slider.input.max = frames;
    this.slider.set(Math.min(frames, Math.max(this.held.first + 1, Math.ceil(frames / 3))));
    this.go(this.slider.input.valueAsNumber - 1);
  }

  go(time) {
    this.time = time;
    const { frames, predicted, error, copying, first } = this.held;
    const at = time - first;
    const size = predicted.shape[1] * predicted.shape[2] * predicted.shape[3];
    paint(this.true, frames.values, frames.shape, time);
    this.captions[0].textContent = `frame ${time + 1} came`;
    if (at >= 0) {
      paint(this.predicted, predicted.values, predicted.shape, at);
      const apart = new Uint8Array(size);
      for (let n = 0; n < size; n++) apart[n] = Math.abs(frames.values[time * size + n] - predicted.values[at * size + n]);
      paint(this.error, apart, predicted.shape);
    } else {
      wipe(this.predicted);
      wipe(this.error);
    }
    this.captions[1].textContent = at >= 0 ? "predicted" : "nothing before it to predict from";
    this.captions[2].textContent = at >= 0 ? `squared error ${short(error.values[at])}` : "";
    const line = (some) => [...some.values].map((y, n) => [n + first + 1, y]);
    this.chart.set([line(error), line(copying)], time + 1);
    this.look();
    this.push();
  }

  look() {
    this.ahead.ask({ clip: this.number, context: this.time + 1, frames: this.far.input.valueAsNumber });
  }

  follow(found, wish) {
    const { predicted, error, copying } = found;
    const pairs = Array.from({ length: predicted.shape[0] }, (_, at) => {
      const guess = picture(predicted.shape, `Predicted, ${at + 1} ahead`);
      paint(guess, predicted.values, predicted.shape, at);
      const came = picture(predicted.shape, `Came, ${at + 1} ahead`);
      const known = at < found.known;
      if (known) paint(came, this.held.frames.values, this.held.frames.shape, wish.context + at);
      const caption = known ? `+${at + 1}, error ${short(error.values[at])}` : `+${at + 1}, past the end`;
      return el("figure", {}, guess, el("div", { class: "gap" }), came, el("figcaption", { class: "figure" }, caption));
    });
    this.strip.replaceChildren(...pairs);
    this.holds.textContent = this.verdict(found, error, copying);
  }

  verdict(found, error, copying) {
    if (!found.known) return "The clip ends here; nothing is known of what follows.";
    if (found.holds === 0) return `From the first frame on, expecting no change would have been better: ${short(copying.values[0])} in place of ${short(error.values[0])}.`;
    if (found.holds < found.known) return `Better than expecting no change for ${found.holds} of ${found.known} frames.`;
    return `Better than expecting no change for all ${found.known} frames that are known.`;
  }

  /** The state and how it is pushed; directions take some seconds to find. */
  pushing() {
    this.axis = choice("along", [["", "finding directions…"]], () => this.push());
    this.axis.list.disabled = true;
    this.amount = slider("deviations", -this.about.farthest, this.about.farthest, 0.1, 0, () => this.push());
    this.plain = picture(this.shape, "The next frame as predicted");
    this.moved = picture(this.shape, "The next frame from the pushed state");
    this.amount.input.disabled = true;
    return el(
      "div",
      { class: "card" },
      el("h3", {}, "Push the state"),
      el("p", { class: "note" }, "The state after this frame is moved along one direction of the latent space, and the next frame is decoded."),
      el("div", { class: "row" }, this.axis),
      this.amount,
      el(
        "div",
        { class: "pair" },
        el("figure", {}, this.plain, el("figcaption", {}, "next frame")),
        el("figure", {}, this.moved, el("figcaption", {}, "from the pushed state")),
      ),
    );
  }

  /** Offer the directions once they are found. */
  async offer() {
    const { axes } = await told("clips/directions");
    const named = (kind) => axes.flatMap((axis, at) => (axis.kind === kind ? [[at, axis.name]] : []));
    fill(this.axis.list, { "true variables": named("variable"), "principal directions": named("component"), "units, the most active first": named("unit") });
    this.axis.list.disabled = this.amount.input.disabled = false;
    this.push();
  }

  push() {
    if (!this.axis || this.axis.list.disabled) return;
    this.pushed.ask({ clip: this.number, context: this.time + 1, axis: this.axis.list.value, amount: this.amount.input.valueAsNumber });
  }

  pushes({ pictures }) {
    paint(this.plain, pictures.values, pictures.shape, 0);
    paint(this.moved, pictures.values, pictures.shape, 1);
  }

  play() {
    const step = () => {
      if (!this.playing.on || this.panel.hidden) return this.playing.set(false);
      const last = this.held.frames.shape[0] - 1;
      const next = this.time >= last ? this.held.first : this.time + 1;
      this.slider.set(next + 1);
      this.go(next);
      setTimeout(step, 180);
    };
    step();
  }
}
