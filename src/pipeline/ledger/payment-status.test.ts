import { expect, it } from 'vitest';
import { readMessage } from '../formats/iso20022/iso20022-files.fixture.ts';
import type { AcknowledgedFinding } from './acknowledged-finding.ts';
import { statusReportPieces } from './payment-status.ts';
import type { Receipt } from './receipt.ts';

const header = '{"record":"header","line":1,"offset":0,"messageName":"pain.001.001.09","messageId":"M-1"}';
const line = (position: number | null, payment: string, id: string) =>
  `{"record":"record","line":2,"offset":9,${position === null ? '' : `"paymentInformationNumber":${position},`}"paymentInformationId":"${payment}","endToEndId":"${id}"}`;

interface Case {
  readonly verdict: Receipt['job']['verdict'];
  readonly reasons?: readonly { readonly code: string; readonly rule: string | null; readonly message: string }[];
  readonly errors?: Case['reasons'];
  readonly delivered?: number;
  readonly routed?: number;
  readonly decision?: 'reject' | 'cancel';
  readonly lines?: readonly string[];
  readonly rejected?: readonly number[];
  readonly acceptedAs?: 'ACSP' | 'ACCP';
  readonly unknown?: number;
  /** Of a second target. */
  readonly other?: { readonly routed: number; readonly delivered: number };
}

function piecesOf({
  verdict,
  reasons = [],
  errors = [],
  delivered = 0,
  routed = delivered,
  decision,
  lines = [header],
  rejected = [],
  acceptedAs = 'ACSP',
  unknown = 0,
  other = { routed: 0, delivered: 0 },
}: Case): Uint8Array[] {
  const receipt = {
    job: { id: '01a22340-938a-7000-ad1e-1d5804d77771', verdict, decision: decision === undefined ? null : { kind: decision } },
    records: { read: 3, valid: 3, rejected: 0, filtered: 0 },
    times: { closedAt: '2026-03-02T10:00:00.000Z' },
    targets: [
      { routed: { records: routed }, delivered: { records: delivered } },
      { routed: { records: other.routed }, delivered: { records: other.delivered } },
    ],
    reasons,
    errors,
  } as unknown as Receipt;
  const findings = rejected.map((record): AcknowledgedFinding => ({ record, code: 'E_X', field: null, rule: 'iban', message: 'wrong' }));
  return [
    ...statusReportPieces({
      receipt,
      findings: () => findings,
      lines: () => lines,
      level: 'record',
      acceptedAs,
      unknown: new Map([['one', unknown]]),
    }),
  ];
}

function reportOf(given: Case) {
  const { findings, document } = readMessage(Buffer.concat(piecesOf(given)));
  expect(findings).toEqual([]);
  return JSON.parse(document).Document.CstmrPmtStsRpt;
}

interface Reason {
  readonly Rsn: { readonly Cd: string };
  readonly AddtlInf?: readonly string[];
}

function statusOf(given: Case) {
  const { GrpSts, StsRsnInf = [] } = reportOf(given).OrgnlGrpInfAndSts as { GrpSts: string; StsRsnInf?: Reason[] };
  return [GrpSts, StsRsnInf.map(({ Rsn }) => Rsn.Cd), StsRsnInf[0]?.AddtlInf?.join('') ?? ''];
}

it('says of a message that was cancelled when some of it had been passed on that it is in part accepted', () => {
  const cancelled = { verdict: 'cancelled', decision: 'cancel' } as const;
  expect(statusOf({ ...cancelled, routed: 3, delivered: 2 })).toEqual([
    'PART',
    ['NARR'],
    'the message was cancelled after 2 of 3 valid transactions had been passed on; ask which',
  ]);
  expect(statusOf(cancelled)).toEqual(['RJCT', ['NARR'], 'the message was cancelled']);
});

it('says of a message that was cancelled when nobody knew whether some of it had been passed on that it is pending, and of which that is so', () => {
  const cancelled = { verdict: 'cancelled', decision: 'cancel' } as const;
  expect(statusOf({ ...cancelled, routed: 3, unknown: 2, errors: [iban] })).toEqual([
    'PDNG',
    ['NARR'],
    'the message was cancelled; whether 2 of 3 valid transactions were passed on before is not known; ask',
  ]);
  expect(statusOf({ ...cancelled, routed: 3, delivered: 1, unknown: 2 })).toEqual([
    'PART',
    ['NARR'],
    'the message was cancelled after 1 of 3 valid transactions had been passed on, of 2 it is not known; ask which',
  ]);
  const lines = [header, line(1, 'A', 'E1')];
  expect(statusOf({ verdict: 'accepted', lines, delivered: 1, routed: 3, unknown: 1 })).toEqual([
    'ACTC',
    ['NARR'],
    '2 of 3 valid transactions were not passed on, or it is not known whether they were (1); ask which',
  ]);
});

it('says of a message of which some was not passed on no more than that it was valid, and how much it is', () => {
  const lines = [header, line(1, 'A', 'E1'), line(1, 'A', 'E2'), line(2, 'B', 'E3')];
  const given = { verdict: 'partial', lines, delivered: 2, routed: 3 } as const;
  expect(statusOf(given)).toEqual(['ACTC', ['NARR'], '1 of 3 valid transactions were not passed on; ask which']);
  const statusesOf = (each: Case) => reportOf(each).OrgnlPmtInfAndSts.map(({ PmtInfSts }: Record<string, string>) => PmtInfSts);
  expect(statusesOf(given)).toEqual(['ACTC', 'ACTC']);
  expect(statusesOf({ ...given, rejected: [2] })).toEqual(['PART', 'ACTC']);
  expect(statusOf({ ...given, delivered: 3 })).toEqual(['ACSP', [], '']);
  expect(statusOf({ ...given, acceptedAs: 'ACCP' })[0]).toBe('ACTC');
});

