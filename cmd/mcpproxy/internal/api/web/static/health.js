// A server's health in words, and the one action that helps.
import { api, post, path, stream } from './api.js';
import { el } from './dom.js';
import { refresh } from './live.js';
import { ago, number } from './text.js';
import { button, copyLine, dialog, note, tag } from './ui.js';

const serverPath = (s, ...rest) => path('servers', s.name, ...rest);

/** review is the link to what a server has for a person. */
export const review = (s, words = 'Review') => el('a', { class: 'btn small', href: '/ui/review?server=' + encodeURIComponent(s.name), 'aria-label': `${words} ${s.name}`, data: { act: 'help' } }, words);

export async function restart(s) {
  await post(serverPath(s, 'restart'));
  note([el('b', null, s.name), ' starts anew']);
  refresh();
}

const again = (s, words) => button(words, () => restart(s), { kind: 'small', act: 'help', describe: `${words} ${s.name}` });

const enable = (s) => button('Enable', () => api('PATCH', serverPath(s), { enabled: true }).then(refresh), { kind: 'small', act: 'help', describe: `Enable ${s.name}` });

/** ask tells where to log in. The address came from a server: it is shown, not linked. */
const ask = (p) => dialog(`Log in at ${p.host}`, 'box', () => [[el('p', null, p.note || 'No browser opened.', ' Open this address yourself, on the machine where mcpproxy runs:'), copyLine(p.url, 'the address')]]);

/** login asks the proxy to log in, and waits until the person did so. */
const login = (s) => button('Log in', async () => {
  await stream(serverPath(s, 'login'), {}, ({ prompt }) => {
    if (!prompt) return;
    if (prompt.opened) note(['Go on at ', el('b', null, prompt.host), ' in the window that opened']);
    else ask(prompt);
  });
  note([el('b', null, s.name), ' is logged in']);
  refresh();
}, { kind: 'small primary', act: 'help', describe: `Log in to ${s.name}` });

const kinds = {
  ready: (s) => s.held_tools > 0
    ? { dot: 'warn', words: s.held_tools === 1 ? 'runs; one thing that is new or changed waits for you' : `runs; ${number(s.held_tools)} things that are new or changed wait for you`, help: review, urgent: true }
    : { dot: 'ok', words: s.since ? `running for ${ago(s.since).replace(' ago', '').replace('now', 'a moment')}` : 'running' },
  starting: () => ({ dot: 'busy', words: 'starting' }),
  held: () => ({ dot: 'warn', words: 'waits for your approval; it does not run yet', help: review, urgent: true }),
  disabled: () => ({ dot: '', words: 'disabled', help: enable }),
  failed: (s) => ({ dot: 'bad', words: s.error || 'failed', help: (x) => again(x, 'Try again'), urgent: true }),
  'backing off': (s) => ({ dot: 'bad', words: [s.error || 'lost', s.next_try ? `; next try ${ago(s.next_try)}` : ''], help: (x) => again(x, 'Try now'), urgent: true }),
  'needs login': (s) => ({ dot: 'warn', words: s.error || 'needs you to log in', help: login, urgent: true }),
};

/** health is {dot, words, help?, urgent?}; help makes the one action that helps. */
export function health(s) {
  const kind = s.enabled ? s.state.replaceAll(/[_-]/g, ' ') : 'disabled';
  return (kinds[kind] ?? (() => ({ dot: '', words: s.state })))(s);
}

/** waits: a person must look at something of the server. */
export const waits = (s) => health(s).help === review;

const policies = {
  all: 'approves whatever it sends by itself',
  annotations: 'approves changed behaviour hints by itself',
  'unchanged-server-new-tools': 'approves new tools by itself',
};

/** alarm says in words what is let in without a person, or nothing. */
export const alarm = (s) => (s.auto_approve ? `${policies[s.auto_approve] ?? 'approves by itself: ' + s.auto_approve}: nobody reviews it` : '');

/** lines say in a list how a server is. */
export const lines = (s, h = health(s)) => [el('div', { class: 'words ' + (h.dot === 'bad' ? 'bad' : '') }, h.words),
  alarm(s) ? el('div', { class: 'words bad' }, tag('No review', 'bad'), ' ', alarm(s)) : null];
