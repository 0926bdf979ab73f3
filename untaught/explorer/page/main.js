// The page: what the run is, a tab for each panel, light and dark.

import * as chains from "./chains.js";
import * as clips from "./clips.js";
import { button, el, tell } from "./dom.js";
import * as draws from "./draws.js";
import * as examples from "./examples.js";
import * as latent from "./latent.js";
import * as layers from "./layers.js";
import { Library } from "./library.js";
import * as training from "./training.js";
import { read } from "./wire.js";

const PANELS = { latent, chains, clips, draws, examples, layers, training };

function theme() {
  const root = document.documentElement;
  const held = localStorage.getItem("theme");
  if (held) root.dataset.theme = held;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = root.dataset.theme ?? (dark ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    window.dispatchEvent(new Event("themed"));
  });
}

function build(about) {
  document.getElementById("run").textContent = about.run;
  document.getElementById("what").textContent = `${about.model} of ${about.data}`;
  document.title = `${about.run} · untaught explorer`;
  const library = new Library(about.panels.examples?.classes ?? []);
  const names = Object.keys(PANELS).filter((name) => name === "training" || about.panels[name]);
  const tabs = document.getElementById("tabs");
  const panels = names.map((name) => {
    const { title, hint } = PANELS[name];
    return el(
      "section",
      { id: `panel-${name}`, role: "tabpanel", "aria-labelledby": `tab-${name}`, hidden: true },
      el("h2", {}, title),
      el("p", { class: "hint" }, hint),
    );
  });
  const built = new Set();
  const choose = (name, focus = false) => {
    names.forEach((other, at) => {
      const chosen = other === name;
      panels[at].hidden = !chosen;
      tabs.children[at].setAttribute("aria-selected", String(chosen));
      tabs.children[at].tabIndex = chosen ? 0 : -1;
      if (chosen && focus) tabs.children[at].focus();
    });
    history.replaceState(null, "", `#${name}`);
    if (!built.has(name)) {
      built.add(name);
      const panel = panels[names.indexOf(name)];
      Promise.resolve(PANELS[name].build(panel, about.panels[name] ?? {}, { about, library, choose })).catch(tell);
    }
    window.dispatchEvent(new CustomEvent("chosen", { detail: name }));
  };
  names.forEach((name) =>
    tabs.append(
      button(PANELS[name].tab, () => choose(name), { id: `tab-${name}`, role: "tab", "aria-controls": `panel-${name}` }),
    ),
  );
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const now = names.findIndex((_, at) => tabs.children[at].tabIndex === 0);
    choose(names[(now + step + names.length) % names.length], true);
  });
  document.getElementById("panels").replaceChildren(...panels);
  const asked = location.hash.slice(1);
  choose(names.includes(asked) ? asked : names[0]);
}

theme();
read("about").then(build).catch(tell);
