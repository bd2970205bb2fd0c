/** Of each version whose schema is not among the public test files: a good message with what tells it from a version beside it, and changes that break a rule. */
import { creditTransfers, returns, settlements, statement } from './iso20022-files.fixture.ts';
import { change } from './iso20022-mutants.fixture.ts';

export interface VersionSample {
  readonly name: string;
  readonly message: string;
  /** Another version that is read, mostly the one before, and the rule that what tells them apart breaks there. */
  readonly beside: readonly [name: string, rule: string];
  readonly mutants: readonly (readonly [rule: string, search: string | RegExp, replacement: string])[];
}

type Change = readonly [search: string | RegExp, replacement: string];

const as = (message: string, name: string, changes: readonly Change[]): string =>
  changes.reduce((text, [search, replacement]) => change(text, search, replacement), inVersion(message, name));

export const inVersion = (message: string, name: string): string => message.replace(/[a-z]{4}\.[0-9]{3}\.001\.[0-9]{2}/, name);

const careOf = '<PstlAdr><CareOf>Keeper</CareOf><TwnNm>Berlin</TwnNm><Ctry>DE</Ctry></PstlAdr>';
/** An account that is known by its proxy alone. */
const proxy = '<Prxy><Tp><Cd>TELE</Cd></Tp><Id>+49-30123456</Id></Prxy>';
const noMessageId: VersionSample['mutants'][number] = ['schema-missing', /<MsgId>[^<]*<\/MsgId>/, ''];
const longMessageId: VersionSample['mutants'][number] = ['schema-length', /<MsgId>/, `<MsgId>${'x'.repeat(35)}`];

const transferMutants: VersionSample['mutants'] = [
  noMessageId,
  ['schema-order', /(<CtrlSum>60.35<\/CtrlSum>)(<InitgPty>.*?<\/InitgPty>)/, '<InitgPty/><CtrlSum>60.35</CtrlSum>'],
  ['group-count', '<NbOfTxs>3<', '<NbOfTxs>4<'],
  ['group-sum', '60.35', '60.36'],
  ['payment-sum', '<CtrlSum>30<', '<CtrlSum>31<'],
  ['iban', 'DE89370400440532013000', 'DE89370400440532013001'],
];
const settlementMutants: VersionSample['mutants'] = [
  noMessageId,
  ['group-count', '<NbOfTxs>2<', '<NbOfTxs>3<'],
  ['settlement-total', '>300.00<', '>300.01<'],
  ['schema-code', 'CLRG', 'CLRX'],
];
const statementMutants: VersionSample['mutants'] = [
  noMessageId,
  ['balance', '1024.50', '1024.51'],
  ['entry-sum', '<Sum>25.5', '<Sum>25.4'],
  ['schema-element', '<TxDtls>', '<TxDtls><Extra/>'],
];
const statusMutants: VersionSample['mutants'] = [
  noMessageId,
  longMessageId,
  ['schema-missing', '<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>', ''],
];

const returnMutants: VersionSample['mutants'] = [
  noMessageId,
  ['group-count', '<NbOfTxs>1<', '<NbOfTxs>2<'],
  ['settlement-total', '>10</Ttl', '>11</Ttl'],
];
const agentOf2009 = '<FinInstnId><BIC>MARKDEFF</BIC></FinInstnId>';
const mandate = '<OrgnlTxRef><MndtRltdInf><MndtId>MD-1</MndtId></MndtRltdInf></OrgnlTxRef>';
const secondGroup = '<OrgnlGrpInfAndSts><OrgnlMsgId>M-4</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.02</OrgnlMsgNmId></OrgnlGrpInfAndSts>';

const institutionTransfers = settlements
  .replaceAll('FIToFICstmrCdtTrf', 'FICdtTrf')
  .replaceAll('<ChrgBr>SLEV</ChrgBr>', '')
  .replaceAll(/<(Dbtr|Cdtr)><Nm>[^<]*<\/Nm>/g, '<$1><FinInstnId><BICFI>MARKDEFF</BICFI></FinInstnId>');

const customerStatus = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.11"><CstmrPmtStsRpt><GrpHdr><MsgId>S-1</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M-1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>A</OrgnlPmtInfId><TxInfAndSts><OrgnlEndToEndId>E2E-A1</OrgnlEndToEndId><TxSts>ACSC</TxSts>
<StsRsnInf><Orgtr><Nm>Bank</Nm></Orgtr></StsRsnInf><ChrgsInf><Amt Ccy="EUR">1.00</Amt><Agt><FinInstnId><BICFI>MARKDEFF</BICFI></FinInstnId></Agt></ChrgsInf>
<OrgnlTxRef><DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct></OrgnlTxRef></TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`;

const institutionStatus = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.11"><FIToFIPmtStsRpt><GrpHdr><MsgId>S-2</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M-3</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts>
<TxInfAndSts><OrgnlTxId>S1</OrgnlTxId><TxSts>ACSC</TxSts><StsRsnInf><Orgtr><Nm>Bank</Nm></Orgtr></StsRsnInf><AccptncDtTm>2026-03-02T10:00:00Z</AccptncDtTm></TxInfAndSts></FIToFIPmtStsRpt></Document>`;

