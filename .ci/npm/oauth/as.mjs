// A real authorization server for the tests: oidc-provider with dynamic
// registration, PKCE required, short-lived JWT access tokens bound to their
// resource, and rotation of refresh tokens. It logs everybody in as "ada". In front
// of TARGET, an MCP server without any login, stands a resource server that checks
// the tokens.
//
//   AS_PORT RS_PORT  where both listen on 127.0.0.1
//   TARGET           http URL of the MCP server
//   LIFE             of an access token in seconds, default 3
//
// Each line on stdout is one thing that happened.
import http from 'node:http';
import Provider from 'oidc-provider';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const { AS_PORT, RS_PORT, TARGET, LIFE = '3' } = process.env;
const issuer = `http://127.0.0.1:${AS_PORT}`;
const resource = `http://127.0.0.1:${RS_PORT}/mcp`;
const scope = 'notes.read notes.write';
const say = (...words) => console.log(...words);

const provider = new Provider(issuer, {
  cookies: { keys: ['tests only'] },
  scopes: ['openid', 'offline_access', ...scope.split(' ')],
  clientDefaults: { token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  ttl: { AccessToken: Number(LIFE), AuthorizationCode: 30, RefreshToken: 600, IdToken: 60, Interaction: 60, Session: 600, Grant: 600 },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_, { uid }) => `/consent/${uid}` },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, audience) => ({ scope, audience, accessTokenFormat: 'jwt', accessTokenTTL: Number(LIFE) }),
    },
  },
});
provider.on('registration_create.success', () => say('registered'));
provider.on('grant.success', ({ oidc }) => say('granted', oidc.params.grant_type, oidc.params.resource));
provider.on('grant.error', ({ oidc }, e) => say('refused', oidc.params?.grant_type, e.error));
provider.on('authorization.error', (_, e) => say('not authorized', e.error, e.error_description));
provider.on('server_error', (_, e) => say('failed', e.message));

// consent is the person who logs in and agrees.
async function consent(req, res) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(req, res);
  if (prompt.name === 'login') {
    return provider.interactionFinished(req, res, { login: { accountId: 'ada' } }, { mergeWithLastSubmission: true });
  }
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(`openid offline_access ${scope}`);
  grant.addResourceScope(params.resource ?? resource, scope);
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));

async function protect(req, res) {
  if (req.url === '/.well-known/oauth-protected-resource/mcp') {
    res.setHeader('content-type', 'application/json');
    return res.end(JSON.stringify({ resource, authorization_servers: [issuer], scopes_supported: scope.split(' ') }));
  }
  try {
    await jwtVerify((req.headers.authorization ?? '').replace(/^Bearer /, ''), keys, { issuer, audience: resource });
  } catch {
    say('unauthorized', req.method);
    res.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="http://127.0.0.1:${RS_PORT}/.well-known/oauth-protected-resource/mcp", scope="${scope}"` });
    return res.end();
  }
  say('authorized', req.method);
  const target = new URL(TARGET);
  const onward = http.request({ host: target.hostname, port: target.port, path: target.pathname, method: req.method, headers: req.headers }, (answer) => {
    res.writeHead(answer.statusCode, answer.headers);
    answer.pipe(res);
  });
  onward.on('error', () => res.destroy());
  res.on('close', () => onward.destroy());
  return req.pipe(onward);
}

const listen = (port, serve) => new Promise((done) => http.createServer((req, res) => {
  Promise.resolve(serve(req, res)).catch((e) => { say('failed', e.message); res.destroy(); });
}).listen(Number(port), '127.0.0.1', done));

await listen(AS_PORT, (req, res) => (req.url.startsWith('/consent/') ? consent(req, res) : provider.callback()(req, res)));
await listen(RS_PORT, protect);
say('ready');
