// The REST API, and nothing else, is where pages get what they show.

/** ApiError is an answer that is not 2xx: code, message and hint as the API has them. */
export class ApiError extends Error {
  constructor(status, body) {
    super(body.message || `the proxy answered ${status}`);
    Object.assign(this, { status, code: body.code ?? 'internal', hint: body.hint ?? '' });
  }
}

let loggedOut = () => {};
export const onLoggedOut = (f) => { loggedOut = f; };

async function send(method, path, body, signal) {
  const headers = { Accept: 'application/json' };
  const { csrf } = localStorage; // no other port can read it, whereas all get the cookie
  if (csrf) headers['X-CSRF-Token'] = csrf;
  const has = method === 'POST' || method === 'PUT' || method === 'PATCH';
  if (has) headers['Content-Type'] = 'application/json';
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: has ? JSON.stringify(body ?? {}) : undefined, signal, credentials: 'same-origin' });
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new ApiError(0, { code: 'unreachable', message: 'mcpproxy does not answer', hint: 'is it still running? mcpproxy serve' });
  }
  if (answer.ok) return answer;
  const error = new ApiError(answer.status, await answer.json().catch(() => ({})));
  if (answer.status === 401) loggedOut();
  throw error;
}

export async function api(method, path, body, signal) {
  const answer = await send(method, path, body, signal);
  return answer.status === 204 ? undefined : answer.json();
}
export const get = (path, signal) => api('GET', path, undefined, signal);
export const post = (path, body, signal) => api('POST', path, body, signal);

/** raw is the text of an answer, for what JSON.parse would round. */
export async function raw(method, path, body, signal) {
  return (await send(method, path, body, signal)).text();
}

/** stream posts and calls each for every line of the answer but the last, which it returns. */
export async function stream(path, body, each, signal) {
  const answer = await send('POST', path, body, signal);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ;) {
    const { value, done } = await reader.read();
    if (done) throw new ApiError(0, { message: 'the answer broke off' });
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const text of lines.filter(Boolean)) {
      const p = JSON.parse(text);
      if (p.error) throw new ApiError(500, p.error);
      if (p.end) return p;
      each?.(p);
    }
  }
}

/** signIn trades the one-time token of a link for the session cookie. */
export async function signIn(once) {
  localStorage.csrf = (await post('/api/v1/session', { once })).csrf_token;
}

/** resume finds the session that this browser has; false if it has none. */
export async function resume() {
  return (await get('/api/v1/session')).logged_in;
}

export const path = (...parts) => '/api/v1/' + parts.map(encodeURIComponent).join('/');
