/** Flows whose format is swift-mt: what they read of statements and of payments, good and bad. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import type { PackSchema } from '../../src/pipeline/formats/pack.ts';
import { documentedCells, fieldCells, packPage } from '../../src/pipeline/formats/statements/pack-page.fixture.ts';
import { runPack } from '../../src/pipeline/formats/statements/pack-run.fixture.ts';
import { swiftFlow } from '../../src/pipeline/formats/swift-mt/swift-flow.ts';
import { mutants } from '../../src/pipeline/formats/swift-mt/swift-mutants.fixture.ts';
import { swiftPack } from '../../src/pipeline/formats/swift-mt/swift-pack.ts';
import { convert, documentedExample, isRefused, linesOf, packFlow, packFlowText } from '../support/pack-flows.ts';
import { expectedVerdicts, itWithPublicData } from '../support/public-data.ts';
import { everyPayment, everyStatement, flowOf, payments, statements } from '../support/swift-flows.ts';

it.each([
  ['statements', statements, everyStatement],
  ['payments', payments, everyPayment],
] as const)('gives the same lines in whatever pieces a file of %s comes', async (_, plan, file) => {
  const bytes = Buffer.from(file);
  const whole = await convert(plan, bytes);
  for (let pieceBytes = 1; pieceBytes < 200; pieceBytes += 7) expect(await convert(plan, bytes, pieceBytes)).toEqual(whole);
});

const named = Object.entries(mutants).flatMap(([rule, list]) =>
  list.map(([what, file, , settings]) => ({ rule, what, bytes: Buffer.from(file), settings })),
);

it.each(named)('refuses of a file what the pack refuses: $rule: $what', async ({ bytes, settings }) => {
  const types = Object.keys(runPack(swiftPack, bytes).summary.details['messages'] as object);
  const messages = settings?.['messages'] ?? (types.some((type) => ['101', '103', '202'].includes(type)) ? 'payments' : 'statements');
  const { errors } = runPack(swiftPack, bytes, { settings: { messages } });
  expect(await isRefused(messages === 'payments' ? payments : statements, bytes)).toBe(errors.length > 0);
});

it('is refused where it does not say which messages a file has, or asks for what the pack has not', () => {
  const diagnosed = (format: string, more: readonly string[] = []) =>
    loadFlow(packFlowText(format, more)).diagnostics.map(({ code, path }) => [code, path]);
  expect(diagnosed('{ type: swift-mt }')).toEqual([['E_CONFIG_VALUE', 'spec.format.messages']]);
  expect(diagnosed('{ type: swift-mt, messages: any }')).toEqual([['E_CONFIG_VALUE', 'spec.format.messages']]);
  expect(diagnosed('{ type: swift-mt, messages: payments }', ['schema: { header: { fields: { sender: { type: string } } } }'])).toEqual([
    ['E_CONFIG_REFERENCE', 'spec.schema.header.fields.sender'],
  ]);
});

it('adds what a flow says of a field', () => {
  const refined = packFlow('{ type: swift-mt, messages: statements }', [
    'schema: { record: { fields: { statementNumber: { type: string, required: true, pattern: "[0-9]+" } } } }',
  ]);
  expect(refined.records[0]!.fields.find(({ name }) => name === 'statementNumber')).toMatchObject({ required: true, pattern: '[0-9]+' });
});

it('takes parts of messages where the flow is lenient', async () => {
  const part = Buffer.from(':61:1409010902DR000000000001,62NTRF0000549855700010//025498557/000001\n');
  expect(await isRefused(statements, part)).toBe(true);
  expect(await isRefused(flowOf('messages: statements, strictness: lenient'), part)).toBe(false);
});

it('masks accounts, names and texts', () => {
  const masked = (plan: typeof statements) =>
    plan.records[0]!.fields.filter(({ mask }) => mask !== 'none').map(({ name, mask }) => `${name} ${mask}`);
  expect(masked(statements)).toEqual(['accountIdentification last4', 'supplementaryDetails all', 'information all']);
  expect(masked(payments)).toEqual(
    expect.arrayContaining([
      'orderingAccount last4',
      'orderingCustomer all',
      'beneficiaryAccount last4',
      'beneficiary all',
      'remittanceInformation all',
    ]),
  );
});

it('is on its page with every field, and with an example that holds', async () => {
  const page = packPage(swiftPack);
  const schemaOf = (messages: string) => swiftFlow.schema(new Map([['messages', messages]])) as PackSchema;
  expect(documentedCells(page, 'Fields of an entry')).toEqual(fieldCells(schemaOf('statements').record));
  expect(documentedCells(page, 'Fields of the trailer of statements')).toEqual(fieldCells(schemaOf('statements').trailer!));
  expect(documentedCells(page, 'Fields of a payment')).toEqual(fieldCells(schemaOf('payments').record));
  expect(documentedCells(page, 'Fields of the trailer of payments')).toEqual(fieldCells(schemaOf('payments').trailer!));
  const { made, said } = await documentedExample(page);
  expect(said).not.toBe('');
  expect(made).toBe(said);
});

it('holds a file with messages of the other kind, of which it reads nothing', async () => {
  const { lines, damage } = await convert(payments, Buffer.from(everyStatement + everyPayment));
  expect(damage.map(({ code, rule }) => [code, rule])).toEqual(Array.from({ length: 6 }, () => ['E_SWIFT_STRUCTURE', 'message-kind']));
  expect(linesOf({ lines, damage }).map(({ messageType }) => messageType)).toEqual(['103', '202', '101', '101', undefined]);
});

itWithPublicData(
  'swift',
  'flows refuse of the public files what the pack refuses, and read as many entries as another reader',
  async (folder) => {
    const verdicts = expectedVerdicts<{ file: string; n: number; transactions: readonly { amount?: { amount: string } }[] }>(folder);
    expect(verdicts.length).toBeGreaterThan(0);
    for (const { file, transactions } of verdicts) {
      const bytes = readFileSync(join(folder, file));
      const { errors, summary } = runPack(swiftPack, bytes, { settings: { messages: 'statements' } });
      expect([file, await isRefused(statements, bytes)]).toEqual([file, errors.length > 0]);
      const ours = linesOf(await convert(statements, bytes)).filter(({ record }) => record === 'record');
      expect([file, ours.length]).toEqual([file, summary.records.read]);
      const read = ours.filter(({ bookedAmount }) => bookedAmount !== null).map(({ bookedAmount }) => bookedAmount);
      const theirs = transactions.filter(({ amount }) => amount !== undefined).map(({ amount }) => Number(amount!.amount));
      if (errors.length === 0) expect([file, read]).toEqual([file, theirs]);
    }
  },
);
