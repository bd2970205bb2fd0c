/** The codes of the Nacha Operating Rules: transaction codes, reason codes, change codes, and what stands for a state. */

/** Bits of what a transaction code is. */
export const isCredit = 1;
export const isDebit = 2;
export const isReturn = 4;
export const isPrenote = 8;
export const isZeroDollar = 16;
export const isAdvice = 32;

/** By transaction code; 0: the Rules have no such code. */
export const transactionCodes: Uint8Array = new Uint8Array(100);

for (const account of [20, 30, 40, 50]) {
  transactionCodes[account + 1] = isCredit | isReturn;
  transactionCodes[account + 2] = isCredit;
  transactionCodes[account + 3] = isCredit | isPrenote;
  transactionCodes[account + 4] = isCredit | isZeroDollar;
  transactionCodes[account + 6] = isDebit | isReturn;
  if (account === 50) continue;
  transactionCodes[account + 7] = isDebit;
  transactionCodes[account + 8] = isDebit | isPrenote;
  transactionCodes[account + 9] = isDebit | isZeroDollar;
}
/** A loan account is debited only to reverse a credit. */
export const loanDebit = 55;
transactionCodes[loanDebit] = isDebit;
for (const code of [81, 83, 85, 87]) transactionCodes[code] = isCredit | isAdvice;
for (const code of [82, 84, 86, 88]) transactionCodes[code] = isDebit | isAdvice;

function numbered(letter: string, ...ranges: readonly (readonly [number, number])[]): readonly string[] {
  return ranges.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => `${letter}${String(first + index).padStart(2, '0')}`),
  );
}

/** Of the addenda of dishonored and of contested dishonored returns; all other codes are those of returns. */
export const dishonoredReturnCodes: ReadonlySet<string> = new Set(['R61', 'R62', ...numbered('R', [67, 70])]);
export const contestedReturnCodes: ReadonlySet<string> = new Set(numbered('R', [71, 77]));
export const returnCodes: ReadonlySet<string> = new Set(numbered('R', [1, 47], [50, 53], [61, 62], [67, 77], [80, 85]));
/** Returns by reason of a death, which say when it was. */
export const deathReturnCodes: ReadonlySet<string> = new Set(['R14', 'R15']);

export const changeCodes: ReadonlySet<string> = new Set(numbered('C', [1, 7], [9, 9], [13, 14], [61, 69]));
/** C08, an incorrect identification of a foreign receiving bank, is for IAT entries only. */
export const iatChangeCodes: ReadonlySet<string> = new Set([...changeCodes, 'C08']);
/** With which a notification of change is refused. */
export const refusalCodes: ReadonlySet<string> = new Set(numbered('C', [61, 69]));

/** PAY is not of the Rules, but comes from the Federal Reserve. */
export const transactionTypeCodes: ReadonlySet<string> = new Set(
  'ANN BUS DEP LOA MIS MOR PAY PEN REM RLS SAL TAX ARC BOC IAT MTE POP POS RCK SHR TEL WEB'.split(' '),
);

export const cardTransactionTypes: ReadonlySet<string> = new Set('01 02 03 11 12 13 21 99'.split(' '));

/** States, the District of Columbia and territories (USPS). */
export const states: ReadonlySet<string> = new Set(
  (
    'AL AK AS AZ AR CA CO CT DE DC FL FM GA GU HI ID IL IN IA KS KY LA ME MD MA MH MI MN MO MP MS MT NC ND NE NH NJ NM NV NY OH OK OR ' +
    'PA PR PW RI SC SD TN TX UM UT VA VI VT WA WI WV WY'
  ).split(' '),
);
