import { expect, it } from 'vitest';
import type { Plan, TargetPlan } from '../plan.ts';
import { call, fieldPlan, literal, outputField, planOf, recordField, recordPlan, targetPlan } from '../plans.fixture.ts';
import { redrivePlan } from '../redrive-plan.ts';
import { compileRepair } from './compile-repair.ts';

const names = ['id', 'ref', 'batch', 'account', 'note'];
const record = recordPlan(
  names.map((name) => fieldPlan(name, 'string', { path: [name] }, name === 'id' ? { unique: 'file' } : {})),
  { key: [] },
);
const [ref, batch, account, note] = [1, 2, 3, 4].map((index) => recordField(record, index));

/** `output`: `trace` is made of ref and batch, `who` of account, `text` of note. */
function planTo(...targets: readonly TargetPlan[]): Plan {
  return planOf({
    format: { type: 'json-lines', discriminator: null, unknownKeys: 'ignore', skipBlankLines: true },
    records: [record],
    output: [
      outputField(
        'trace',
        call('string', 'conditional', call('bool', 'isNull', ref!), literal('string', '-'), call('string', 'upper', batch!)),
      ),
      outputField('who', account!),
      outputField('text', note!),
    ],
    targets,
  });
}

const to = (type: string, settings: TargetPlan['settings'], more: Partial<TargetPlan> = {}) =>
  targetPlan('pay', { format: 'ndjson' }, { type, settings, ...more });

function refused(plan: Plan): string[] {
  return names.filter((name) => {
    try {
      compileRepair(plan, null, { [name]: "'x'" });
      return false;
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_REPAIR_KEY' });
      return true;
    }
  });
}

const outTrace = { kind: 'field', type: 'string', scope: 'out', index: 0, name: 'trace' } as const;

it.each([
  ['a field that is unique in a file', to('file', { path: '/', name: '{jobId}' }), ['id']],
  ['what makes the Idempotency-Key', to('http', { mode: 'single', idempotencyKey: 'out.trace' }), ['id', 'ref', 'batch']],
  [
    'what makes the keys of a row in postgres',
    to('postgres', { table: 't', mode: 'upsert', keys: ['trace', 'who'] }),
    ['id', 'ref', 'batch', 'account'],
  ],
  ['what makes the keys of a row in mysql', to('mysql', { table: 't', mode: 'upsert', keys: ['who'] }), ['id', 'account']],
  ['what makes the key of a message', to('kafka', { topic: 't', key: call('string', 'upper', outTrace) }), ['id', 'ref', 'batch']],
  [
    'what answers name a record by',
    to('amqp', { queue: 'q' }, { answers: { withinMs: 1, key: 1, group: 0 } }),
    ['id', 'ref', 'batch', 'account'],
  ],
  ['no other field where rows are inserted', to('postgres', { table: 't', mode: 'insert', keys: [] }), ['id']],
  ['no other field where the key is that of the delivery', to('http', { mode: 'single' }), ['id']],
])('what a record is known by is not repaired: %s', (_what, target, expected) => {
  expect(refused(planTo(target))).toEqual(expected);
});

it('targets count that the records are sent to, and the backups that may get them', () => {
  const target = (id: string, key: string, backup: string | null = null): TargetPlan => ({
    ...to('http', { mode: 'single', idempotencyKey: `out.${key}` }, { backup }),
    id,
  });
  const plan = planTo(target('first', 'trace'), target('main', 'who', 'spare'), target('spare', 'text'));
  expect(refused(redrivePlan(plan, ['first']))).toEqual(['id', 'ref', 'batch']);
  expect(refused(redrivePlan(plan, ['main']))).toEqual(['id', 'account', 'note']);
  expect(refused(redrivePlan(plan, null))).toEqual(names);
});

it('the refusal says by what the record is known', () => {
  const plan = planTo(to('http', { mode: 'single', idempotencyKey: 'out.who' }));
  expect(() => compileRepair(plan, null, { account: "'x'" })).toThrowError(
    'account makes the key by which a record is known to target pay',
  );
  expect(() => compileRepair(plan, null, { id: "'x'" })).toThrowError('id is unique in a file');
});
