// Secrets: names only. A value goes in and is never shown again.
import { api, get, path } from './api.js';
import { el, fill, sync } from './dom.js';
import { on } from './live.js';
import { banner, button, confirm, copy, dialog, empty, field, head, note } from './ui.js';

export function show(root, signal) {
  const list = el('ul', { class: 'list' });
  const card = el('section', { class: 'card flush', 'aria-label': 'Secrets', hidden: true }, list);
  const words = el('div');
  const where = el('span');
  const read = async () => {
    try {
      const { secrets, missing = [], backend } = await get('/api/v1/secrets', signal);
      sync(list, [...missing.map((m) => ({ ...m, missing: true })), ...secrets], (s) => s.name, (s) => row(s, read));
      card.hidden = !secrets.length && !missing.length;
      fill(where, backend === 'file' ? 'They are in an encrypted file of the data directory.' : 'They are in the keyring of your system.', ' A server gets one where its entry has the placeholder.');
      fill(words, card.hidden ? el('section', { class: 'card' }, empty('No secrets yet', 'Keep tokens and passwords out of the configuration file: set one here, and write its placeholder where the value belongs.', button('Set a secret', () => set('', read), { kind: 'primary' }))) : null);
    } catch (e) {
      if (signal.aborted) return;
      fill(words, banner('bad', [el('b', null, e.message), e.hint ? el('div', { class: 'small prose' }, e.hint) : null]));
    }
  };
  on(['secrets'], read, signal);
  fill(root, head('Secrets', where, button('Set a secret', () => set('', read), { kind: 'primary', symbol: 'plus' })), words, card);
  read();
}

function row(s, read) {
  const placeholder = `\${keyring:${s.name}}`;
  if (s.missing) {
    return el('li', null, el('div', { class: 'item' }, el('span', { class: 'dot bad' }),
      el('div', { class: 'grow' }, el('div', { class: 'name' }, s.name), el('div', { class: 'words bad' }, `${s.used_by.join(', ')} needs it, and nobody has set it`)),
      el('div', { class: 'side-info' }, button('Set it', () => set(s.name, read), { kind: 'small primary', act: 'set', describe: `Set it: ${s.name}` }))));
  }
  return el('li', null, el('div', { class: 'item' }, el('span', { class: 'dot' }),
    el('div', { class: 'grow' }, el('div', { class: 'name' }, s.name), el('div', { class: 'words' }, el('code', null, placeholder), s.used_by?.length ? `, used by ${s.used_by.join(', ')}` : ', not used')),
    el('div', { class: 'side-info' }, button('Copy placeholder', () => copy(placeholder), { kind: 'quiet small', symbol: 'copy', describe: `Copy placeholder of ${s.name}` }),
      button('Set anew', () => set(s.name, read), { kind: 'small', act: 'set', describe: `Set anew: ${s.name}` }),
      button('Delete', async () => {
        if (!await confirm(`Delete ${s.name}?`, 'Servers that use it will fail to start, and say so.', 'Delete it')) return;
        const { restarted } = await api('DELETE', path('secrets', s.name));
        note(`${s.name} is deleted${again(restarted)}`);
        await read();
      }, { kind: 'small danger', act: 'delete', describe: `Delete ${s.name}` }))));
}

const again = (restarted) => (restarted?.length ? `; ${restarted.join(', ')} starts anew` : '');

function set(name, read) {
  const label = el('input', { value: name, readOnly: !!name, placeholder: 'github_token', autocomplete: 'off', spellcheck: false });
  const value = el('input', { type: 'password', autocomplete: 'new-password', spellcheck: false });
  return dialog(name ? `Set ${name} anew` : 'Set a secret', 'box', (close) => [
    [field('Name', label, 'Letters, digits, _ - and .'), field('Value', value, 'It goes to the keyring and is never shown.')],
    [button('Cancel', () => close()), button('Set', async () => {
      const { restarted } = await api('PUT', path('secrets', label.value.trim()), { value: value.value });
      value.value = '';
      note(`${label.value.trim()} is set${again(restarted)}`);
      close();
      await read();
    }, { kind: 'primary' })],
  ]);
}
