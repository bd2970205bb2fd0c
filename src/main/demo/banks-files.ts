/**
 * Makes the files of the story of the banks with the writers of the packs: an ACH file, a pain.001, a BAI2 report and MT940
 * statements, seeded by the run, some of whose records the flows reject.
 */
import type { PackName, PackSettings, PackWritten } from '../../pipeline/formats/pack.ts';
import { packs } from '../catalogue.ts';

export interface MadeFile {
  readonly format: PackName;
  readonly name: string;
  readonly bytes: Buffer;
  readonly written: PackWritten;
  /** Of the records that the flow is to reject, in their order: what tells them apart. */
  readonly faulty: readonly string[];
}

const counts = { ach: 2_000, transfers: 600, details: 800, entries: 500 } as const;
const groups = { batches: 4, payments: 3, accounts: 5, statements: 5 } as const;

/** `run`: other records for each run. */
export async function bankFiles(run: number): Promise<MadeFile[]> {
  return [await achFile(run), await transferFile(run), await reportFile(run), await statementFile(run)];
}

async function made(
  format: PackName,
  name: string,
  {
    document,
    faulty,
    more = {},
  }: { readonly document: unknown; readonly faulty: readonly string[]; readonly more?: Readonly<Record<string, string>> },
): Promise<MadeFile> {
  const pack = await packs[format]();
  const all = [...pack.settings, ...pack.writer!.settings];
  const settings: PackSettings = new Map(all.map((setting) => [setting.name, more[setting.name] ?? setting.default]));
  const pieces: Buffer[] = [];
  const writer = pack.writer!.createDocumentWriter(settings, { bytes: (piece) => void pieces.push(Buffer.from(piece)) });
  writer.push(Buffer.from(JSON.stringify(document)));
  const written = writer.end();
  return { format, name, bytes: Buffer.concat(pieces), written, faulty };
}

/** Splits `0 … count - 1` into so many runs of about one length. */
function parts(count: number, into: number): number[][] {
  const each = Math.ceil(count / into);
  return Array.from({ length: into }, (_, part) =>
    Array.from({ length: Math.max(0, Math.min(each, count - part * each)) }, (_, index) => part * each + index),
  );
}

/** In cents: small and large ones, never the same for neighbours. */
const cents = (run: number, index: number): number => 100 + ((index * 7_919 + run) % 900_000);
const decimal = (value: number): string => `${Math.floor(value / 100)}.${String(value % 100).padStart(2, '0')}`;
/** The account of every 97th entry is closed. */
const isClosed = (index: number): boolean => index % 97 === 5;

async function achFile(run: number): Promise<MadeFile> {
  const classes = ['PPD', 'PPD', 'WEB', 'TEL'] as const;
  const batches = parts(counts.ach, groups.batches).map((indexes, batch) => ({
    batchHeader: {
      serviceClassCode: classes[batch] === 'PPD' ? 200 : 225,
      companyName: `Company ${batch + 1}`,
      companyIdentification: '1210428820',
      standardEntryClassCode: classes[batch],
      companyEntryDescription: classes[batch] === 'PPD' ? 'PAYROLL' : 'BILLS',
      effectiveEntryDate: '261130',
      ODFIIdentification: '12104288',
    },
    entryDetails: indexes.map((index) => ({
      transactionCode: classes[batch] === 'PPD' && index % 4 > 0 ? 22 : 27,
      RDFIIdentification: '23138010',
      checkDigit: '4',
      DFIAccountNumber: isClosed(index) ? `000${index}` : `7${String(run + index).slice(-8)}`,
      amount: cents(run, index),
      identificationNumber: `${run % 100_000}-${index}`,
      individualName: `Customer ${index}`,
      ...(classes[batch] === 'WEB' || classes[batch] === 'TEL' ? { discretionaryData: 'S ' } : {}),
    })),
  }));
  const fileHeader = {
    immediateDestination: '231380104',
    immediateOrigin: '121042882',
    fileCreationDate: '261128',
    fileCreationTime: '0600',
    immediateDestinationName: 'Receiving Bank',
    immediateOriginName: 'Sending Bank',
    referenceCode: String(run).slice(-8),
  };
  const faulty = batches.flatMap(({ entryDetails }) =>
    entryDetails.filter(({ DFIAccountNumber }) => DFIAccountNumber.startsWith('000')).map(({ DFIAccountNumber }) => DFIAccountNumber),
  );
  return made('nacha', `payroll-${run}.ach`, { document: { fileHeader, batches }, faulty });
}