it('says of what was passed on what the flow says of it, as far as that goes', () => {
  const lines = [header, line(1, 'A', 'E1'), line(2, 'B', 'E2'), line(2, 'B', 'E3')];
  const given = { verdict: 'partial', lines, rejected: [2], routed: 2, delivered: 2, acceptedAs: 'ACCP' } as const;
  const { OrgnlGrpInfAndSts, OrgnlPmtInfAndSts } = reportOf(given);
  expect([OrgnlGrpInfAndSts.GrpSts, OrgnlPmtInfAndSts.map(({ PmtInfSts }: Record<string, string>) => PmtInfSts)]).toEqual([
    'PART',
    ['ACCP', 'PART'],
  ]);
  expect(statusOf({ ...given, rejected: [] })[0]).toBe('ACCP');
});

it('adds up what targets got that share no transaction, and of others says how much it is at least', () => {
  const cancelled = { verdict: 'cancelled', decision: 'cancel' } as const;
  const words = (given: Partial<Case>) => statusOf({ ...cancelled, ...given })[2];
  expect(words({ routed: 2, delivered: 1, other: { routed: 1, delivered: 1 } })).toBe(
    'the message was cancelled after 2 of 3 valid transactions had been passed on; ask which',
  );
  expect(words({ routed: 3, delivered: 1, other: { routed: 3, delivered: 2 } })).toBe(
    'the message was cancelled after at least 2 of 3 valid transactions had been passed on; ask which',
  );
  const lines = [header, line(1, 'A', 'E1')];
  const accepted = { verdict: 'accepted', lines, delivered: 1, routed: 2 } as const;
  expect(statusOf({ ...accepted, other: { routed: 1, delivered: 0 } })[2]).toBe('2 of 3 valid transactions were not passed on; ask which');
  expect(statusOf({ ...accepted, other: { routed: 3, delivered: 3 } })[2]).toBe(
    'at least 1 of 3 valid transactions were not passed on; ask which',
  );
});

const schema = { code: 'E_ISO20022_SCHEMA', rule: 'schema-number', message: 'no number' };
const control = { code: 'E_CONTROL', rule: 'iso20022-number-of-transactions', message: 'a null' };
const sum = { code: 'E_ISO20022_BUSINESS', rule: 'group-sum', message: 'sums differ' };
const flowSum = { code: 'ISO-SUM', rule: 'iso20022-control-sum', message: 'sums differ' };
const iban = { code: 'E_ISO20022_BUSINESS', rule: 'iban', message: 'check digits' };
const acceptance = { code: 'E_ACCEPTANCE', rule: null, message: 'too many' };
const named = { code: 'AM02', rule: 'iso20022-limit', message: 'too much' };
const own = { code: 'LIMIT', rule: 'limit', message: 'too much' };
const decimal = { code: 'E_DECIMAL', rule: null, message: 'no decimal' };
it.each([
  ['what can not be read because of it', [schema, control, decimal], ['CH16']],
  ['a total that is compared twice', [sum, flowSum], ['AM16']],
  ['a total that the flow alone compares', [flowSum], ['NARR']],
  ['a policy over faults that are told', [acceptance, iban], ['AC01']],
  ['a policy over faults without a code', [acceptance, own], ['NARR', 'NARR']],
  ['a rule of the author that is named like those of the pack', [named], ['AM02']],
  ['a rule of the author beside it', [schema, own], ['CH16', 'NARR']],
  ['a field of another form than the author wants, beside a wrong account', [iban, decimal], ['AC01', 'NARR']],
  ['the same once more', [iban, iban], ['AC01']],
] as const)('tells of a message that is refused each fault once: %s', (_, reasons, codes) => {
  expect(statusOf({ verdict: 'rejected', reasons }).slice(0, 2)).toEqual(['RJCT', codes]);
});

it.each([
  [
    'by their positions',
    1,
    2,
    [
      ['A', 'PART'],
      ['A', 'ACSP'],
    ],
  ],
  ['of older lines by their identifications', null, null, [['A', 'PART']]],
] as const)('tells payment informations apart %s', (_, first, second, expected) => {
  const lines = [header, line(first, 'A', 'E1'), line(first, 'A', 'E2'), line(second, 'A', 'E3')];
  const { OrgnlPmtInfAndSts: payments } = reportOf({ verdict: 'partial', lines, rejected: [2] });
  expect(payments.map(({ OrgnlPmtInfId, PmtInfSts }: Record<string, string>) => [OrgnlPmtInfId, PmtInfSts])).toEqual(expected);
  expect(payments[0].TxInfAndSts).toMatchObject([{ OrgnlEndToEndId: 'E2', TxSts: 'RJCT' }]);
});

it('gives others their turn while it goes through transactions of which nothing is told', () => {
  const lines = [header, ...Array.from({ length: 20_000 }, (_, index) => line(1, 'A', `E${index}`))];
  const pieces = piecesOf({ verdict: 'partial', lines, rejected: [20_000] });
  expect(pieces.filter(({ length }) => length === 0).length).toBeGreaterThanOrEqual(8);
});
