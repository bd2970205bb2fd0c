/**
 * ISO 4217: the codes in use and the digits of their minor unit; null where the standard gives none (metals, drawing
 * rights, XTS, XXX). Data only: who may use which code is a flow's `enum`.
 */

const byMinorUnits: readonly (readonly [number, string])[] = [
  [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
  [
    2,
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE ' +
      'CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK ' +
      'LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON ' +
      'RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST ' +
      'XAD XCD XCG YER ZAR ZMW ZWG',
  ],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
  [4, 'CLF UYW'],
];

/** Codes without minor units in the standard: metals, bond units, drawing rights, testing, no currency. */
const withoutMinorUnits = 'XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX';

/** Minor units by code; null where the standard has none. */
export const currencyMinorUnits: ReadonlyMap<string, number | null> = new Map<string, number | null>([
  ...byMinorUnits.flatMap(([units, codes]) => codes.split(' ').map((code): [string, number | null] => [code, units])),
  ...withoutMinorUnits.split(' ').map((code): [string, number | null] => [code, null]),
]);
