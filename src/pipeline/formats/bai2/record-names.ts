/** By record code: how findings name the record. */
export const recordNames: Readonly<Record<number, string>> = {
  1: 'fileHeader',
  2: 'groupHeader',
  3: 'account',
  16: 'detail',
  49: 'accountTrailer',
  98: 'groupTrailer',
  99: 'fileTrailer',
};
