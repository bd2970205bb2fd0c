/**
 * What flows see of each family of messages: fields of the message, of what groups its records (a payment information, a statement)
 * and of each record, by their paths. Of several paths the first that is there counts, of several elements at a path the first.
 */
export type FieldForm = 'text' | 'integer' | 'decimal' | 'amount' | 'date';

/** Name, form and paths below the element that holds it, with a `|` between those of other versions. */
export type FieldRow = readonly [name: string, form: FieldForm, paths: string];

export interface FlowFamily {
  /** Below the element of the message; fields of `header` have paths below it as well. The header is whole when the last of these ends. */
  readonly headers: readonly string[];
  readonly header: readonly FieldRow[];
  /** What groups the records; null: nothing. */
  readonly group: string | null;
  /** Field that has the position of the group in the message, from 1: two of them may have one identification. */
  readonly position?: string;
  readonly grouped: readonly FieldRow[];
  /** Records stand at one of these. */
  readonly records: readonly string[];
  readonly record: readonly FieldRow[];
  /** Fields that make the business key. */
  readonly key: readonly string[];
  /** The element that says whether an amount is a credit or a debit: then each has a field of its own. */
  readonly hasSides: boolean;
  /** The message declares the number of records, and perhaps their sum. */
  readonly hasTotals: boolean;
}

const bic = (agent: string) => `${agent}/FinInstnId/BIC|${agent}/FinInstnId/BICFI`;
const account = (name: string, path: string): readonly FieldRow[] => [
  [`${name}Iban`, 'text', `${path}/Id/IBAN`],
  [`${name}Account`, 'text', `${path}/Id/Othr/Id`],
];
const party = (name: string, tag: string): readonly FieldRow[] => [
  [`${name}Name`, 'text', `${tag}/Nm|${tag}/Pty/Nm`],
  [`${name}Country`, 'text', `${tag}/PstlAdr/Ctry|${tag}/Pty/PstlAdr/Ctry`],
];
const group: readonly FieldRow[] = [
  ['messageId', 'text', 'GrpHdr/MsgId'],
  ['creationDateTime', 'text', 'GrpHdr/CreDtTm'],
];
const totals: readonly FieldRow[] = [
  ['numberOfTransactions', 'integer', 'GrpHdr/NbOfTxs'],
  ['controlSum', 'decimal', 'GrpHdr/CtrlSum'],
];
const ids: readonly FieldRow[] = [
  ['instructionId', 'text', 'PmtId/InstrId'],
  ['endToEndId', 'text', 'PmtId/EndToEndId'],
  ['uetr', 'text', 'PmtId/UETR'],
];
const paymentType: readonly FieldRow[] = [
  ['serviceLevel', 'text', 'PmtTpInf/SvcLvl/Cd'],
  ['localInstrument', 'text', 'PmtTpInf/LclInstrm/Cd'],
  ['categoryPurpose', 'text', 'PmtTpInf/CtgyPurp/Cd'],
];
const paymentTotals: readonly FieldRow[] = [
  ['paymentNumberOfTransactions', 'integer', 'NbOfTxs'],
  ['paymentControlSum', 'decimal', 'CtrlSum'],
];
const paymentTypeOfGroup = paymentType.map(
  ([name, form, path]): FieldRow => [`payment${name[0]!.toUpperCase()}${name.slice(1)}`, form, path],
);
const remittance: readonly FieldRow[] = [
  ['purpose', 'text', 'Purp/Cd'],
  ['remittanceInformation', 'text', 'RmtInf/Ustrd'],
  ['creditorReference', 'text', 'RmtInf/Strd/CdtrRefInf/Ref'],
];
const settlement: readonly FieldRow[] = [
  ['settlementDate', 'date', 'IntrBkSttlmDt'],
  ['instructingAgentBic', 'text', bic('InstgAgt')],
  ['instructedAgentBic', 'text', bic('InstdAgt')],
];
const settlementHeader: readonly FieldRow[] = [
  ...group,
  ...totals,
  ['settlementMethod', 'text', 'GrpHdr/SttlmInf/SttlmMtd'],
  ['groupSettlementDate', 'date', 'GrpHdr/IntrBkSttlmDt'],
];
const interbankIds: readonly FieldRow[] = [
  ...ids,
  ['transactionId', 'text', 'PmtId/TxId'],
  ['clearingSystemReference', 'text', 'PmtId/ClrSysRef'],
];
const originals: readonly FieldRow[] = [
  ['originalInstructionId', 'text', 'OrgnlInstrId'],
  ['originalEndToEndId', 'text', 'OrgnlEndToEndId'],
  ['originalTransactionId', 'text', 'OrgnlTxId'],
];
const statusReason: readonly FieldRow[] = [
  ['reasonCode', 'text', 'StsRsnInf/Rsn/Cd'],
  ['proprietaryReason', 'text', 'StsRsnInf/Rsn/Prtry'],
  ['reasonInformation', 'text', 'StsRsnInf/AddtlInf'],
];
const statusHeader = (original: string): readonly FieldRow[] => [
  ...group,
  ['originalMessageId', 'text', `${original}/OrgnlMsgId`],
  ['originalMessageName', 'text', `${original}/OrgnlMsgNmId`],
  ['groupStatus', 'text', `${original}/GrpSts`],
];

