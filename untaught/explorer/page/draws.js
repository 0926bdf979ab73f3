// New examples drawn from the model.

import { button, el, paint, picture, tell } from "./dom.js";
import { ask } from "./wire.js";

export const tab = "Samples";
export const title = "New examples that the model draws";
export const hint = "Draw again as often as you like; where the model has learnt classes, ask for one.";

const COUNT = 24;

export async function build(panel, about, { about: run }) {
  const canvases = Array.from({ length: COUNT }, (_, at) => picture(run.shape, `Sample ${at + 1}`));
  let label = "";
  const draw = async () => {
    again.disabled = true;
    try {
      const { pictures } = await ask("draws/draw", label === "" ? { count: COUNT } : { count: COUNT, label });
      canvases.forEach((canvas, at) => paint(canvas, pictures.values, pictures.shape, at));
    } catch (error) {
      tell(error);
    }
    again.disabled = false;
  };
  const again = button("Draw again", draw, { class: "main" });
  const kinds = about.classes.length
    ? ["any class", ...about.classes].map((name, at) =>
        button(name, () => {
          label = at ? at - 1 : "";
          kinds.forEach((other, place) => other.setAttribute("aria-pressed", String(place === at)));
          draw();
        }, { "aria-pressed": String(at === 0) }),
      )
    : [];
  panel.append(
    el("div", { class: "row", role: "group", "aria-label": "Class" }, again, ...kinds),
    el("div", { class: "tiles eight" }, ...canvases),
  );
  await draw();
}
