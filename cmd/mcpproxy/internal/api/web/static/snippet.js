// What other clients' files and READMEs show, read as servers for ours.

// Comments and trailing commas are allowed, as in most of these files.
function relaxed(text) {
  let out = '', i = 0;
  while (i < text.length) {
    const c = text[i];
    if (c === '"') {
      const end = /"(?:[^"\\]|\\.)*"/sy;
      end.lastIndex = i;
      const m = end.exec(text);
      out += m ? m[0] : text.slice(i);
      i = m ? end.lastIndex : text.length;
    } else if (text.startsWith('//', i)) {
      while (i < text.length && text[i] !== '\n') i++;
    } else if (text.startsWith('/*', i)) {
      const end = text.indexOf('*/', i + 2);
      i = end < 0 ? text.length : end + 2;
    } else {
      out += c;
      i++;
    }
  }
  return out.replace(/,(\s*[}\]])/g, '$1');
}

function parse(text) {
  const clean = relaxed(text).trim().replace(/,$/, '');
  try {
    return JSON.parse(clean);
  } catch (e) {
    if (!clean.startsWith('"')) throw e;
    return JSON.parse(`{${clean}}`); // an entry without its braces: "name": {...}
  }
}

const isServer = (v) => v && typeof v === 'object' && !Array.isArray(v) && (typeof v.command === 'string' || Array.isArray(v.command) || typeof (v.url ?? v.httpUrl ?? v.serverUrl) === 'string');

const strings = (o) => Object.fromEntries(Object.entries(o ?? {}).map(([k, v]) => [k, String(v)]));

function change(name, v) {
  const [command, ...first] = Array.isArray(v.command) ? v.command.map(String) : [v.command];
  const url = v.url ?? v.httpUrl ?? v.serverUrl;
  const out = { name, protocol: v.type ?? v.protocol ?? v.transportType ?? (v.httpUrl ? 'http' : undefined) };
  if (out.protocol === 'local' || out.protocol === 'remote') out.protocol = undefined;
  if (command) Object.assign(out, { command, args: [...first, ...(v.args ?? []).map(String)] });
  if (url) out.url = url;
  if (v.env ?? v.environment) out.env = strings(v.env ?? v.environment);
  if (v.headers) out.headers = strings(v.headers);
  if (v.cwd ?? v.working_dir) out.working_dir = v.cwd ?? v.working_dir;
  if (v.enabled === false || v.disabled === true) out.enabled = false;
  return JSON.parse(JSON.stringify(out)); // without what is undefined
}

/** guess names an entry that has no name of its own. */
function guess(v) {
  const words = v.url ?? v.httpUrl ? new URL(v.url ?? v.httpUrl).hostname.split('.').slice(-2, -1)[0] || 'server'
    : [v.command].flat().concat(v.args ?? []).map(String).filter((a) => !a.startsWith('-')).find((a, i) => i > 0 && /[a-z]/i.test(a)) ?? [v.command].flat()[0];
  return words.replace(/^.*\//, '').replace(/@[\d.]+$|@latest$/, '').replace(/^(mcp-)?server-|-mcp(-server)?$|^mcp-/g, '').replace(/\.\w+$/, '') || 'server';
}

/**
 * servers reads a snippet: {"mcpServers": {name: entry}}, the same as an array,
 * VS Code's {"servers": ...} or {"mcp": {"servers": ...}}, {name: entry}, or one
 * entry. It returns what POST /api/v1/servers takes, or throws an Error that
 * tells what is wrong.
 */
export function servers(text) {
  let v;
  try {
    v = parse(text);
  } catch (e) {
    throw new Error('this is no JSON: ' + e.message);
  }
  const inner = v?.mcpServers ?? v?.mcp?.servers ?? v?.mcp?.mcpServers ?? v?.servers ?? v?.context_servers ?? (isServer(v) ? [v] : v);
  const found = Array.isArray(inner) ? inner.filter(isServer).map((s) => change(s.name ?? guess(s), s))
    : Object.entries(inner ?? {}).filter(([, s]) => isServer(s)).map(([name, s]) => change(name, s));
  if (!found.length) throw new Error('no server in it: an entry has a "command" or a "url"');
  return found;
}

/** secretive reports whether a value by this name should be in the keyring. */
export const secretive = (name, value) => value.length >= 8 && !value.includes('${') && /token|secret|password|passwd|api.?key|credential|auth|_pat$/i.test(name);
