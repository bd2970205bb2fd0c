import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkDocuments } from './check-documents.ts';

const folder = new URL('../../../examples/', import.meta.url).pathname;
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml') && !file.endsWith('.flow.test.yaml'))
  .sort();
const texts = files.map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') }));

/** The examples with one thing changed: code, file and message of each finding. */
function findings(file: string, from: string, to: string): string[] {
  expect(texts.find((known) => known.file === file)!.text).toContain(from);
  const changed = texts.map((known) => (known.file === file ? { file, text: known.text.replace(from, to) } : known));
  return checkDocuments(changed).flatMap((checked) =>
    checked.diagnostics.map(({ code, message, line }) => `${checked.file}:${line} ${code} ${message}`),
  );
}

test('the examples are sound together', () => {
  expect(checkDocuments(texts).flatMap(({ diagnostics }) => diagnostics)).toEqual([]);
});

test('a connection that no document has is named with the nearest one', () => {
  expect(findings('cards.yaml', 'connection: acme-drop', 'connection: acme-drp')).toEqual([
    'cards.yaml:7 E_CONFIG_REFERENCE no Connection acme-drp; did you mean acme-drop?',
  ]);
});

test('a connection of another tenant is no connection', () => {
  expect(findings('cards.yaml', 'connection: acme-drop', 'connection: eft-drop')).toEqual([
    'cards.yaml:7 E_CONFIG_REFERENCE no Connection eft-drop',
  ]);
});

test('a connection must be of the right type', () => {
  expect(findings('cards.yaml', 'uk-desk: { type: file, connection: acme-out', 'uk-desk: { type: file, connection: ledger-db')).toEqual([
    'cards.yaml:38 E_CONFIG_REFERENCE ledger-db is a connection of type postgres; file needs folder',
  ]);
});

test('a connection that takes acknowledgements must hold files, and have the keys that they are encrypted with', () => {
  const to = (connection: string, more = '') =>
    findings(
      'cards.yaml',
      '\n  targets:',
      `\n  acknowledge: { format: json, connection: ${connection}, path: acks${more} }\n  targets:`,
    ).map((found) => found.replace(/:\d+ /, ' '));
  expect(to('acme-out')).toEqual([]);
  expect(to('ledger-db')).toEqual([
    'cards.yaml E_CONFIG_REFERENCE ledger-db is a connection of type postgres; acknowledge needs folder or sftp or s3 or azure-blob or gcs',
  ]);
  expect(to('acme-out', ', encrypt: true')).toEqual(['cards.yaml E_CONFIG_REFERENCE acme-out has no pgpRecipients']);
});

test('flows and targets that answers are of are looked for where there are other flows, and those that are not there are a warning', () => {
  const flowOf = (name: string, format: string, target: string) => ({
    file: `${name}.yaml`,
    text: `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank-za, service: payments, name: ${name}, version: 1.0.0 }
spec:
  format: ${format}
  routes: { default: { to: [clearing] } }
  targets: { clearing: ${target} }
`,
  });
  const sent = flowOf(
    'eft-out',
    '{ type: nacha }',
    '{ type: file, connection: out, path: ., name: "{file}-{number}.ndjson", format: ndjson }',
  );
  const answersOf = (of: string) =>
    flowOf('reports', '{ type: iso20022, message: pain.002, statuses: all }', `{ type: answers, of: [${of}] }`);
  const found = (...given: Parameters<typeof checkDocuments>[0]) =>
    checkDocuments(given).flatMap(({ file, document, diagnostics }) =>
      diagnostics.map(({ severity, code, path, message }) => [file, document !== null, severity, code, path, message]),
    );
  const warning = (path: string, message: string) => [
    ['reports.yaml', true, 'warning', 'E_CONFIG_REFERENCE', `spec.targets.clearing.of[0].${path}`, message],
  ];
  expect(found(sent, answersOf('{ flow: eft-out, target: clearing }'))).toEqual([]);
  expect(found(sent, answersOf('{ flow: eft-oud, target: clearing }'))).toEqual(
    warning('flow', 'no flow eft-oud: answers about it match nothing; did you mean eft-out?'),
  );
  expect(found(sent, answersOf('{ flow: eft-out, target: clearin }'))).toEqual(
    warning('target', 'flow eft-out has no target clearin: answers about it match nothing; did you mean clearing?'),
  );
  expect(found(answersOf('{ flow: eft-oud, target: clearing }'))).toEqual([]);
});