const debtorAccount: Change = ['<Id><IBAN>GB33BUKB20201555555555</IBAN></Id>', proxy];
const originator: Change = ['<Orgtr><Nm>Bank</Nm>', `<Orgtr><Nm>Bank</Nm>${careOf}`];
const settledAccount: Change = ['<DbtrAgt>', `<DbtrAcct>${proxy}</DbtrAcct><DbtrAgt>`];
const typedCharges: Change = ['</Agt></ChrgsInf>', '</Agt><Tp><Cd>COMM</Cd></Tp></ChrgsInf>'];
const originalQuery: Change = ['</CreDtTm></GrpHdr>', '</CreDtTm><OrgnlBizQry><MsgId>Q-1</MsgId></OrgnlBizQry></GrpHdr>'];
const exchange = (base: string): string =>
  `<AmtDtls><TxAmt><Amt Ccy="EUR">50.00</Amt><CcyXchg><SrcCcy>JPY</SrcCcy><XchgRate>0.61</XchgRate>${base}</CcyXchg></TxAmt></AmtDtls>`;

/** Of version 6, which has codes of its own for the status of entries, and amounts in all transactions. */
function statementOf2016(name: string, base: string, mutants: VersionSample['mutants']): VersionSample {
  const earlier = base
    .replaceAll(/<Sts><Cd>([A-Z]*)<\/Cd><\/Sts>/g, '<Sts>$1</Sts>')
    .replaceAll('</Refs>', '</Refs><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>');
  const located: Change = [
    '</CdtDbtInd></TxDtls>',
    '</CdtDbtInd><RltdRmtInf><RmtLctnDtls><Mtd>EMAL</Mtd></RmtLctnDtls></RltdRmtInf></TxDtls>',
  ];
  return {
    name,
    message: as(earlier, name, [located]),
    beside: [name.replace('.06', '.04'), 'schema-element'],
    mutants: [...mutants, ['schema-code', '<Sts>BOOK', '<Sts>FUTR']],
  };
}

function statements(area: string, tag: string, element: string, page: string): VersionSample[] {
  const inArea = statement
    .replaceAll('BkToCstmrStmt', tag)
    .replaceAll(/<(\/?)Stmt>/g, `<$1${element}>`)
    .replaceAll('StmtPgntn', page);
  // A notification has no balances.
  const [base, mutants] =
    area === '054'
      ? [inArea.replaceAll(/<Bal>.*?<\/Bal>/g, ''), statementMutants.filter(([rule]) => rule !== 'balance')]
      : [inArea, statementMutants];
  const name = (version: string): string => `camt.${area}.001.${version}`;
  const paymentType: Change = ['</Refs>', '</Refs><PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>'];
  const withBase: Change = ['</Refs>', `</Refs>${exchange('<XchgRateBase>100</XchgRateBase>')}`];
  const recipient: Change = ['</CreDtTm></GrpHdr>', `</CreDtTm><MsgRcpt><Nm>Holder</Nm>${careOf}</MsgRcpt></GrpHdr>`];
  return [
    ...(area === '052' ? [] : [statementOf2016(name('06'), base, mutants)]),
    { name: name('10'), message: as(base, name('10'), [paymentType]), beside: [name('08'), 'schema-element'], mutants },
    {
      name: name('11'),
      message: as(base, name('11'), [withBase]),
      beside: [name('10'), 'schema-element'],
      mutants: [
        ...mutants,
        ['schema-range', '<XchgRateBase>100<', '<XchgRateBase>00<'],
        ['schema-digits', '<XchgRateBase>100<', '<XchgRateBase>1.5<'],
      ],
    },
    { name: name('12'), message: as(base, name('12'), [recipient]), beside: [name('11'), 'schema-element'], mutants },
  ];
}