/** A German IBAN (ISO 13616) of this bank and account. */
function iban(account: number): string {
  const bban = `37040044${String(account).padStart(10, '0')}`;
  const check = 98n - (BigInt(`${bban}131400`) % 97n);
  return `DE${String(check).padStart(2, '0')}${bban}`;
}

/** Its check digits are those of another account. */
const wrongIban = (account: number): string => iban(account).slice(0, 4) + iban(account + 1).slice(4);
const isWrong = (index: number): boolean => index % 101 === 7;

async function transferFile(run: number): Promise<MadeFile> {
  const PmtInf = parts(counts.transfers, groups.payments).map((indexes, part) => ({
    PmtInfId: `P-${run}-${part + 1}`,
    PmtMtd: 'TRF',
    NbOfTxs: null,
    CtrlSum: null,
    ReqdExctnDt: { Dt: '2026-11-30' },
    Dbtr: { Nm: 'Acme & Sons' },
    DbtrAcct: { Id: { IBAN: iban(1_000 + part) } },
    DbtrAgt: { FinInstnId: { BICFI: 'COBADEFF' } },
    CdtTrfTxInf: indexes.map((index) => ({
      PmtId: { InstrId: `I-${run}-${index}`, EndToEndId: `E-${run}-${index}` },
      Amt: { InstdAmt: { '@Ccy': 'EUR', '#text': decimal(cents(run, index)) } },
      Cdtr: { Nm: `Supplier ${index}` },
      CdtrAcct: { Id: { IBAN: isWrong(index) ? wrongIban(5_000 + index) : iban(5_000 + index) } },
      RmtInf: { Ustrd: [`Invoice ${run}/${index}`] },
    })),
  }));
  const GrpHdr = { MsgId: `M-${run}`, CreDtTm: '2026-11-28T06:00:00Z', NbOfTxs: null, CtrlSum: null, InitgPty: { Nm: 'Acme & Sons' } };
  const document = { message: 'pain.001.001.09', Document: { CstmrCdtTrfInitn: { GrpHdr, PmtInf } } };
  const wrong = Array.from({ length: counts.transfers }, (_, index) => index).filter(isWrong);
  const faulty = wrong.map((index) => `E-${run}-${index}`);
  return made('iso20022', `transfers-${run}.xml`, { document, faulty, more: { codes: 'warn' } });
}

async function reportFile(run: number): Promise<MadeFile> {
  const accounts = parts(counts.details, groups.accounts).map((indexes, account) => ({
    accountNumber: `09753124${60 + account}`,
    summaries: [{ typeCode: '010', amount: String(100_000 * (account + 1)) }],
    details: indexes.map((index) => ({
      typeCode: index % 3 === 0 ? '475' : '165',
      amount: String(cents(run, index)),
      bankReferenceNumber: `B${run}-${index}`,
      text: `Payment ${index}`,
    })),
  }));
  const fileHeader = {
    sender: '122099999',
    receiver: '123456789',
    fileCreatedDate: '261128',
    fileCreatedTime: '0600',
    fileIdNumber: String(run % 100_000),
    physicalRecordLength: 80,
  };
  const groupHeader = { originator: '122099999', groupStatus: 1, asOfDate: '261127', currencyCode: 'USD' };
  return made('bai2', `balances-${run}.bai`, { document: { fileHeader, groups: [{ groupHeader, accounts }] }, faulty: [] });
}

async function statementFile(run: number): Promise<MadeFile> {
  const messages = parts(counts.entries, groups.statements).map((indexes, statement) => ({
    messageType: '940',
    transactionReference: `S${String(run).slice(-8)}-${statement + 1}`,
    accountIdentification: `37040044/${1_000_000 + statement}`,
    statementNumber: '332',
    sequenceNumber: '1',
    openingBalance: { mark: 'C', date: '2026-11-26', currency: 'EUR', amount: decimal(5_000_000 + statement * 10_000) },
    entries: indexes.map((index) => ({
      valueDate: '2026-11-27',
      mark: index % 3 === 0 ? 'D' : 'C',
      amount: decimal(cents(run, index)),
      transactionType: 'NTRF',
      customerReference: `R${index}`,
      information: { text: `Invoice ${run}/${index}` },
    })),
    closingBalance: { date: '2026-11-27' },
  }));
  return made('swift-mt', `statements-${run}.sta`, { document: { messages }, faulty: [] });
}
