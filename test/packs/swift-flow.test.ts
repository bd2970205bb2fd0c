/** Flows whose format is swift-mt: what they read of statements and of payments, good and bad. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { documentedCells, fieldCells, packPage } from '../../src/pipeline/formats/statements/pack-page.fixture.ts';
import { runPack } from '../../src/pipeline/formats/statements/pack-run.fixture.ts';
import {
  balanceReportFields,
  bankTransferFields,
  changed,
  finMessage,
  interimFields,
  pages,
  plainMessage,
  requestFields,
  shortStatementFields,
  statementFields,
  transferFields,
} from '../../src/pipeline/formats/swift-mt/swift-files.fixture.ts';
import { swiftFlow } from '../../src/pipeline/formats/swift-mt/swift-flow.ts';
import { mutants } from '../../src/pipeline/formats/swift-mt/swift-mutants.fixture.ts';
import { swiftPack } from '../../src/pipeline/formats/swift-mt/swift-pack.ts';
import {
  convert,
  documentedExample,
  expectSameByEveryPath,
  isRefused,
  linesOf,
  packFlow,
  packFlowText,
  problemsOf,
  sumsOf,
} from '../support/pack-flows.ts';
import { expectedVerdicts, itWithPublicData } from '../support/public-data.ts';

/** A file may have no entries: balance reports, days on which nothing was booked. */
const flowOf = (settings: string) => packFlow(`{ type: swift-mt, ${settings} }`, ['acceptance: { emptyFile: accept }']);
const statements = flowOf('messages: statements');
const payments = flowOf('messages: payments');

const everyStatement = [
  finMessage('940', statementFields),
  finMessage('940', pages[0]!),
  finMessage('940', pages[1]!),
  finMessage('942', interimFields),
  finMessage('941', balanceReportFields),
  finMessage('950', shortStatementFields),
].join('');
const everyPayment = [finMessage('103', transferFields), finMessage('202', bankTransferFields), finMessage('101', requestFields)].join('');

const recordsOf = async (plan: typeof statements, file: string) =>
  linesOf(await convert(plan, Buffer.from(file))).filter(({ record }) => record === 'record');

