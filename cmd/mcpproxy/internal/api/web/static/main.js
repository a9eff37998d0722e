// The frame: session, navigation, theme. A page is a module that exports
// show(root, signal, params) and stops everything when signal ends.
import { api, onLoggedOut, resume, signIn } from './api.js';
import { el, fill, icon } from './dom.js';
import { waits } from './health.js';
import { status, watch } from './live.js';
import { copyLine, failed } from './ui.js';
import { plural } from './text.js';

const main = document.getElementById('main');
const nav = document.getElementById('nav');
const menu = document.getElementById('menu');
const names = new Map([...nav.querySelectorAll('[data-page]')].map((a) => [a.dataset.page, a.textContent.trim()]));
const session = new AbortController();
let current = null;

async function show(url, moved) {
  const slug = url.pathname.replace(/^\/ui\//, '');
  for (const d of document.querySelectorAll('dialog[open]')) d.close();
  current?.abort();
  const stop = current = new AbortController();
  for (const a of nav.querySelectorAll('[data-page]')) {
    if (a.dataset.page === slug) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
  document.title = `${names.get(slug) ?? 'Not found'} · mcpproxy`;
  openMenu(false);
  try {
    const page = await import(`./page_${slug || 'overview'}.js`);
    if (stop.signal.aborted) return;
    const root = el('div', { class: 'stack' });
    page.show(root, stop.signal, url.searchParams);
    fill(main, root);
  } catch (e) {
    failed(e);
  }
  if (moved) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

/** go moves to a page of ours without loading the frame anew. */
function go(url) {
  if (url.href !== location.href) history.pushState(null, '', url);
  show(url, true);
}

document.addEventListener('click', (e) => {
  const a = e.target.closest('a[href]');
  if (!a || e.defaultPrevented || e.button || e.metaKey || e.ctrlKey || e.shiftKey || a.hasAttribute('download') || a.target) return;
  const url = new URL(a.href);
  if (url.origin !== location.origin || !names.has(url.pathname.replace(/^\/ui\//, '')) || url.hash) return;
  e.preventDefault();
  go(url);
});
addEventListener('popstate', () => show(new URL(location.href), false));

function openMenu(open) {
  nav.classList.toggle('open', open);
  menu.setAttribute('aria-expanded', String(open));
}
menu.addEventListener('click', () => openMenu(!nav.classList.contains('open')));
addEventListener('keydown', (e) => {
  if (e.key === 'Escape' && nav.classList.contains('open')) {
    openMenu(false);
    menu.focus();
  }
});

const themes = [['', 'System theme', 'auto'], ['light', 'Light theme', 'sun'], ['dark', 'Dark theme', 'moon']];
const themeButton = document.getElementById('theme');
function theme(step) {
  const root = document.documentElement;
  const at = (themes.findIndex(([name]) => name === (root.dataset.theme ?? '')) + step) % themes.length;
  const [name, words, symbol] = themes[at];
  if (name) root.dataset.theme = name;
  else delete root.dataset.theme;
  if (step) localStorage.setItem('mcpproxy-theme', name);
  fill(themeButton, icon(symbol), words);
}
themeButton.addEventListener('click', () => theme(1));

document.getElementById('logout').addEventListener('click', () => {
  session.abort();
  api('DELETE', '/api/v1/session').then(loggedOut, failed);
});

function loggedOut() {
  session.abort();
  current?.abort();
  document.getElementById('logout').hidden = true;
  fill(main, el('div', { class: 'stack' }, el('h1', null, 'Open this page with a link'),
    el('p', { class: 'muted' }, 'Only you may use it, so it needs a link that works once. Get one in a terminal:'),
    copyLine('mcpproxy ui', 'the command'),
    el('p', { class: 'muted' }, 'The tray menu has it too, as "Open Web UI". A link is good for five minutes.')));
  main.querySelector('.stack').style.maxWidth = '560px';
}

function frame(now) {
  const health = document.getElementById('health');
  const dot = el('span', { class: 'dot ' + (now.unreachable || now.config_error ? 'bad' : 'ok') });
  fill(health, dot, now.unreachable ? 'mcpproxy does not answer' : now.config_error ? 'configuration has faults' : `running, ${now.version}`);
  const waiting = now.servers.filter(waits).length;
  const count = document.getElementById('count-review');
  count.hidden = waiting === 0;
  fill(count, waiting, el('span', { class: 'sr' }, ` ${plural(waiting, 'server')} to review`));
}

async function start() {
  theme(0);
  onLoggedOut(loggedOut);
  const once = new URLSearchParams(location.hash.slice(1)).get('once');
  try {
    if (once) {
      history.replaceState(null, '', location.pathname + location.search);
      await signIn(once);
    } else if (!await resume()) {
      return loggedOut();
    }
  } catch (e) {
    if (e.status === 401 || once) return loggedOut();
    failed(e);
  }
  status(frame);
  watch(session.signal);
  show(new URL(location.href), false);
}
start();
