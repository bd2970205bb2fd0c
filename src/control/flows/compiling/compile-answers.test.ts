import { describe, expect, it } from 'vitest';
import { loadFlow } from '../load-flow.ts';

function flow(targets: string, spec: readonly string[] = []): string {
  const own = spec.length > 0 ? spec : ['format: { type: delimited, header: true }', schema];
  return `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank-za, service: payments, name: answers-here, version: 1.0.0 }
spec:
${own.map((line) => `  ${line}\n`).join('')}  routes: { default: { to: [one] } }
  targets: { one: ${targets} }
`;
}
const schema =
  'schema: { record: { key: [id], fields: { id: { type: string, required: true }, status: { type: string }, code: { type: string }, note: { type: string, mask: all } } } }';
const statusReport = ['format: { type: iso20022, message: pain.002, statuses: all }'];
const settled = 'of: [{ flow: eft-out, target: bank }], key: out.id, status: out.status, accepted: [OK], refused: [NOK]';

function findings(text: string) {
  return loadFlow(text).diagnostics.map(({ code, path, message }) => [code, path, message]);
}

describe('a target of type answers', () => {
  it('needs no connection, keeps the order of the file, and takes many at a time', () => {
    const { plan, diagnostics } = loadFlow(flow(`{ type: answers, ${settled}, reason: out.code }`));
    expect(diagnostics).toEqual([]);
    expect(plan!.targets[0]).toMatchObject({
      type: 'answers',
      connection: null,
      body: { format: 'ndjson' },
      order: 'file',
      lanes: 1,
      batchRecords: 100_000,
      settings: {
        of: [{ flow: 'eft-out', target: 'bank' }],
        key: 'id',
        status: 'status',
        reason: 'code',
        accepted: ['OK'],
        refused: ['NOK'],
        unlisted: 'unanswered',
      },
    });
  });

  it('knows of a status report where everything stands, and what its codes mean', () => {
    const { plan, diagnostics } = loadFlow(
      flow('{ type: answers, of: [{ flow: eft-out, target: bank }], unlisted: accepted }', statusReport),
    );
    expect(diagnostics).toEqual([]);
    expect(plan!.targets[0]!.settings).toMatchObject({
      file: 'originalMessageId',
      group: 'originalPaymentInformationId',
      key: 'originalEndToEndId',
      status: 'status',
      reason: 'reasonCode',
      refused: ['RJCT', 'CANC', 'BLCK'],
      unlisted: 'accepted',
    });
    expect(plan!.targets[0]!.settings).toMatchObject({ level: 'level' });
    const own = loadFlow(
      flow('{ type: answers, of: [{ flow: eft-out, target: bank }], pending: [ACCP, ACSP], accepted: [ACSC] }', statusReport),
    );
    expect(own.plan!.targets[0]!.settings).toMatchObject({ pending: ['ACCP', 'ACSP'], accepted: ['ACSC'] });
  });

  it('of a status report knows which of its records are about one transaction, or is refused', () => {
    const of = '{ type: answers, of: [{ flow: eft-out, target: bank }]';
    const transactions = ['format: { type: iso20022, message: pacs.002 }'];
    const given = ', key: out.originalTransactionId, status: out.transactionStatus }';
    expect(loadFlow(flow(of + given, transactions)).plan!.targets[0]!.settings).toMatchObject({ about: 'records' });
    const set = (more: string) => [
      ...statusReport,
      `transform: [{ id: shape, set: { file: record.originalMessageId, id: record.originalInstructionId, status: record.status${more} } }]`,
    ];
    const named = `${of}, file: out.file, key: out.id, status: out.status }`;
    expect(loadFlow(flow(named, set(', of: record.level'))).plan!.targets[0]!.settings).toMatchObject({ level: 'of', key: 'id' });
    expect(findings(flow(named, set('')))).toEqual([
      ['E_CONFIG_CONFLICT', 'spec.targets.one', expect.stringContaining('leaves out record.level')],
    ]);
  });

  it.each([
    [
      'without what it is about',
      `of: [{ flow: a, target: b }], status: out.status, accepted: [OK]`,
      'E_CONFIG_KEY',
      '',
      /file, group or key is missing/,
    ],
    ['without a status', `of: [{ flow: a, target: b }], key: out.id, accepted: [OK]`, 'E_CONFIG_KEY', '', /status is missing/],
    [
      'without a status that decides',
      `of: [{ flow: a, target: b }], key: out.id, status: out.status, pending: [P]`,
      'E_CONFIG_KEY',
      '',
      /accepted and refused are missing/,
    ],
    ['with a status of two meanings', `${settled}, pending: [NOK]`, 'E_CONFIG_DUPLICATE', '', /"NOK" is named twice/],
    ['of a field that is none', `${settled}, reason: out.why`, 'E_CONFIG_REFERENCE', '.reason', /no output field why/],
    ['whose reasons are masked', `${settled}, reason: out.note`, 'E_CONFIG_CONFLICT', '.reason', /masked/],
    ['in another order', `${settled}, order: none`, 'E_CONFIG_CONFLICT', '.order', /in the order of their file/],
    ['that waits for others', `${settled}, batch: { linger: 5s }`, 'E_CONFIG_CONFLICT', '.batch', /wait for no others/],
    ['of more than is in memory', `${settled}, batch: { size: 2000000 }`, 'E_CONFIG_VALUE', '.batch', /at most 1,000,000/],
    ['that is to answer itself', `${settled}, answers: { within: 4h }`, 'E_CONFIG_CONFLICT', '.answers', /answers are not answered/],
  ])('%s is refused when the flow is planned', (_what, given, code, at, says) => {
    expect(findings(flow(`{ type: answers, ${given} }`))).toContainEqual([code, `spec.targets.one${at}`, expect.stringMatching(says)]);
  });
});

describe('a target that is to answer', () => {
  it('says by when, and which output fields name its records', () => {
    const { plan, diagnostics } = loadFlow(flow('{ type: http, connection: api, answers: { within: 4h, key: out.id, group: out.code } }'));
    expect(diagnostics).toEqual([]);
    expect(plan!.targets[0]!.answers).toEqual({ withinMs: 4 * 3_600_000, key: 0, group: 2 });
    expect(loadFlow(flow('{ type: file, connection: out, answers: { within: 1s } }')).plan!.targets[0]!.answers).toEqual({
      withinMs: 1_000,
      key: null,
      group: null,
    });
    expect(loadFlow(flow('{ type: file, connection: out }')).plan!.targets[0]!.answers).toBeUndefined();
  });

  it('by fields that are none, or without a time, is refused when the flow is planned', () => {
    expect(findings(flow('{ type: file, connection: out, answers: { within: 4h, key: out.idd } }'))).toContainEqual([
      'E_CONFIG_REFERENCE',
      'spec.targets.one.answers.key',
      expect.stringContaining('no output field idd'),
    ]);
    expect(findings(flow('{ type: file, connection: out, answers: { key: out.id } }'))).toContainEqual([
      'E_CONFIG_KEY',
      'spec.targets.one.answers',
      expect.stringContaining('within is missing'),
    ]);
  });
});
