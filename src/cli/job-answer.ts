/** What commands that wait for a job read of it. */
export interface JobAnswer {
  readonly jobId: string;
  readonly flow: string;
  readonly file: string;
  readonly state: string;
  /** Why it stands so, in words. */
  readonly reason: string | null;
  readonly records: { readonly read: number; readonly valid: number; readonly rejected: number; readonly filtered: number };
  readonly closedAt: string | null;
  readonly targets: Readonly<Record<string, { readonly parked: number; readonly behindParked: number; readonly inFlight: number }>>;
}
