/** Flows whose format is swift-mt: what a record has of an entry of a statement, or of a payment, and what is found in it. */
import { describe, expect, it } from 'vitest';
import { runPack } from '../../src/pipeline/formats/statements/pack-run.fixture.ts';
import {
  bankTransferFields,
  changed,
  finMessage,
  interimFields,
  plainMessage,
  requestFields,
  statementFields,
  transferFields,
} from '../../src/pipeline/formats/swift-mt/swift-files.fixture.ts';
import { swiftPack } from '../../src/pipeline/formats/swift-mt/swift-pack.ts';
import { convert, expectSameByEveryPath, isRefused, linesOf, problemsOf, sumsOf } from '../support/pack-flows.ts';
import { everyPayment, everyStatement, flowOf, payments, recordsOf, statements } from '../support/swift-flows.ts';

describe('statements', () => {
  it('have their entries as records, each with its message', async () => {
    const file = finMessage('940', statementFields);
    const [first, second, third, fourth, trailer] = linesOf(await convert(statements, Buffer.from(file)));
    const none = { debit: null, credit: null, reversedDebit: null, reversedCredit: null, expectedDebit: null, expectedCredit: null };
    expect(first).toEqual({
      record: 'record',
      line: 6,
      offset: file.indexOf(':61:'),
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
      offset: everyPayment.indexOf(':20:'),
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

  it('of a request that ends early are good, and the request is held: more of them may have followed', async () => {
    const unended = finMessage('101', requestFields).split('\r\n-}')[0]!;
    const { lines, damage } = await convert(payments, Buffer.from(unended));
    expect(damage).toMatchObject([{ rule: 'text-end' }]);
    expect(expectSameByEveryPath(payments, lines).findings).toEqual([]);
    expect(runPack(swiftPack, unended).summary.records.rejected).toBe(0);
  });

  it('that lack a field have the finding, and those after them do not', async () => {
    const { lines, damage } = await convert(payments, Buffer.from(finMessage('101', changed(requestFields, '71A', null))));
    expect(damage).toEqual([]);
    expect(expectSameByEveryPath(payments, lines).findings).toMatchObject([
      [1, 0, 'E_SWIFT_FIELD', '71A', 'field-missing', expect.stringMatching(/^line 13, /)],
    ]);
  });
});
