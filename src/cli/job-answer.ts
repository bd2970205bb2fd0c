/** What commands that wait for a job read of it. */
export interface JobAnswer {
  readonly jobId: string;
  readonly flow: string;
  readonly file: string;
  readonly state: string;
  /** Why it stands so, in words. */
  readonly reason: string | null;
  readonly next: string | null;
  /** What can be decided now. */
  readonly allowed: readonly string[];
  readonly records: { readonly read: number; readonly valid: number; readonly rejected: number; readonly filtered: number };
  readonly chunks: { readonly total: number; readonly done: number };
  readonly closedAt: string | null;
  readonly targets: Readonly<Record<string, TargetAnswer>>;
}

export interface TargetAnswer {
  readonly waitingForWindow: number;
  readonly windowEndsAt: string | null;
  readonly routed: number;
  readonly delivered: number;
  readonly held: number;
  readonly behindHeld: number;
  readonly behindJob: string | null;
  /** In flight, but waiting for the breaker of the target. */
  readonly parked: number;
  readonly inFlight: number;
  readonly lastRefusal: { readonly code: string; readonly message: string | null; readonly tries: number } | null;
}

/** What waits for the window of a target to end. */
export function windowsOf({ targets }: JobAnswer): string[] {
  return Object.entries(targets).flatMap(([target, { waitingForWindow, windowEndsAt }]) =>
    waitingForWindow > 0 && windowEndsAt !== null
      ? [`${waitingForWindow} for ${target} wait for its window, which ends at ${windowEndsAt}`]
      : [],
  );
}

/** What each target said last that is still being tried: `ledger: E_TARGET_BUSY (…), 3 tries`. */
export function refusalsOf({ targets }: JobAnswer): string[] {
  return Object.entries(targets).flatMap(([target, { lastRefusal }]) => {
    if (lastRefusal === null) return [];
    const { code, message, tries } = lastRefusal;
    return [`${target} said last ${code}${message ? ` (${message})` : ''}, ${tries} ${tries === 1 ? 'try' : 'tries'}`];
  });
}
