// A picture of a person's own: dropped, pasted or chosen; as the run sees it, given back, and its nearest examples.

import { button, el, paint, picture, tell } from "./dom.js";
import { ask } from "./wire.js";

/**
 * @param about.bytes  bytes that a file may have
 * @param got          called with the message about the picture
 */
export function dropPlace(panel, about, shape, library, got) {
  let last = null;
  const input = el("input", { type: "file", accept: "image/*", hidden: true, onchange: () => send(input.files[0]) });
  const inverted = el("input", { type: "checkbox", onchange: () => last && send(last) });
  const original = picture(shape, "Your picture as the run sees it");
  const back = picture(shape, "What the run gives back");
  const nearest = el("div", { class: "tiles six" });
  const said = el("p", { class: "note", role: "status" }, "Nothing leaves this machine.");
  const place = el(
    "div",
    { class: "drop" },
    el("h3", {}, "A picture of your own"),
    el(
      "div",
      { class: "row" },
      button("Open a picture…", () => input.click()),
      el("label", {}, inverted, "swap light and dark"),
      el("span", { class: "note" }, "or drop it anywhere here, or paste it"),
    ),
    el(
      "div",
      { class: "pair" },
      el("figure", {}, original, el("figcaption", {}, "as the run sees it")),
      el("figure", {}, back, el("figcaption", {}, "given back")),
    ),
    said,
    nearest,
    input,
  );

  async function send(file) {
    if (!file) return;
    last = file;
    if (file.size > about.bytes) {
      tell(`The file has ${file.size.toLocaleString()} bytes; at most ${about.bytes.toLocaleString()} are taken.`);
      return;
    }
    try {
      const found = await ask("examples/picture", { inverted: inverted.checked ? 1 : 0 }, file);
      show(found);
      got(found);
    } catch (error) {
      tell(error);
    }
  }

  async function show(found) {
    paint(original, found.original.values, found.original.shape);
    if (found.reconstruction) paint(back, found.reconstruction.values, found.reconstruction.shape);
    back.parentElement.hidden = !found.reconstruction;
    const error = found.squared_error === undefined ? "" : `Squared error ${found.squared_error.toFixed(2)}. `;
    said.textContent = `${error}The nearest test examples:`;
    nearest.replaceChildren(...(await library.tiles(found.nearest, found.apart.values)));
  }

  const over = (event) => {
    event.preventDefault();
    place.classList.add("over");
  };
  panel.addEventListener("dragover", over);
  panel.addEventListener("dragleave", () => place.classList.remove("over"));
  panel.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    send(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    if (!panel.hidden) send([...event.clipboardData.files][0]);
  });
  return place;
}
