/** What the keys of an http Connection must be together: addresses without secrets in them, headers that are free to be set. */
import { checkAddress } from './check-address.ts';
import type { Path, Report } from './documents/diagnostics.ts';
import { flowErrors } from './flow-errors.ts';
import type { HttpConnection } from './http-definition.ts';

/** Set by the product, or by what carries the request. */
const ownHeaders =
  /^(host|content-(length|type|digest)|accept-encoding|transfer-encoding|connection|idempotency-key|traceparent|tracestate|signature(-input)?|headgate-.*)$/i;

/** Keys that could not be read are undefined, and not looked at. */
export function checkHttp({ baseUrl, auth, signature, clientCertificate, clientKey }: HttpConnection, report: Report): void {
  if (baseUrl !== undefined) checkAddress({ path: ['spec', 'baseUrl'], address: baseUrl, instead: 'use auth' }, report);
  if (auth?.type === 'oauth2' && auth.tokenUrl !== undefined)
    checkAddress({ path: ['spec', 'auth', 'tokenUrl'], address: auth.tokenUrl, instead: 'use auth' }, report);
  if (auth?.type === 'header' && auth.name !== undefined) checkHeader(auth.name, ['spec', 'auth', 'name'], report);
  const names = (['signatureHeader', 'timestampHeader', 'keyIdHeader'] as const).filter((key) => signature?.[key] !== undefined);
  for (const key of names) {
    const path = ['spec', 'signature', key];
    if (signature!.scheme === 'message-signature')
      report.add({ code: flowErrors.E_CONFIG_CONFLICT, path, message: `${key} is for scheme timestamp; RFC 9421 has names of its own` });
    else checkHeader(signature![key]!, path, report);
    const other = names.find((name) => name < key && signature![name]!.toLowerCase() === signature![key]!.toLowerCase());
    if (other !== undefined)
      report.add({ code: flowErrors.E_CONFIG_DUPLICATE, path, message: `${key} and ${other} are one header`, atValue: true });
  }
  if ((clientCertificate === undefined) !== (clientKey === undefined))
    report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: ['spec'], message: 'clientCertificate and clientKey go together' });
}

function checkHeader(name: string, path: Path, report: Report): void {
  if (!ownHeaders.test(name)) return;
  report.add({ code: flowErrors.E_CONFIG_VALUE, path, message: 'this header is set by the product', atValue: true });
}
