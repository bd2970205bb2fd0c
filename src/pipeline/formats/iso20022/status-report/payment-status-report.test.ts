import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { creditTransfers, readMessage } from '../iso20022-files.fixture.ts';
import { iso20022Rules } from '../iso20022-rules.ts';
import type { Outcome, PaymentOutcome, TransactionOutcome, TransactionStatus } from './outcomes.ts';
import { type ReportFacts, reportVersions, writePaymentStatusReport } from './payment-status-report.ts';
import { reasonCode, reasonNames, reasonOf } from './reason-codes.ts';

const facts: ReportFacts = {
  version: 'pain.002.001.10',
  messageId: 'R-1',
  createdAt: '2026-03-02T10:00:00Z',
  agent: { role: 'DbtrAgt', bic: 'BUKBGB22' },
  original: { messageId: 'M-1', messageName: 'pain.001.001.09', createdAt: '2026-03-02T09:00:00Z', transactions: '3', controlSum: '60.35' },
  rejection: null,
  listed: 'not accepted',
};

const payment = (id: string, change: Partial<PaymentOutcome> = {}): PaymentOutcome => ({
  kind: 'payment',
  id,
  transactions: null,
  controlSum: null,
  rejection: null,
  ...change,
});
const transaction = (id: string, status: TransactionStatus, change: Partial<TransactionOutcome> = {}): TransactionOutcome => ({
  kind: 'transaction',
  instructionId: id,
  endToEndId: `E2E-${id}`,
  uetr: 'eb6305c9-1f7f-49de-aed0-16487c27b42d',
  status,
  reasons: status === 'RJCT' ? [{ code: 'AC01', information: 'check digits' }] : [],
  ...change,
});

function report(change: Partial<ReportFacts>, outcomes: readonly Outcome[]) {
  const pieces: Uint8Array[] = [];
  const writing = writePaymentStatusReport({ ...facts, ...change }, () => outcomes);
  let next = writing.next();
  for (; !next.done; next = writing.next()) pieces.push(next.value);
  const { findings, document } = readMessage(Buffer.concat(pieces));
  expect(findings).toEqual([]);
  return { summary: next.value, content: JSON.parse(document).Document.CstmrPmtStsRpt };
}

