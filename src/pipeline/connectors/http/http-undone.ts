/**
 * Server errors by which a service, or what stands before it, says that it did nothing of what was asked (RFC 9110, section 15.6;
 * RFC 2295, section 8.1; RFC 4918, section 11.5; RFC 5842, section 7.2; RFC 2774, section 7; RFC 6585, section 6). With any other one it may
 * have stored the records and failed after that.
 */
const undoneStatuses: readonly number[] = [501, 503, 505, 506, 507, 508, 510, 511];

/** Whether the service may have the records behind a status of 500 or more. */
export function mayBeStored(status: number): boolean {
  return status >= 500 && !undoneStatuses.includes(status);
}
