/**
 * Plans and expressions for tests and benches of the engine, made by hand so that they need no flow checker. The payments
 * plan is the job of `bench/`: eleven columns, two IBANs, amounts, masks, three targets by country.
 */
import type { Expression, FunctionName, ValueType } from './expressions/expression.ts';
import type { BodyPlan, FieldPlan, FieldType, FormatPlan, OutputFieldPlan, Plan, RecordPlan, TargetPlan } from './plan.ts';

export function fieldPlan(name: string, type: FieldType, at: FieldPlan['at'], more: Partial<FieldPlan> = {}): FieldPlan {
  return {
    name,
    type,
    at,
    required: true,
    trim: 'start' in at,
    minLength: null,
    maxLength: null,
    pattern: null,
    enum: null,
    min: null,
    max: null,
    point: 'explicit',
    scale: 2,
    dateFormat: null,
    unique: null,
    sum: false,
    currencyField: null,
    mask: 'none',
    class: null,
    search: null,
    ...more,
  };
}

export function recordPlan(fields: readonly FieldPlan[], more: Partial<RecordPlan> = {}): RecordPlan {
  return { name: 'record', role: 'data', tag: null, counted: true, key: [], fields, ...more };
}

export function targetPlan(id: string, body: BodyPlan = { format: 'ndjson' }, more: Partial<TargetPlan> = {}): TargetPlan {
  const order = more.order ?? 'none';
  return {
    id,
    type: 'file',
    connection: null,
    body,
    batchRecords: 500,
    batchBytes: 1024 * 1024,
    order,
    lanes: order === 'none' ? 0 : order === 'file' ? 1 : 64,
    onUnknown: 'resend',
    onExhausted: 'dead-letter',
    timeoutMs: 5_000,
    concurrency: 1,
    ratePerSecond: null,
    retry: { max: 3, initialMs: 100, capMs: 1_000 },
    breaker: { windowMs: 30_000, failureRatio: 0.5, minCalls: 10, probeEveryMs: 15_000, probes: 3 },
    backup: null,
    settings: {},
    ...more,
  };
}

export const delimitedFormat: Extract<FormatPlan, { type: 'delimited' }> = {
  type: 'delimited',
  delimiter: 0x2c,
  quote: 0x22,
  escape: 0x22,
  comment: null,
  header: false,
  columns: 'exact',
  skipBlankLines: true,
  discriminator: null,
};

export function planOf(parts: Partial<Plan> & Pick<Plan, 'format' | 'records'>): Plan {
  const main = parts.records.find((record) => record.role === 'data')!;
  return {
    planVersion: 1,
    flow: { tenant: 'bank', service: 'payments', subService: null, name: 'test', version: '1.0.0', hash: `sha256:${'0'.repeat(64)}` },
    rules: [],
    filters: [],
    output: main.fields.map((field, index) => outputField(field.name, recordField(main, index))),
    routes: { mode: 'first', rules: [], default: [0] },
    targets: [targetPlan('all')],
    acceptance: {
      release: 'file',
      mode: 'partial',
      maxInvalid: null,
      maxInvalidRatio: null,
      maxInvalidAmount: null,
      onExceed: 'hold',
      emptyFile: 'reject',
    },
    ...parts,
  };
}

export function outputField(name: string, value: Expression): OutputFieldPlan {
  return { name, type: value.type, value };
}

const valueTypes: Partial<Record<FieldType, ValueType>> = {
  int: 'int',
  decimal: 'decimal',
  date: 'date',
  time: 'time',
  datetime: 'datetime',
  boolean: 'bool',
};

export function recordField(record: RecordPlan, index: number): Expression {
  const field = record.fields[index]!;
  return { kind: 'field', type: valueTypes[field.type] ?? 'string', scope: 'record', index, name: field.name };
}

export function call(type: ValueType, name: FunctionName, ...args: readonly Expression[]): Expression {
  return { kind: 'call', type, name, arguments: args };
}

export function literal(type: ValueType, value: string | null): Expression {
  return { kind: 'literal', type, value };
}

export function oneOf(value: Expression, ...texts: readonly string[]): Expression {
  return { kind: 'in', type: 'bool', value, list: texts.map((text) => literal('string', text)) };
}

export const paymentColumns = [
  'id',
  'valueDate',
  'debtorIban',
  'creditorIban',
  'amount',
  'currency',
  'country',
  'channel',
  'name',
  'reference',
  'info',
];
export type PaymentFormat = 'delimited' | 'json-lines' | 'fixed-width';

