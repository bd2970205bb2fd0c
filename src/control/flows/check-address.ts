/** Addresses of services in documents: no secret, query or fragment in them. Where they lead is judged when they are connected to. */
import type { Path, Report } from './documents/diagnostics.ts';
import { flowErrors } from './flow-errors.ts';

/** `instead`: where a user and password belong. */
export function checkAddress(
  { path, address, instead }: { readonly path: Path; readonly address: string; readonly instead: string },
  report: Report,
): void {
  const key = path.at(-1);
  const refuse = (message: string): void => report.add({ code: flowErrors.E_CONFIG_VALUE, path, message, atValue: true });
  const url = URL.parse(address);
  if (url === null) refuse(`${key} is no address`);
  else if (url.username !== '' || url.password !== '') {
    report.add({ code: flowErrors.E_SECRET_INLINE, path, message: `${key} holds a user or password; ${instead}`, atValue: true });
  } else if (url.search !== '' || url.hash !== '') refuse(`${key} must not hold a query or fragment`);
}
