// Tools: what an agent would find, every tool there is, and a try of one.
import { get, path } from './api.js';
import { accessTag } from './definition.js';
import { el, fill, icon } from './dom.js';
import { explain } from './explain.js';
import { later as soon, on, status } from './live.js';
import { duration, number, plural } from './text.js';
import { button, empty, failed, head, tabs } from './ui.js';
import { toolSheet } from './tool.js';
import { virtual } from './virtual.js';

export function show(root, signal, params) {
  const part = el('div', { class: 'stack' });
  const servers = el('select', { 'aria-label': 'Server', class: 'narrow' });
  const mode = params.has('server') ? 'all' : 'search';
  let stop = new AbortController();
  signal.addEventListener('abort', () => stop.abort());
  const open = (key) => {
    stop.abort();
    stop = new AbortController();
    (key === 'search' ? search : browse)(part, servers, stop.signal, params);
  };
  status((now) => {
    const names = ['', ...now.servers.map((s) => s.name)];
    if (names.join('\n') === servers.dataset.names) return;
    servers.dataset.names = names.join('\n');
    const chosen = servers.value || params.get('server') || '';
    fill(servers, names.map((n) => el('option', { value: n, selected: n === chosen }, n || 'All servers')));
  }, signal);
  fill(root, head('Tools', null, tabs('Show', [['search', 'As an agent searches'], ['all', 'All tools']], mode, open)), part);
}

function search(part, servers, signal, params) {
  const input = el('input', { type: 'search', placeholder: 'What do you want to do?', 'aria-label': 'Search for tools', value: params.get('q') ?? '', autocomplete: 'off' });
  const count = el('p', { class: 'muted small', 'aria-live': 'polite' });
  const list = el('ol', { class: 'stack tight' });
  let run = new AbortController(), timer = 0;
  const now = async () => {
    run.abort();
    run = new AbortController();
    const q = input.value.trim();
    if (!q) {
      fill(count);
      return fill(list, el('li', { class: 'card' }, empty('Search in plain words', 'You see what retrieve_tools gives an agent for the same words, and why each tool stands where it stands.')));
    }
    const begin = performance.now();
    try {
      const query = new URLSearchParams({ q, limit: 10, server: servers.value });
      const hits = await get('/api/v1/tools/search?' + query, run.signal);
      fill(count, hits.length ? `${plural(hits.length, 'tool')} in ${duration(performance.now() - begin)}` : '');
      fill(list, hits.length ? hits.map(hit) : el('li', { class: 'card' }, empty('No tool fits', 'Agents are told so too. What waits for review is not searched.')));
    } catch (e) {
      failed(e);
    }
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(now, 120);
  };
  input.addEventListener('input', later);
  servers.addEventListener('change', now, { signal });
  on(['index'], soon(() => { if (!list.contains(document.activeElement) && !list.querySelector('details[open]')) now(); }, 1000, signal), signal); // unless somebody reads
  signal.addEventListener('abort', () => { clearTimeout(timer); run.abort(); });
  fill(part, el('div', { class: 'row' }, el('div', { class: 'searchbox large' }, icon('search'), input), servers), count, list);
  now();
}

function hit(h, i) {
  const width = Math.max(2, Math.round(h.score * 100));
  const bar = el('meter', { min: 0, max: 100, value: width, 'aria-label': 'Score' });
  return el('li', { class: 'card hit' },
    el('span', { class: 'rank' }, i + 1),
    el('div', { class: 'grow' },
      el('div', { class: 'row' }, el('h2', null, el('span', { class: 'muted' }, h.server + ':'), h.name), accessTag(h.access), el('span', { class: 'score push' }, bar, h.score.toFixed(2))),
      el('p', { class: 'prose clamp' }, h.description),
      el('div', { class: 'row' }, el('details', { class: 'grow' }, el('summary', null, 'Why it is here'), explain(h.explain)),
        el('div', { class: 'actions' }, button('Definition', () => toolSheet(h, 'about'), { kind: 'quiet small', describe: `Definition of ${h.id}` }),
          button('Try it', () => toolSheet(h), { kind: 'small', describe: `Try it: ${h.id}` })))));
}

const size = 100; // tools of one page

function browse(part, servers, signal) {
  const filter = el('input', { type: 'search', placeholder: 'Filter by name or description', 'aria-label': 'Filter tools', autocomplete: 'off' });
  const count = el('p', { class: 'muted small', 'aria-live': 'polite' });
  let pages = new Map(), total = 0, run = new AbortController(), timer = 0;
  const list = virtual('All tools', 62, (i) => {
    const t = pages.get(Math.floor(i / size))?.[i % size];
    return t ? line(t) : null;
  }, (from, to) => {
    for (let p = Math.floor(from / size); p * size < to; p++) load(p).catch(failed);
  });
  const card = el('section', { class: 'card flush' }, list.node);
  const none = el('section', { class: 'card', hidden: true }, empty('No tools here', 'Tools appear when their server was approved and has listed them.', el('a', { class: 'btn', href: '/ui/review' }, 'Review what waits')));
  const fetchPage = (p) => get('/api/v1/tools?' + new URLSearchParams({ offset: p * size, limit: size, server: servers.value, q: filter.value.trim() }), run.signal);
  const counted = (n) => {
    total = n;
    list.reset(n);
    fill(count, `${number(n)} ${n === 1 ? 'tool' : 'tools'}`);
    card.hidden = n === 0;
    none.hidden = n > 0;
  };
  const load = async (p) => {
    if (pages.has(p)) return;
    const mine = pages;
    mine.set(p, null); // under way
    try {
      const answer = await fetchPage(p);
      mine.set(p, answer.tools);
      if (mine !== pages) return;
      if (answer.total !== total || p === 0 && total === 0) counted(answer.total);
      else list.more();
    } catch (e) {
      mine.delete(p);
      throw e;
    }
  };
  const again = () => {
    run.abort();
    run = new AbortController();
    pages = new Map();
    total = 0;
    list.top();
    load(0).catch(failed);
  };
  // The index changed: look at what is shown again, and stay where we are.
  const renew = async () => {
    const p = Math.floor(list.first() / size);
    const answer = await fetchPage(p);
    if (answer.total === total && JSON.stringify(answer.tools) === JSON.stringify(pages.get(p))) return;
    pages = new Map([[p, answer.tools]]);
    counted(answer.total);
  };
  const later = (f, ms) => () => {
    clearTimeout(timer);
    timer = setTimeout(f, ms);
  };
  filter.addEventListener('input', later(again, 120));
  servers.addEventListener('change', again, { signal });
  on(['index', 'quarantine'], later(() => renew().catch(failed), 1000), signal);
  signal.addEventListener('abort', () => { clearTimeout(timer); run.abort(); });
  fill(part, el('div', { class: 'row' }, el('div', { class: 'searchbox' }, icon('search'), filter), servers), count, card, none);
  again();
}

function line(t) {
  const open = () => get(path('tools', t.id)).then(toolSheet).catch(failed);
  return el('div', { class: 'item toolrow' },
    el('div', { class: 'grow' },
      el('button', { type: 'button', class: 'link name clip', on: { click: open } }, el('span', { class: 'muted' }, t.server + ':'), t.name),
      el('div', { class: 'words clip' }, t.description)),
    el('div', { class: 'side-info' }, accessTag(t.access)));
}
