// What changes by itself. An event says "look again", never what there is to see.
import { get } from './api.js';

const listeners = new Set();
const watchers = new Set();
let last = null;

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

/** single is f, never twice at a time: calls while it runs are one more run. */
export function single(f) {
  let running = null, more = false;
  return () => {
    if (running) {
      more = true;
      return running;
    }
    running = (async () => {
      do {
        more = false;
        await f();
      } while (more);
    })().finally(() => { running = null; });
    return running;
  };
}

/** refresh reads the status once more. */
export const refresh = single(read);

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

/**
 * watch follows the events while there is a session and somebody looks: a browser
 * opens six connections to one host, so that hidden tabs must not hold one each.
 */
export function watch(signal) {
  let source = null;
  const follow = () => {
    source?.close();
    source = null;
    if (document.hidden || signal.aborted) return;
    source = new EventSource('/events'); // its first event is "all": look at everything again
    source.addEventListener('message', (m) => told(JSON.parse(m.data)));
    source.addEventListener('error', () => refresh()); // gone, or the session ended: the status tells which
  };
  const slow = setInterval(() => { if (!document.hidden) refresh(); }, 20_000); // "5 min ago" grows old
  document.addEventListener('visibilitychange', follow, { signal });
  signal.addEventListener('abort', () => {
    clearInterval(slow);
    follow();
  });
  follow();
  refresh();
}