test('two flows that take what one user of the SFTP server brings into one folder are told, at the second', () => {
  const flowOf = (name: string, folder: string) => ({
    file: `${name}.yaml`,
    text: `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank-za, service: payments, name: ${name}, version: 1.0.0 }
spec:
  sources: [{ id: brought, type: sftp-server, connection: partner, folder: ${folder} }]
  format: { type: delimited, header: true }
  schema: { record: { fields: { id: { type: string } } } }
  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: out } }
`,
  });
  const found = (...given: Parameters<typeof checkDocuments>[0]) =>
    checkDocuments(given).flatMap(({ file, diagnostics }) => diagnostics.map(({ line, column, message }) => [file, line, column, message]));
  expect(found(flowOf('first', 'eft'), flowOf('second', 'cards'))).toEqual([]);
  expect(found(flowOf('first', 'eft'), flowOf('second', 'eft'))).toEqual([
    ['second.yaml', 5, 76, 'the flow first takes the files of folder eft of partner'],
  ]);
});

test('a flow may be no less strict than its policy', () => {
  expect(findings('eft.yaml', 'class: account, mask: last4', 'class: account')).toEqual([
    'eft.yaml:35 E_POLICY the policy masks fields of class account with last4 at least; accountNo has none',
  ]);
  expect(findings('eft.yaml', 'class: account, mask: last4', 'class: account, mask: all')).toEqual([]);
});

test('an environment binds names to connections that are there', () => {
  expect(findings('bank-za/production.yaml', 'connections: {}', 'connections: { fx: fx-apo }')).toEqual([
    'bank-za/production.yaml:7 E_CONFIG_REFERENCE no Connection fx-apo; did you mean fx-api?',
  ]);
});

test('two files with the same version of a flow', () => {
  const twice = [...texts, { file: 'copy.yaml', text: texts.find(({ file }) => file === 'cards.yaml')!.text }];
  const found = checkDocuments(twice).filter(({ diagnostics }) => diagnostics.length > 0);
  expect(found.map(({ file, diagnostics }) => [file, diagnostics[0]!.code])).toEqual([['copy.yaml', 'E_CONFIG_DUPLICATE']]);
});

test('without connections among the documents none is looked for', () => {
  const alone = checkDocuments(texts.filter(({ file }) => file === 'cards.yaml'));
  expect(alone[0]!.diagnostics).toEqual([]);
  expect(alone[0]!.plan).not.toBeNull();
});

test.each([
  ['https://10.0.0.1/api', 'E_SSRF'],
  ['https://[::1]:8443/api', 'E_SSRF'],
  ['https://169.254.169.254/', 'E_SSRF'],
  ['http://fx.bank.example/api', 'E_TARGET'],
])('the address %s is warned of with %s where the policy closes it, and is sound where the policy opens it', (address, code) => {
  const from = 'https://fx.bank.example/api';
  const said = findings(join('bank-za', 'fx-api.yaml'), from, address);
  expect(said).toEqual([expect.stringContaining(`fx-api.yaml:7 ${code} `)]);
  const opened = texts.map(({ file, text }) => ({
    file,
    text: text
      .replace(from, address)
      .replace(
        'masking: { account: last4 }',
        'masking: { account: last4 }\n  egress: { allowPrivate: [10.0.0.0/8, "::1/128", 169.254.0.0/16], allowPlain: true }',
      ),
  }));
  const isNever = address.includes('169.254');
  expect(checkDocuments(opened).flatMap(({ diagnostics }) => diagnostics.map((each) => each.code))).toEqual(isNever ? ['E_SSRF'] : []);
});

