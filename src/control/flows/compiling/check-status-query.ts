/** What the status query of an http target must be together: it names what is asked for, and something says that it is not there. */
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import type { HttpStatusDefinition } from '../http-definition.ts';

/** Keys that could not be read are undefined. */
export function checkStatusQuery(status: HttpStatusDefinition, mode: 'batch' | 'single', path: Path, report: Report): void {
  const { field, acked = [], absent = [], absentStatus = [] } = status;
  const refuse = (key: string | null, code: string, message: string): void =>
    report.add({ code, path: key === null ? path : [...path, key], message, ...(key === 'path' ? { atValue: true } : {}) });
  if (status.path !== undefined) {
    const names = [...status.path.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1]!);
    const other = names.find((name) => name !== 'key' && name !== 'batchId');
    if (other !== undefined) refuse('path', flowErrors.E_CONFIG_REFERENCE, `no placeholder {${other}}; there are key, batchId`);
    else if (/[{}]/.test(status.path.replace(/\{[^{}]*\}/g, ''))) refuse('path', flowErrors.E_CONFIG_VALUE, 'a brace is not closed');
    else if (mode === 'single' && !names.includes('key'))
      refuse('path', flowErrors.E_CONFIG_CONFLICT, 'the path needs {key}: in mode single each record is asked for by its own');
    else if (names.length === 0) refuse('path', flowErrors.E_CONFIG_CONFLICT, 'the path needs {key} or {batchId}: what is asked for');
  }
  if (field !== undefined && acked.length === 0)
    refuse(null, flowErrors.E_CONFIG_KEY, 'acked is missing: the values of the field that say that the service has it');
  if (field === undefined && acked.length + absent.length > 0)
    refuse(null, flowErrors.E_CONFIG_KEY, 'field is missing: the member of the answer that has the values');
  if (absent.length + absentStatus.length === 0)
    refuse(
      null,
      flowErrors.E_CONFIG_KEY,
      'absent or absentStatus is missing: without them nothing says that the service has nothing of it',
    );
  const both = acked.find((value) => absent.includes(value));
  if (both !== undefined)
    refuse('absent', flowErrors.E_CONFIG_CONFLICT, 'a value says both that the service has it and that it has nothing of it');
}