const noGroup = { group: null, grouped: [] } as const;

const creditTransfer: FlowFamily = {
  headers: ['GrpHdr'],
  header: [...group, ...totals, ['initiatingPartyName', 'text', 'GrpHdr/InitgPty/Nm']],
  group: 'PmtInf',
  position: 'paymentInformationNumber',
  grouped: [
    ['paymentInformationId', 'text', 'PmtInfId'],
    ['paymentMethod', 'text', 'PmtMtd'],
    ...paymentTotals,
    ...paymentTypeOfGroup,
    ['requestedExecutionDate', 'date', 'ReqdExctnDt|ReqdExctnDt/Dt|ReqdExctnDt/DtTm'],
    ...party('debtor', 'Dbtr'),
    ...account('debtor', 'DbtrAcct'),
    ['debtorAgentBic', 'text', bic('DbtrAgt')],
  ],
  records: ['PmtInf/CdtTrfTxInf'],
  record: [
    ...ids,
    ...paymentType,
    ['amount', 'amount', 'Amt/InstdAmt|Amt/EqvtAmt/Amt'],
    ['chargeBearer', 'text', 'ChrgBr'],
    ['creditorAgentBic', 'text', bic('CdtrAgt')],
    ...party('creditor', 'Cdtr'),
    ...account('creditor', 'CdtrAcct'),
    ...remittance,
  ],
  key: ['paymentInformationId', 'endToEndId'],
  hasSides: false,
  hasTotals: true,
};

const directDebit: FlowFamily = {
  headers: ['GrpHdr'],
  header: creditTransfer.header,
  group: 'PmtInf',
  position: 'paymentInformationNumber',
  grouped: [
    ['paymentInformationId', 'text', 'PmtInfId'],
    ['paymentMethod', 'text', 'PmtMtd'],
    ...paymentTotals,
    ...paymentTypeOfGroup,
    ['requestedCollectionDate', 'date', 'ReqdColltnDt'],
    ['sequenceType', 'text', 'PmtTpInf/SeqTp'],
    ...party('creditor', 'Cdtr'),
    ...account('creditor', 'CdtrAcct'),
    ['creditorAgentBic', 'text', bic('CdtrAgt')],
    ['creditorSchemeId', 'text', 'CdtrSchmeId/Id/PrvtId/Othr/Id'],
  ],
  records: ['PmtInf/DrctDbtTxInf'],
  record: [
    ...ids,
    ...paymentType,
    ['amount', 'amount', 'InstdAmt'],
    ['chargeBearer', 'text', 'ChrgBr'],
    ['mandateId', 'text', 'DrctDbtTx/MndtRltdInf/MndtId'],
    ['mandateDate', 'date', 'DrctDbtTx/MndtRltdInf/DtOfSgntr'],
    ['debtorAgentBic', 'text', bic('DbtrAgt')],
    ...party('debtor', 'Dbtr'),
    ...account('debtor', 'DbtrAcct'),
    ...remittance,
  ],
  key: ['paymentInformationId', 'endToEndId'],
  hasSides: false,
  hasTotals: true,
};

