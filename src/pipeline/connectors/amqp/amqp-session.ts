/** What the two protocols have in common for a target: a connection to one queue that takes messages and says what became of each. */

export interface AmqpMessage {
  /** Names and values of printable ASCII. */
  readonly headers: Readonly<Record<string, string>>;
  /** The same over all attempts. */
  readonly messageId: string;
  readonly createdAt: Date;
  readonly body: Buffer;
}

/**
 * `taken`: the queue has it, durably. `full`: the queue took it not and may later. `unprocessed`: the broker gave it back and
 * may take it later. `unroutable`: there is no such queue any more, or it is not for this message. `forbidden`: the user may
 * not write to it. Only after `taken` has the broker anything of it.
 */
export type AmqpVerdict = 'taken' | 'full' | 'unprocessed' | 'unroutable' | 'forbidden';

export interface AmqpSession {
  /** It has ended, or is about to. */
  readonly isBroken: boolean;
  /** The largest body the broker says it takes. */
  readonly bodyBytesMax: number;
  /** Resolves when the broker takes a message now. Rejects as `publish` does. */
  ready(): Promise<void>;
  /** Rejects with a HeadgateError where the user may not write to the queue; leaves nothing at the broker. `probeId`: one of its own. */
  tryWriting(probeId: string): Promise<void>;
  /** Rejects with a HeadgateError when the session ends before the broker says what became of it: nobody knows then. */
  publish(message: AmqpMessage): Promise<AmqpVerdict>;
  /** At once and without a farewell: what waits for a confirm is rejected, and nothing that waits in this process is sent. */
  destroy(): void;
}

export interface AmqpLogin {
  /** An address that the guard let through. */
  readonly address: string;
  readonly password: string;
  /** PEM, or null for the public authorities. */
  readonly certificateAuthority: string | null;
}
