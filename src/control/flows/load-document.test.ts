import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isExhausted, retryDelayMs } from '../../pipeline/deliveries/attempts/retry-schedule.ts';
import { type DocumentKind, documentKinds, documentShape } from './documents/other-shapes.ts';
import { rawFromData } from './documents/raw-value.ts';
import { readShape } from './documents/read-shape.ts';
import type { Shape } from './documents/shape.ts';
import { loadDocument, loadFlow } from './load-flow.ts';

const root = new URL('../../../', import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** code, line:column and path of each finding. */
function findings(text: string): string[] {
  return loadDocument(text).diagnostics.map(({ code, line, column, path, message }) => `${line}:${column} ${code} ${path}: ${message}`);
}

const head = 'apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: t, name: n }\n';

describe('strict YAML', () => {
  test.each([
    ['an empty text', '', '1:1', /empty/],
    ['two documents', `${head}spec: { type: folder, root: /x }\n---\na: 1\n`, '5:1', /one document/],
    ['a key twice', `${head}kind: Connection\n`, '4:1', /twice/],
    ['a key twice further in', `${head}spec: { type: folder, root: /x, root: /y }\n`, '4:33', /twice/],
    ['a tag that runs code elsewhere', `${head}spec: !!js/function "x"\n`, '4:7', /tags/],
    ['a tag of the core', `${head}spec: !!map { type: folder }\n`, '4:13', /tags/],
    ['an anchor and an alias', `${head}a: &a 1\nb: *a\n`, '4:7', /anchors/],
    ['a merge key', `${head}spec: { type: folder, root: /x, <<: { a: 1 } }\n`, '4:33', /unknown key/],
    ['a tab for spaces', 'a:\n\tb: 1\n', '2:1', /tab/],
    ['a directive', `%YAML 1.1\n---\n${head}`, '1:1', /directives/],
    ['a list as a key', '? [a]\n: 1\n', '1:3', /plain text/],
    ['brackets without end', '['.repeat(1_000_000), '1:42', /nested/],
    ['maps without end', '{a: '.repeat(200_000), '1:202', /nested/],
    ['dashes without end', '- '.repeat(200_000), '1:10002', /nested/],
    ['more than 1 MiB', `a: ${'x'.repeat(1024 * 1024)}`, '1:1', /1 MiB/],
    ['very many keys', Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join('\n'), null, /too many parts/],
  ])('%s is refused with its place', (_name, text, place, says) => {
    const [first] = loadDocument(text).diagnostics;
    expect(first!.message).toMatch(says);
    if (place !== null) expect(`${first!.line}:${first!.column}`).toBe(place);
  });

  test('an alias bomb is refused before anything is expanded', () => {
    const levels = Array.from({ length: 9 }, (_, level) => `l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`).join(', ')}]`);
    const found = findings(`l0: &l0 [x]\n${levels.join('\n')}\n`);
    expect(found[0]).toMatch(/^1:9 E_YAML l0: anchors are not allowed/);
    expect(found.length).toBeLessThanOrEqual(20);
  });

  test('what the parser says of broken text holds none of its words', () => {
    expect(findings('password: "hunter2\n').join()).not.toContain('hunter2');
    expect(findings('a: {password: hunter2').join()).not.toContain('hunter2');
  });
});

describe('descriptions', () => {
  test('every default is a value of its own kind', () => {
    const wrong: string[] = [];
    const visit = (shape: Shape, path: string): void => {
      if (shape.kind === 'list' || shape.kind === 'map') visit(shape.of, path);
      if (shape.kind === 'variant') for (const [name, variant] of Object.entries(shape.variants)) visit(variant, `${path}(${name})`);
      if (shape.kind !== 'object') return;
      for (const [name, key] of Object.entries(shape.keys)) {
        visit(key.shape, `${path}.${name}`);
        if (key.default === undefined) continue;
        readShape(rawFromData(key.default), key.shape, [name], ({ message }) => wrong.push(`${path}.${name}: ${message}`));
      }
    };
    for (const kind of Object.keys(documentKinds) as DocumentKind[]) visit(documentShape(kind), kind);
    expect(wrong).toEqual([]);
  });
});

describe('kinds', () => {
  test('Calendar is refused as not supported yet', () => {
    expect(findings('apiVersion: headgate/v1\nkind: Calendar\n')).toEqual([
      '2:7 E_NOT_SUPPORTED_YET kind: kind Calendar is not supported yet',
    ]);
  });

  test('FlowTest is no document that is applied, and the answer says what runs it', () => {
    expect(findings('apiVersion: headgate/v1\nkind: FlowTest\n')).toEqual([
      expect.stringMatching(/^2:7 E_CONFIG_VALUE kind: .*`headgate flow test`/),
    ]);
  });

  test('a flow is asked for, so a connection is a mistake', () => {
    expect(loadFlow(`${head}spec: { type: folder, root: /x }\n`).diagnostics).toMatchObject([{ code: 'E_CONFIG_VALUE', path: 'kind' }]);
  });

  test('a text that is no map, and a map without kind', () => {
    expect(findings('just words')).toEqual(['1:1 E_CONFIG_VALUE : the document must be a map of keys']);
    expect(findings('a: 1')[0]).toMatch(/^1:1 E_CONFIG_KEY : kind is missing/);
  });
});

describe('connections', () => {
  test.each([
    ['an address that is none', 'type: http, baseUrl: "https://"', 'E_CONFIG_VALUE'],
    ['another scheme', 'type: http, baseUrl: "gopher://x/"', 'E_CONFIG_VALUE'],
    ['a file address', 'type: http, baseUrl: "file:///etc/passwd"', 'E_CONFIG_VALUE'],
    ['a user in the address', 'type: http, baseUrl: "https://me@bank.example/"', 'E_SECRET_INLINE'],
    ['a password in the address', 'type: http, baseUrl: "https://me:hunter2@bank.example/"', 'E_SECRET_INLINE'],
    ['a query', 'type: http, baseUrl: "https://bank.example/?key=1"', 'E_CONFIG_VALUE'],
    ['a token written out', 'type: http, baseUrl: "https://bank.example/", auth: { type: bearer, token: hunter2 }', 'E_SECRET_INLINE'],
    [
      'a header that the product sets',
      'type: http, baseUrl: "https://b.example/", auth: { type: header, name: Host, value: "env:H" }',
      'E_CONFIG_VALUE',
    ],
    [
      'a header that says what an attempt is',
      'type: http, baseUrl: "https://b.example/", auth: { type: header, name: Headgate-Attempt, value: "env:H" }',
      'E_CONFIG_VALUE',
    ],
    ['a broker without a port', 'type: kafka, brokers: [kafka1.bank.example]', 'E_CONFIG_VALUE'],
    ['a broker at no port', 'type: kafka, brokers: ["kafka1.bank.example:70000"]', 'E_CONFIG_VALUE'],
    ['sasl without a user', 'type: kafka, brokers: ["k:9093"], sasl: plain', 'E_CONFIG_CONFLICT'],
    ['a user without sasl', 'type: kafka, brokers: ["k:9093"], user: u', 'E_CONFIG_CONFLICT'],
    [
      'a password of another tenant',
      'type: kafka, brokers: ["k:9093"], sasl: plain, user: u, password: "env:HEADGATE_SECRET_OTHER__K"',
      'E_SECRET_NOT_ALLOWED',
    ],
    ['a password written out', 'type: postgres, host: h, database: d, user: u, password: hunter2', 'E_SECRET_INLINE'],
    [
      'a variable that is not meant for connections',
      'type: postgres, host: h, database: d, user: u, password: "env:P"',
      'E_SECRET_NOT_ALLOWED',
    ],
    [
      "the product's own key as a token",
      'type: http, baseUrl: "https://b.example/", auth: { type: bearer, token: "env:HEADGATE_MASTER_KEY" }',
      'E_SECRET_NOT_ALLOWED',
    ],
    [
      "another tenant's variable",
      'type: postgres, host: h, database: d, user: u, password: "env:HEADGATE_SECRET_S__DB"',
      'E_SECRET_NOT_ALLOWED',
    ],
    [
      'a variable of no tenant',
      'type: postgres, host: h, database: d, user: u, password: "env:HEADGATE_SECRET_DB"',
      'E_SECRET_NOT_ALLOWED',
    ],
    [
      "a file in another tenant's folder",
      'type: postgres, host: h, database: d, user: u, password: "file:/data/secrets/s/db"',
      'E_SECRET_NOT_ALLOWED',
    ],
    ['such a certificate', 'type: http, baseUrl: "https://b.example/", certificateAuthority: "env:CA"', 'E_SECRET_NOT_ALLOWED'],
    ['a socket folder as host', 'type: postgres, host: /var/run, database: d, user: u, password: "env:P"', 'E_CONFIG_VALUE'],
    ['options in the database name', 'type: postgres, host: h, database: "d options=-c", user: u, password: "env:P"', 'E_CONFIG_VALUE'],
    ['an unknown parameter', 'type: postgres, host: h, database: d, user: u, password: "env:P", options: x', 'E_CONFIG_KEY'],
    [
      'an address that a certificate is to be of',
      'type: mysql, host: 192.0.2.7, database: d, user: u, password: "env:HEADGATE_SECRET_T__DB"',
      'E_CONFIG_CONFLICT',
    ],
    ['a relative root', 'type: folder, root: in', 'E_CONFIG_VALUE'],
    ['a root that climbs', 'type: folder, root: /srv/../etc', 'E_CONFIG_VALUE'],
    ['a type of later versions', 'type: ftps', 'E_NOT_SUPPORTED_YET'],
    ['a server without a host key', 'type: sftp, host: h, user: u, password: "env:HEADGATE_SECRET_T__P"', 'E_CONFIG_KEY'],
    ['a host key that is none', 'type: sftp, host: h, user: u, password: "env:HEADGATE_SECRET_T__P", hostKeys: [MD5:aa]', 'E_CONFIG_VALUE'],
    [
      'a user without credentials',
      'type: sftp, host: h, user: u, hostKeys: ["SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"]',
      'E_CONFIG_VALUE',
    ],
    [
      'a user with two',
      'type: sftp, host: h, user: u, password: "env:HEADGATE_SECRET_T__P", privateKey: "env:HEADGATE_SECRET_T__K", hostKeys: ["SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"]',
      'E_CONFIG_VALUE',
    ],
    [
      "another tenant's private key",
      'type: sftp, host: h, user: u, privateKey: "env:HEADGATE_SECRET_S__K", hostKeys: ["SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"]',
      'E_SECRET_NOT_ALLOWED',
    ],
    [
      'a private key that is written out',
      'type: sftp, host: h, user: u, privateKey: hunter2, hostKeys: ["SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"]',
      'E_SECRET_INLINE',
    ],
    ['a bucket without keys', 'type: s3, bucket: acme, region: eu-west-1', 'E_CONFIG_KEY'],
    [
      'an access key that is written out',
      'type: s3, bucket: acme, region: eu-west-1, accessKeyId: hunter2, secretAccessKey: "env:HEADGATE_SECRET_T__K"',
      'E_SECRET_INLINE',
    ],
    [
      "another tenant's access key",
      'type: s3, bucket: acme, region: eu-west-1, accessKeyId: "env:HEADGATE_SECRET_T__I", secretAccessKey: "env:HEADGATE_SECRET_S__K"',
      'E_SECRET_NOT_ALLOWED',
    ],
    [
      'a session token that is written out',
      'type: s3, bucket: acme, region: eu-west-1, accessKeyId: "env:HEADGATE_SECRET_T__I", secretAccessKey: "env:HEADGATE_SECRET_T__K", sessionToken: hunter2',
      'E_SECRET_INLINE',
    ],
    [
      "another tenant's session token",
      'type: s3, bucket: acme, region: eu-west-1, accessKeyId: "env:HEADGATE_SECRET_T__I", secretAccessKey: "env:HEADGATE_SECRET_T__K", sessionToken: "env:HEADGATE_SECRET_S__K"',
      'E_SECRET_NOT_ALLOWED',
    ],
    [
      'a password in an endpoint',
      'type: s3, bucket: acme, region: eu-west-1, endpoint: "https://a:b@c.example", accessKeyId: "env:HEADGATE_SECRET_T__I", secretAccessKey: "env:HEADGATE_SECRET_T__K"',
      'E_SECRET_INLINE',
    ],
    ['a container without credentials', 'type: azure-blob, container: inbox, account: acme', 'E_CONFIG_VALUE'],
    [
      'a container with two',
      'type: azure-blob, container: inbox, account: acme, accountKey: "env:HEADGATE_SECRET_T__K", sasToken: "env:HEADGATE_SECRET_T__S"',
      'E_CONFIG_VALUE',
    ],
    ["another tenant's service account", 'type: gcs, bucket: acme, serviceAccount: "env:HEADGATE_SECRET_S__G"', 'E_SECRET_NOT_ALLOWED'],
    ["another tenant's access token", 'type: gcs, bucket: acme, accessToken: "env:HEADGATE_SECRET_S__G"', 'E_SECRET_NOT_ALLOWED'],
    ['an access token itself', 'type: gcs, bucket: acme, accessToken: ya29.hunter2', 'E_SECRET_INLINE'],
    ["a bucket of Google's without credentials", 'type: gcs, bucket: acme', 'E_CONFIG_VALUE'],
    [
      "a bucket of Google's with two",
      'type: gcs, bucket: acme, serviceAccount: "env:HEADGATE_SECRET_T__G", accessToken: "env:HEADGATE_SECRET_T__T"',
      'E_CONFIG_VALUE',
    ],
    [
      'a root that climbs in a bucket',
      'type: gcs, bucket: acme, serviceAccount: "env:HEADGATE_SECRET_T__G", root: "a/../.."',
      'E_CONFIG_VALUE',
    ],
    [
      'a root that climbs at a server',
      'type: sftp, host: h, user: u, password: "env:HEADGATE_SECRET_T__P", hostKeys: ["SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"], root: "a/../.."',
      'E_CONFIG_VALUE',
    ],
  ])('%s is refused', (_name, spec, code) => {
    const { document, diagnostics } = loadDocument(`${head}spec: { ${spec} }\n`);
    expect(document).toBeNull();
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toContain(code);
    expect(JSON.stringify(diagnostics)).not.toContain('hunter2');
  });

  test('secrets are references, and stay references', () => {
    const { document } = loadDocument(
      `${head}spec: { type: postgres, host: h, database: d, user: u, password: "env:HEADGATE_SECRET_T__DB" }\n`,
    );
    expect(document?.spec).toEqual({
      type: 'postgres',
      host: 'h',
      port: 5432,
      database: 'd',
      user: 'u',
      password: 'env:HEADGATE_SECRET_T__DB',
      tls: 'verify-full',
    });
  });
});

test('the full example of the design is refused key by key, and for nothing else (golden)', async () => {
  const { document, diagnostics } = loadDocument(read('test/golden/full-example.yaml'));
  expect(document).toBeNull();
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['E_NOT_SUPPORTED_YET']));
  const lines = diagnostics.map(
    ({ line, column, severity, code, path, message }) =>
      `${line}:${column}: ${severity === 'error' ? '' : `${severity} `}${code} ${path}: ${message}\n`,
  );
  await expect(lines.join('')).toMatchFileSnapshot(join(root, 'test/golden/full-example.diagnostics.txt'));
});

describe('examples', () => {
  const files = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!test)\.yaml$/.test(file));

  test.each(files)('examples/%s is sound', (file) => {
    const { document, hash, diagnostics } = loadDocument(read(join('examples', file)));
    expect(diagnostics).toEqual([]);
    expect(document).not.toBeNull();
    expect(hash).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test('the EFT flow compiles to the same Plan every time (golden)', async () => {
    const { plan } = loadFlow(read('examples/eft.yaml'));
    expect(loadFlow(read('examples/eft.yaml')).plan).toEqual(plan);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    await expect(`${JSON.stringify(plan, null, 2)}\n`).toMatchFileSnapshot(join(root, 'test/golden/eft-plan.json'));
  });
});

describe('what a Plan holds of a definition', () => {
  const flow = (spec: string): string =>
    `apiVersion: headgate/v1\nkind: FlowDefinition\nmetadata: { tenant: t, service: s, name: f, version: 1.0.0 }\nspec:\n  routes: { default: { to: [out] } }\n  targets: { out: { type: file, connection: c } }\n${spec}`;

  test('columns without a header row follow each other, from the last named one on', () => {
    const { plan } = loadFlow(
      flow(
        '  format: { type: delimited }\n  schema: { record: { fields: { a: { type: string }, b: { column: 5, type: string }, c: { type: int } } } }\n',
      ),
    );
    expect(plan!.records[0]!.fields.map((field) => field.at)).toEqual([
      { column: 0, header: null },
      { column: 4, header: null },
      { column: 5, header: null },
    ]);
  });

  test('empty lines are records of a file of one column only', () => {
    const skips = (spec: string): unknown => loadFlow(flow(spec)).plan!.format.skipBlankLines;
    const one = '  schema: { record: { fields: { a: { type: string } } } }\n';
    const two = '  schema: { record: { fields: { a: { type: string }, b: { type: string } } } }\n';
    expect(skips(`  format: { type: delimited }\n${one}`)).toBe(false);
    expect(skips(`  format: { type: delimited }\n${two}`)).toBe(true);
    expect(skips(`  format: { type: delimited, skipBlankLines: true }\n${one}`)).toBe(true);
    expect(skips(`  format: { type: json-lines }\n${one}`)).toBe(true);
  });

  test('with a header row, fields go by their own name or the named column', () => {
    const { plan } = loadFlow(
      flow(
        '  format: { type: delimited, header: true, delimiter: "\\t", quote: "" }\n  schema: { record: { fields: { a: { type: string }, b: { column: "B b", type: string } } } }\n',
      ),
    );
    expect(plan!.records[0]!.fields.map((field) => field.at)).toMatchObject([{ header: 'a' }, { header: 'B b' }]);
    expect(plan!.format).toMatchObject({ delimiter: 9, quote: null, escape: null, comment: null });
  });

  test('quotes are escaped by themselves unless another byte is said to', () => {
    const formatOf = (keys: string): unknown =>
      loadFlow(flow(`  format: { type: delimited${keys} }\n  schema: { record: { fields: { a: { type: string } } } }\n`)).plan!.format;
    expect(formatOf('')).toMatchObject({ quote: 0x22, escape: 0x22 });
    expect(formatOf(`, quote: "'"`)).toMatchObject({ quote: 0x27, escape: 0x27 });
    expect(formatOf(`, quote: "'", escape: "\\\\"`)).toMatchObject({ quote: 0x27, escape: 0x5c });
    expect(formatOf(', quote: ""')).toMatchObject({ quote: null, escape: null });
  });

  test('paths of JSON keys, also of keys with points', () => {
    const { plan } = loadFlow(
      flow(
        '  format: { type: json-lines }\n  schema: { record: { fields: { a: { path: x.y, type: string }, b: { path: [x, "y.z"], type: int } } } }\n',
      ),
    );
    expect(plan!.records[0]!.fields.map((field) => field.at)).toEqual([{ path: ['x', 'y'] }, { path: ['x', 'y.z'] }]);
  });

  test('a target that says nothing of retries is waited for about four hours before its records are given up', () => {
    const text = flow('  format: { type: json-lines }\n  schema: { record: { fields: { a: { type: string } } } }\n');
    const { retry } = loadFlow(text).plan!.targets[0]!;
    const middling = { fraction: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
    let waitedMs = 0;
    for (let attempt = 1; !isExhausted(retry, attempt); attempt++) waitedMs += retryDelayMs(retry, attempt, middling);
    expect(waitedMs / 3_600_000).toBeGreaterThan(4);
    expect(waitedMs / 3_600_000).toBeLessThan(4.5);
  });

  test('a target takes from targetDefaults what it does not say itself', () => {
    const targets = '  targetDefaults: { timeout: 9s, rate: 60/m, retry: { max: 1, cap: 5s }, breaker: { minCalls: 7 } }\n';
    const text = flow(`${targets}  format: { type: json-lines }\n  schema: { record: { fields: { a: { type: string } } } }\n`).replace(
      'connection: c }',
      'connection: c, retry: { max: 2 }, batch: { size: 7 }, breaker: { probes: 2 } }',
    );
    expect(loadFlow(text).plan!.targets[0]).toMatchObject({
      timeoutMs: 9_000,
      ratePerSecond: 1,
      retry: { max: 2, initialMs: 500, capMs: 5_000 },
      breaker: { windowMs: 30_000, failureRatio: 0.5, minCalls: 7, probeEveryMs: 15_000, probes: 2 },
      batchRecords: 7,
      batchBytes: 1024 ** 3,
    });
  });
});