const customerTransfer: FlowFamily = {
  headers: ['GrpHdr'],
  header: settlementHeader,
  ...noGroup,
  records: ['CdtTrfTxInf'],
  record: [
    ...interbankIds,
    ...paymentType,
    ['amount', 'amount', 'IntrBkSttlmAmt'],
    ...settlement,
    ['chargeBearer', 'text', 'ChrgBr'],
    ...party('debtor', 'Dbtr'),
    ...account('debtor', 'DbtrAcct'),
    ['debtorAgentBic', 'text', bic('DbtrAgt')],
    ['creditorAgentBic', 'text', bic('CdtrAgt')],
    ...party('creditor', 'Cdtr'),
    ...account('creditor', 'CdtrAcct'),
    ...remittance,
  ],
  key: ['endToEndId', 'transactionId'],
  hasSides: false,
  hasTotals: true,
};

const institutionTransfer: FlowFamily = {
  headers: ['GrpHdr'],
  header: settlementHeader,
  ...noGroup,
  records: ['CdtTrfTxInf'],
  record: [
    ...interbankIds,
    ['amount', 'amount', 'IntrBkSttlmAmt'],
    ...settlement,
    ['debtorBic', 'text', bic('Dbtr')],
    ...account('debtor', 'DbtrAcct'),
    ['creditorBic', 'text', bic('Cdtr')],
    ...account('creditor', 'CdtrAcct'),
  ],
  key: ['endToEndId', 'transactionId'],
  hasSides: false,
  hasTotals: true,
};

const paymentReturn: FlowFamily = {
  headers: ['GrpHdr'],
  header: settlementHeader,
  ...noGroup,
  records: ['TxInf'],
  record: [
    ['returnId', 'text', 'RtrId'],
    ['originalMessageId', 'text', 'OrgnlGrpInf/OrgnlMsgId'],
    ...originals,
    ['amount', 'amount', 'RtrdIntrBkSttlmAmt'],
    ...settlement,
    ['reasonCode', 'text', 'RtrRsnInf/Rsn/Cd'],
    ['reasonInformation', 'text', 'RtrRsnInf/AddtlInf'],
  ],
  key: ['originalMessageId', 'originalTransactionId', 'originalEndToEndId'],
  hasSides: false,
  hasTotals: false,
};

const customerStatus: FlowFamily = {
  headers: ['GrpHdr', 'OrgnlGrpInfAndSts'],
  header: statusHeader('OrgnlGrpInfAndSts'),
  group: 'OrgnlPmtInfAndSts',
  grouped: [
    ['originalPaymentInformationId', 'text', 'OrgnlPmtInfId'],
    ['paymentInformationStatus', 'text', 'PmtInfSts'],
  ],
  records: ['OrgnlPmtInfAndSts/TxInfAndSts'],
  record: [...originals, ['statusId', 'text', 'StsId'], ['transactionStatus', 'text', 'TxSts'], ...statusReason],
  key: ['originalPaymentInformationId', 'originalEndToEndId', 'originalInstructionId'],
  hasSides: false,
  hasTotals: false,
};

const institutionStatus: FlowFamily = {
  headers: ['GrpHdr', 'OrgnlGrpInfAndSts'],
  header: statusHeader('OrgnlGrpInfAndSts'),
  ...noGroup,
  records: ['TxInfAndSts'],
  // Schemes with a report for each transaction name its message here, and have no group.
  record: [
    ['originalMessageId', 'text', 'OrgnlGrpInf/OrgnlMsgId'],
    ['originalMessageName', 'text', 'OrgnlGrpInf/OrgnlMsgNmId'],
    ...originals,
    ['originalUetr', 'text', 'OrgnlUETR'],
    ['statusId', 'text', 'StsId'],
    ['transactionStatus', 'text', 'TxSts'],
    ...statusReason,
  ],
  key: ['originalTransactionId', 'originalEndToEndId'],
  hasSides: false,
  hasTotals: false,
};

