/** Every decision of a person needs a reason in words; it is kept with what was decided. */
import { HeadgateError } from '../base/errors.ts';
import { accessErrors } from './access-errors.ts';

export const reasonMax = 500;

/** The reason without spaces around it. Fails with E_REASON_REQUIRED. */
export function checkReason(reason: string): string {
  const text = reason.trim();
  if (text === '' || reason.length > reasonMax)
    throw new HeadgateError(accessErrors.E_REASON_REQUIRED, `a decision needs a reason of 1 to ${reasonMax} characters`);
  return text;
}
