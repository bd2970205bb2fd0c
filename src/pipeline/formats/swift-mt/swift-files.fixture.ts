/** SWIFT MT messages for tests, each without a mistake. */

const basicHeader = '{1:F01BANKBEBBAXXX2222123456}';

export function finMessage(type: string, fields: readonly string[], blocks = basicHeader): string {
  return `${blocks}{2:O${type}1200260103BANKDEFFAXXX22221234562601031201N}{3:{108:MT${type}REF1}}{4:\r\n${fields.join('\r\n')}\r\n-}{5:{CHK:123456789ABC}}`;
}

/** As banks hand them out: the text alone. */
export const plainMessage = (fields: readonly string[]): string => `${fields.join('\n')}\n-\n`;

export const statementFields: readonly string[] = [
  ':20:STMT260103',
  ':25:10020030/1234567',
  ':28C:5/1',
  ':60F:C260102EUR2187,95',
  ':61:2601020103DR800,NSTONONREF//55555',
  ':86:008?00DAUERAUFTRAG?100599?20Miete Nov\r\nember?3010020030?31234567?32MUELLER',
  ':61:2601020103CR3000,05NTRFREF 17\n/OCMT/EUR3000,05/',
  ':86:/EREF/E2E-4711/BENM//NAME/ACME B.V./REMI/INVOICE 17',
  ':61:260102RC1,00FCHGNONREF',
  ':61:260102RD2,NCHGNONREF',
  ':62F:C260103EUR4389,00',
  ':64:C260103EUR4389,00',
  ':65:C260104EUR4389,00',
  ':65:C260105EUR4389,00',
  ':86:TOTAL OF THE DAY',
];

export const pages: readonly (readonly string[])[] = [
  [':20:PAGE1', ':25:1234567', ':28C:6/1', ':60F:D260102EUR10,00', ':61:260102C15,00NTRFNONREF', ':62M:C260103EUR5,00'],
  [':20:PAGE2', ':25:1234567', ':28C:6/2', ':60M:C260103EUR5,00', ':61:260102D5,00NTRFNONREF', ':62F:C260103EUR0,00'],
];

export const interimFields: readonly string[] = [
  ':20:INTERIM1',
  ':25:1234567',
  ':28C:7/1',
  ':34F:EURD0,',
  ':34F:EURC100,',
  ':13D:2601031200+0100',
  ':61:2601030103D12,50NTRFNONREF',
  ':86:SOMETHING',
  ':61:2601030103C100,NTRFNONREF',
  ':90D:1EUR12,50',
  ':90C:3EUR140,',
];

export const balanceReportFields: readonly string[] = [
  ':20:BALANCE1',
  ':25:1234567',
  ':28:8/1',
  ':13D:2601031200+0100',
  ':60F:C260102EUR1,00',
  ':90D:75EUR1,00',
  ':62F:C260103EUR0,00',
];

export const shortStatementFields: readonly string[] = [
  ':20:MT950',
  ':25:1234567',
  ':28C:9/1',
  ':60F:C260102JPY100,',
  ':61:260102D40,S103REF1',
  ':62F:C260103JPY60,',
  ':64:C260103JPY60,',
];

export const transferFields: readonly string[] = [
  ':20:PAYREF123',
  ':13C:/SNDTIME/1200+0100',
  ':23B:CRED',
  ':32A:260103USD1000,50',
  ':33B:EUR900,00',
  ':36:1,1117',
  ':50K:/12345678\nACME INC.\n1 MAIN STREET',
  ':52A:BANKDEFF',
  ':57A://CH123456\nBANKCHZZ80A',
  ':59:/CH9300762011623852957\nJOHN DOE',
  ':70:INVOICE 17',
  ':71A:SHA',
  ':71F:USD5,00',
  ':72:/INS/BANKDEFF',
];

export const bankTransferFields: readonly string[] = [
  ':20:BT1',
  ':21:RELATED1',
  ':32A:260103JPY100000,',
  ':53B:/12345678',
  ':56A:BANKDEFF',
  ':57A:BANKCHZZ80A',
  ':58A:/12345\nBANKUS33',
];

export const requestFields: readonly string[] = [
  ':20:REQ1',
  ':28D:1/1',
  ':50H:/12345678\nACME INC.',
  ':52A:BANKDEFF',
  ':30:260104',
  ':21:TX1',
  ':32B:EUR10,00',
  ':59:/DE89370400440532013000\nJANE DOE',
  ':70:INVOICE 1',
  ':71A:SHA',
  ':21:TX2',
  ':21F:DEAL1',
  ':23E:URGP',
  ':32B:USD5,',
  ':57C://FW021000021',
  ':59A:/12345\nBANKUS33',
  ':33B:EUR4,50',
  ':71A:OUR',
  ':36:1,1111',
];

export const everyMessage: string = [
  finMessage('940', statementFields),
  finMessage('940', pages[0]!),
  finMessage('940', pages[1]!),
  finMessage('942', interimFields),
  finMessage('941', balanceReportFields),
  finMessage('950', shortStatementFields),
  finMessage('103', transferFields),
  finMessage('202', bankTransferFields),
  finMessage('101', requestFields),
].join('');

/** The fields with one of them changed, left out (null), or with others put behind it. */
export function changed(fields: readonly string[], tag: string, change: string | null | readonly string[]): readonly string[] {
  const index = fields.findIndex((field) => field.startsWith(`:${tag}:`));
  if (index < 0) throw new Error(`there is no field ${tag}`);
  const replacement = change === null ? [] : typeof change === 'string' ? [change] : [fields[index]!, ...change];
  return [...fields.slice(0, index), ...replacement, ...fields.slice(index + 1)];
}