/** Why a message or a payment information has its status: seen where each status is a record. */
const upperReasons = (level: string, holder: string): readonly FieldRow[] => [
  [`${level}ReasonCode`, 'text', `${holder}StsRsnInf/Rsn/Cd`],
  [`${level}ProprietaryReason`, 'text', `${holder}StsRsnInf/Rsn/Prtry`],
  [`${level}ReasonInformation`, 'text', `${holder}StsRsnInf/AddtlInf`],
];

/** pain.002 whose every status is a record. */
export const eachStatusFamily: FlowFamily = {
  ...customerStatus,
  header: [...customerStatus.header, ...upperReasons('group', 'OrgnlGrpInfAndSts/')],
  grouped: [...customerStatus.grouped, ...upperReasons('paymentInformation', '')],
};

/** Of an entry; version 1 of account reports has its transactions without what groups them. */
const ofTransaction = (...paths: readonly string[]): string =>
  ['NtryDtls/TxDtls', 'TxDtls'].flatMap((above) => paths.map((path) => `${above}/${path}`)).join('|');

/** `element`: of one account, such as `Stmt`. */
const statement = (element: string): FlowFamily => ({
  headers: ['GrpHdr'],
  header: group,
  group: element,
  grouped: [
    ['statementId', 'text', 'Id'],
    ['statementNumber', 'text', 'ElctrncSeqNb|LglSeqNb'],
    ['accountIban', 'text', 'Acct/Id/IBAN'],
    ['accountNumber', 'text', 'Acct/Id/Othr/Id|Acct/Id/BBAN|Acct/Id/UPIC|Acct/Id/PrtryAcct/Id'],
    ['accountCurrency', 'text', 'Acct/Ccy'],
    ['accountServicerBic', 'text', `${bic('Acct/Svcr')}|Acct/Svcr/FinInstnId/CmbndId/BIC`],
  ],
  records: [`${element}/Ntry`],
  record: [
    ['entryReference', 'text', 'NtryRef'],
    ['amount', 'amount', 'Amt'],
    ['creditDebit', 'text', 'CdtDbtInd'],
    ['reversal', 'text', 'RvslInd'],
    ['entryStatus', 'text', 'Sts|Sts/Cd'],
    ['bookingDate', 'date', 'BookgDt/Dt|BookgDt/DtTm'],
    ['valueDate', 'date', 'ValDt/Dt|ValDt/DtTm'],
    ['accountServicerReference', 'text', 'AcctSvcrRef'],
    ['domain', 'text', 'BkTxCd/Domn/Cd'],
    ['family', 'text', 'BkTxCd/Domn/Fmly/Cd'],
    ['subFamily', 'text', 'BkTxCd/Domn/Fmly/SubFmlyCd'],
    ['proprietaryCode', 'text', 'BkTxCd/Prtry/Cd'],
    ['endToEndId', 'text', ofTransaction('Refs/EndToEndId')],
    ['transactionId', 'text', ofTransaction('Refs/TxId')],
    ['debtorName', 'text', ofTransaction('RltdPties/Dbtr/Nm', 'RltdPties/Dbtr/Pty/Nm')],
    ['creditorName', 'text', ofTransaction('RltdPties/Cdtr/Nm', 'RltdPties/Cdtr/Pty/Nm')],
    ['remittanceInformation', 'text', ofTransaction('RmtInf/Ustrd')],
    ['additionalInformation', 'text', 'AddtlNtryInf'],
  ],
  key: ['statementId', 'entryReference', 'accountServicerReference'],
  hasSides: true,
  hasTotals: false,
});

export const flowFamilies: Readonly<Record<string, FlowFamily>> = {
  'pain.001': creditTransfer,
  'pain.002': customerStatus,
  'pain.008': directDebit,
  'pacs.002': institutionStatus,
  'pacs.004': paymentReturn,
  'pacs.008': customerTransfer,
  'pacs.009': institutionTransfer,
  'camt.052': statement('Rpt'),
  'camt.053': statement('Stmt'),
  'camt.054': statement('Ntfctn'),
};

/** Families whose messages a pain.002 answers. */
export const answeredByStatus: readonly string[] = ['pain.001', 'pain.008'];
