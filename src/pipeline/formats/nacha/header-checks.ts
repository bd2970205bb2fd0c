/** What the headers of a file and of its batches have to hold, beyond what their layouts say. */
import { countries } from '../../engine/reference-data/countries.ts';
import { currencyMinorUnits } from '../../engine/reference-data/currencies.ts';
import type { RecordLayout } from './field-layouts.ts';
import type { Findings, RecordPlace } from './findings.ts';
import type { NachaSettings } from './nacha-settings.ts';
import type { BatchHeaderValues, BatchKind } from './open-batch.ts';
import type { RecordView } from './record-view.ts';
import { isRoutingNumber, withoutLeadingZero } from './routing-number.ts';
import { iatNotificationClass, type SecClass, secClasses, unknownSecClass } from './sec-classes.ts';

export function checkFileHeader(view: RecordView, settings: NachaSettings, findings: Findings): void {
  const priority = view.fieldText('priorityCode');
  if (priority !== '01') findings.field('priority-code', view, 'priorityCode', 'it is not 01');
  const destination = view.fieldText('immediateDestination').trim();
  if (/^0+$/.test(destination)) findings.field('immediate-destination', view, 'immediateDestination', 'it is zero');
  else if (destination !== '' && !isRoutingNumber(withoutLeadingZero(destination)))
    findings.field('immediate-destination', view, 'immediateDestination', 'it is no routing number with a valid check digit');
  const origin = view.fieldText('immediateOrigin').trim();
  if (/^0+$/.test(origin)) findings.field('immediate-origin', view, 'immediateOrigin', 'it is zero');
  else if (settings.originIsRoutingNumber && !isRoutingNumber(withoutLeadingZero(origin)))
    findings.field('immediate-origin', view, 'immediateOrigin', 'it is no routing number with a valid check digit');
  if (!/^[A-Z0-9 ]$/.test(view.fieldText('fileIDModifier')))
    findings.field('file-id-modifier', view, 'fileIDModifier', 'it is neither an upper-case letter nor a digit');
}

/** In columns 51 to 53 of every batch header; and IATCOR, which begins its second field, where it is one of IAT. */
export function batchKind(view: RecordView): BatchKind {
  const sec = view.text(50, 3);
  if (sec === 'IAT' || view.text(4, 16).trim() === 'IATCOR') return 'iat';
  return sec === 'ADV' ? 'adv' : 'standard';
}

const serviceClasses: ReadonlySet<number> = new Set([200, 220, 225, 280]);

export function readBatchHeader(view: RecordView, kind: BatchKind, findings: Findings): BatchHeaderValues {
  const sec = readClass(view, findings);
  const number = (name: string) => (view.isReadable(name) ? view.fieldNumber(name) : Number.NaN);
  const description = view.fieldText('companyEntryDescription').trim().toUpperCase();
  const values: BatchHeaderValues = {
    place: keptPlace(view, view.layout!),
    sec,
    kind,
    serviceClass: number('serviceClassCode'),
    companyIdentification: kind === 'iat' ? '' : view.fieldText('companyIdentification').trim(),
    odfi: number('ODFIIdentification'),
    batchNumber: number('batchNumber'),
    originatorStatus: number('originatorStatusCode'),
    isPrenotification: description === 'PRENOTE',
    isReversal: description === 'REVERSAL',
  };
  checkServiceClass(view, values, findings);
  checkDescription(view, values, findings);
  const { originatorStatus } = values;
  const isAllowed = kind === 'adv' ? originatorStatus === 0 : originatorStatus <= 2 && (originatorStatus > 0 || kind === 'iat');
  if (!Number.isNaN(originatorStatus) && !isAllowed)
    findings.field('originator-status', view, 'originatorStatusCode', `the code is ${originatorStatus}`);
  if (kind === 'iat') checkIatHeader(view, findings);
  else for (const name of ['companyName', 'companyIdentification']) refuseZeros(view, name, findings);
  refuseZeros(view, 'companyEntryDescription', findings);
  return values;
}

function readClass(view: RecordView, findings: Findings): SecClass {
  const code = view.fieldText('standardEntryClassCode');
  if (view.layout!.name === 'IATBatchHeader' && code !== 'IAT') {
    if (code !== 'COR') findings.field('iat-noc', view, 'standardEntryClassCode', 'the class is not COR, but the indicator is IATCOR');
    return iatNotificationClass;
  }
  const sec = secClasses.get(code);
  if (sec !== undefined) return sec;
  findings.field('sec-code', view, 'standardEntryClassCode', 'it is no standard entry class code');
  return unknownSecClass;
}

/** A reversal is of the class of what it reverses, but of the other side. */
function checkServiceClass(view: RecordView, { serviceClass, sec, isReversal }: BatchHeaderValues, findings: Findings): void {
  if (Number.isNaN(serviceClass)) return;
  if (!serviceClasses.has(serviceClass))
    findings.field('service-class', view, 'serviceClassCode', `the code is ${serviceClass}, not 200, 220, 225 or 280`);
  else if (sec.refusedServiceClasses.includes(serviceClass) && !(isReversal && sec.side !== null && serviceClass !== 280))
    findings.field('service-class-sec', view, 'serviceClassCode', `service class ${serviceClass} does not fit ${sec.code} entries`);
}

/** REVERSAL comes in place of the description that the class asks for, where there is an amount to reverse. */
function checkDescription(view: RecordView, { sec, isReversal }: BatchHeaderValues, findings: Findings): void {
  const { code, description, amount } = sec;
  if (isReversal && amount !== 'zero') return;
  if (description !== null && view.fieldText('companyEntryDescription').trim() !== description)
    findings.field('company-description', view, 'companyEntryDescription', `it is not ${description}, as ${code} asks for`);
}

function refuseZeros(view: RecordView, name: string, findings: Findings): void {
  const { at, length } = view.field(name);
  if (view.isNothing(at, length) && !view.isBlank(at, length)) findings.field('field-zeros', view, name, 'it is zero');
}

function checkIatHeader(view: RecordView, findings: Findings): void {
  if (!['', 'IATCOR'].includes(view.fieldText('IATIndicator').trim()))
    findings.field('reserved', view, 'IATIndicator', 'it is neither blank nor IATCOR');
  const exchange = view.fieldText('foreignExchangeIndicator');
  if (!['FF', 'FV', 'VF'].includes(exchange))
    findings.field('foreign-exchange-indicator', view, 'foreignExchangeIndicator', 'it is not FF, FV or VF');
  const reference = view.fieldText('foreignExchangeReferenceIndicator');
  if (!/^[123]$/.test(reference) && !(exchange === 'FF' && /^[0 ]$/.test(reference)))
    findings.field('foreign-exchange-reference', view, 'foreignExchangeReferenceIndicator', 'it is not 1, 2 or 3');
  if (!countries.has(view.fieldText('ISODestinationCountryCode')))
    findings.field('country', view, 'ISODestinationCountryCode', 'it is no country code of ISO 3166-1');
  for (const name of ['ISOOriginatingCurrencyCode', 'ISODestinationCurrencyCode'])
    if (!currencyMinorUnits.has(view.fieldText(name))) findings.field('currency', view, name, 'it is no currency code of ISO 4217');
}

/** A copy of the place of a view, which moves on. */
export function keptPlace({ line, offset, length, wideColumns }: RecordPlace, layout: RecordLayout): RecordPlace {
  return { line, offset, length, layout, wideColumns };
}
