/** The process behind bank-service.ts. Its looks at signatures are its own: written from RFC 9421 and the documentation, not from the product. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer as createAdminServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { BankSettings } from './bank-service.ts';

const [, , port, adminPort] = process.argv;
const { BANK_KEY: key, BANK_CERTIFICATE: cert } = process.env;

let settings: BankSettings = {
  clientSecrets: null,
  tokenLifetimeS: 3_600,
  tokenAnswer: null,
  clientCertificates: null,
  signingSecrets: null,
  statusOfTaken: 'done',
  revokeTokens: false,
};
const tokens = new Set<string>();
const taken = new Map<string, { key: string; body: string; client: string | null; signature: string | null }>();
const payments: number[] = [];
const tokenRequests: { status: number; secret: string }[] = [];
const asked: string[] = [];

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

const header = (request: IncomingMessage, name: string): string => String(request.headers[name] ?? '');
const sameText = (a: string, b: string) =>
  timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());

const server = createServer({ key, cert }, (request, response) => {
  handle(request, response).catch(() => response.destroy());
});

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const url = new URL(request.url!, `https://${request.headers.host}`);
  const answer = (status: number, text = '', headers: Record<string, string> = {}) => {
    response.writeHead(status, headers);
    response.end(text);
    return status;
  };
  if (url.pathname === '/oauth2/token') return giveToken(request, body, answer);
  if (!isLetIn(request)) {
    if (request.method === 'POST') payments.push(401);
    return void answer(401);
  }
  if (request.method === 'OPTIONS' || url.pathname === '/v1/health') return void answer(204);
  if (url.pathname.startsWith('/v1/status/')) {
    const name = decodeURIComponent(url.pathname.slice('/v1/status/'.length));
    asked.push(name);
    if (!taken.has(name)) return void answer(404);
    return void answer(200, JSON.stringify({ result: { state: settings.statusOfTaken } }), { 'content-type': 'application/json' });
  }
  if (settings.signingSecrets !== null && !isSigned(request, url, body)) return void payments.push(answer(403));
  const name = header(request, 'idempotency-key');
  const client = (request.socket as TLSSocket).getPeerCertificate?.()?.subject?.CN ?? null;
  if (!taken.has(name)) {
    const signature = (request.headers['signature-input'] ?? request.headers['x-bank-signature'] ?? null) as string | null;
    taken.set(name, { key: name, body: body.toString(), client: typeof client === 'string' ? client : null, signature });
  }
  payments.push(answer(201));
}

function isLetIn(request: IncomingMessage): boolean {
  return settings.clientSecrets === null || tokens.has(header(request, 'authorization').replace(/^Bearer /, ''));
}

function giveToken(
  request: IncomingMessage,
  body: Buffer,
  answer: (status: number, text?: string, headers?: Record<string, string>) => number,
): void {
  const form = new URLSearchParams(body.toString());
  const basic = Buffer.from(header(request, 'authorization').replace(/^Basic /, ''), 'base64').toString();
  const [id, secret] =
    basic === ''
      ? [form.get('client_id'), form.get('client_secret')]
      : basic.split(':').map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
  const given = secret ?? '';
  if (settings.tokenAnswer !== null) {
    const { status, headers, body: text } = settings.tokenAnswer;
    tokenRequests.push({ status: answer(status, text, headers), secret: given });
    return;
  }
  const isKnown = id === 'headgate' && (settings.clientSecrets ?? []).includes(given) && form.get('grant_type') === 'client_credentials';
  const type = { 'content-type': 'application/json' };
  if (!isKnown) return void tokenRequests.push({ status: answer(401, '{"error":"invalid_client"}', type), secret: given });
  const token = randomBytes(24).toString('base64url');
  tokens.add(token);
  const text = JSON.stringify({
    access_token: token,
    token_type: 'Bearer',
    expires_in: settings.tokenLifetimeS,
    scope: form.get('scope') ?? undefined,
  });
  tokenRequests.push({ status: answer(200, text, type), secret: given });
}

function isSigned(request: IncomingMessage, url: URL, body: Buffer): boolean {
  return request.headers['signature-input'] === undefined ? isSignedByTime(request, url, body) : isMessageSigned(request, url, body);
}

/** docs/connectors/http.md, scheme timestamp. */
function isSignedByTime(request: IncomingMessage, url: URL, body: Buffer): boolean {
  const secret = settings.signingSecrets![header(request, 'x-bank-key')];
  const time = header(request, 'x-bank-time');
  if (secret === undefined || Math.abs(Date.now() / 1_000 - Number(time)) > 300) return false;
  const hash = createHash('sha256').update(body).digest('hex');
  const expected = createHmac('sha256', secret).update(`${time}\n${request.method}\n${url.pathname}${url.search}\n${hash}`).digest('hex');
  return sameText(expected, header(request, 'x-bank-signature'));
}

/** RFC 9421, section 3.2: the base is made from what the signature says that it covers. */
function isMessageSigned(request: IncomingMessage, url: URL, body: Buffer): boolean {
  const [, label, parameters = ''] = /^([a-z]+)=(.*)$/.exec(header(request, 'signature-input')) ?? [];
  const [, list = '', keyId = ''] = /^\(([^)]*)\);created=\d+;keyid="([^"]*)";alg="hmac-sha256"$/.exec(parameters) ?? [];
  const created = Number(/;created=(\d+)/.exec(parameters)?.[1]);
  const secret = settings.signingSecrets![keyId];
  if (label === undefined || secret === undefined || Math.abs(Date.now() / 1_000 - created) > 300) return false;
  const names = [...list.matchAll(/"([^"]+)"/g)].map((match) => match[1]!);
  if (!['@method', '@target-uri', 'content-digest', 'idempotency-key'].every((name) => names.includes(name))) return false;
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
  if (header(request, 'content-digest') !== digest) return false;
  const componentOf = (name: string) => (name === '@method' ? request.method! : name === '@target-uri' ? url.href : header(request, name));
  const base = [...names.map((name) => `"${name}": ${componentOf(name)}`), `"@signature-params": ${parameters}`].join('\n');
  const expected = `${label}=:${createHmac('sha256', secret).update(base).digest('base64')}:`;
  return sameText(expected, header(request, 'signature'));
}

const admin = createAdminServer((request, response) => {
  void (async () => {
    if (request.url === '/journal') {
      response.end(JSON.stringify({ taken: [...taken.values()], payments, tokens: tokenRequests, asked }));
      return;
    }
    settings = { ...settings, ...(JSON.parse((await bodyOf(request)).toString()) as Partial<BankSettings>) };
    if (settings.revokeTokens) tokens.clear();
    settings = { ...settings, revokeTokens: false };
    const ca = settings.clientCertificates;
    server.setSecureContext({ key, cert, ...(ca === null ? {} : { ca: [...ca] }) });
    Object.assign(server, { requestCert: ca !== null, rejectUnauthorized: ca !== null });
    response.writeHead(204).end();
  })();
});

server.listen(Number(port), '127.0.0.1', () =>
  admin.listen(Number(adminPort), '127.0.0.1', () => process.stdout.write('bank service is ready\n')),
);
