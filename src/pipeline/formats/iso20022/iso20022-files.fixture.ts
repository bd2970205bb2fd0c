/** Good messages that tests build and then change in one place. Names, accounts and codes are invented or are published examples. */
import type { PackSummary } from '../pack.ts';
import type { PackFinding } from '../pack-finding.ts';
import { iso20022Pack } from './iso20022-pack.ts';

export interface Reading {
  readonly findings: readonly PackFinding[];
  readonly summary: PackSummary;
  /** What `--parse` would print. */
  readonly document: string;
}

/** Reads `content` in pieces of `sizes`, again and again; without sizes in one piece. */
export function readMessage(
  content: string | Buffer,
  { sizes = [], options = {} }: { readonly sizes?: readonly number[]; readonly options?: Readonly<Record<string, string>> } = {},
): Reading {
  const bytes = Buffer.from(content);
  const findings: PackFinding[] = [];
  let document = '';
  const settings = new Map(iso20022Pack.settings.map(({ name, default: value }) => [name, options[name] ?? value]));
  const reader = iso20022Pack.createReader(settings, {
    finding: (finding) => void findings.push(finding),
    parsed: (text) => void (document += text),
  });
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes.length === 0 ? bytes.length : sizes[turn % sizes.length]!;
    // A copy, as the bytes of a piece are only valid during the call.
    const piece = Buffer.from(bytes.subarray(at, at + size));
    reader.push(piece);
    piece.fill(0);
    at += size;
  }
  return { summary: reader.end(), findings, document };
}

const agent = (bic: string): string => `<FinInstnId><BICFI>${bic}</BICFI></FinInstnId>`;

function document(message: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:${message}">\n${content}\n</Document>\n`;
}

const creditTransfer = (id: string, amount: string): string => `<CdtTrfTxInf>
<PmtId><InstrId>${id}</InstrId><EndToEndId>E2E-${id}</EndToEndId><UETR>eb6305c9-1f7f-49de-aed0-16487c27b42d</UETR></PmtId>
<Amt><InstdAmt Ccy="EUR">${amount}</InstdAmt></Amt>
<CdtrAgt>${agent('MARKDEFFXXX')}</CdtrAgt>
<Cdtr><Nm>Muster &amp; Söhne</Nm><PstlAdr><Ctry>DE</Ctry><AdrLine>Weg 1</AdrLine><AdrLine>Berlin</AdrLine></PstlAdr><Id><OrgId><LEI>529900T8BM49AURSDO55</LEI></OrgId></Id></Cdtr>
<CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct>
<RmtInf><Ustrd>Invoice 4711</Ustrd></RmtInf>
</CdtTrfTxInf>`;

/** pain.001.001.09: two payment informations, three transactions, 60.35 EUR. */
export const creditTransfers = document(
  'pain.001.001.09',
  `<CstmrCdtTrfInitn>
<GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-03-02T10:00:00+01:00</CreDtTm><NbOfTxs>3</NbOfTxs><CtrlSum>60.35</CtrlSum><InitgPty><Nm>Sender</Nm></InitgPty></GrpHdr>
${[
  ['A', 2, '30.35', creditTransfer('A1', '10.10') + creditTransfer('A2', '20.25')] as const,
  ['B', 1, '30', creditTransfer('B1', '30.00')] as const,
]
  .map(
    ([
      id,
      count,
      sum,
      transactions,
    ]) => `<PmtInf><PmtInfId>${id}</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>true</BtchBookg><NbOfTxs>${count}</NbOfTxs><CtrlSum>${sum}</CtrlSum>
<ReqdExctnDt><Dt>2026-03-03</Dt></ReqdExctnDt><Dbtr><Nm>Sender</Nm></Dbtr><DbtrAcct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id></DbtrAcct>
<DbtrAgt>${agent('BUKBGB22')}</DbtrAgt>
${transactions}</PmtInf>`,
  )
  .join('\n')}
</CstmrCdtTrfInitn>`,
);

