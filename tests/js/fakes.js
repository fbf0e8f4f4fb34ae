/** Stand-ins for what only a browser has. */

export class MemoryStorage {
  #items = new Map();
  getItem = (key) => this.#items.get(key) ?? null;
  setItem = (key, text) => void this.#items.set(key, text);
  removeItem = (key) => void this.#items.delete(key);
}

/** A WebSocket that a test plays the server for. */
export class FakeSocket {
  static opened = [];
  sent = [];
  closed = false;

  constructor(url) {
    this.url = url;
    FakeSocket.opened.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }

  /** The server's side. */
  accept() {
    this.onopen();
  }

  say(message) {
    this.onmessage({ data: typeof message === 'string' ? message : JSON.stringify(message) });
  }

  hangUp(code = 1006, reason = '') {
    this.onclose({ code, reason });
  }
}

/** A fetch that answers each path with [status, body], or fails. */
export function fakeFetch(answers) {
  return async (url) => {
    const answer = answers[url];
    if (answer instanceof Error) throw answer;
    const [status, body] = answer;
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
  };
}

/** Loads the English words into the one translator, for tests that look at text. */
export async function speakEnglish(translator) {
  const storage = { getText: () => 'en', setText: () => true };
  await translator.start({ document, location: { search: '' }, navigator: {}, storage });
}
