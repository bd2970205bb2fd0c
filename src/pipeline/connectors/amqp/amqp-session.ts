/** What the two protocols have in common for a target: a connection to one queue that takes messages and says what became of each. */
import type { HeadgateError } from '../../../platform/base/errors.ts';

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
 * may take it later. `unroutable`: there is no such queue any more, or it is not for this message. Only after `taken` has the
 * broker anything of it.
 */
export type AmqpVerdict = 'taken' | 'full' | 'unprocessed' | 'unroutable';

/** The session ended while the message was still in this process: the broker cannot have it. */
export class MessageUnsent extends Error {
  readonly reason: HeadgateError;

  constructor(reason: HeadgateError) {
    super('the message never left this process');
    this.reason = reason;
  }
}

export interface AmqpSession {
  /** It has ended, or is about to. */
  readonly isBroken: boolean;
  /** The largest body the broker says it takes. */
  readonly bodyBytesMax: number;
  /** The broker takes nothing for now: it is short of memory or disk. */
  readonly isBlocked: boolean;
  /** Resolves when the broker takes a message now. Rejects with a HeadgateError where the session ends first or the user may not write. */
  ready(): Promise<void>;
  /**
   * Whether the broker takes messages now, without waiting until it does. Rejects with a HeadgateError where the user may not
   * write to the queue; leaves nothing at the broker.
   */
  tryWriting(): Promise<boolean>;
  /**
   * After `ready`. Rejects with a HeadgateError when the session ends before the broker says what became of it: nobody knows
   * then; with MessageUnsent when it ends before the message has left; with E_TARGET_RECORD when it was ended over one of the
   * messages under way, of which the broker has nothing.
   */
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
