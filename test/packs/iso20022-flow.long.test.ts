/** Flows whose format is iso20022: what they read of messages, good and bad. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import type { Plan } from '../../src/pipeline/engine/plan.ts';
import { runReference } from '../../src/pipeline/engine/reference/run-accounts.fixture.ts';
import { flowFamilies } from '../../src/pipeline/formats/iso20022/flow/flow-families.ts';
import {
  creditTransfers,
  goodMessages,
  readMessage,
  reportOf2006,
  statement,
} from '../../src/pipeline/formats/iso20022/iso20022-files.fixture.ts';
import { change, harmless, mutants } from '../../src/pipeline/formats/iso20022/iso20022-mutants.fixture.ts';
import { versionSamples } from '../../src/pipeline/formats/iso20022/iso20022-versions.fixture.ts';
import {
  accountsOf,
  convert,
  expectSameByEveryPath,
  isRefused,
  linesOf,
  packFlow,
  packFlowText,
  problemsOf,
} from '../support/pack-flows.ts';
import { expectedVerdicts, itWithPublicData } from '../support/public-data.ts';

/** A message without transactions is as good as another. */
const more = ['acceptance: { emptyFile: accept }'];
const plans = new Map<string, Plan>();
/** Of the messages of a family, with other settings of the pack. */
function planOf(message: string, options: Readonly<Record<string, string>> = {}): Plan {
  const format = JSON.stringify({ type: 'iso20022', message, ...options });
  let plan = plans.get(format);
  if (plan === undefined) plans.set(format, (plan = packFlow(format, more)));
  return plan;
}

const familyOf = (content: string) => /xsd:((?:pain|pacs|camt)\.\d{3})/.exec(content)?.[1] ?? 'pain.001';

it.each(Object.entries(goodMessages))('reads the records of %s, whatever path takes them', async (_, message) => {
  const { summary } = readMessage(message);
  const plan = planOf(familyOf(message));
  const { lines, damage } = await convert(plan, Buffer.from(message));
  expect(damage).toEqual([]);
  const { reference, engines } = accountsOf(plan, lines);
  for (const engine of engines) expect(engine).toEqual(reference);
  expect(reference.findings).toEqual([]);
  const { records, amounts } = reference.totals as {
    records: { read: number };
    amounts: { read: Record<string, { scale: number; byCurrency: Record<string, string> }> };
  };
  expect(records.read).toBe(summary.records.read);
  for (const [name, sums] of Object.entries(summary.amounts)) {
    const found = amounts.read[name === 'credit' || name === 'debit' ? name : 'amount']!;
    for (const [currency, text] of Object.entries(sums)) {
      const [whole, fraction = ''] = text.split('.');
      expect([name, currency, found.byCurrency[currency]]).toEqual([
        name,
        currency,
        String(BigInt(whole + fraction.padEnd(found.scale, '0'))),
      ]);
    }
  }
});

it('gives the same lines in whatever pieces the message comes', async () => {
  const bytes = Buffer.from(creditTransfers);
  const plan = planOf('pain.001');
  const whole = await convert(plan, bytes);
  for (let pieceBytes = 1; pieceBytes < 200; pieceBytes += 13) expect(await convert(plan, bytes, pieceBytes)).toEqual(whole);
});

it('gives a record what is said above it, and the header what is said of the message', async () => {
  const [header, first] = linesOf(await convert(planOf('pain.001'), Buffer.from(creditTransfers)));
  expect(header).toMatchObject({ record: 'header', messageId: 'M-1', numberOfTransactions: 3, controlSum: 60.35 });
  expect(first).toMatchObject({ record: 'record', paymentMethod: 'TRF', amount: 10.1, currency: 'EUR', creditorName: 'Muster & Söhne' });
  const [, credit] = linesOf(await convert(planOf('camt.053'), Buffer.from(statement)));
  expect(Object.keys(credit!)).toEqual(expect.arrayContaining(['statementId', 'credit', 'debit', 'bookingDate']));
});

it('finds in account reports of version 1 what later ones have at other places', async () => {
  const [, entry] = linesOf(await convert(planOf('camt.052'), Buffer.from(reportOf2006)));
  expect(entry).toMatchObject({ accountNumber: '1234567', accountServicerBic: 'MARKDEFF', credit: 2.5, endToEndId: 'E' });
});

it.each(versionSamples.map(({ name, message }) => [name, message] as const))(
  'reads %s as the other versions of its family',
  async (name, message) => {
    const converted = await convert(planOf(name.slice(0, 'pain.001'.length)), Buffer.from(message));
    expect(converted.damage).toEqual([]);
    const [header, ...records] = linesOf(converted);
    const { records: counted, amounts } = readMessage(message).summary;
    expect(header).toMatchObject({ messageName: name, messageId: /<MsgId>(.*?)</.exec(message)![1] });
    expect(records).toHaveLength(counted.read);
    const ids = /<(?:Orgnl)?EndToEndId>(.*?)</.exec(message);
    if (ids !== null) expect(JSON.stringify(records[0])).toContain(`"${ids[1]}"`);
    for (const [total, sums] of Object.entries(amounts)) {
      const field = total === 'credit' || total === 'debit' ? total : 'amount';
      const sum = records.reduce((so, record) => so + Math.round(Number(record[field] ?? 0) * 100), 0);
      expect(sum).toBe(Math.round(Number(Object.values(sums)[0]) * 100));
    }
  },
);