/** pain.008.001.02: one collection of 12.34 EUR. */
export const directDebits = document(
  'pain.008.001.02',
  `<CstmrDrctDbtInitn>
<GrpHdr><MsgId>M-2</MsgId><CreDtTm>2026-03-02T10:00:00</CreDtTm><NbOfTxs>1</NbOfTxs><CtrlSum>12.34</CtrlSum><InitgPty><Nm>Club</Nm></InitgPty></GrpHdr>
<PmtInf><PmtInfId>P</PmtInfId><PmtMtd>DD</PmtMtd><ReqdColltnDt>2026-03-05</ReqdColltnDt><Cdtr><Nm>Club</Nm></Cdtr>
<CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct><CdtrAgt><FinInstnId><BIC>MARKDEFF</BIC></FinInstnId></CdtrAgt>
<DrctDbtTxInf><PmtId><EndToEndId>D1</EndToEndId></PmtId><InstdAmt Ccy="EUR">12.34</InstdAmt>
<DrctDbtTx><MndtRltdInf><MndtId>MD-1</MndtId><DtOfSgntr>2024-02-29</DtOfSgntr></MndtRltdInf></DrctDbtTx>
<DbtrAgt><FinInstnId><BIC>BUKBGB22</BIC></FinInstnId></DbtrAgt><Dbtr><Nm>Member</Nm></Dbtr><DbtrAcct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id></DbtrAcct>
</DrctDbtTxInf></PmtInf></CstmrDrctDbtInitn>`,
);

const settlement = (id: string, amount: string): string =>
  `<CdtTrfTxInf><PmtId><EndToEndId>${id}</EndToEndId><TxId>${id}</TxId></PmtId><IntrBkSttlmAmt Ccy="USD">${amount}</IntrBkSttlmAmt><ChrgBr>SLEV</ChrgBr>
<Dbtr><Nm>Payer</Nm></Dbtr><DbtrAgt>${agent('MARKDEFF')}</DbtrAgt><CdtrAgt>${agent('BUKBGB22')}</CdtrAgt><Cdtr><Nm>Payee</Nm></Cdtr></CdtTrfTxInf>`;

const settlementMessage = `<FIToFICstmrCdtTrf><GrpHdr><MsgId>M-3</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm><NbOfTxs>2</NbOfTxs><CtrlSum>300</CtrlSum>
<TtlIntrBkSttlmAmt Ccy="USD">300.00</TtlIntrBkSttlmAmt><IntrBkSttlmDt>2026-03-02</IntrBkSttlmDt><SttlmInf><SttlmMtd>CLRG</SttlmMtd><ClrSys><Cd>FDN</Cd></ClrSys></SttlmInf></GrpHdr>
${settlement('S1', '100.00')}
${settlement('S2', '200.00')}
<SplmtryData><Envlp><x:Extra xmlns:x="urn:other" x:kind="1">free <x:b/> text</x:Extra></Envlp></SplmtryData>
</FIToFICstmrCdtTrf>`;

/** pacs.008.001.08: two transfers, 300 USD. */
export const settlements = document('pacs.008.001.08', settlementMessage);

/** The same behind a business header, as market infrastructures wrap it. */
export const wrappedSettlements = `<Envelope xmlns="urn:example:envelope"><AppHdr xmlns="urn:iso:std:iso:20022:tech:xsd:head.001.001.02"><BizMsgIdr>1</BizMsgIdr><MsgDefIdr>pacs.008.001.08</MsgDefIdr></AppHdr>
<p:Document xmlns:p="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08">${settlementMessage.replaceAll(/<(\/?)([A-Z])/g, '<$1p:$2')}</p:Document></Envelope>`;

const balance = (code: string, amount: string): string =>
  `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>`;
const entry = (amount: string, side: string, status: string): string =>
  `<Ntry><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>${side}</CdtDbtInd><Sts><Cd>${status}</Cd></Sts><BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>E</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>`;

/** camt.053.001.08: 1000.00 + 50.00 - 25.50 = 1024.50; an entry that is pending does not count. */
export const statement = document(
  'camt.053.001.08',
  `<BkToCstmrStmt><GrpHdr><MsgId>M-4</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S-1</Id><StmtPgntn><PgNb>1</PgNb><LastPgInd>true</LastPgInd></StmtPgntn><CreDtTm>2026-03-02T10:00:00Z</CreDtTm><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>
${balance('OPBD', '1000.00')}
${balance('CLBD', '1024.50')}
<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries><Sum>82.5</Sum><TtlNetNtry><Amt>31.5</Amt><CdtDbtInd>CRDT</CdtDbtInd></TtlNetNtry></TtlNtries><TtlCdtNtries><NbOfNtries>2</NbOfNtries><Sum>57</Sum></TtlCdtNtries><TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>25.5</Sum></TtlDbtNtries></TxsSummry>
${entry('50.00', 'CRDT', 'BOOK')}
${entry('25.50', 'DBIT', 'BOOK')}
${entry('7.00', 'CRDT', 'PDNG')}
</Stmt></BkToCstmrStmt>`,
);

