// How it was trained, or is being trained: curves and pictures as they come.

import { button, el, tell } from "./dom.js";
import { chart, short } from "./plot.js";
import { read } from "./wire.js";

export const tab = "Training";
export const title = "How it learnt";
export const hint = "Curves and pictures from the run's folder; while it trains they go on by themselves.";

const EVERY = 2000;
const CHARTS = 6;
const PICTURES = 12;

export async function build(panel, about, { about: run }) {
  const view = new View(panel, run);
  for (;;) {
    if (!panel.hidden) await view.look();
    await new Promise((go) => setTimeout(go, EVERY));
  }
}

/** "train-00000714/samples.png" as a person says it. */
function spoken(name) {
  const [what, folder] = name.replace(/\.png$/, "").split("/").reverse();
  const [, stage, step] = folder?.match(/^(.*)-(\d+)$/) ?? [];
  return what.replaceAll("-", " ") + (step ? `, ${stage}, step ${Number(step).toLocaleString()}` : "");
}

class View {
  constructor(panel, run) {
    this.panel = panel;
    this.run = run;
    this.records = [];
    this.place = 0;
    this.charts = new Map();
    this.pictures = new Map();
    this.said = el("p", { class: "verdict figure", role: "status" }, "Reading…");
    this.renew = button("Explore the newer weights", () => this.take(), { class: "main", hidden: true });
    this.curves = el("div", { class: "two curves" });
    this.wall = el("div", { class: "wall" });
    panel.append(
      this.said,
      this.renew,
      el("p", { class: "note" }, el("span", { class: "key" }), "held-out data", el("span", { class: "key s1" }), "training data"),
      this.curves,
      el("h3", {}, "Pictures"),
      this.wall,
    );
  }

  async look() {
    let found;
    try {
      do {
        found = await read("training", { from: this.place });
        if (found.restarted) this.records = [];
        this.records.push(...found.records);
        this.place = found.place;
      } while (found.more);
    } catch (error) {
      return tell(error);
    }
    this.renew.hidden = !found.checkpoint || found.checkpoint === this.run.checkpoint;
    this.say();
    this.draw();
    this.hang(found.pictures);
  }

  say() {
    const last = this.records.at(-1);
    if (!last) return (this.said.textContent = "No record yet.");
    const left = last.progress < 1 && last.seconds_left > 0 ? `, ${Math.ceil(last.seconds_left)} s left at the last record` : "";
    this.said.textContent = `Stage ${last.stage}, step ${last.step.toLocaleString()}, ${short(last.seconds)} s, ${(100 * last.progress).toFixed(0)} %${left}.`;
  }

  draw() {
    const stage = this.records.at(-1)?.stage;
    const own = this.records.filter((record) => record.stage === stage);
    const names = new Set(own.flatMap((record) => [...Object.keys(record.held_out ?? {}), ...Object.keys(record.losses ?? {})]));
    for (const name of [...names].filter((name) => !["total", "loss"].includes(name) || names.size <= 2).slice(0, CHARTS)) {
      if (!this.charts.has(name)) this.add(name);
      const line = (kind) => own.flatMap((r) => (Number.isFinite(r[kind]?.[name]) ? [[r.seconds, r[kind][name]]] : []));
      this.charts.get(name).set([line("held_out"), line("losses")]);
    }
  }

  add(name) {
    const spoken = name.replaceAll("_", " ");
    const made = chart(spoken, "seconds of training");
    this.charts.set(name, made);
    this.curves.append(el("figure", {}, el("h3", {}, spoken), made));
  }

  hang(listed) {
    for (const { name, at } of listed.slice(0, PICTURES).reverse()) {
      if (this.pictures.get(name)?.at === at) continue;
      const told = spoken(name);
      const held = this.pictures.get(name) ?? { image: el("img", { class: "wide", alt: told, loading: "lazy" }) };
      held.at = at;
      held.image.src = `/api/training/picture?${new URLSearchParams({ name, at })}`;
      if (!this.pictures.has(name)) this.wall.prepend(el("figure", {}, held.image, el("figcaption", {}, told)));
      this.pictures.set(name, held);
    }
    while (this.wall.childElementCount > PICTURES) this.wall.lastElementChild.remove();
  }

  async take() {
    this.renew.disabled = true;
    try {
      const response = await fetch("/api/renew", { method: "POST" });
      if (!response.ok) throw new Error((await response.json()).error);
      location.reload();
    } catch (error) {
      tell(error);
      this.renew.disabled = false;
    }
  }
}