it.each([
  ['<NbOfTxs>3', '<NbOfTxs>abc', 'numberOfTransactions', 'abc'],
  ['<NbOfTxs>3', '<NbOfTxs>1,"messageId":"M-2"', 'numberOfTransactions', '1,"messageId":"M-2"'],
  ['<NbOfTxs>3', '<NbOfTxs>1}\n{"record":"record"', 'numberOfTransactions', '1}\n{"record":"record"'],
  ['<CtrlSum>60.35', '<CtrlSum>6O,35', 'controlSum', '6O,35'],
  ['<CtrlSum>30.35', '<CtrlSum>1}\n{"record":"record"', 'paymentControlSum', '1}\n{"record":"record"'],
  ['<CtrlSum>30.35', '<CtrlSum>', 'paymentControlSum', ''],
])('keeps as a text what is no number, so that nothing of it makes a key or a line: %s, %s', async (search, replacement, field, text) => {
  const converted = await convert(planOf('pain.001'), Buffer.from(change(creditTransfers, search, replacement)));
  expect(converted.damage).not.toEqual([]);
  const lines = linesOf(converted);
  expect(lines.map(({ record }) => record)).toEqual(['header', 'record', 'record', 'record']);
  expect(lines[0]).toMatchObject({ messageId: 'M-1' });
  expect(lines.find((line) => field in line)![field]).toBe(text);
});

it.each(mutants.map((mutant, index) => [`${mutant[0]} (${index})`, mutant] as const))(
  'refuses of a message what the pack refuses: %s',
  async (_, [, message, search, replacement, options]) => {
    const changed = change(message, search, replacement);
    const { findings } = readMessage(changed, { options });
    const bytes = Buffer.from(changed);
    expect(await isRefused(planOf(familyOf(message), options), bytes)).toBe(findings.some(({ severity }) => severity === 'error'));
  },
);

it.each(harmless)('takes a message with a change that breaks no rule: %s', async (_, message, search, replacement) => {
  expect(await isRefused(planOf(familyOf(message)), Buffer.from(change(message, search, replacement)))).toBe(false);
});

it('rejects a transaction for its own mistakes, and holds the message for those of its structure', async () => {
  const plan = planOf('pain.001');
  const wrongIban = Buffer.from(creditTransfers.replace('DE89370400440532013000', 'DE89370400440532013001'));
  const business = await convert(plan, wrongIban);
  expect(business.damage).toEqual([]);
  expect(runReference(plan, business.lines).findings).toMatchObject([
    [1, expect.any(Number), 'E_ISO20022_BUSINESS', 'IBAN', 'iban', expect.stringContaining('/CdtTrfTxInf[1]/')],
  ]);
  const schema = await convert(plan, Buffer.from(creditTransfers.replace('>10.10<', '>10,10<')));
  expect(schema.damage).toMatchObject([{ code: 'E_ISO20022_SCHEMA', rule: 'schema-number' }]);
});

it('holds a message that ends anywhere, and every line of it is JSON', async () => {
  const bytes = Buffer.from(creditTransfers);
  for (let length = 0; length < bytes.length - 2; length += 97) {
    const converted = await convert(planOf('pain.001'), bytes.subarray(0, length));
    expect(converted.damage.map(({ code }) => code)).toEqual(['E_XML_SYNTAX']);
    expect(() => linesOf(converted)).not.toThrow();
  }
});