/** camt.054.001.02 with an instrument, for ISINs. */
export const notification = document(
  'camt.054.001.02',
  `<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>M-5</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm></GrpHdr>
<Ntfctn><Id>N-1</Id><CreDtTm>2026-03-02T24:00:00</CreDtTm><Acct><Id><Othr><Id>1</Id></Othr></Id></Acct>
<Ntry><Amt Ccy="JPY">500</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>
<NtryDtls><TxDtls><RltdQties><Qty><Unit>-1.5</Unit></Qty></RltdQties><FinInstrmId><ISIN>US0378331005</ISIN></FinInstrmId></TxDtls></NtryDtls></Ntry>
</Ntfctn></BkToCstmrDbtCdtNtfctn>`,
);

/** pain.001.001.10 has a mandate with an electronic signature in base64. */
export const mandatedTransfer = document(
  'pain.001.001.10',
  `<CstmrCdtTrfInitn><GrpHdr><MsgId>M-6</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm><NbOfTxs>1</NbOfTxs><InitgPty/></GrpHdr>
<PmtInf><PmtInfId>P</PmtInfId><PmtMtd>TRF</PmtMtd><ReqdExctnDt><DtTm>2026-03-03T00:00:00Z</DtTm></ReqdExctnDt><Dbtr/><DbtrAcct><Id><Othr><Id>1</Id></Othr></Id></DbtrAcct><DbtrAgt><FinInstnId/></DbtrAgt>
<CdtTrfTxInf><PmtId><EndToEndId>E</EndToEndId></PmtId><Amt><EqvtAmt><Amt Ccy="EUR">5</Amt><CcyOfTrf>USD</CcyOfTrf></EqvtAmt></Amt><MndtRltdInf><ElctrncSgntr>QUJD</ElctrncSgntr></MndtRltdInf></CdtTrfTxInf>
</PmtInf></CstmrCdtTrfInitn>`,
);

/** pacs.004.001.10: one return of 10 EUR. */
export const returns = document(
  'pacs.004.001.10',
  `<PmtRtr><GrpHdr><MsgId>M-7</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm><NbOfTxs>1</NbOfTxs><TtlRtrdIntrBkSttlmAmt Ccy="EUR">10</TtlRtrdIntrBkSttlmAmt><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>
<TxInf><RtrId>R</RtrId><RtrdIntrBkSttlmAmt Ccy="EUR">10.00</RtrdIntrBkSttlmAmt></TxInf></PmtRtr>`,
);

/** pacs.008.001.02, with the agents of that time. */
export const settlementOf2009 = document(
  'pacs.008.001.02',
  `<FIToFICstmrCdtTrf><GrpHdr><MsgId>M-8</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm><NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>
<CdtTrfTxInf><PmtId><EndToEndId>E</EndToEndId><TxId>T</TxId></PmtId><IntrBkSttlmAmt Ccy="EUR">1.00</IntrBkSttlmAmt><ChrgBr>SLEV</ChrgBr><Dbtr><Nm>A</Nm></Dbtr>
<DbtrAgt><FinInstnId><BIC>MARKDEFF</BIC></FinInstnId></DbtrAgt><CdtrAgt><FinInstnId><BIC>BUKBGB22</BIC></FinInstnId></CdtrAgt><Cdtr><Nm>B</Nm></Cdtr></CdtTrfTxInf></FIToFICstmrCdtTrf>`,
);

/** camt.052.001.01, with parties and agents of that time: 10.00 + 2.50 = 12.50. */
export const reportOf2006 = document(
  'camt.052.001.01',
  `<BkToCstmrAcctRptV01><GrpHdr><MsgId>M-9</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm><MsgRcpt><Id><PrvtId><CstmrNb>1</CstmrNb><Issr>B</Issr></PrvtId></Id></MsgRcpt></GrpHdr>
<Rpt><Id>R-1</Id><CreDtTm>2026-03-02T10:00:00Z</CreDtTm><Acct><Id><PrtryAcct><Id>1234567</Id></PrtryAcct></Id><Svcr><FinInstnId><CmbndId><BIC>MARKDEFF</BIC></CmbndId></FinInstnId></Svcr></Acct>
${balance('OPBD', '10.00').replace(/<(\/?)CdOrPrtry>/g, '')}
${balance('CLBD', '12.50').replace(/<(\/?)CdOrPrtry>/g, '')}
<Ntry><Amt Ccy="EUR">2.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>
<TxDtls><Refs><EndToEndId>E</EndToEndId></Refs><RltdDts><Prtry><Tp>T</Tp><Dt>2026-03-02</Dt></Prtry></RltdDts></TxDtls></Ntry>
</Rpt></BkToCstmrAcctRptV01>`,
);

export const goodMessages: Readonly<Record<string, string>> = {
  creditTransfers,
  directDebits,
  settlements,
  wrappedSettlements,
  statement,
  notification,
  mandatedTransfer,
  returns,
  settlementOf2009,
  reportOf2006,
};
