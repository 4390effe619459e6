// A token issuer as the NHS or the police might run one: HTTPS with client certificates, the grant
// `client_credentials`, JWT access tokens (RFC 9068) for one audience and opaque ones for another, all
// bound to the client's certificate (RFC 8705), and introspection (RFC 7662).
//
//   node server.mjs CONFIG.json
//
// It writes `listening PORT` once, and `METHOD path` for every request. On its standard input it takes
// `rotate` (sign with a new key; the old one is gone) and `add` (sign with a new key beside the old), and
// answers `done`. It ends when that input does.

import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';

import Provider from 'oidc-provider';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const read = (name) => readFileSync(config[name], 'utf8');

function signingKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'ES256', use: 'sig' };
}

function client({ id, certificate_name: name, public_key: key }) {
  const common = {
    client_id: id,
    redirect_uris: [],
    id_token_signed_response_alg: 'ES256',
    response_types: [],
    grant_types: ['client_credentials'],
    scope: 'ask',
    tls_client_certificate_bound_access_tokens: true,
  };
  if (name) {
    return { ...common, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_uri: name };
  }
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  return {
    ...common,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [{ ...jwk, use: 'sig', alg: 'ES256' }] },
  };
}

function provider(issuer, keys) {
  const made = new Provider(issuer, {
    jwks: { keys },
    clients: config.clients.map(client),
    scopes: ['ask'],
    clientAuthMethods: ['tls_client_auth', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['ES256'] },
    // What the issuer says of a client's user: the claims the gateway maps.
    extraTokenClaims: (_, token) => config.claims[token.clientId],
    ttl: { ClientCredentials: config.seconds },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'ask',
          audience: resource,
          accessTokenTTL: config.seconds,
          accessTokenFormat: resource.startsWith(config.opaque) ? 'opaque' : 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
      mTLS: {
        enabled: true,
        tlsClientAuth: true,
        certificateBoundAccessTokens: true,
        getCertificate: (ctx) => ctx.socket.getPeerX509Certificate(),
        certificateAuthorized: (ctx) => ctx.socket.authorized,
        certificateSubjectMatches: (ctx, property, expected) =>
          property === 'tls_client_auth_san_uri' &&
          ctx.socket.getPeerX509Certificate()?.subjectAltName === `URI:${expected}`,
      },
    },
  });
  made.on('server_error', (_, error) => console.error(error));
  return made.callback();
}

let keys = [signingKey()];
let answer;
const server = createServer(
  { key: read('key'), cert: read('certificate'), ca: read('client_ca'), requestCert: true, rejectUnauthorized: false },
  (request, response) => {
    console.log(`${request.method} ${request.url}`);
    answer(request, response);
  },
);
server.listen(config.port ?? 0, '127.0.0.1', () => {
  const { port } = server.address();
  const renew = () => {
    answer = provider(`https://127.0.0.1:${port}`, keys);
  };
  renew();
  console.log(`listening ${port}`);
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    keys = line === 'rotate' ? [signingKey()] : [signingKey(), ...keys];
    renew();
    console.log('done');
  });
  lines.on('close', () => process.exit(0));
});