const statusReport = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>S-1</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M-1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>A</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf></StsRsnInf></OrgnlPmtInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>B</OrgnlPmtInfId>
<TxInfAndSts><OrgnlInstrId>B1</OrgnlInstrId><OrgnlEndToEndId>E2E &amp; B1</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Prtry>X9</Prtry></Rsn></StsRsnInf></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>E2E-B2</OrgnlEndToEndId></TxInfAndSts></OrgnlPmtInfAndSts>
</CstmrPmtStsRpt></Document>`;

it('reads every status of a report as a record, where the flow says so: of the message, of payment informations, of transactions', async () => {
  const plan = planOf('pain.002', { statuses: 'all' });
  const converted = await convert(plan, Buffer.from(statusReport));
  expect(converted.damage).toEqual([]);
  const [header, ...records] = linesOf(converted);
  expect(header).toMatchObject({ record: 'header', messageId: 'S-1', originalMessageId: 'M-1', groupStatus: 'PART' });
  expect(
    records.map(({ level, originalMessageId, originalPaymentInformationId, originalEndToEndId, status }) => [
      level,
      originalMessageId,
      originalPaymentInformationId,
      originalEndToEndId,
      status,
    ]),
  ).toEqual([
    ['group', 'M-1', null, null, 'PART'],
    ['payment', 'M-1', 'A', null, 'RJCT'],
    ['transaction', 'M-1', 'B', 'E2E & B1', 'RJCT'],
    ['transaction', 'M-1', 'B', 'E2E-B2', 'PART'],
  ]);
  expect(records.map(({ reasonCode, proprietaryReason, reasonInformation }) => [reasonCode, proprietaryReason, reasonInformation])).toEqual(
    [
      [null, null, null],
      ['AC04', null, 'closed'],
      [null, 'X9', null],
      [null, null, null],
    ],
  );
  const { reference, engines } = accountsOf(plan, converted.lines);
  for (const engine of engines) expect(engine).toEqual(reference);
  expect(reference.findings).toEqual([]);
  for (const pieceBytes of [1, 7, 64]) expect((await convert(plan, Buffer.from(statusReport), pieceBytes)).lines).toEqual(converted.lines);
  expect(() => planOf('pain.001', { statuses: 'all' })).toThrow('every status is a record of pain.002 only');
});

it('leaves the lines of a status report as they are where the flow says nothing', async () => {
  const records = linesOf(await convert(planOf('pain.002'), Buffer.from(statusReport))).slice(1);
  expect(records.map((each) => Object.keys(each))).toEqual(
    Array(2).fill(expect.not.arrayContaining(['level', 'paymentInformationReasonCode'])),
  );
  expect(records.map(({ transactionStatus }) => transactionStatus)).toEqual(['RJCT', null]);
});

const groupOfReport = '<OrgnlGrpInfAndSts><OrgnlMsgId>M-1</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId></OrgnlGrpInfAndSts>';
const settlementStatus = (
  group: string,
  statuses: string,
) => `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10"><FIToFIPmtStsRpt>
<GrpHdr><MsgId>S-1</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm></GrpHdr>${group}${statuses}</FIToFIPmtStsRpt></Document>`;
const settlementStatusOf = (
  id: string,
) => `<TxInfAndSts><StsId>${id}</StsId><OrgnlGrpInf><OrgnlMsgId>M-${id}</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId></OrgnlGrpInf>
<OrgnlEndToEndId>E-${id}</OrgnlEndToEndId><OrgnlUETR>eb6305c9-1f7f-49de-aed0-16487c27b42d</OrgnlUETR><TxSts>ACSC</TxSts></TxInfAndSts>`;

it.each([
  ['statuses of transactions alone', '', [1, 2]],
  ['nothing', '', []],
  ['a group and statuses', groupOfReport, [1]],
  ['two groups', groupOfReport.repeat(2), [1]],
  ['more than is read element by element', '', Array.from({ length: 2_000 }, (_, index) => index)],
] as const)('reads a report between institutions with %s', async (_, group, ids) => {
  const plan = planOf('pacs.002');
  const bytes = Buffer.from(settlementStatus(group, ids.map((id) => settlementStatusOf(String(id))).join('')));
  expect(readMessage(bytes).findings).toEqual([]);
  const converted = await convert(plan, bytes);
  const [header, ...records] = linesOf(converted);
  expect(header).toMatchObject({ record: 'header', messageId: 'S-1', originalMessageId: group === '' ? null : 'M-1' });
  expect(records.map(({ originalMessageId, originalEndToEndId }) => [originalMessageId, originalEndToEndId])).toEqual(
    ids.map((id) => [`M-${id}`, `E-${id}`]),
  );
  expect(problemsOf(plan, converted.lines)).toEqual([]);
  expect((await convert(plan, bytes, 777)).lines.equals(converted.lines)).toBe(true);
  expect(expectSameByEveryPath(plan, converted.lines).findings).toEqual([]);
});

it('needs to be told which messages a flow reads, and can have amounts of fewer decimals', () => {
  const errors = (format: string, more: readonly string[] = []) =>
    loadFlow(packFlowText(format, more))
      .diagnostics.filter(({ severity }) => severity === 'error')
      .map(({ code, message }) => [code, message]);
  expect(errors('{ type: iso20022 }')).toEqual([
    ['E_CONFIG_KEY', `message is missing in format: a flow reads one kind of messages: ${Object.keys(flowFamilies).join(', ')}`],
  ]);
  const cents = ['schema: { record: { fields: { amount: { type: decimal, scale: 2 } } } }'];
  expect(errors('{ type: iso20022, message: pain.001 }', cents)).toEqual([]);
  expect(errors('{ type: iso20022, message: pain.001 }', [cents[0]!.replace('2', '6')])).toHaveLength(1);
});

itWithPublicData('iso20022', 'flows refuse of public messages those that are invalid', async (folder) => {
  const verdicts = expectedVerdicts<{ file: string; valid: boolean }>(folder);
  expect(verdicts.length).toBeGreaterThan(0);
  for (const { file } of verdicts) {
    const content = readFileSync(join(folder, file));
    const isWrong = readMessage(content).findings.some(({ severity }) => severity === 'error');
    expect([file, await isRefused(planOf(familyOf(content.toString('utf8'))), content)]).toEqual([file, isWrong]);
  }
});
