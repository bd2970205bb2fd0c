/** What a file as a whole comes to, and why. */
export type Verdict = 'accepted' | 'partial' | 'held' | 'rejected';

/** Why a file is held or rejected. */
export interface FileReason {
  readonly verdict: 'held' | 'rejected';
  readonly code: string;
  readonly rule: string | null;
  readonly message: string;
}
