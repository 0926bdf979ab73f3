// The latent space under the mouse. Classic script: a page that is opened from disk may load no module.
"use strict";
(() => {
  const map = self.UNTAUGHT_MAP;
  const at = (id) => document.getElementById(id);
  const [channels, height, width] = map.shape;
  const COLOURS = ["#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#ff9da7", "#9c755f", "#8c96a0"];
  const STEP = 1 / 60, STRIDE = 1 / 12; // of the map, for an arrow key, and with Shift
  const TILE = 30; // side of a picture on the map, in pixels of the page
  const WALK_MS = 1600; // from one example to the next on a random walk

  const middle = map.names.map((_, k) => Math.min(map.last[k], Math.max(map.first[k], 0)));
  const place = [...middle]; // coordinates along every direction
  const page = { held: false, pictures: map.names.length <= 2 || !map.classes.length, walking: 0, decode: null, busy: false, asked: null };

  // ---------------------------------------------------------------- pictures

  const canvas = at("picture");
  canvas.width = width;
  canvas.height = height;
  canvas.style[width >= height ? "width" : "height"] = "100%";
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const image = pen.createImageData(width, height);

  /** Show numbers (channel, height, width) as a picture. */
  function show(values) {
    const pixels = width * height;
    for (let p = 0; p < pixels; p++) {
      for (let c = 0; c < 3; c++) {
        const value = map.offset + map.gain * values[p + pixels * (channels === 3 ? c : 0)];
        image.data[4 * p + c] = 255 * Math.min(1, Math.max(0, value));
      }
      image.data[4 * p + 3] = 255;
    }
    pen.putImageData(image, 0, 0);
  }

  /** Features at the current place: the mean and steps along every direction, within what examples have. */
  function features() {
    const z = new Float32Array(map.mean.length);
    for (let j = 0; j < z.length; j++) {
      let sum = map.mean[j];
      for (let k = 0; k < place.length; k++) sum += place[k] * map.directions[k][j];
      z[j] = Math.min(map.most[j], Math.max(map.least[j], sum));
    }
    return z;
  }

  /** Where a coordinate lies between its ends, from 0 to 1. */
  const fraction = (k, value = place[k]) => (value - map.first[k]) / (map.last[k] - map.first[k]);

  const sprite = new Image();

  /** Mix the four pictures of the grid around the current place. */
  function mix() {
    if (!sprite.complete) return;
    const { side, height: tall, width: wide } = map.grid;
    const clip = (x) => Math.min(1, Math.max(0, x)) * (side - 1);
    const x = clip(fraction(0)), y = clip(1 - fraction(1));
    const left = Math.min(side - 2, Math.floor(x)), top = Math.min(side - 2, Math.floor(y));
    let drawn = 0;
    for (const [dx, dy] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
      const weight = (dx ? x - left : 1 - x + left) * (dy ? y - top : 1 - y + top);
      if (weight <= 0) continue;
      drawn += weight;
      pen.globalAlpha = weight / drawn; // over what is drawn already, this leaves each its own share
      pen.drawImage(sprite, (left + dx) * wide, (top + dy) * tall, wide, tall, 0, 0, width, height);
    }
    pen.globalAlpha = 1;
  }

  /** Draw the picture at the current place; while one is computed, only the newest wish is kept. */
  async function draw(asked = performance.now()) {
    page.asked = asked;
    if (page.busy) return;
    page.busy = true;
    while (page.asked !== null) {
      const since = page.asked;
      page.asked = null;
      const began = performance.now();
      if (page.decode) show(await page.decode(features()));
      else mix();
      if (page.decode) tell(`Decoded in this browser in ${Math.max(0.1, performance.now() - began).toFixed(1)} ms.`);
      canvas.dispatchEvent(new CustomEvent("decoded", { detail: { asked: since } }));
    }
    page.busy = false;
  }

  let told = 0;
  /** Say how the picture was made, at most four times a second. */
  function tell(text) {
    const now = performance.now();
    if (now - told < 250) return;
    told = now;
    at("status").textContent = text;
  }

  // ---------------------------------------------------------------- map

  const ground = at("ground");

  /** Draw what lies under the cross: the grid of pictures, or the examples. */
  function paint() {
    const side = Math.round(ground.clientWidth * Math.min(3, self.devicePixelRatio || 1));
    ground.width = ground.height = side;
    const brush = ground.getContext("2d");
    (page.pictures ? tiles : dots)(brush, side);
  }

  /** Pictures of the grid, in their own proportions, each that of the middle of its cell, in cells large enough to see. */
  function tiles(brush, side) {
    const { side: nodes, height: tall, width: wide } = map.grid;
    const count = Math.max(8, Math.min(nodes, Math.floor(ground.clientWidth / TILE)));
    const cell = side / count, scale = cell / Math.max(tall, wide), node = (n) => Math.round(((n + 0.5) / count) * (nodes - 1));
    brush.imageSmoothingQuality = "high";
    for (let row = 0; row < count; row++) {
      for (let column = 0; column < count; column++) {
        brush.drawImage(sprite, node(column) * wide, node(row) * tall, wide, tall,
          (column + 0.5) * cell - (scale * wide) / 2, (row + 0.5) * cell - (scale * tall) / 2, scale * wide, scale * tall);
      }
    }
  }

  function dots(brush, side) {
    const radius = Math.max(1.5, side / 260);
    map.examples.forEach(([u, v], n) => {
      const colour = map.classes.length && map.labels[n] >= 0 ? COLOURS[map.labels[n]] : "#7d8ea3";
      brush.fillStyle = colour;
      brush.beginPath();
      brush.arc(side * fraction(0, u), side * (1 - fraction(1, v)), radius, 0, 7);
      brush.fill();
    });
  }

  /** Go to coordinates, within their ends, and draw what is there. */
  function go(values, asked) {
    values.forEach((value, k) => { place[k] = Math.min(map.last[k], Math.max(map.first[k], value)); });
    at("cross").style.left = `${100 * fraction(0)}%`;
    at("cross").style.top = `${100 * (1 - fraction(1))}%`;
    const signed = (value) => (value < 0 ? "−" : "") + Math.abs(value).toFixed(2);
    at("place").textContent = `${map.names[0]} → ${signed(place[0])}, ${map.names[1]} ↑ ${signed(place[1])}`;
    draw(asked);
  }

  /** Coordinates under the mouse or finger. */
  function under(event) {
    const box = ground.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width, y = 1 - (event.clientY - box.top) / box.height;
    return [x, y].map((share, k) => map.first[k] + share * (map.last[k] - map.first[k]));
  }

  function hold(held) {
    page.held = held;
    at("map").classList.toggle("held", held);
  }

  at("map").addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" ? event.buttons : !page.held) {
      stop();
      go(under(event), event.timeStamp);
    }
  });
  at("map").addEventListener("pointerdown", (event) => {
    const touched = event.pointerType === "touch";
    if (touched) at("map").setPointerCapture(event.pointerId);
    stop();
    hold(!touched && !page.held);
    go(under(event), event.timeStamp);
  });
  document.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const way = ways[event.key], free = [document.body, at("map")].includes(document.activeElement);
    if (!way || !free || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    stop();
    hold(true);
    const step = event.shiftKey ? STRIDE : STEP;
    go(way.map((sign, k) => place[k] + sign * step * (map.last[k] - map.first[k])), event.timeStamp);
  });

  // ---------------------------------------------------------------- controls

  const sliders = map.names.slice(2).map((name, index) => {
    const label = document.createElement("label"), input = document.createElement("input"), k = index + 2;
    Object.assign(input, { type: "range", min: map.first[k], max: map.last[k], step: "any", value: middle[k], disabled: true });
    input.addEventListener("input", (event) => {
      stop();
      place[k] = Number(input.value);
      draw(event.timeStamp);
    });
    label.append(name, input);
    at("sliders").append(label);
    return input;
  });
  const slid = () => sliders.forEach((input, index) => { input.value = place[index + 2]; });

  /** Glide from example to example: every coordinate of each is known. */
  function walk() {
    const from = [...place], to = map.walk[Math.floor(Math.random() * map.walk.length)], began = performance.now();
    const number = ++page.walking;
    at("walk").setAttribute("aria-pressed", "true");
    const step = (now) => {
      if (page.walking !== number) return;
      const done = Math.min(1, Math.max(0, (now - began) / WALK_MS)), share = done * done * (3 - 2 * done);
      go(from.map((value, k) => value + share * (to[k] - value)));
      slid();
      if (done < 1) requestAnimationFrame(step);
      else walk();
    };
    requestAnimationFrame(step);
  }

  function stop() {
    page.walking++;
    at("walk").setAttribute("aria-pressed", "false");
  }

  at("walk").addEventListener("click", () => {
    const walking = at("walk").getAttribute("aria-pressed") === "true";
    hold(!walking);
    if (walking) stop();
    else walk();
  });
  at("reset").addEventListener("click", () => {
    stop();
    hold(false);
    go([...middle]);
    slid();
  });
  at("show").addEventListener("click", () => {
    page.pictures = !page.pictures;
    shown();
  });

  function shown() {
    at("show").textContent = page.pictures ? (map.drawn ? "Show draws" : "Show examples") : "Show pictures";
    at("legend").hidden = !map.classes.length;
    at("legend").style.visibility = page.pictures ? "hidden" : "visible";
    paint();
  }

  at("legend").append(...map.classes.map((name, n) => {
    const entry = document.createElement("span"), dot = document.createElement("i");
    dot.style.background = COLOURS[n];
    entry.append(dot, name);
    return entry;
  }));

  const root = document.documentElement;
  at("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* pages from disk may have no storage */ }
  });
  try { if (localStorage.getItem("theme")) root.dataset.theme = localStorage.getItem("theme"); } catch { /* as above */ }

  // ---------------------------------------------------------------- the decoder

  /** Bytes of a text that holds base64 of gzip. */
  async function unpacked(text) {
    const letters = atob(text), bytes = new Uint8Array(letters.length);
    for (let n = 0; n < letters.length; n++) bytes[n] = letters.charCodeAt(n);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  const script = (name) => new Promise((done, failed) => {
    const element = document.createElement("script");
    Object.assign(element, { src: name, onload: done, onerror: () => failed(new Error(`${name} is missing`)) });
    document.head.append(element);
  });

  /** Start onnxruntime-web from bytes that are here already, and give the decoder as a function. */
  async function decoder() {
    await script("decoder.js");
    if (!self.UNTAUGHT_DECODER) throw new Error("the decoder is not in this page");
    await Promise.all([script("ort.wasm.min.js"), script("runtime.js")]);
    const { machine, loader } = self.UNTAUGHT_RUNTIME, wasm = self.ort.env.wasm;
    wasm.numThreads = 1;
    wasm.wasmBinary = (await unpacked(machine)).buffer;
    wasm.wasmPaths = { mjs: URL.createObjectURL(new Blob([await unpacked(loader)], { type: "text/javascript" })) };
    const options = { executionProviders: ["wasm"] };
    const session = await self.ort.InferenceSession.create(await unpacked(self.UNTAUGHT_DECODER), options);
    return async (z) => {
      const input = new self.ort.Tensor("float32", z, [1, z.length]);
      return (await session.run({ input })).output.data;
    };
  }

  async function start() {
    try {
      if (new URLSearchParams(location.search).has("grid")) throw new Error("the address asks for the grid");
      const decode = await decoder();
      await decode(features()); // the first run takes longest
      page.decode = decode;
      sliders.forEach((input) => { input.disabled = false; });
      root.dataset.decoder = "live";
    } catch (error) {
      root.dataset.decoder = "grid";
      at("status").textContent = `Mixed from a grid of pictures: ${error.message || error}.`;
    }
    draw();
  }

  sprite.addEventListener("load", () => {
    root.classList.remove("wait");
    shown();
    go([...middle]);
    start();
  });
  sprite.src = map.grid.picture;
  new ResizeObserver(paint).observe(ground);
})();
