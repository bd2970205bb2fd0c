/** `maxAmount` of targets that hold files: the most of a summed field in one file, at the scale of its sums. */
import { planSums } from '../../../pipeline/engine/amount-totals.ts';
import { parseDecimal } from '../../../pipeline/engine/expressions/values.ts';
import type { RecordPlan, TargetPlan } from '../../../pipeline/engine/plan.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';
import type { OutputFileDefinition } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';

/** Undefined: there is none, or none that is sound. */
export function compileMaxAmount(
  maxAmount: OutputFileDefinition['maxAmount'],
  records: readonly RecordPlan[],
  path: Path,
  report: Report,
): TargetPlan['batchAmount'] {
  // What could not be read is undefined, and was reported.
  if (maxAmount?.field === undefined || maxAmount.value === undefined) return undefined;
  const { sums } = planSums({ records });
  const sum = sums.find(({ name }) => name === maxAmount.field);
  if (sum === undefined) {
    const names = sums.map(({ name }) => name);
    const nearest = nearestName(maxAmount.field, names);
    report.add({
      code: flowErrors.E_CONFIG_REFERENCE,
      path: [...path, 'maxAmount', 'field'],
      message: `no field ${maxAmount.field} with \`sum: true\`${nearest === null ? '' : `; did you mean ${nearest}?`}`,
      atValue: true,
    });
    return undefined;
  }
  const max = unscaledAt(maxAmount.value, sum.scale);
  if (max === null) {
    report.add({
      code: flowErrors.E_CONFIG_VALUE,
      path: [...path, 'maxAmount', 'value'],
      message: `value must be an amount above zero with at most ${sum.scale} digits behind the point, such as "1000000"`,
      atValue: true,
    });
    return undefined;
  }
  return { field: sum.name, max: String(max) };
}

function unscaledAt(text: string, scale: number): bigint | null {
  try {
    const value = parseDecimal(text);
    return value.unscaled > 0n && value.scale <= scale ? value.unscaled * 10n ** BigInt(scale - value.scale) : null;
  } catch {
    return null;
  }
}
