/**
 * The payments as a customer credit transfer, pain.001.001.09: each is a payment information of its own with one transaction,
 * since each has its own debtor and date. What CSV has for a channel is the local instrument. 1% have a creditor's IBAN that is
 * wrong: the other faults of the CSV are none of a valid message, or of a payment information, and would hold the file as a whole.
 */
import { BufferedFile } from '../buffered-file.ts';
import { type PaymentsOptions, payments } from '../payments-data.ts';

/** The group header stands first and says how many transactions follow and what they add up to. */
const headBytes = 512;

export function writePain001(path: string, options: PaymentsOptions): void {
  const file = new BufferedFile(path);
  file.write(`${' '.repeat(headBytes - 1)}\n`);
  let cents = 0n;
  let rows = 0;
  for (const payment of payments({ ...options, faults: ['country'] })) {
    cents += BigInt(payment.amount.replace('.', ''));
    rows++;
    const name = payment.name.replaceAll('&', '&amp;');
    file.write(`<PmtInf><PmtInfId>${payment.id}</PmtInfId><PmtMtd>TRF</PmtMtd>
<PmtTpInf><LclInstrm><Cd>${payment.channel}</Cd></LclInstrm></PmtTpInf>
<ReqdExctnDt><Dt>${payment.valueDate}</Dt></ReqdExctnDt>
<Dbtr><Nm>Bench</Nm><PstlAdr><Ctry>${payment.country}</Ctry></PstlAdr></Dbtr>
<DbtrAcct><Id><IBAN>${payment.debtorIban}</IBAN></Id></DbtrAcct>
<DbtrAgt><FinInstnId><BICFI>BUKBGB22</BICFI></FinInstnId></DbtrAgt>
<CdtTrfTxInf><PmtId><InstrId>${payment.reference}</InstrId><EndToEndId>${payment.id}</EndToEndId></PmtId>
<Amt><InstdAmt Ccy="${payment.currency}">${payment.amount}</InstdAmt></Amt>
<Cdtr><Nm>${name}</Nm></Cdtr>
<CdtrAcct><Id><IBAN>${payment.creditorIban}</IBAN></Id></CdtrAcct>
<RmtInf><Ustrd>${payment.info}</Ustrd></RmtInf></CdtTrfTxInf></PmtInf>
`);
  }
  file.write('</CstmrCdtTrfInitn></Document>\n');
  const sum = `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`;
  file.overwriteStart(`<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>
<GrpHdr><MsgId>BENCH-1</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm><NbOfTxs>${rows}</NbOfTxs><CtrlSum>${sum}</CtrlSum><InitgPty><Nm>Bench</Nm></InitgPty></GrpHdr>`);
  file.close();
}
