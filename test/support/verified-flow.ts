/** The flow and the raw file of `exported-job.ts`: every kind of record that a verification has to tell apart. */
import { createHash } from 'node:crypto';
import type { Plan } from '../../src/pipeline/engine/plan.ts';
import {
  call,
  delimitedFormat,
  fieldPlan,
  literal,
  outputField,
  planOf,
  recordField,
  recordPlan,
  targetPlan,
} from '../../src/pipeline/engine/plans.fixture.ts';

const at = (column: number) => ({ column, header: null });

/** `definition` stands for the flow's canonical form; its hash is the flow's. */
export function fixturePlan(definition: Uint8Array): Plan {
  const record = recordPlan(
    [
      fieldPlan('id', 'string', at(1), { unique: 'file' }),
      fieldPlan('amount', 'decimal', at(2), { sum: true, currencyField: 2 }),
      fieldPlan('currency', 'string', at(3), { enum: ['ZAR', 'USD'] }),
      fieldPlan('reference', 'string', at(4), { required: false, unique: 'file' }),
    ],
    { tag: 'D', key: [0] },
  );
  const field = (index: number) => recordField(record, index);
  const trailerField = (index: number, name: string, type: 'int' | 'decimal') =>
    ({ kind: 'field', type, scope: 'trailer', index, name }) as const;
  const statistic = (name: 'records' | 'sum', type: 'int' | 'decimal') =>
    ({ kind: 'statistic', type, name, field: name === 'sum' ? 'amount' : null, key: null }) as const;
  const zero = literal('decimal', '0.00');
  const rule = { scope: 'record', severity: 'error', onFail: 'hold-file' } as const;
  return planOf({
    format: { ...delimitedFormat, discriminator: 0 },
    flow: {
      tenant: 'bank',
      service: 'payments',
      subService: null,
      name: 'verified',
      version: '1.0.0',
      hash: `sha256:${createHash('sha256').update(definition).digest('hex')}`,
    },
    records: [
      recordPlan([fieldPlan('sender', 'string', at(1))], { name: 'header', role: 'header', tag: 'H', counted: false }),
      record,
      recordPlan([fieldPlan('count', 'int', at(1)), fieldPlan('total', 'decimal', at(2))], {
        name: 'trailer',
        role: 'trailer',
        tag: 'T',
        counted: false,
      }),
    ],
    rules: [
      { ...rule, id: 'not-negative', code: 'AMT01', message: 'not below zero', assert: call('bool', 'greaterOrEqual', field(1), zero) },
      {
        ...rule,
        id: 'large',
        severity: 'warn',
        code: 'AMT02',
        message: 'large',
        assert: call('bool', 'less', field(1), literal('decimal', '1000.00')),
      },
      {
        ...rule,
        id: 'totals',
        scope: 'file',
        code: 'CTL01',
        message: 'trailer does not match',
        assert: call(
          'bool',
          'and',
          call('bool', 'equal', trailerField(0, 'count', 'int'), statistic('records', 'int')),
          call('bool', 'equal', trailerField(1, 'total', 'decimal'), statistic('sum', 'decimal')),
        ),
      },
    ],
    filters: [{ id: 'zero', when: call('bool', 'equal', field(1), zero), reason: 'nothing to pay' }],
    output: [outputField('id', field(0)), outputField('amount', field(1)), outputField('currency', field(2))],
    routes: {
      mode: 'all',
      rules: [{ id: 'zar', when: call('bool', 'equal', field(2), literal('string', 'ZAR')), to: [0, 1] }],
      default: [1],
    },
    targets: [targetPlan('ledger'), targetPlan('archive', { format: 'csv', delimiter: 0x3b, header: true, lineEnd: '\n' })],
  });
}

export const fixtureLines = [
  'H,bank',
  'D,p1,10.00,ZAR,r1',
  'D,p2,20.50,USD,',
  'D,p3,-1.00,ZAR,',
  'D,p4,0.00,ZAR,',
  'D,p5,5000.00,ZAR,r5',
  'D,p1,7.00,ZAR,r5',
  'D,p6,x,ZAR,',
  'D,p7,1.25,EUR,',
  'D,p8,3.00,ZAR,r5',
  'D,p9,4.00,ZAR,',
  'D,p10,"5.00",USD,"r,10"',
  'D,p11,6.00,ZAR,',
  'T,12,5055.75',
];
