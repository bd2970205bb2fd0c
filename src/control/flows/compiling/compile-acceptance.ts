/** From `acceptance` to the Plan's, and what it excludes elsewhere in the flow. */
import { parseDecimal } from '../../../pipeline/engine/expressions/values.ts';
import type { AcceptancePlan, RecordPlan } from '../../../pipeline/engine/plan.ts';
import type { FlowSpec } from '../definition.ts';
import type { Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { currencyFault } from './summed-currencies.ts';

const limitKeys = ['maxInvalid', 'maxInvalidRatio', 'maxInvalidAmount'] as const;

export function compileAcceptance(spec: FlowSpec, records: readonly RecordPlan[], report: Report): AcceptancePlan {
  const { acceptance } = spec;
  const path = ['spec', 'acceptance'];
  const conflict = (key: string, message: string): void =>
    report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, key], message });
  const limits = limitKeys.filter((key) => acceptance[key] !== undefined);
  if (acceptance.mode === 'all-or-nothing') {
    for (const key of limits) conflict(key, `${key} is for mode partial; all-or-nothing allows no rejected record`);
  }
  checkAmounts(acceptance.maxInvalidAmount ?? {}, records, report);
  return {
    release: acceptance.release,
    mode: acceptance.mode,
    maxInvalid: acceptance.maxInvalid ?? null,
    maxInvalidRatio: acceptance.maxInvalidRatio ?? null,
    maxInvalidAmount: acceptance.maxInvalidAmount ?? null,
    onExceed: acceptance.onExceed,
    emptyFile: acceptance.emptyFile,
    ...(acceptance.onDamage === 'reject' ? { onDamage: 'reject' } : {}),
  };
}

function checkAmounts(amounts: Readonly<Record<string, string>>, records: readonly RecordPlan[], report: Report): void {
  const path = ['spec', 'acceptance', 'maxInvalidAmount'];
  const sums = records.flatMap((record) => record.fields).filter((field) => field.sum);
  if (Object.keys(amounts).length > 0 && sums.length === 0) {
    report.add({ code: flowErrors.E_CONFIG_CONFLICT, path, message: 'maxInvalidAmount needs a field with sum: true' });
  }
  if (Object.keys(amounts).length > 0 && sums.length > 0 && sums.every((field) => field.currencyField === null)) {
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path,
      message: 'maxInvalidAmount is by currency; the summed field names no currency field',
    });
  }
  const faults = (currency: string) =>
    sums.filter((field) => field.currencyField !== null).map(({ name }) => currencyFault(currency, name, records));
  for (const [currency, amount] of Object.entries(amounts)) {
    const fault = faults(currency);
    if (fault.length > 0 && !fault.includes(null))
      report.add({ code: flowErrors.E_CONFIG_REFERENCE, path: [...path, currency], message: fault[0]! });
    if (!isAmount(amount))
      report.add({
        code: flowErrors.E_CONFIG_VALUE,
        path: [...path, currency],
        message: `${currency} must be an amount such as "100000.00"`,
        atValue: true,
      });
  }
}

function isAmount(text: string): boolean {
  try {
    return parseDecimal(text).unscaled >= 0n;
  } catch {
    return false;
  }
}
