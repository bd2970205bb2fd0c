/** BAI2 files for tests, built so that every count and control total is right unless a test says otherwise. */

export interface AccountContent {
  readonly header: string;
  readonly details: readonly string[];
  /** Of all amounts of the account, as a test knows it. */
  readonly total: number;
}

const lineCount = (records: readonly string[]) => records.reduce((sum, record) => sum + record.split('\n').length, 0);

export const fileHeader = '01,122099999,123456789,260621,0200,1,80,1,2/';
export const groupHeader = '02,031001234,122099999,1,260620,2359,USD,2/';

export const account: AccountContent = {
  header: '03,0975312468,USD,010,+500000,,,190,70000000,4,0/\n88,100,1500000,1,V,260620,,400,250,1,/',
  details: [
    '16,165,1500000,1,DD1620,,DEALER PAYMENTS',
    '16,115,1000,S,500,300,200,AX13612,B096132,LOCKBOX\n88,DEPOSIT, MISC. RECEIVABLES',
    '16,475,250,D,2,0,100,1,150,,CHECK/17,/',
    '16,409,000,V,260620,2400,,,/',
  ],
  total: 500_000 + 70_000_000 + 1_500_000 + 250 + 1_500_000 + 1_000 + 250,
};

export function accountLines({ header, details, total }: AccountContent): string[] {
  return [header, ...details, `49,${total},${lineCount([header, ...details]) + 1}/`];
}

export function groupLines(accounts: readonly AccountContent[], header = groupHeader): string[] {
  const lines = [header, ...accounts.flatMap(accountLines)];
  const total = accounts.reduce((sum, each) => sum + each.total, 0);
  return [...lines, `98,${total},${accounts.length},${lineCount(lines) + 1}/`];
}

export function fileOf(groups: readonly (readonly AccountContent[])[], header = fileHeader): string {
  const lines = [header, ...groups.flatMap((accounts) => groupLines(accounts))];
  const total = groups.flat().reduce((sum, each) => sum + each.total, 0);
  return `${[...lines, `99,${total},${groups.length},${lineCount(lines) + 1}/`].join('\n')}\n`;
}

/** One group with one account, of which `change` makes another. */
export function fileWith(change: Partial<AccountContent>): string {
  return fileOf([[{ ...account, ...change }]]);
}

export const detailOnly = (detail: string, total: number): string => fileWith({ header: '03,1,,,,,/', details: [detail], total });
