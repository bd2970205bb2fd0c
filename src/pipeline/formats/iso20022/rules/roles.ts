/** Which elements the business rules look at, by family of messages and path. */
import type { Roles } from '../schema/compiled-types.ts';

export const roles = {
  record: 1,
  amount: 2,
  groupCount: 3,
  groupSum: 4,
  groupTotal: 5,
  groupReturn: 6,
  payment: 7,
  paymentCount: 8,
  paymentSum: 9,
  statement: 10,
  balance: 11,
  balanceCode: 12,
  balanceAmount: 13,
  balanceSide: 14,
  entrySide: 15,
  entryStatus: 16,
  entryCount: 17,
  entrySum: 18,
  creditCount: 19,
  creditSum: 20,
  debitCount: 21,
  debitSum: 22,
  pageNumber: 23,
  lastPage: 24,
  netAmount: 25,
  netSide: 26,
} as const;

/** Of the elements in a list of those that belong to one of two levels: the role of the first is this, the next one more. */
export const upperLevel = 100;
export const lowerLevel = 200;

/** Paths of one level with the roles that start at `first`. */
const level = (first: number, paths: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(paths.map((path, index) => [path, first + index]));

const byPath = (lines: Readonly<Record<string, number>>): Roles => new Map(Object.entries(lines));

const group = { 'GrpHdr/NbOfTxs': roles.groupCount, 'GrpHdr/CtrlSum': roles.groupSum } as const;
const payment = { PmtInf: roles.payment, 'PmtInf/NbOfTxs': roles.paymentCount, 'PmtInf/CtrlSum': roles.paymentSum } as const;

export const creditTransferRoles = byPath({
  ...group,
  ...payment,
  'PmtInf/CdtTrfTxInf': roles.record,
  'PmtInf/CdtTrfTxInf/Amt/InstdAmt': roles.amount,
  'PmtInf/CdtTrfTxInf/Amt/EqvtAmt/Amt': roles.amount,
  ...level(upperLevel, ['PmtInf/PmtTpInf', 'PmtInf/UltmtDbtr', 'PmtInf/ChrgBr']),
  ...level(lowerLevel, ['PmtInf/CdtTrfTxInf/PmtTpInf', 'PmtInf/CdtTrfTxInf/UltmtDbtr', 'PmtInf/CdtTrfTxInf/ChrgBr']),
});

export const directDebitRoles = byPath({
  ...group,
  ...payment,
  'PmtInf/DrctDbtTxInf': roles.record,
  'PmtInf/DrctDbtTxInf/InstdAmt': roles.amount,
  ...level(upperLevel, ['PmtInf/PmtTpInf', 'PmtInf/UltmtCdtr', 'PmtInf/ChrgBr', 'PmtInf/CdtrSchmeId']),
  ...level(lowerLevel, [
    'PmtInf/DrctDbtTxInf/PmtTpInf',
    'PmtInf/DrctDbtTxInf/UltmtCdtr',
    'PmtInf/DrctDbtTxInf/ChrgBr',
    'PmtInf/DrctDbtTxInf/DrctDbtTx/CdtrSchmeId',
  ]),
});

export const settlementRoles = byPath({
  ...group,
  'GrpHdr/TtlIntrBkSttlmAmt': roles.groupTotal,
  CdtTrfTxInf: roles.record,
  'CdtTrfTxInf/IntrBkSttlmAmt': roles.amount,
  ...level(upperLevel, ['GrpHdr/PmtTpInf', 'GrpHdr/InstgAgt', 'GrpHdr/InstdAgt', 'GrpHdr/IntrBkSttlmDt']),
  ...level(lowerLevel, ['CdtTrfTxInf/PmtTpInf', 'CdtTrfTxInf/InstgAgt', 'CdtTrfTxInf/InstdAgt', 'CdtTrfTxInf/IntrBkSttlmDt']),
});

export const returnRoles = byPath({
  ...group,
  'GrpHdr/GrpRtr': roles.groupReturn,
  'GrpHdr/TtlRtrdIntrBkSttlmAmt': roles.groupTotal,
  TxInf: roles.record,
  'TxInf/RtrdIntrBkSttlmAmt': roles.amount,
});

export const statusRoles = byPath({ TxInfAndSts: roles.record, 'OrgnlPmtInfAndSts/TxInfAndSts': roles.record });

/** `statement`: the element of one account, such as `Stmt`. */
export function statementRoles(statement: string): Roles {
  const page = `${statement.slice(0, 4) === 'Ntfc' ? 'Ntfctn' : statement}Pgntn`;
  return byPath({
    [statement]: roles.statement,
    'GrpHdr/MsgPgntn/PgNb': roles.pageNumber,
    'GrpHdr/MsgPgntn/LastPgInd': roles.lastPage,
    [`${statement}/${page}/PgNb`]: roles.pageNumber,
    [`${statement}/${page}/LastPgInd`]: roles.lastPage,
    [`${statement}/Bal`]: roles.balance,
    [`${statement}/Bal/Tp/CdOrPrtry/Cd`]: roles.balanceCode,
    [`${statement}/Bal/Tp/Cd`]: roles.balanceCode,
    [`${statement}/Bal/Amt`]: roles.balanceAmount,
    [`${statement}/Bal/CdtDbtInd`]: roles.balanceSide,
    [`${statement}/TxsSummry/TtlNtries/NbOfNtries`]: roles.entryCount,
    [`${statement}/TxsSummry/TtlNtries/Sum`]: roles.entrySum,
    [`${statement}/TxsSummry/TtlNtries/TtlNetNtryAmt`]: roles.netAmount,
    [`${statement}/TxsSummry/TtlNtries/CdtDbtInd`]: roles.netSide,
    [`${statement}/TxsSummry/TtlNtries/TtlNetNtry/Amt`]: roles.netAmount,
    [`${statement}/TxsSummry/TtlNtries/TtlNetNtry/CdtDbtInd`]: roles.netSide,
    [`${statement}/TxsSummry/TtlCdtNtries/NbOfNtries`]: roles.creditCount,
    [`${statement}/TxsSummry/TtlCdtNtries/Sum`]: roles.creditSum,
    [`${statement}/TxsSummry/TtlDbtNtries/NbOfNtries`]: roles.debitCount,
    [`${statement}/TxsSummry/TtlDbtNtries/Sum`]: roles.debitSum,
    [`${statement}/Ntry`]: roles.record,
    [`${statement}/Ntry/Amt`]: roles.amount,
    [`${statement}/Ntry/CdtDbtInd`]: roles.entrySide,
    [`${statement}/Ntry/Sts`]: roles.entryStatus,
    [`${statement}/Ntry/Sts/Cd`]: roles.entryStatus,
  });
}
