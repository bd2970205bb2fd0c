/**
 * Planted mistakes: each row changes one thing in a sound flow, and says which code must be reported, at which text. The
 * sound flow itself has none, so that no row can pass for another reason.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadFlow } from './load-flow.ts';

const eft = readFileSync(new URL('../../../examples/eft.yaml', import.meta.url), 'utf8');
const cards = readFileSync(new URL('../../../examples/cards.yaml', import.meta.url), 'utf8');
const invoices = readFileSync(new URL('../../../examples/invoices.yaml', import.meta.url), 'utf8');

interface Mistake {
  readonly of?: string;
  readonly change: readonly [string, string];
  readonly and?: readonly [string, string];
  readonly code: string;
  /** The text at the reported line and column. */
  readonly at: string;
  readonly says?: RegExp;
  readonly severity?: 'error' | 'warning';
}

const amountRule = '{ id: amount-not-negative, assert: "record.amount >= 0"';
const shapes: Readonly<Record<string, readonly Mistake[]>> = {
  'keys and values': [
    { change: ['  duplicates:', '  duplicatez:'], code: 'E_CONFIG_KEY', at: 'duplicatez', says: /did you mean duplicates/ },
    {
      change: ['required: true, unique: file }', 'requird: true, unique: file }'],
      code: 'E_CONFIG_KEY',
      at: 'requird',
      says: /did you mean required/,
    },
    { change: ['  name: eft-credit-inbound\n', ''], code: 'E_CONFIG_KEY', at: 'metadata', says: /name is missing/ },
    { change: ['apiVersion: headgate/v1', 'apiVersion: headgate/v2'], code: 'E_CONFIG_VALUE', at: 'headgate/v2' },
    { change: ['kind: FlowDefinition', 'kind: FlowDefinitions'], code: 'E_CONFIG_VALUE', at: 'FlowDefinitions' },
    { change: ['version: 1.0.0', 'version: 1.0'], code: 'E_CONFIG_VALUE', at: '1.0', says: /quotes/ },
    { change: ['tenant: bank-za', 'tenant: Bank ZA'], code: 'E_CONFIG_VALUE', at: 'Bank ZA' },
    { change: ['window: 90d', 'window: 90'], code: 'E_CONFIG_VALUE', at: '90', says: /duration/ },
    { change: ['maxSize: 2GiB', 'maxSize: big'], code: 'E_CONFIG_VALUE', at: 'big' },
    { change: ['maxInvalidRatio: 0.02', 'maxInvalidRatio: 2'], code: 'E_CONFIG_VALUE', at: '2,', says: /from 0 to 1/ },
    { change: ['onDuplicate: reject', 'onDuplicate: rejekt'], code: 'E_CONFIG_VALUE', at: 'rejekt', says: /did you mean reject/ },
    {
      change: ['  targetDefaults:\n    timeout: 5s', '  targetDefaults:\n    timeout:'],
      code: 'E_CONFIG_VALUE',
      at: 'timeout',
      says: /empty/,
    },
    { change: ['path: in', 'path: ../in'], code: 'E_CONFIG_VALUE', at: '../in' },
    { change: ['concurrency: 8', 'concurrency: 100000'], code: 'E_CONFIG_VALUE', at: '100000', says: /1 to 256/ },
    { change: ['        paymentId: { at: [2, 16]', '        "pay-ment": { at: [2, 16]'], code: 'E_CONFIG_VALUE', at: '"pay-ment"' },
    { change: ['        paymentId: { at: [2, 16]', '        __proto__: { at: [2, 16]'], code: 'E_CONFIG_VALUE', at: '__proto__' },
    {
      change: ['        paymentId: { at: [2, 16]', '        toString: { at: [2, 16]'],
      code: 'E_CONFIG_VALUE',
      at: 'toString',
      says: /reserved/,
    },
    { change: ['pad: "0"', 'pad: "00"'], code: 'E_CONFIG_VALUE', at: '"00"' },
    { change: ['type: folder', 'type: folders'], code: 'E_CONFIG_VALUE', at: 'folders', says: /did you mean folder/ },
    {
      change: ['type: folder', 'type: folder\n      decrypt: bank-pgp'],
      code: 'E_NOT_SUPPORTED_YET',
      at: 'decrypt',
      says: /write `unpack: \[pgp\]`, and `pgp` with/,
    },
    {
      change: ['type: folder', 'type: folders\n      verify: bank-pgp'],
      code: 'E_NOT_SUPPORTED_YET',
      at: 'verify',
      says: /whose signatures count/,
    },
  ],
  references: [
    { change: ['to: [rtgs] }', 'to: [rtg] }'], code: 'E_CONFIG_REFERENCE', at: 'rtg]', says: /did you mean rtgs/ },
    { change: ['default: { to: [fx] }', 'default: { to: [nowhere] }'], code: 'E_CONFIG_REFERENCE', at: 'nowhere' },
    { change: ['key: [paymentId]', 'key: [paymentID2]'], code: 'E_CONFIG_REFERENCE', at: 'paymentID2', says: /did you mean paymentId/ },
    {
      change: ['sum: true, currency: currency', 'sum: true, currency: curency'],
      code: 'E_CONFIG_REFERENCE',
      at: 'curency',
      says: /did you mean currency/,
    },
    { change: ['sum: true, currency: currency', 'sum: true, currency: valueDate'], code: 'E_CONFIG_REFERENCE', at: 'valueDate' },
    {
      change: ['        priority: { width: 6 }', '        priorty: { width: 6 }'],
      code: 'E_CONFIG_REFERENCE',
      at: 'priorty',
      says: /did you mean priority/,
    },
    {
      change: [
        '{ type: file, connection: eft-out, path: fx, format: csv }',
        '{ type: postgres, connection: db, table: t, mode: upsert, keys: [idd] }',
      ],
      code: 'E_CONFIG_REFERENCE',
      at: 'idd',
    },
    {
      change: [
        '{ type: file, connection: eft-out, path: fx, format: csv }',
        '{ type: http, connection: api, mode: single, idempotencyKey: out.nope }',
      ],
      code: 'E_CONFIG_REFERENCE',
      at: 'idempotencyKey',
    },
    {
      change: ['path: fx, format: csv', 'path: fx, format: csv, name: "{flo}-{number}"'],
      code: 'E_CONFIG_REFERENCE',
      at: '"{flo}',
      says: /did you mean \{flow\}/,
    },
    {
      change: ['path: fx, format: csv', 'path: fx, format: csv, trailerLines: ["T{sum.amout:9}"]'],
      code: 'E_CONFIG_REFERENCE',
      at: '"T{sum',
      says: /did you mean \{sum\.amount\}/,
    },
    {
      change: ['path: fx, format: csv', 'path: fx, format: csv, maxAmount: { field: amout, value: 5 }'],
      code: 'E_CONFIG_REFERENCE',
      at: 'amout',
      says: /did you mean amount/,
    },
  ],
  expressions: [
    { change: ['record.amount >= 0"', 'record.amont >= 0"'], code: 'E_EXPRESSION_NAME', at: 'amont', says: /did you mean amount/ },
    { change: ['record.amount >= 0"', 'amount >= 0"'], code: 'E_EXPRESSION_NAME', at: 'amount >=', says: /record\.amount/ },
    { change: ['record.amount >= 0"', "record.amount >= 'x'\""], code: 'E_EXPRESSION_TYPE', at: 'record.amount >=' },
    { change: ['record.amount >= 0"', 'record.amount"'], code: 'E_EXPRESSION_TYPE', at: 'record.amount"', says: /must be bool/ },
    { change: ['record.amount >= 0"', 'record.amount >= "'], code: 'E_EXPRESSION_SYNTAX', at: '"' },
    { change: ['record.amount >= 0"', 'record.amount / 2 > 0"'], code: 'E_EXPRESSION_TYPE', at: 'record.amount /', says: /div\(/ },
    { change: ['record.amount >= 0"', "record.bic.matches('(?=a)')\""], code: 'E_PATTERN_REFUSED', at: "'(?=a)'" },
    { change: ['record.amount >= 0"', "out.id == ''\""], code: 'E_EXPRESSION_NAME', at: 'out.id', says: /only routes see the output/ },
    { change: ['record.amount >= 0"', 'trailer.count > 0"'], code: 'E_EXPRESSION_NAME', at: 'trailer', says: /scope file/ },
    {
      change: ['trailer.count == stats.records', 'record.amount == stats.records'],
      code: 'E_EXPRESSION_NAME',
      at: 'record.amount',
      says: /file rule/,
    },
    { change: ['stats.sum.amount', 'stats.sum.bic'], code: 'E_EXPRESSION_NAME', at: 'bic', says: /not summed/ },
    { change: ['record.amount >= 0"', `${'('.repeat(40)}true${')'.repeat(40)}"`], code: 'E_EXPRESSION_LIMIT', at: '(' },
    { change: ['record.amount >= 0"', "constructor.constructor('return process')()\""], code: 'E_EXPRESSION_SYNTAX', at: '(' },
    { change: ['record.amount >= 0"', 'record.constructor == null"'], code: 'E_EXPRESSION_NAME', at: 'constructor' },
    { change: ['record.amount >= 0"', "import('fs') == null\""], code: 'E_EXPRESSION_NAME', at: 'import' },
    { change: ['record.amount >= 0"', '`${1}` == null"'], code: 'E_EXPRESSION_SYNTAX', at: '`' },
    { change: ['"record.amount == 0", reason', '"out.amount == 0", reason'], code: 'E_EXPRESSION_NAME', at: 'out.amount' },
    { change: ['record.amount >= 0"', '2 > 1"'], code: 'E_CONFIG_CONFLICT', at: '"2 > 1"', severity: 'warning' },
    { change: ['record.amount >= 0"', '1 > 2"'], code: 'E_CONFIG_CONFLICT', at: '"1 > 2"' },
  ],
  layout: [
    {
      change: ['accountNo: { at: [18, 11]', 'accountNo: { at: [17, 11]'],
      code: 'E_CONFIG_LAYOUT',
      at: 'at: [17',
      says: /overlaps paymentId/,
    },
    { change: ['paymentId: { at: [2, 16]', 'paymentId: { at: [1, 16]'], code: 'E_CONFIG_LAYOUT', at: 'at: [1', says: /record tag/ },
    {
      change: ['type: fixed-width, disc', 'type: fixed-width, recordLength: 60, disc'],
      code: 'E_CONFIG_LAYOUT',
      at: 'at: [58',
      says: /60/,
    },
    { change: ['bic: { at: [29, 11],', 'bic: { column: 3,'], code: 'E_CONFIG_LAYOUT', at: 'column', says: /not for fixed-width/ },
    { change: ['bic: { at: [29, 11], type: bic', 'bic: { type: bic'], code: 'E_CONFIG_LAYOUT', at: 'bic', says: /at is missing/ },
    { change: ['bic: { at: [29, 11]', 'bic: { at: [0, 11]'], code: 'E_CONFIG_VALUE', at: '[0, 11]' },
    { change: ['tag: "H"', 'tag: "HH"'], code: 'E_CONFIG_LAYOUT', at: 'tag: "HH"' },
    { change: ['tag: "H"', 'tag: "D"'], code: 'E_CONFIG_DUPLICATE', at: 'tag: "D"' },
    {
      change: ['type: fixed-width, discriminator: { start: 1, length: 1 }', 'type: fixed-width'],
      code: 'E_CONFIG_KEY',
      at: 'format',
      says: /discriminator is missing/,
    },
    { of: cards, change: ['merchant: { type', 'merchant: { column: settlementId, type'], code: 'E_CONFIG_DUPLICATE', at: 'merchant' },
    {
      of: cards,
      change: ['header: true', 'header: false'],
      and: ['merchant: { type', 'merchant: { column: Name, type'],
      code: 'E_CONFIG_LAYOUT',
      at: 'column',
      says: /only with header/,
    },
    { of: cards, change: ['delimiter: ","', "delimiter: '\"'"], code: 'E_CONFIG_CONFLICT', at: 'format' },
    { of: cards, change: ['delimiter: ","', 'delimiter: "ab"'], code: 'E_CONFIG_VALUE', at: '"ab"' },
    { of: invoices, change: ['path: customer.country', 'path: customer.name'], code: 'E_CONFIG_DUPLICATE', at: 'path' },
    { of: invoices, change: ['path: customer.country', 'path: customer'], code: 'E_CONFIG_LAYOUT', at: 'path', says: /inside/ },
    { of: invoices, change: ['path: customer.country', 'path: customer..country'], code: 'E_CONFIG_LAYOUT', at: 'path' },
  ],
  fields: [
    {
      change: ['point: implied, scale: 2, required: true, sum', 'point: implied, required: true, sum'],
      code: 'E_CONFIG_KEY',
      at: 'amount',
      says: /scale is missing/,
    },
    { change: ['type: bic, required: true }', 'type: bic, scale: 2, required: true }'], code: 'E_CONFIG_CONFLICT', at: 'scale' },
    {
      change: ['type: bic, required: true }', 'type: bic, sum: true, required: true }'],
      code: 'E_CONFIG_CONFLICT',
      at: 'sum',
      says: /decimal and int/,
    },
    { change: ['pattern: "^[0-9]{9,11}$"', 'pattern: "^(?=a)[0-9]$"'], code: 'E_PATTERN_REFUSED', at: '"^(?=a)' },
    { change: ['pattern: "^[0-9]{9,11}$"', 'pattern: "[0-9]{0,1024}"'], code: 'E_PATTERN_REFUSED', at: '"[0-9]{0,1024}"' },
    {
      change: [
        'type: date, format: yyyyMMdd, required: true }\n    trailer',
        'type: date, format: yyyyMMddHH, required: true }\n    trailer',
      ],
      code: 'E_CONFIG_VALUE',
      at: 'yyyyMMddHH',
    },
    {
      change: [
        'type: date, format: yyyyMMdd, required: true }\n    trailer',
        'type: date, format: yyyy-MM-dd, required: true }\n    trailer',
      ],
      code: 'E_CONFIG_VALUE',
      at: 'yyyy-MM-dd',
      says: /8 bytes/,
    },
    {
      change: ['type: date, format: yyyyMMdd, required: true }\n    trailer', 'type: date, format: dayMMdd, required: true }\n    trailer'],
      code: 'E_CONFIG_VALUE',
      at: 'dayMMdd',
    },
    { of: cards, change: ['min: 0, sum', 'min: x, sum'], code: 'E_CONFIG_VALUE', at: 'x,', says: /decimal/ },
    { of: cards, change: ['min: 0, sum', 'min: 10, max: 9.99, sum'], code: 'E_CONFIG_CONFLICT', at: 'min', says: /greater/ },
    { of: cards, change: ['min: 0, sum', 'min: 0.001, sum'], code: 'E_CONFIG_VALUE', at: '0.001' },
    { of: cards, change: ['maxLength: 60', 'minLength: 61, maxLength: 60'], code: 'E_CONFIG_CONFLICT', at: 'minLength' },
    {
      of: cards,
      change: ['currency: { type: currency, required: true }', 'currency: { type: currency, required: true, min: A }'],
      code: 'E_CONFIG_CONFLICT',
      at: 'min',
    },
    {
      of: cards,
      change: ['pattern: "^S[0-9]{8}$", unique', 'pattern: "^S[0-9]{8}$", currency: currency, unique'],
      code: 'E_CONFIG_CONFLICT',
      at: 'currency: currency, unique',
    },
    { change: ['key: [paymentId]', 'key: [paymentId, paymentId]'], code: 'E_CONFIG_DUPLICATE', at: 'paymentId]' },
    { of: invoices, change: ['key: [invoiceId]', 'key: [country]'], code: 'E_CONFIG_CONFLICT', at: 'country]', severity: 'warning' },
  ],
  rules: [
    { change: ['code: AMT01', 'code: E_AMT01'], code: 'E_CONFIG_CODE', at: 'E_AMT01' },
    {
      change: ['id: value-date-far', 'id: amount-not-negative'],
      code: 'E_CONFIG_DUPLICATE',
      at: 'amount-not-negative, assert: "record.valueDate',
    },
    {
      change: ['"record.amount == 0", reason', '"1 == 1", reason'],
      code: 'E_CONFIG_CONFLICT',
      at: '"1 == 1"',
      says: /no record would be left/,
    },
    { change: [amountRule, `${amountRule}, onFial: hold-file`], code: 'E_CONFIG_KEY', at: 'onFial', says: /did you mean onFail/ },
  ],
  routes: [
    { change: ['default: { to: [fx] }', ''], code: 'E_CONFIG_KEY', at: 'routes', says: /default is missing/ },
    { change: ['default: { to: [fx] }', 'default: { to: [] }'], code: 'E_CONFIG_VALUE', at: '[]' },
    { change: ['default: { to: [fx] }', 'default: { to: [eft] }'], code: 'E_CONFIG_ROUTE', at: 'fx:', says: /no route leads to fx/ },
    {
      change: ["out.currency == 'ZAR'", "out.priority == 'HIGH' && out.currency == 'ZAR'"],
      code: 'E_CONFIG_ROUTE',
      at: '"out.priority',
      says: /taken by high-value/,
    },
    {
      change: ["out.priority == 'HIGH'\", to", "out.currency in ['ZAR', 'USD']\", to"],
      code: 'E_CONFIG_ROUTE',
      at: '"out.currency == ',
      says: /taken by high-value/,
    },
    { change: ["out.priority == 'HIGH'\", to", 'true", to'], code: 'E_CONFIG_ROUTE', at: '"true"', says: /default included/ },
    { change: ["out.priority == 'HIGH'\", to", 'false", to'], code: 'E_CONFIG_ROUTE', at: '"false"' },
    { change: ['to: [rtgs] }', 'to: [rtgs, rtgs] }'], code: 'E_CONFIG_DUPLICATE', at: 'rtgs] }' },
  ],
  targets: [
    { change: ['        bank: { width: 4 }\n', ''], code: 'E_CONFIG_KEY', at: 'columns', says: /missing: bank/ },
    { change: ['path: fx, format: csv', 'path: fx, columns: { id: { width: 3 } }'], code: 'E_CONFIG_CONFLICT', at: 'columns: { id' },
    { change: ['path: fx, format: csv', 'path: fx, delimiter: ";"'], code: 'E_CONFIG_CONFLICT', at: 'delimiter' },
    {
      change: ['path: fx, format: csv', 'path: fx, format: csv, name: "same.csv"'],
      code: 'E_CONFIG_CONFLICT',
      at: '"same.csv"',
      says: /number/,
    },
    { change: ['key: [paymentId] # business key: duplicates, idempotency', 'key: []'], code: 'E_CONFIG_VALUE', at: '[]' },
    {
      change: ['      key: [paymentId] # business key: duplicates, idempotency\n', ''],
      code: 'E_CONFIG_CONFLICT',
      at: 'order',
      says: /needs a key/,
    },
    { change: ['initial: 500ms, cap: 10m', 'initial: 11m, cap: 10m'], code: 'E_CONFIG_CONFLICT', at: 'retry' },
    {
      change: ['{ type: file, connection: eft-out, path: fx, format: csv }', '{ type: postgres, connection: db, table: t, mode: upsert }'],
      code: 'E_CONFIG_KEY',
      at: 'fx',
      says: /keys is missing/,
    },
    {
      change: [
        '{ type: file, connection: eft-out, path: fx, format: csv }',
        '{ type: postgres, connection: db, table: "t; drop table x" }',
      ],
      code: 'E_CONFIG_VALUE',
      at: '"t; drop',
    },
    {
      change: ['{ type: file, connection: eft-out, path: fx, format: csv }', '{ type: http, connection: api, path: "//evil.example/x" }'],
      code: 'E_CONFIG_VALUE',
      at: '"//evil',
    },
    { change: ['path: fx, format: csv', 'path: fx, format: csv, name: "{date}.csv"'], code: 'E_CONFIG_CONFLICT', at: '"{date}' },
    { change: ['path: fx, format: csv', 'path: fx, format: csv, name: "{number"'], code: 'E_CONFIG_VALUE', at: '"{number' },
    { change: ['path: fx, format: csv', 'path: fx, headerLines: ["H"]'], code: 'E_CONFIG_CONFLICT', at: 'headerLines' },
    {
      change: ['path: fx, format: csv', 'path: fx, format: csv, maxAmount: { field: amount, value: "0.001" }'],
      code: 'E_CONFIG_VALUE',
      at: '"0.001',
    },
    {
      change: [
        '{ type: file, connection: eft-out, path: fx, format: csv }',
        '{ type: http, connection: api, mode: batch, idempotencyKey: out.id }',
      ],
      code: 'E_CONFIG_CONFLICT',
      at: 'idempotencyKey',
    },
  ],
  acceptance: [
    { change: ['mode: partial, max', 'mode: all-or-nothing, max'], code: 'E_CONFIG_CONFLICT', at: 'maxInvalidRatio' },
    {
      change: [
        'acceptance: { mode: partial, maxInvalidRatio: 0.02, maxInvalidAmount: { ZAR: "1000000000.00" }, onExceed: hold }',
        'acceptance: { release: chunk }',
      ],
      code: 'E_NOT_SUPPORTED_YET',
      at: 'chunk',
    },
    { change: ['ZAR: "1000000000.00"', 'ZAR: "lots"'], code: 'E_CONFIG_VALUE', at: '"lots"' },
    { change: ['ZAR: "1000000000.00"', 'zar: "1.00"'], code: 'E_CONFIG_VALUE', at: 'zar' },
  ],
  secrets: [
    { change: ['owner: payments-ops', 'owner: "https://user:hunter2@bank.example"'], code: 'E_SECRET_INLINE', at: '"https' },
    { change: ['labels: { direction: inbound }', 'labels: { apiKey: hunter2 }'], code: 'E_SECRET_INLINE', at: 'hunter2' },
    {
      change: ['labels: { direction: inbound }', 'labels: { note: "-----BEGIN RSA PRIVATE KEY-----" }'],
      code: 'E_SECRET_INLINE',
      at: '"-----',
    },
  ],
};

/** The text at the finding's place. */
function textAt(source: string, line: number, column: number): string {
  return source.split('\n')[line - 1]!.slice(column - 1);
}

describe('the sound flows', () => {
  test.each([
    ['eft', eft],
    ['cards', cards],
    ['invoices', invoices],
  ])('%s has neither errors nor warnings', (_name, source) => {
    expect(loadFlow(source).diagnostics).toEqual([]);
  });
});

describe.each(Object.entries(shapes))('a mistake in %s', (_subject, mistakes) => {
  test.each(mistakes.map((mistake) => [`${mistake.code} ${mistake.change[1].trim().slice(0, 60)}`, mistake] as const))(
    '%s',
    (_name, mistake) => {
      const source = mistake.of ?? eft;
      expect(source).toContain(mistake.change[0]);
      const once = source.replace(mistake.change[0], () => mistake.change[1]);
      const changed = mistake.and === undefined ? once : once.replace(mistake.and[0], mistake.and[1]);
      const { plan, hash, diagnostics } = loadFlow(changed);
      const found = diagnostics.map((diagnostic) => ({ ...diagnostic, at: textAt(changed, diagnostic.line, diagnostic.column) }));
      const wanted = found.find(
        ({ code, at, message }) => code === mistake.code && at.startsWith(mistake.at) && (mistake.says?.test(message) ?? true),
      );
      expect(wanted, JSON.stringify(found, null, 1)).toBeDefined();
      expect(wanted!.severity).toBe(mistake.severity ?? 'error');
      expect([plan === null, hash === null]).toEqual(mistake.severity === 'warning' ? [false, false] : [true, true]);
      expect(JSON.stringify(diagnostics)).not.toContain('hunter2');
    },
  );
});
