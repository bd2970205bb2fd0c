/**
 * The codes of the set ExternalStatusReason1Code (ISO 20022 External Code Sets), which an author may give a rule of a flow. One that is
 * missing here is told in words. By their first two characters, where they have the form of most.
 */
const numbered: Readonly<Record<string, string>> = {
  AB: '01 02 03 04 05 06 07 08 09 10 11',
  AC: '01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16',
  AG: '01 02 03 04 05 06 07 08 09 10 11 12 13',
  AM: '01 02 03 04 05 06 07 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23',
  BE: '01 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23',
  CH: '03 04 07 09 10 11 12 13 14 15 16 17 19 20 21 22',
  CN: '01',
  DC: '02',
  DS: '01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 0G 0H 0K 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27',
  DT: '01 02 03 04 05 06',
  DU: '01 02 03 04 05',
  ED: '01 03 05 06',
  FF: '01 02 03 04 05 06 07 08 09 10 11 12 13',
  FR: '01',
  G0: '00 01 02 03 04 05 06',
  ID: '01',
  MD: '01 02 05 06 07',
  MS: '02 03',
  RC: '01 02 03 04 05 06 07 08 09 10 11 12',
  RF: '01',
  RR: '01 02 03 04 05 06 07 08 09 10 11 12',
  S0: '00 01 02 03 04',
  SL: '01 02 03 11 12 13 14',
  TA: '01',
  TD: '01 02 03',
  TK: '01 02 03 09',
  TM: '01',
  TS: '01 04',
};
const named =
  'AGNT ALAC CERI CHQC CNOR CURR CUST DNOR DUPL ERIN FOCR FRAD NARR NERI NOAS NOCM RCON RECI RUTA TKCM TKSG TKSP TKVE TKXP UPAY';

export const statusReasons: ReadonlySet<string> = new Set([
  ...Object.entries(numbered).flatMap(([start, ends]) => ends.split(' ').map((end) => start + end)),
  ...named.split(' '),
]);