const paymentWidths = [10, 10, 34, 34, 15, 3, 2, 5, 70, 35, 40];

/** Where a payment's columns are in each format. */
export function paymentPlace(format: PaymentFormat, column: number): FieldPlan['at'] {
  if (format === 'json-lines') return { path: [paymentColumns[column]!] };
  if (format === 'delimited') return { column, header: paymentColumns[column]! };
  return { start: paymentWidths.slice(0, column).reduce((sum, width) => sum + width, 0), length: paymentWidths[column]! };
}

const paymentFormats: Record<PaymentFormat, FormatPlan> = {
  delimited: { ...delimitedFormat, header: true },
  'json-lines': { type: 'json-lines', discriminator: null, unknownKeys: 'ignore', skipBlankLines: true },
  'fixed-width': { type: 'fixed-width', discriminator: null, recordLength: null, shortLines: 'reject', skipBlankLines: true },
};

/** The bench's job over 11 columns. */
export function paymentsPlan(
  format: PaymentFormat = 'delimited',
  targets: readonly TargetPlan[] = ['eu', 'uk', 'ch'].map((id) => targetPlan(id)),
): Plan {
  const at = (column: number) => paymentPlace(format, column);
  const record = recordPlan(
    [
      fieldPlan('id', 'string', at(0), { pattern: '^P[0-9]{9}$', search: 'exact' }),
      fieldPlan('valueDate', 'date', at(1)),
      fieldPlan('debtorIban', 'iban', at(2), { mask: 'last4' }),
      fieldPlan('creditorIban', 'iban', at(3), { mask: 'last4' }),
      fieldPlan('amount', 'decimal', at(4), { pattern: '^[0-9]{1,12}(\\.[0-9]{1,2})?$', sum: true, currencyField: 5 }),
      fieldPlan('currency', 'string', at(5), { enum: ['EUR', 'USD', 'GBP', 'CHF', 'SEK'] }),
      fieldPlan('country', 'string', at(6), { enum: ['DE', 'FR', 'NL', 'ES', 'GB', 'CH'] }),
      fieldPlan('channel', 'string', at(7), { enum: ['SEPA', 'SWIFT', 'INST', 'CARD'] }),
      fieldPlan('name', 'string', at(8), { maxLength: 70 }),
      fieldPlan('reference', 'string', at(9), { pattern: '^[A-Z0-9-]{1,35}$' }),
      fieldPlan('info', 'string', at(10), { required: false }),
    ],
    { key: [0], name: 'payment' },
  );
  const field = (column: number) => recordField(record, column);
  const isSepa = call('bool', 'equal', field(7), literal('string', 'SEPA'));
  return planOf({
    format: paymentFormats[format],
    records: [record],
    rules: [
      {
        id: 'sepa-in-euro',
        scope: 'record',
        severity: 'error',
        onFail: 'hold-file',
        code: 'SEP01',
        message: 'SEPA payments are in euro',
        assert: call('bool', 'or', call('bool', 'not', isSepa), call('bool', 'equal', field(5), literal('string', 'EUR'))),
      },
    ],
    output: [
      outputField('paymentId', field(0)),
      outputField('date', call('string', 'formatDate', field(1), literal('string', 'yyyyMMdd'))),
      outputField('debtor', call('string', 'mask', field(2), literal('int', '4'), literal('int', '4'))),
      outputField('creditor', field(3)),
      outputField('amountMinor', call('int', 'minorUnits', field(4))),
      outputField('currency', field(5)),
      outputField('country', field(6)),
      outputField('channel', field(7)),
      outputField('beneficiary', call('string', 'upper', field(8))),
      outputField('reference', field(9)),
      outputField(
        'band',
        call(
          'string',
          'conditional',
          call('bool', 'greaterOrEqual', field(4), literal('decimal', '10000.00')),
          literal('string', 'HIGH'),
          literal('string', 'LOW'),
        ),
      ),
    ],
    routes: {
      mode: 'first',
      rules: [
        { id: 'uk', when: call('bool', 'equal', field(6), literal('string', 'GB')), to: [1] },
        { id: 'ch', when: call('bool', 'equal', field(6), literal('string', 'CH')), to: [2] },
      ],
      default: [0],
    },
    targets,
  });
}
