import { expect, it } from 'vitest';
import { loadDocument } from './load-flow.ts';

const findingsOf = (spec: string) =>
  loadDocument(`apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: t, name: c }\nspec: { ${spec} }\n`).diagnostics;

it.each([
  'auth: { type: oauth2, tokenUrl: "https://id.example/t", clientId: c, clientSecret: "env:HEADGATE_SECRET_T__S", clientAuth: body }',
  'signature: { keyId: k, secret: "env:HEADGATE_SECRET_T__S" }',
  'signature: { scheme: timestamp, keyId: k, secret: "env:HEADGATE_SECRET_T__S", signatureHeader: X-S, timestampHeader: X-T, keyIdHeader: X-K }',
  'clientCertificate: "env:HEADGATE_SECRET_T__C", clientKey: "env:HEADGATE_SECRET_T__K", healthPath: /health',
])('a connection with %s is sound', (more) => {
  expect(findingsOf(`type: http, baseUrl: "https://b.example/", ${more}`)).toEqual([]);
});

it.each([
  [
    'a token address with a user',
    'type: http, baseUrl: "https://b.example/", auth: { type: oauth2, tokenUrl: "https://me@id.example/", clientId: c, clientSecret: "env:HEADGATE_SECRET_T__S" }',
    'E_SECRET_INLINE',
  ],
  [
    'a client secret of another tenant',
    'type: http, baseUrl: "https://b.example/", auth: { type: oauth2, tokenUrl: "https://id.example/t", clientId: c, clientSecret: "env:HEADGATE_SECRET_S__S" }',
    'E_SECRET_NOT_ALLOWED',
  ],
  [
    'a signing secret written out',
    'type: http, baseUrl: "https://b.example/", signature: { keyId: k, secret: hunter2 }',
    'E_SECRET_INLINE',
  ],
  [
    "a signing secret of the product's own",
    'type: http, baseUrl: "https://b.example/", signature: { keyId: k, secret: "env:HEADGATE_MASTER_KEY" }',
    'E_SECRET_NOT_ALLOWED',
  ],
  [
    'names of headers for RFC 9421',
    'type: http, baseUrl: "https://b.example/", signature: { keyId: k, secret: "env:HEADGATE_SECRET_T__S", signatureHeader: X-S }',
    'E_CONFIG_CONFLICT',
  ],
  [
    'a signature in a header that the product sets',
    'type: http, baseUrl: "https://b.example/", signature: { scheme: timestamp, keyId: k, secret: "env:HEADGATE_SECRET_T__S", signatureHeader: Host }',
    'E_CONFIG_VALUE',
  ],
  [
    'one header for two parts of a signature',
    'type: http, baseUrl: "https://b.example/", signature: { scheme: timestamp, keyId: k, secret: "env:HEADGATE_SECRET_T__S", signatureHeader: X-S, keyIdHeader: x-s }',
    'E_CONFIG_DUPLICATE',
  ],
  [
    'a client certificate without its key',
    'type: http, baseUrl: "https://b.example/", clientCertificate: "env:HEADGATE_SECRET_T__C"',
    'E_CONFIG_CONFLICT',
  ],
  ['a health path that leads elsewhere', 'type: http, baseUrl: "https://b.example/", healthPath: "//evil.example"', 'E_CONFIG_VALUE'],
])('%s is refused', (_what, spec, code) => {
  const findings = findingsOf(spec);
  expect(findings.map((finding) => finding.code)).toContain(code);
  expect(JSON.stringify(findings)).not.toContain('hunter2');
});
