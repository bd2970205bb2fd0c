/**
 * Targets of a flow whose files can have the same names in one folder: what is written second is refused (E_TARGET_CONFLICT). A
 * warning, since routes may see to it that no input has records for both.
 */
import type { TargetPlan } from '../../../pipeline/engine/plan.ts';
import type { Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';

export function checkFileNames(targets: readonly TargetPlan[], report: Report): void {
  const first = new Map<string, string>();
  for (const target of targets) {
    const place = placeOf(target);
    if (place === null) continue;
    const other = first.get(place);
    if (other === undefined) first.set(place, target.id);
    else
      report.add({
        code: flowErrors.E_CONFIG_CONFLICT,
        path: ['spec', 'targets', target.id, 'name'],
        severity: 'warning',
        message: `files of ${other} and of ${target.id} have the same names in one folder, where none overwrites another: put {target} into them`,
      });
  }
}

/** The same where names are; null: no files, or names that tell targets apart. */
function placeOf({ type, connection, body, settings }: TargetPlan): string | null {
  const { name, path, encrypt } = settings;
  if (typeof name !== 'string' || name.includes('{target')) return null;
  return JSON.stringify([type, connection, path, name, name.includes('{extension') ? [body.format, encrypt === true] : null]);
}