describe('a status report', () => {
  it.each(reportVersions)('%s says what became of the message, of each payment information and of what was not accepted', (version) => {
    const { summary, content } = report({ version }, [
      payment('A', { transactions: '2', controlSum: '30.35' }),
      transaction('A1', 'ACCP'),
      transaction('A2', 'RJCT'),
      payment('B'),
      transaction('B1', 'ACSP'),
    ]);
    expect(summary).toEqual({ groupStatus: 'PART', transactions: { ACCP: 1, ACSP: 1, RJCT: 1 } });
    expect(content.OrgnlGrpInfAndSts).toEqual({
      OrgnlMsgId: 'M-1',
      OrgnlMsgNmId: 'pain.001.001.09',
      OrgnlCreDtTm: '2026-03-02T09:00:00Z',
      OrgnlNbOfTxs: '3',
      OrgnlCtrlSum: '60.35',
      GrpSts: 'PART',
      NbOfTxsPerSts: [
        { DtldNbOfTxs: '1', DtldSts: 'ACCP' },
        { DtldNbOfTxs: '1', DtldSts: 'ACSP' },
        { DtldNbOfTxs: '1', DtldSts: 'RJCT' },
      ],
    });
    const [first, second] = content.OrgnlPmtInfAndSts;
    expect(first).toMatchObject({ OrgnlPmtInfId: 'A', OrgnlNbOfTxs: '2', OrgnlCtrlSum: '30.35', PmtInfSts: 'PART' });
    expect(first.TxInfAndSts).toEqual([
      {
        OrgnlInstrId: 'A2',
        OrgnlEndToEndId: 'E2E-A2',
        ...(version === 'pain.002.001.03' ? {} : { OrgnlUETR: 'eb6305c9-1f7f-49de-aed0-16487c27b42d' }),
        TxSts: 'RJCT',
        StsRsnInf: [{ Rsn: { Cd: 'AC01' }, AddtlInf: ['check digits'] }],
      },
    ]);
    expect(second).toEqual({ OrgnlPmtInfId: 'B', PmtInfSts: 'ACSP', NbOfTxsPerSts: [{ DtldNbOfTxs: '1', DtldSts: 'ACSP' }] });
  });

  it.each<[string, readonly TransactionStatus[]]>([
    ['ACTC', ['ACTC', 'ACTC']],
    ['ACTC', ['ACCP', 'ACTC']],
    ['ACCP', ['ACCP', 'ACSP']],
    ['ACSP', ['ACSP']],
    ['RJCT', ['RJCT', 'RJCT']],
    ['PDNG', ['PDNG']],
    ['PART', ['ACSP', 'PDNG']],
    ['PART', ['RJCT', 'PDNG']],
    ['PART', ['ACCP', 'RJCT']],
    ['ACTC', []],
  ])('is %s where the transactions are %j', (status, statuses) => {
    const { content } = report({}, [payment('A'), ...statuses.map((each, index) => transaction(String(index), each))]);
    expect([content.OrgnlGrpInfAndSts.GrpSts, content.OrgnlPmtInfAndSts[0].PmtInfSts]).toEqual([status, status]);
  });

  it('lists all transactions where that is wanted', () => {
    const { content } = report({ listed: 'all' }, [payment('A'), transaction('1', 'ACCP'), transaction('2', 'RJCT')]);
    expect(content.OrgnlPmtInfAndSts[0].TxInfAndSts.map(({ TxSts }: { TxSts: string }) => TxSts)).toEqual(['ACCP', 'RJCT']);
  });

  it('says why a message is rejected as a whole, and asks for no outcomes then', () => {
    const rejection = [{ code: 'AM05', information: 'the file came before' }];
    const { content } = report({ rejection, original: { ...facts.original, messageId: null, messageName: null } }, [
      payment('A'),
      transaction('1', 'ACCP'),
    ]);
    expect(content).not.toHaveProperty('OrgnlPmtInfAndSts');
    expect(content.OrgnlGrpInfAndSts).toMatchObject({
      OrgnlMsgId: 'NOTPROVIDED',
      GrpSts: 'RJCT',
      StsRsnInf: [{ Rsn: { Cd: 'AM05' }, AddtlInf: ['the file came before'] }],
    });
  });

  it('counts the transactions of a payment information that is rejected as a whole', () => {
    const { summary, content } = report({}, [
      payment('A', { rejection: [{ code: 'AM17', information: '' }] }),
      transaction('1', 'ACCP'),
      payment('B'),
      transaction('2', 'ACCP'),
    ]);
    expect(summary).toEqual({ groupStatus: 'PART', transactions: { ACCP: 1, RJCT: 1 } });
    expect(content.OrgnlPmtInfAndSts[0]).toEqual({
      OrgnlPmtInfId: 'A',
      PmtInfSts: 'RJCT',
      StsRsnInf: [{ Rsn: { Cd: 'AM17' } }],
      NbOfTxsPerSts: [{ DtldNbOfTxs: '1', DtldSts: 'RJCT' }],
    });
  });

  it('says why all are rejected where it lists none, of the message and of a payment information', () => {
    const because = (code: string) => ({ reasons: [{ code, information: 'why' }] });
    const outcomes = [
      payment('A'),
      transaction('1', 'RJCT', because('AC04')),
      transaction('2', 'RJCT', because('AC04')),
      transaction('3', 'RJCT', because('AM02')),
      payment('B'),
      transaction('4', 'RJCT', because('AG01')),
    ];
    const codesOf = ({ StsRsnInf = [] }: { StsRsnInf?: { Rsn: { Cd: string } }[] }) => StsRsnInf.map(({ Rsn }) => Rsn.Cd);
    const { content } = report({ listed: 'none' }, outcomes);
    expect(codesOf(content.OrgnlGrpInfAndSts)).toEqual(['AC04', 'AM02', 'AG01']);
    expect(content.OrgnlPmtInfAndSts.map(codesOf)).toEqual([['AC04', 'AM02'], ['AG01']]);
    const { content: partly } = report({ listed: 'none' }, [...outcomes, transaction('5', 'ACSP')]);
    expect(codesOf(partly.OrgnlGrpInfAndSts)).toEqual([]);
    expect(partly.OrgnlPmtInfAndSts.map(codesOf)).toEqual([['AC04', 'AM02'], []]);
    const many = Array.from({ length: 30 }, (_, index) =>
      transaction(String(index), 'RJCT', { reasons: [{ code: 'NARR', information: `${index}` }] }),
    );
    expect(codesOf(report({ listed: 'none' }, [payment('A'), ...many]).content.OrgnlGrpInfAndSts)).toHaveLength(10);
  });

  it('quotes an original that was wrong as far as a report can', () => {
    const long = '\u{1F600}'.repeat(40);
    const { content } = report(
      { original: { messageId: long, messageName: 'x', createdAt: 'yesterday', transactions: '-1', controlSum: '1,00' } },
      [
        payment(''),
        transaction('1', 'RJCT', {
          instructionId: 'x'.repeat(99),
          endToEndId: 'a\u0000b',
          uetr: 'none',
          reasons: [{ code: 'NARR', information: `\ud800${'y'.repeat(250)}` }],
        }),
      ],
    );
    expect(content.OrgnlGrpInfAndSts).toMatchObject({ OrgnlMsgId: '\u{1F600}'.repeat(35), OrgnlMsgNmId: 'x', GrpSts: 'RJCT' });
    for (const absent of ['OrgnlCreDtTm', 'OrgnlNbOfTxs', 'OrgnlCtrlSum']) expect(content.OrgnlGrpInfAndSts).not.toHaveProperty(absent);
    const [{ OrgnlPmtInfId, TxInfAndSts }] = content.OrgnlPmtInfAndSts;
    expect(OrgnlPmtInfId).toBe('NOTPROVIDED');
    expect(TxInfAndSts[0]).toMatchObject({ OrgnlInstrId: 'x'.repeat(35), OrgnlEndToEndId: 'a?b' });
    expect(TxInfAndSts[0].StsRsnInf[0].AddtlInf).toEqual([`?${'y'.repeat(104)}`, 'y'.repeat(105), 'y'.repeat(41)]);
  });

  it('cuts words of a reason between them, and loses none', () => {
    const information = `${'word '.repeat(20)}${'x'.repeat(30)} ${'y'.repeat(300)} end`;
    const { content } = report({}, [payment('A'), transaction('1', 'RJCT', { reasons: [{ code: 'NARR', information }] })]);
    const lines: string[] = content.OrgnlPmtInfAndSts[0].TxInfAndSts[0].StsRsnInf[0].AddtlInf;
    expect(lines.map(({ length }) => length)).toEqual([100, 31, 105, 105, 94]);
    expect(lines.join('')).toBe(information);
  });

  it('that would break a rule itself is refused', () => {
    expect(() => report({ messageId: 'x'.repeat(36) }, [])).toThrow(expect.objectContaining({ code: 'E_ISO20022_DOCUMENT' }));
  });

  it('is valid whatever the outcomes are', () => {
    const text = fc.string({ unit: 'binary', maxLength: 120 });
    const reasons = fc.array(fc.record({ code: fc.constantFrom(...Object.keys(reasonNames)), information: text }), { maxLength: 3 });
    const outcome = fc.record({
      kind: fc.constant('transaction' as const),
      instructionId: fc.option(text),
      endToEndId: fc.option(text),
      uetr: fc.option(text),
      status: fc.constantFrom<TransactionStatus>('ACTC', 'ACCP', 'ACSP', 'PDNG', 'RJCT'),
      reasons,
    });
    const group = fc.tuple(text, fc.option(reasons), fc.array(outcome, { maxLength: 5 }));
    fc.assert(
      fc.property(
        fc.array(group, { maxLength: 4 }),
        fc.constantFrom(...reportVersions),
        fc.constantFrom('all' as const, 'not accepted' as const),
        (groups, version, listed) => {
          const outcomes = groups.flatMap(([id, rejection, transactions]) => [payment(id, { rejection }), ...transactions]);
          const { summary, content } = report({ version, listed }, outcomes);
          const count = outcomes.filter(({ kind }) => kind === 'transaction').length;
          expect(Object.values(summary.transactions).reduce((sum, each) => sum + each, 0)).toBe(count);
          expect((content.OrgnlPmtInfAndSts ?? []).length).toBe(groups.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('holds no more than a few outcomes of a stream, and lets go of it however it ends', () => {
    let open = 0;
    let made = 0;
    function* outcomes(): Generator<Outcome> {
      open++;
      try {
        for (let group = 0; group < 3; group++) {
          yield payment(String(group));
          for (let index = 0; index < 2_000; index++) {
            made++;
            yield transaction(`${group}-${index}`, 'RJCT');
          }
        }
      } finally {
        open--;
      }
    }
    const writing = writePaymentStatusReport(facts, outcomes);
    writing.next();
    // Counted once as a whole, and the first payment information once more; of what is written only a piece.
    expect(made).toBeLessThan(6_000 + 2_000 + 1_000);
    writing.return({ groupStatus: null, transactions: {} });
    expect(open).toBe(0);
  });
});

describe('a status report of a file', () => {
  it('tells each finding at the level where it is', async () => {
    const message = creditTransfers.replace('DE89370400440532013000', 'DE89370400440532013001').replace('<CtrlSum>30<', '<CtrlSum>31<');
    const { findings, document } = readMessage(message);
    const content = JSON.parse(document).Document.CstmrCdtTrfInitn;
    const reasonsAt = (place: RegExp) => findings.filter(({ path }) => place.test(path!)).map(reasonOf);
    const outcomes = content.PmtInf.flatMap(
      (each: { PmtInfId: string; NbOfTxs: string; CdtTrfTxInf: { PmtId: Record<string, string> }[] }, index: number) => {
        const here = `/PmtInf\\[${index + 1}\\]`;
        const ofPayment = reasonsAt(new RegExp(`${here}/(?!CdtTrfTxInf)`));
        return [
          payment(each.PmtInfId, { transactions: each.NbOfTxs, rejection: ofPayment.length > 0 ? ofPayment : null }),
          ...each.CdtTrfTxInf.map(({ PmtId }, number) => {
            const reasons = reasonsAt(new RegExp(`${here}/CdtTrfTxInf\\[${number + 1}\\]/`));
            return transaction(PmtId['InstrId']!, reasons.length > 0 ? 'RJCT' : 'ACTC', { endToEndId: PmtId['EndToEndId']!, reasons });
          }),
        ];
      },
    );
    const { summary, content: written } = await report({}, outcomes);
    expect(summary).toEqual({ groupStatus: 'PART', transactions: { ACTC: 1, RJCT: 2 } });
    const [first, second] = written.OrgnlPmtInfAndSts;
    expect(first).toMatchObject({ OrgnlPmtInfId: 'A', PmtInfSts: 'PART', OrgnlNbOfTxs: '2' });
    expect(first.TxInfAndSts).toMatchObject([
      { OrgnlInstrId: 'A1', OrgnlEndToEndId: 'E2E-A1', TxSts: 'RJCT', StsRsnInf: [{ Rsn: { Cd: 'AC01' } }] },
    ]);
    expect(second).toMatchObject({ OrgnlPmtInfId: 'B', PmtInfSts: 'RJCT', StsRsnInf: [{ Rsn: { Cd: 'AM17' } }] });
  });
});

describe('reasons', () => {
  it('have a code for every rule that a payment initiation can break', () => {
    const ofStatements = ['balance', 'entry-count', 'entry-sum', 'entry-net'];
    for (const [rule, { code }] of Object.entries(iso20022Rules)) {
      if (!ofStatements.includes(rule)) expect([rule, reasonCode(code, rule)]).not.toEqual([rule, 'NARR']);
      expect(Object.keys(reasonNames)).toContain(reasonCode(code, rule));
    }
    expect(reasonCode('E_DECIMAL', null)).toBe('NARR');
    expect(reasonCode('E_DUPLICATE', 'toString')).toBe('AM05');
  });

  it.each([
    ['AC04', 'account-open', 'AC04'],
    ['DS0H', null, 'DS0H'],
    ['AC99', 'account-open', 'NARR'],
    ['LIMIT', 'iban', 'NARR'],
    ['AG01', 'iban', 'AG01'],
  ] as const)('of a rule of the author that has the code %s and the id %s are %s', (code, rule, expected) => {
    expect(reasonCode(code, rule)).toBe(expected);
  });

  it('of a finding say where it is', () => {
    expect(reasonOf({ code: 'E_ISO20022_BUSINESS', rule: 'iban', path: '/Document/x', message: 'the check digits are wrong' })).toEqual({
      code: 'AC01',
      information: '/Document/x: the check digits are wrong (iban)',
    });
  });
});
