// Requests to the server, and the messages that it answers with (see wire.py).

/** Take a message apart: its head, with each array under its name. */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  for (const [name, kind, shape] of head.arrays) {
    const count = shape.reduce((a, b) => a * b, 1);
    const values = kind === "u1" ? new Uint8Array(buffer, at, count) : new Float32Array(buffer, at, count);
    head[name] = { shape, values };
    at += Math.ceil(values.byteLength / 4) * 4;
  }
  return head;
}

async function answered(response) {
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Error(told.error ?? `the server answered ${response.status}`);
}

/** Ask a panel; gives the bytes of the answer. */
export async function raw(path, query = {}, body = null) {
  const response = await fetch(`/api/${path}?${new URLSearchParams(query)}`, { method: "POST", body });
  return (await answered(response)).arrayBuffer();
}

/** Ask a panel; gives the message. */
export async function ask(path, query = {}, body = null) {
  return unpack(await raw(path, query, body));
}

/** Ask a panel whose answer is JSON. */
export async function told(path, query = {}) {
  const response = await fetch(`/api/${path}?${new URLSearchParams(query)}`, { method: "POST" });
  return (await answered(response)).json();
}

/** Read JSON. */
export async function read(path, query = {}) {
  return (await answered(await fetch(`/api/${path}?${new URLSearchParams(query)}`))).json();
}

/** At most one request at a time: while it runs, only the newest wish is kept. */
export class Latest {
  constructor(send, done, failed) {
    this.send = send;
    this.done = done;
    this.failed = failed;
    this.running = false;
    this.wanted = null;
  }

  ask(wish) {
    this.wanted = wish;
    if (!this.running) this.#run();
  }

  async #run() {
    this.running = true;
    while (this.wanted !== null) {
      const wish = this.wanted;
      this.wanted = null;
      try {
        this.done(await this.send(wish), wish);
      } catch (error) {
        this.failed(error);
      }
    }
    this.running = false;
  }
}
