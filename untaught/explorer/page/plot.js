// Lines over a common axis.

const SPACE = "http://www.w3.org/2000/svg";
const WIDTH = 560;
const HEIGHT = 210;
const LEFT = 62;
const FOOT = 34;

function node(name, attributes, text) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

export function short(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(0);
  return String(Number(value.toPrecision(3)));
}

/** A chart that keeps its size. `set(lines, now)`: lines are arrays of [x, y], the second dashed; `now` is marked. */
export function chart(label, across) {
  const svg = node("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": label });
  svg.set = (lines, now = null) => draw(svg, lines, across, now);
  svg.set([]);
  return svg;
}

function draw(svg, lines, across, now) {
  const points = lines.flat().filter(([, y]) => Number.isFinite(y));
  svg.replaceChildren(node("path", { class: "axis", d: `M${LEFT} 8V${HEIGHT - FOOT}H${WIDTH - 8}` }));
  if (!points.length) return;
  const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const lowest = Math.min(...ys);
  const [y0, y1] = [lowest >= 0 && lowest < 0.5 * Math.max(...ys) ? 0 : lowest, Math.max(...ys)];
  const X = (x) => LEFT + ((x - x0) / (x1 - x0 || 1)) * (WIDTH - 12 - LEFT);
  const Y = (y) => HEIGHT - FOOT - ((y - y0) / (y1 - y0 || 1)) * (HEIGHT - FOOT - 14);
  for (const y of [y0, (y0 + y1) / 2, y1]) {
    svg.append(node("text", { x: LEFT - 8, y: Y(y) + 4, "text-anchor": "end" }, short(y)));
  }
  svg.append(node("text", { x: X(x0), y: HEIGHT - FOOT + 18 }, short(x0)));
  svg.append(node("text", { x: X(x1), y: HEIGHT - FOOT + 18, "text-anchor": "end" }, short(x1)));
  svg.append(node("text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, across));
  if (now !== null) svg.append(node("path", { class: "now", d: `M${X(now)} 8V${HEIGHT - FOOT}` }));
  lines.forEach((line, number) => {
    const path = line.filter(([, y]) => Number.isFinite(y)).map(([x, y], at) => `${at ? "L" : "M"}${X(x).toFixed(1)} ${Y(y).toFixed(1)}`);
    if (path.length === 1) path.push("h1");
    svg.append(node("path", { class: `s${number}`, d: path.join("") }));
  });
}
