/** How much of a field people see: what the flow says, or more where the tenant's policy masks its class more. */
import type { FieldPlan } from '../../../pipeline/engine/plan.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { findTenantPolicy } from '../../flows/applying/definition-store.ts';

type Mask = FieldPlan['mask'];
/** By class of field. */
export type MaskingFloors = Readonly<Record<string, Mask>>;

const strength: Readonly<Record<Mask, number>> = { none: 0, last4: 1, all: 2 };

export async function maskingFloors(tx: TenantTx): Promise<MaskingFloors> {
  const policy = await findTenantPolicy(tx);
  return (policy?.document as { spec?: { masking?: MaskingFloors } } | undefined)?.spec?.masking ?? {};
}

function maskOf(field: FieldPlan, floors: MaskingFloors): Mask {
  const floor = (field.class !== null && floors[field.class]) || 'none';
  return strength[floor] > strength[field.mask] ? floor : field.mask;
}

export function isMasked(field: FieldPlan, floors: MaskingFloors): boolean {
  return maskOf(field, floors) !== 'none';
}

/** `A12-x` as `A99-a`: how a text is written, not what it says. */
export function formOf(text: string): string {
  return text
    .replace(/\p{Lu}/gu, 'A')
    .replace(/(?!A)\p{L}/gu, 'a')
    .replace(/\p{N}/gu, '9');
}

/** Whether `field` shows more of itself than `other` does. */
export function isMaskedLess(field: FieldPlan, other: FieldPlan, floors: MaskingFloors): boolean {
  return strength[maskOf(field, floors)] < strength[maskOf(other, floors)];
}

export function masked(field: FieldPlan, text: string | null, floors: MaskingFloors): string | null {
  const mask = maskOf(field, floors);
  if (text === null || mask === 'none') return text;
  const characters = [...text];
  if (mask === 'all' || characters.length <= 4) return '*'.repeat(Math.min(8, characters.length));
  return `${'*'.repeat(characters.length - 4)}${characters.slice(-4).join('')}`;
}