describe('statements', () => {
  it('have their entries as records, each with its message', async () => {
    const file = finMessage('940', statementFields);
    const [first, second, third, fourth, trailer] = linesOf(await convert(statements, Buffer.from(file)));
    const none = { debit: null, credit: null, reversedDebit: null, reversedCredit: null, expectedDebit: null, expectedCredit: null };
    expect(first).toEqual({
      record: 'record',
      line: 6,
      offset: file.indexOf(':61:') + 4,
      messageNumber: 1,
      entryNumber: 1,
      messageType: '940',
      transactionReference: 'STMT260103',
      relatedReference: null,
      accountIdentification: '10020030/1234567',
      identifierCode: null,
      statementNumber: '5',
      sequenceNumber: '1',
      currency: 'EUR',
      openingBalance: '2187.95',
      openingBalanceDate: '2026-01-02',
      valueDate: '2026-01-02',
      entryDate: '2026-01-03',
      mark: 'D',
      fundsCode: 'R',
      amount: 800,
      ...none,
      debit: 800,
      bookedAmount: -800,
      transactionType: 'NSTO',
      customerReference: 'NONREF',
      bankReference: '55555',
      supplementaryDetails: null,
      information: '008?00DAUERAUFTRAG?100599?20Miete Nov\nember?3010020030?31234567?32MUELLER',
      closingBalance: null,
    });
    expect(second).toMatchObject({ mark: 'C', ...none, credit: 3000.05, bookedAmount: 3000.05, supplementaryDetails: '/OCMT/EUR3000,05/' });
    expect(third).toMatchObject({
      mark: 'RC',
      ...none,
      reversedCredit: 1,
      bookedAmount: -1,
      entryDate: null,
      information: null,
      closingBalance: null,
    });
    expect(fourth).toMatchObject({ mark: 'RD', ...none, reversedDebit: 2, bookedAmount: 2, entryNumber: 4, closingBalance: '4389.00' });
    expect(trailer).toMatchObject({ record: 'trailer', messages: 1, entries: 4, balanceChange: '2201.0500' });
  });

  it.each([
    ['of 30 February', ':61:2602300301D1,NTRFX', { valueDate: '2026-02-28', entryDate: '2026-03-01' }],
    ['booked in the year after', ':61:2612310102D1,NTRFX', { valueDate: '2026-12-31', entryDate: '2027-01-02' }],
    ['booked in the year before', ':61:2601021231D1,NTRFX', { valueDate: '2026-01-02', entryDate: '2025-12-31' }],
    ['of the last century', ':61:990302D1,NTRFX', { valueDate: '1999-03-02', entryDate: null }],
    ['whose amount is filled with zeros', ':61:260102D00000000000012,5NTRFX', { amount: 12.5 }],
    ['whose amount is a whole one', ':61:260102D12NTRFX', { amount: 12, bookedAmount: -12 }],
  ])('have an entry %s', async (_, entry, values) => {
    expect((await recordsOf(statements, plainMessage(changed(statementFields, '61', entry))))[0]).toMatchObject(values);
  });

  it('join the fields 86 of an entry, and keep letters of UTF-8', async () => {
    const [first] = await recordsOf(statements, finMessage('940', changed(statementFields, '86', [':86:M\u00dcLLER\r\n"X"'])));
    expect(first!['information']).toMatch(/MUELLER\nM\u00dcLLER\n"X"$/);
  });

  it('have expected entries of interim reports apart, which are not booked', async () => {
    const file = finMessage('942', changed(interimFields, '61', ':61:2601030103ED12,50NTRFNONREF'));
    expect((await recordsOf(statements, file))[0]).toMatchObject({ mark: 'ED', expectedDebit: 12.5, debit: null, bookedAmount: null });
  });

  it('come to the same by every path, and to what the pack comes to', async () => {
    const { lines, damage } = await convert(statements, Buffer.from(everyStatement));
    expect(damage).toEqual([]);
    const { summary } = runPack(swiftPack, everyStatement);
    const reference = expectSameByEveryPath(statements, lines);
    expect(reference.findings).toEqual([]);
    expect(reference.totals).toMatchObject({ records: { read: summary.records.read, rejected: 0 } });
    const sum = (...fields: string[]) => fields.map((field) => Number(sumsOf(reference, field)['EUR'] ?? 0)).reduce((a, b) => a + b, 0);
    expect(sum('credit', 'reversedDebit', 'expectedCredit')).toBe(Number(summary.amounts['credit']!['EUR']));
    expect(sum('debit', 'reversedCredit', 'expectedDebit')).toBe(Number(summary.amounts['debit']!['EUR']));
    expect(sumsOf(reference, 'debit')['JPY']).toBe(summary.amounts['debit']!['JPY']);
    expect(problemsOf(statements, lines)).toEqual([]);
  });

  it.each([
    ['an entry that is left out', (lines: string[]) => lines.toSpliced(1, 1), ['SWIFT-COUNT', 'SWIFT-BALANCE']],
    ['an entry with another amount', (lines: string[]) => lines.with(1, lines[1]!.replaceAll('3000.05', '3000.06')), ['SWIFT-BALANCE']],
  ])('of whose lines the totals are others are held: %s', async (_, change, codes) => {
    const { lines } = await convert(statements, Buffer.from(finMessage('940', statementFields)));
    expect(problemsOf(statements, Buffer.from(change(lines.toString().split('\n')).join('\n')))).toEqual(codes);
  });

  it('say what is wrong with an entry of that entry alone', async () => {
    const file = everyStatement
      .replace(':61:2601020103CR3000,05', ':61:2601020103CR3000,055')
      .replace(':86:/EREF', `:86:${'x'.repeat(33_000)}`);
    const { lines, damage } = await convert(flowOf('messages: statements, balances: warn'), Buffer.from(file));
    expect(damage).toEqual([]);
    const { findings } = expectSameByEveryPath(statements, lines);
    const said = findings.map((finding) => (finding as unknown[]).filter((_, index) => index !== 1 && index !== 5));
    expect(said).toEqual([
      [2, 'E_DECIMAL', 'amount', null],
      [2, 'E_SWIFT_FIELD', '61', 'amount-decimals'],
      [2, 'E_SWIFT_STRUCTURE', null, 'line-size'],
    ]);
    expect(runPack(swiftPack, file).summary.records.rejected).toBe(1);
  });

  it('say of the file what their entries have no part in', async () => {
    const wrong: readonly (readonly [string, string])[] = [
      [changed(statementFields, '62F', ':62F:C260103EURX').join('\r\n'), 'amount'],
      [changed(statementFields, '62F', ':62F:C260103EUR1,').join('\r\n'), 'closing-balance'],
      [changed(statementFields, '60F', null).join('\r\n'), 'field-missing'],
      [changed(statementFields, '62F', [':25:1']).join('\r\n'), 'field-order'],
    ];
    for (const [fields, rule] of wrong) {
      const { lines, damage } = await convert(statements, Buffer.from(finMessage('940', [fields])));
      expect(damage.map((finding) => finding.rule)).toContain(rule);
      expect(expectSameByEveryPath(statements, lines).findings.filter((finding) => (finding as unknown[])[4] !== null)).toEqual([]);
    }
    const unended = finMessage('940', statementFields).replace('\r\n-}{5:{CHK:123456789ABC}}', '');
    expect((await convert(statements, Buffer.from(unended))).damage).toMatchObject([{ rule: 'text-end' }]);
  });

  it('with information without end are refused', async () => {
    const file = finMessage('940', [...statementFields.slice(0, 6), ...Array.from({ length: 40 }, () => `:86:${'A'.repeat(30_000)}`)]);
    const { lines } = await convert(statements, Buffer.from(file));
    expect(lines.length).toBeLessThan(1_100_000);
    expect(runPack(swiftPack, file).errors.map(({ rule }) => rule)).toContain('field-size');
  });
});

