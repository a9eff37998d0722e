// What changes by itself. An event says "look again", never what there is to see.
import { get } from './api.js';

const listeners = new Set();
const watchers = new Set();
let last = null;
let running = null;
let again = false;

/** on calls f when something of these kinds may differ, until signal ends. */
export function on(kinds, f, signal) {
  const entry = { kinds, f };
  listeners.add(entry);
  signal?.addEventListener('abort', () => listeners.delete(entry));
}

/** later is f, once, ms after the first of many calls; it does not run after signal. */
export function later(f, ms, signal) {
  let timer = 0;
  signal?.addEventListener('abort', () => clearTimeout(timer));
  return () => {
    if (signal?.aborted) return;
    timer ||= setTimeout(() => {
      timer = 0;
      f();
    }, ms);
  };
}

/** status calls f with the status now and whenever it may differ, until signal ends. */
export function status(f, signal) {
  watchers.add(f);
  signal?.addEventListener('abort', () => watchers.delete(f));
  if (last) f(last);
  else refresh();
}

/** refresh reads the status once more; calls while it reads are one. */
export function refresh() {
  if (running) {
    again = true;
    return running;
  }
  running = read().finally(() => {
    running = null;
    if (again) {
      again = false;
      refresh();
    }
  });
  return running;
}

async function read() {
  try {
    last = await get('/api/v1/status');
  } catch (e) {
    if (e.status === 401) return;
    last = { ...(last ?? { servers: [], index: {} }), unreachable: true };
  }
  for (const f of [...watchers]) f(last);
}

const statusKinds = new Set(['all', 'server', 'quarantine', 'index', 'config']);

function told(event) {
  if (statusKinds.has(event.kind)) refresh();
  for (const { kinds, f } of [...listeners]) {
    if (event.kind === 'all' || kinds.includes(event.kind)) f(event);
  }
}

/** watch follows the events while there is a session. */
export function watch(signal) {
  const source = new EventSource('/events');
  source.addEventListener('message', (m) => told(JSON.parse(m.data)));
  source.addEventListener('error', () => refresh()); // gone, or the session ended: the status tells which
  const slow = setInterval(() => { if (!document.hidden) refresh(); }, 20_000); // "5 min ago" grows old
  signal.addEventListener('abort', () => {
    clearInterval(slow);
    source.close();
  });
  refresh();
}
