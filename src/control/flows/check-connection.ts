/** What a Connection's keys must be together. Addresses are judged when they are connected to, by the connector. */
import type { Connection } from './definition.ts';
import type { Report } from './diagnostics.ts';
import { flowErrors } from './flow-errors.ts';

export function checkConnection({ spec }: Connection, report: Report): void {
  if (spec.type !== 'http') return;
  const path = ['spec', 'baseUrl'];
  const refuse = (message: string): void => report.add({ code: flowErrors.E_CONFIG_VALUE, path, message, atValue: true });
  const url = URL.parse(spec.baseUrl);
  if (url === null) refuse('baseUrl is no address');
  else if (url.username !== '' || url.password !== '') {
    report.add({ code: flowErrors.E_SECRET_INLINE, path, message: 'baseUrl holds a user or password; use auth', atValue: true });
  } else if (url.search !== '' || url.hash !== '') refuse('baseUrl must not hold a query or fragment');
  if (
    spec.auth.type === 'header' &&
    /^(host|content-(length|type)|accept-encoding|transfer-encoding|connection|idempotency-key|traceparent|tracestate|headgate-.*)$/i.test(
      spec.auth.name,
    )
  ) {
    report.add({
      code: flowErrors.E_CONFIG_VALUE,
      path: ['spec', 'auth', 'name'],
      message: 'this header is set by the product',
      atValue: true,
    });
  }
}
