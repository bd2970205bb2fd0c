/**
 * Names of stored objects. They are generated, never taken from outside: `<cell>/<tenant>/<kind>/<time shard>/<objectId>[_label]`.
 * The alphabet has no dot, so a name can neither leave the store's folder nor meet the store's own `.incoming` folder.
 */
import { HeadgateError } from '../base/errors.ts';
import type { ObjectIdentity } from './object-store.ts';
import { storageErrors } from './storage-errors.ts';

const namePattern = /^[a-z0-9][a-z0-9_-]{0,127}(?:\/[a-z0-9][a-z0-9_-]{0,127}){0,7}$/;
const cellPattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const labelPattern = /^[a-z0-9][a-z0-9-]{0,79}$/;

/** Digits of a UUIDv7 that change every 17.5 minutes: a folder holds what was written together, and is fsynced hot. */
const shardDigits = 7;

/** Fails with E_OBJECT_NAME unless cell, tenant, id and label are of the generated kind. */
export function objectName(cell: string, identity: ObjectIdentity): string {
  const { tenantId, objectId, kind, label } = identity;
  if (
    !cellPattern.test(cell) ||
    !idPattern.test(tenantId) ||
    !idPattern.test(objectId) ||
    (label !== undefined && !labelPattern.test(label))
  ) {
    throw new HeadgateError(storageErrors.E_OBJECT_NAME, 'an object name was asked for with a part that is not a generated one');
  }
  const shard = objectId.replace('-', '').slice(0, shardDigits);
  return `${cell}/${tenantId}/${kind}/${shard}/${objectId}${label === undefined ? '' : `_${label}`}`;
}

/** Fails with E_OBJECT_NAME: the last wall between a name and the file system. */
export function assertObjectName(name: string): void {
  if (!namePattern.test(name)) throw new HeadgateError(storageErrors.E_OBJECT_NAME, 'an object name is not a generated one');
}

/** The same for the start of names, as `list` takes it; empty for everything. */
export function assertObjectPrefix(prefix: string): void {
  if (prefix !== '') assertObjectName(prefix);
}
