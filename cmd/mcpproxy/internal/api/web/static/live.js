// What is shared by all pages and changes by itself: the status, watched.
import { get } from './api.js';

const watchers = new Set();
let last = null;
let running = null;
let again = false;

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

let timer = 0;

/** watch keeps the status fresh while the page is visible. */
export function watch() {
  const tick = () => {
    clearTimeout(timer);
    if (!document.hidden) refresh();
    timer = setTimeout(tick, 3000);
  };
  document.addEventListener('visibilitychange', tick);
  tick();
}