test.each([22, 5432, 6379])('the port %i of a service or of its tokens is warned of, since no policy opens it', (port) => {
  const file = join('bank-za', 'fx-api.yaml');
  expect(findings(file, 'https://fx.bank.example/api', `https://fx.bank.example:${port}/api`)).toEqual([
    expect.stringMatching(/fx-api\.yaml:7 E_SSRF the port belongs to another protocol/),
  ]);
  expect(findings(file, 'https://fx.bank.example/api', 'https://fx.bank.example:8443/api')).toEqual([]);
});

test('a database without TLS or at a private address is warned of in the same way', () => {
  const file = join('acme-pay', 'ledger-db.yaml');
  expect(findings(file, 'host: ledger.acme.example', 'host: 192.168.1.9\n  tls: disable')).toEqual([
    expect.stringContaining('ledger-db.yaml:7 E_SSRF '),
    expect.stringContaining('ledger-db.yaml:8 E_TARGET '),
  ]);
});

test.each(['127.0.0.1', '10.0.0.0/99', '300.1.1.1/8', '::1::/64', '10.0.0/8'])(
  'the range %s of a policy is none, which is said with its path and how one is written',
  (range) => {
    const said = findings(join('bank-za', 'policy.yaml'), 'masking: {', `egress: { allowPrivate: ["${range}"] }\n  masking: {`);
    expect(said).toEqual([
      expect.stringMatching(
        /policy\.yaml:\d+ E_CONFIG_VALUE spec\.egress\.allowPrivate\[0\] must be an address range such as .* 127\.0\.0\.1\/32 for one address$/,
      ),
    ]);
  },
);

test('what is wrong with a document itself and with what it says of others is told together', () => {
  const changed = texts.map((known) =>
    known.file === 'cards.yaml'
      ? { ...known, text: known.text.replace('connection: acme-drop', 'connection: acme-drp').replace('sources:', 'surces: 1\n  sources:') }
      : known,
  );
  expect(checkDocuments(changed).flatMap(({ diagnostics }) => diagnostics.map(({ code, message }) => `${code} ${message}`))).toEqual([
    'E_CONFIG_KEY unknown key "surces"; did you mean sources?',
    'E_CONFIG_REFERENCE no Connection acme-drp; did you mean acme-drop?',
  ]);
  const connection = findings(join('acme-pay', 'ledger-db.yaml'), 'env:HEADGATE_SECRET_ACME_PAY__LEDGER', 'env:LEDGER\n  prot: 5433');
  expect(connection).toEqual([
    expect.stringContaining('ledger-db.yaml:10 E_SECRET_NOT_ALLOWED '),
    expect.stringContaining('ledger-db.yaml:11 E_CONFIG_KEY unknown key "prot"; did you mean port?'),
  ]);
});

test('a connection with a mistake is there all the same for those who name it', () => {
  expect(findings(join('acme-pay', 'acme-drop.yaml'), 'root:', 'rot: x, root:')).toEqual([
    expect.stringContaining('acme-drop.yaml:5 E_CONFIG_KEY unknown key "rot"'),
  ]);
});

test('whatever line of a document is missing, or has another value, all findings are told and nothing breaks', () => {
  for (const { file, text } of texts) {
    const lines = text.split('\n');
    const variants = lines.flatMap((line, index) => [[], [line.replace(/: .*/, ': []')]].map((put) => lines.toSpliced(index, 1, ...put)));
    for (const variant of variants) {
      const others = texts.filter((known) => known.file !== file && !known.text.includes('kind: FlowDefinition'));
      const changed = [...others, { file, text: variant.join('\n') }];
      for (const { diagnostics } of checkDocuments(changed))
        for (const { message } of diagnostics) expect(message).not.toContain('undefined');
    }
  }
});