export const versionSamples: readonly VersionSample[] = [
  {
    name: 'pain.001.001.11',
    message: as(creditTransfers, 'pain.001.001.11', [debtorAccount]),
    beside: ['pain.001.001.10', 'schema-missing'],
    mutants: transferMutants,
  },
  {
    name: 'pain.001.001.12',
    message: as(creditTransfers, 'pain.001.001.12', [['<InitgPty><Nm>Sender</Nm>', `<InitgPty><Nm>Sender</Nm>${careOf}`]]),
    beside: ['pain.001.001.11', 'schema-element'],
    mutants: transferMutants,
  },
  {
    name: 'pain.002.001.12',
    message: as(customerStatus, 'pain.002.001.12', [['<Id><IBAN>DE89370400440532013000</IBAN></Id>', proxy]]),
    beside: ['pain.002.001.11', 'schema-missing'],
    mutants: statusMutants,
  },
  {
    name: 'pain.002.001.13',
    message: as(customerStatus, 'pain.002.001.13', [typedCharges]),
    beside: ['pain.002.001.12', 'schema-element'],
    mutants: statusMutants,
  },
  {
    name: 'pain.002.001.14',
    message: as(customerStatus, 'pain.002.001.14', [originator]),
    beside: ['pain.002.001.13', 'schema-element'],
    mutants: statusMutants,
  },
  {
    name: 'pacs.002.001.12',
    message: as(institutionStatus, 'pacs.002.001.12', [originalQuery]),
    beside: ['pacs.002.001.11', 'schema-element'],
    mutants: statusMutants,
  },
  {
    name: 'pacs.002.001.13',
    message: as(institutionStatus, 'pacs.002.001.13', [['</AccptncDtTm>', '</AccptncDtTm><PrcgDt><Dt>2026-03-02</Dt></PrcgDt>']]),
    beside: ['pacs.002.001.12', 'schema-element'],
    mutants: statusMutants,
  },
  {
    name: 'pacs.002.001.14',
    message: as(institutionStatus, 'pacs.002.001.14', [originator]),
    beside: ['pacs.002.001.13', 'schema-element'],
    mutants: statusMutants,
  },
  {
    name: 'pacs.002.001.03',
    message: as(institutionStatus, 'pacs.002.001.03', [['</AccptncDtTm>', `</AccptncDtTm><InstgAgt>${agentOf2009}</InstgAgt>`]]),
    beside: ['pacs.002.001.10', 'schema-element'],
    mutants: [
      ...statusMutants,
      ['schema-code', 'ACSC', 'XXXX'],
      ['schema-repeated', '</OrgnlGrpInfAndSts>', `</OrgnlGrpInfAndSts>${secondGroup}`],
    ],
  },
  {
    name: 'pacs.004.001.02',
    message: as(returns, 'pacs.004.001.02', [['</SttlmInf>', `</SttlmInf><InstgAgt>${agentOf2009}</InstgAgt>`]]),
    beside: ['pacs.004.001.09', 'schema-element'],
    mutants: [...returnMutants, ['schema-element', '<RtrdIntr', '<OrgnlUETR>eb6305c9-1f7f-49de-aed0-16487c27b42d</OrgnlUETR><RtrdIntr']],
  },
  {
    name: 'pacs.004.001.09',
    message: as(returns, 'pacs.004.001.09', [['</TxInf>', `${mandate}</TxInf>`]]),
    beside: ['pacs.004.001.10', 'schema-element'],
    mutants: [
      ...returnMutants,
      ['schema-element', '<OrgnlTxRef>', `<RtrChain><Dbtr><Pty/></Dbtr><DbtrAcct/><Cdtr><Pty/></Cdtr></RtrChain><OrgnlTxRef>`],
    ],
  },
  {
    name: 'pacs.004.001.13',
    message: as(returns, 'pacs.004.001.13', [['<RtrId>R</RtrId>', '<RtrId>R</RtrId><PmtTpInf><InstrPrty>HIGH</InstrPrty></PmtTpInf>']]),
    beside: ['pacs.004.001.10', 'schema-element'],
    mutants: returnMutants,
  },
  {
    name: 'pacs.008.001.10',
    message: as(settlements, 'pacs.008.001.10', [settledAccount]),
    beside: ['pacs.008.001.09', 'schema-missing'],
    mutants: settlementMutants,
  },
  {
    name: 'pacs.008.001.12',
    message: as(settlements, 'pacs.008.001.12', [['<Dbtr><Nm>Payer</Nm>', `<Dbtr><Nm>Payer</Nm>${careOf}`]]),
    beside: ['pacs.008.001.10', 'schema-element'],
    mutants: settlementMutants,
  },
  {
    name: 'pacs.009.001.10',
    message: as(institutionTransfers, 'pacs.009.001.10', [settledAccount]),
    beside: ['pacs.009.001.09', 'schema-missing'],
    mutants: settlementMutants,
  },
  {
    name: 'pacs.009.001.11',
    message: as(institutionTransfers, 'pacs.009.001.11', [
      [
        '</Cdtr></CdtTrfTxInf>',
        `</Cdtr><UndrlygAllcn><Amt Ccy="USD">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Acct>${proxy}</Acct><Purp><Cd>CASH</Cd></Purp><Ref>A-1</Ref><RltdRefs><TradId>${'T'.repeat(52)}</TradId></RltdRefs></UndrlygAllcn></CdtTrfTxInf>`,
      ],
    ]),
    beside: ['pacs.009.001.10', 'schema-element'],
    mutants: [
      ...settlementMutants,
      ['schema-length', '<TradId>', '<TradId>T'],
      ['schema-choice', '</TradId>', '</TradId><PoolId>P</PoolId>'],
    ],
  },
  ...statements('052', 'BkToCstmrAcctRpt', 'Rpt', 'RptPgntn'),
  ...statements('053', 'BkToCstmrStmt', 'Stmt', 'StmtPgntn'),
  ...statements('054', 'BkToCstmrDbtCdtNtfctn', 'Ntfctn', 'NtfctnPgntn'),
];