describe('payments', () => {
  it('are records, each with what its message says of all', async () => {
    const [transfer, bankTransfer, first, second] = await recordsOf(payments, everyPayment);
    const present = (record: Record<string, unknown> | undefined) =>
      Object.fromEntries(Object.entries(record!).filter(([, value]) => value !== null));
    expect(present(transfer)).toEqual({
      record: 'record',
      line: 2,
      offset: everyPayment.indexOf(':20:') + 4,
      messageNumber: 1,
      paymentNumber: 1,
      messageType: '103',
      senderReference: 'PAYREF123',
      timeIndications: '/SNDTIME/1200+0100',
      operationCode: 'CRED',
      valueDate: '2026-01-03',
      currency: 'USD',
      amount: 1000.5,
      instructedCurrency: 'EUR',
      instructedAmount: 900,
      exchangeRate: 1.1117,
      orderingAccount: '12345678',
      orderingCustomer: 'ACME INC.\n1 MAIN STREET',
      orderingInstitution: 'BANKDEFF',
      accountWithInstitution: '//CH123456\nBANKCHZZ80A',
      beneficiaryAccount: 'CH9300762011623852957',
      beneficiary: 'JOHN DOE',
      remittanceInformation: 'INVOICE 17',
      chargesCode: 'SHA',
      sendersCharges: 'USD5,00',
      senderToReceiver: '/INS/BANKDEFF',
    });
    expect(bankTransfer).toMatchObject({
      messageNumber: 2,
      relatedReference: 'RELATED1',
      currency: 'JPY',
      amount: 100_000,
      transactionReference: null,
    });
    const shared = {
      messageNumber: 3,
      senderReference: 'REQ1',
      messageIndex: '1/1',
      orderingAccount: '12345678',
      requestedDate: '2026-01-04',
    };
    expect(first).toMatchObject({ ...shared, paymentNumber: 1, transactionReference: 'TX1', amount: 10, currency: 'EUR', valueDate: null });
    expect(second).toMatchObject({
      ...shared,
      paymentNumber: 2,
      transactionReference: 'TX2',
      amount: 5,
      currency: 'USD',
      dealReference: 'DEAL1',
      remittanceInformation: null,
    });
  });

  it('have the cover of a bank transfer apart', async () => {
    const cover = [':50K:/1\nACME', ':52A:BANKDEFF', ':57A:BANKCHZZ80A', ':59:/2\nJOHN', ':70:X', ':72:/INS/X', ':33B:EUR1,'];
    const fields = changed(bankTransferFields, '57A', ':57A:BANKUS33');
    expect((await recordsOf(payments, finMessage('202', [...fields, ...cover])))[0]).toMatchObject({
      accountWithInstitution: 'BANKUS33',
      orderingCustomer: 'ACME',
      beneficiaryAccount: '2',
      coverOrderingInstitution: 'BANKDEFF',
      coverAccountWithInstitution: 'BANKCHZZ80A',
      coverSenderToReceiver: '/INS/X',
      senderToReceiver: null,
      instructedAmount: 1,
    });
  });

  it('have what comes again joined', async () => {
    const file = finMessage('103', changed(transferFields, '23B', [':23E:CORT', ':23E:HOLD/LATER']));
    expect((await recordsOf(payments, file))[0]).toMatchObject({ instructionCodes: 'CORT\nHOLD/LATER' });
  });

  it('that have an amount twice where the flow is lenient have the first', async () => {
    const lenient = flowOf('messages: payments, strictness: lenient');
    const file = finMessage('103', changed(transferFields, '32A', [':32A:260104USD1,']));
    expect(await isRefused(lenient, Buffer.from(file))).toBe(false);
    expect((await recordsOf(lenient, file))[0]).toMatchObject({ valueDate: '2026-01-03', currency: 'USD', amount: 1000.5 });
  });

  it('come to the same by every path, and to what the pack comes to', async () => {
    const { lines, damage } = await convert(payments, Buffer.from(everyPayment));
    expect(damage).toEqual([]);
    const { summary } = runPack(swiftPack, everyPayment);
    const reference = expectSameByEveryPath(payments, lines);
    expect(reference.findings).toEqual([]);
    expect(reference.totals).toMatchObject({ records: { read: summary.records.read, rejected: 0 } });
    expect(sumsOf(reference, 'amount')).toEqual(summary.amounts['payments']);
    expect(problemsOf(payments, lines)).toEqual([]);
    const less = lines.toString().split('\n').toSpliced(0, 1).join('\n');
    expect(problemsOf(payments, Buffer.from(less))).toEqual(['SWIFT-COUNT']);
  });

  it('with fields without end are refused, and not held', async () => {
    const instructions = Array.from({ length: 40_000 }, () => `:23E:OTHR/${'A'.repeat(30)}`);
    const file = finMessage('101', changed(requestFields, '23E', instructions));
    const { lines, damage } = await convert(payments, Buffer.from(file));
    expect([damage, runPack(swiftPack, file).errors.map(({ rule }) => rule)]).toEqual([[], ['field-size']]);
    expect(lines.length).toBeLessThan(1_300_000);
  });

  it('that lack a field have the finding, and those after them do not', async () => {
    const { lines, damage } = await convert(payments, Buffer.from(finMessage('101', changed(requestFields, '71A', null))));
    expect(damage).toEqual([]);
    expect(expectSameByEveryPath(payments, lines).findings).toMatchObject([
      [1, 0, 'E_SWIFT_FIELD', '71A', 'field-missing', expect.stringMatching(/^line 13, /)],
    ]);
  });
});

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
  const schemaOf = (messages: string) => swiftFlow.schema(new Map([['messages', messages]]));
  expect(documentedCells(page, 'Fields of an entry')).toEqual(fieldCells(schemaOf('statements').record));
  expect(documentedCells(page, 'Fields of the trailer of statements')).toEqual(fieldCells(schemaOf('statements').trailer));
  expect(documentedCells(page, 'Fields of a payment')).toEqual(fieldCells(schemaOf('payments').record));
  expect(documentedCells(page, 'Fields of the trailer of payments')).toEqual(fieldCells(schemaOf('payments').trailer));
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
