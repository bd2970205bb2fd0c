/**
 * Which values of a record are hashed: the business key first, then every `unique: file` field that is not the whole
 * business key itself. By record type, because types have their own fields. A unique field is the field of its name, of
 * whatever type: a business key of several names is looked up as one, and its fields are told apart when they are to be unique.
 */
import type { Plan, RecordPlan } from '../plan.ts';

export interface HashedKey {
  /** `key`, or the field's name. */
  readonly name: string;
  /** No two valid records of a file have the same, of whatever type. */
  readonly isUnique: boolean;
  /** Field indexes by record type; null where the type has no such key. */
  readonly fields: readonly (readonly number[] | null)[];
}

export function planHashedKeys(plan: Plan): readonly HashedKey[] {
  const data = plan.records.map((record) => (record.role === 'data' ? record : null));
  const keys: HashedKey[] = [];
  const businessKey = data.map((record) => (record !== null && record.key.length > 0 ? record.key : null));
  const isKeyUnique = isOneUniqueField(data);
  if (businessKey.some((fields) => fields !== null)) keys.push({ name: 'key', isUnique: isKeyUnique, fields: businessKey });
  const names = new Set(
    data.flatMap((record) => record?.fields.filter((field) => field.unique === 'file').map((field) => field.name) ?? []),
  );
  for (const name of names) {
    const fields = data.map((record) => {
      const index = record?.fields.findIndex((field) => field.name === name && field.unique === 'file') ?? -1;
      return index < 0 ? null : [index];
    });
    const isTheKey = isKeyUnique && keys.length > 0 && keys[0]!.name === 'key' && sameFields(fields, keys[0]!.fields);
    if (!isTheKey) keys.push({ name, isUnique: true, fields });
  }
  return keys;
}

/** Indexes of the keys by which repeats are found, each once: a business key is left to a unique field that more types have. */
export function uniqueKeys(keys: readonly HashedKey[]): readonly number[] {
  const isLeft = (key: HashedKey): boolean => keys.some((other) => other !== key && other.isUnique && holds(other.fields, key.fields));
  return keys.flatMap((key, index) => (key.isUnique && !isLeft(key) ? [index] : []));
}

function holds(fields: HashedKey['fields'], others: HashedKey['fields']): boolean {
  return others.every((other, type) => other === null || JSON.stringify(other) === JSON.stringify(fields[type]));
}

/** Each type that has a business key has the unique field of the same name for it. */
function isOneUniqueField(data: readonly (RecordPlan | null)[]): boolean {
  const keys = data.flatMap((record) =>
    record !== null && record.key.length > 0 ? [record.key.map((index) => record.fields[index]!)] : [],
  );
  return keys.every((fields) => fields.length === 1 && fields[0]!.unique === 'file' && fields[0]!.name === keys[0]![0]!.name);
}

function sameFields(left: HashedKey['fields'], right: HashedKey['fields']): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
