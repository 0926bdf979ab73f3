// Elements and pictures.

/** Make an element: properties that begin with "on" are listeners, others attributes; children are elements or text. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

export function button(text, onclick, more = {}) {
  return el("button", { type: "button", onclick, ...more }, text);
}

/** A choice with a label; `options` are pairs of value and text, or groups of them by name. */
export function choice(label, options, onchange) {
  const list = el("select", { onchange: (event) => onchange(event.target.value) });
  fill(list, options);
  const row = el("label", {}, label, list);
  row.list = list;
  return row;
}

export function fill(list, options) {
  const one = ([value, text]) => el("option", { value }, text);
  if (Array.isArray(options)) list.replaceChildren(...options.map(one));
  else
    list.replaceChildren(
      ...Object.entries(options)
        .filter(([, inside]) => inside.length)
        .map(([label, inside]) => el("optgroup", { label }, ...inside.map(one))),
    );
}

/** A slider with its name and value above it. */
export function slider(name, low, high, step, value, oninput, said = (x) => x.toFixed(1)) {
  const output = el("output", {}, said(value));
  const input = el("input", { type: "range", min: low, max: high, step, value, "aria-label": name });
  input.addEventListener("input", (event) => {
    output.textContent = said(input.valueAsNumber);
    oninput(input.valueAsNumber, event);
  });
  const row = el("label", {}, name, output, input);
  row.input = input;
  row.set = (x) => {
    input.value = x;
    output.textContent = said(x);
  };
  return row;
}

/** A switch that is pressed or not. */
export function toggle(text, onchange, pressed = false) {
  const made = button(text, () => made.set(made.getAttribute("aria-pressed") !== "true", true), { "aria-pressed": String(pressed) });
  made.set = (on, tell = false) => {
    if (made.getAttribute("aria-pressed") === String(on)) return;
    made.setAttribute("aria-pressed", String(on));
    if (tell) onchange(on);
  };
  Object.defineProperty(made, "on", { get: () => made.getAttribute("aria-pressed") === "true" });
  return made;
}

/** A canvas for one picture of a shape [channel, height, width]. */
export function picture(shape, label, className = "picture") {
  return el("canvas", { width: shape.at(-1), height: shape.at(-2), class: className, role: "img", "aria-label": label });
}

/** Draw picture `number` of bytes [picture, channel, height, width]. */
export function paint(canvas, values, shape, number = 0) {
  const [channels, height, width] = shape.slice(-3);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  canvas.getContext("2d").putImageData(image(values, channels, height, width, number), 0, 0);
  canvas.dataset.painted = "";
}

/** Take a picture away again. */
export function wipe(canvas) {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  delete canvas.dataset.painted;
}

export function image(values, channels, height, width, number = 0) {
  const area = height * width;
  const begin = number * channels * area;
  const made = new ImageData(width, height);
  const [green, blue] = channels === 3 ? [area, 2 * area] : [0, 0];
  for (let at = 0; at < area; at++) {
    made.data[4 * at] = values[begin + at];
    made.data[4 * at + 1] = values[begin + green + at];
    made.data[4 * at + 2] = values[begin + blue + at];
    made.data[4 * at + 3] = 255;
  }
  return made;
}

/** Draw numbers [height, width] from minus to plus `largest`: blue, black, orange. */
export function paintSigned(canvas, values, height, width, largest) {
  const made = new ImageData(width, height);
  for (let at = 0; at < height * width; at++) {
    const value = Math.max(-1, Math.min(1, values[at] / largest));
    const [r, g, b] = value >= 0 ? [255, 190, 120] : [90, 160, 255];
    const size = Math.abs(value) ** 0.6; // so that weak ones are seen
    made.data.set([r * size, g * size, b * size, 255], 4 * at);
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(made, 0, 0);
}

let fading = 0;

/** Say something at the foot of the page. */
export function tell(what) {
  const status = document.getElementById("status");
  status.textContent = what instanceof Error ? what.message : what;
  status.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => status.classList.remove("shown"), 6000);
}

/** Keep a canvas as sharp as the screen; calls `draw` when its size changes. */
export function sharp(canvas, draw) {
  new ResizeObserver(() => {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (!width || (canvas.width === width && canvas.height === height)) return;
    canvas.width = width;
    canvas.height = height;
    draw();
  }).observe(canvas);
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
