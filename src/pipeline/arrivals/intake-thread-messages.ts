/** What the event loop and the intake thread say to each other. Plain data; every call has one answer, in the order of its file. */
import type { MasterKey } from '../../platform/storage/data-keys.ts';
import type { PackMember } from '../../platform/storage/object-store.ts';
import type { RawStorePlace } from '../../platform/storage/raw-store.ts';
import type { ReceiveRequest } from './intake-store.ts';

export interface IntakeThreadData extends RawStorePlace {
  readonly cell: string;
  readonly masterKeys: readonly MasterKey[];
  /** Address of a module that exports `formats` and `packs`. */
  readonly formatsUrl: string;
}

export type IntakeCall =
  | { readonly kind: 'open'; readonly file: number; readonly request: ReceiveRequest }
  | { readonly kind: 'push'; readonly file: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end'; readonly file: number }
  | { readonly kind: 'abort'; readonly file: number }
  | { readonly kind: 'pack'; readonly tenantId: string; readonly packId: string; readonly members: readonly PackMember[] };

export interface NumberedCall {
  readonly id: number;
  readonly call: IntakeCall;
}

export type IntakeAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: { readonly code: string | null; readonly message: string; readonly isRetryable: boolean } };
