/**
 * A bank's service as a process of its own: an HTTPS server for payments that looks at tokens, client certificates and signatures,
 * a token endpoint, and a status query, with a journal of what it took. What it wants can be changed while it runs.
 */
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { freePort, startChildServer } from './child-server.ts';
import { selfSignedCertificate } from './self-signed-certificate.ts';

/** What it wants and how it answers, from the next request on. */
export interface BankSettings {
  /** Of the client `headgate`; any of them is taken. Null: payments need no token. */
  readonly clientSecrets: readonly string[] | null;
  readonly tokenLifetimeS: number;
  /** In place of a token. */
  readonly tokenAnswer: { readonly status: number; readonly headers?: Record<string, string>; readonly body: string } | null;
  /** PEM of certificates of clients that are let in; null: none is asked for. New connections. */
  readonly clientCertificates: readonly string[] | null;
  /** By key id. Null: no signatures are looked at. */
  readonly signingSecrets: Readonly<Record<string, string>> | null;
  /** Of what it has: `done`, `pending`; of what it has not: 404. */
  readonly statusOfTaken: 'done' | 'pending';
  /** Forgets every token that it gave. */
  readonly revokeTokens: boolean;
}

export interface BankJournal {
  /** What was taken, once for each key. */
  readonly taken: readonly {
    readonly key: string;
    readonly body: string;
    readonly client: string | null;
    readonly signature: string | null;
  }[];
  /** Requests for payments, whatever became of them: their status. */
  readonly payments: readonly number[];
  readonly tokens: readonly { readonly status: number; readonly secret: string }[];
  readonly asked: readonly string[];
}

export const bankHost = 'api.bank.example';

export async function startBankService() {
  const pair = selfSignedCertificate(bankHost);
  const [port, adminPort] = [await freePort(), await freePort()];
  const child = await startChildServer({
    command: process.execPath,
    args: [fileURLToPath(new URL('./bank-service-process.ts', import.meta.url)), String(port), String(adminPort)],
    env: { BANK_KEY: pair.key, BANK_CERTIFICATE: pair.certificate },
    ready: /bank service is ready/,
    readyMsMax: 60_000,
  });
  onTestFinished(() => child.kill());
  const admin = `http://127.0.0.1:${adminPort}`;
  return {
    port,
    baseUrl: `https://${bankHost}:${port}/v1`,
    tokenUrl: `https://${bankHost}:${port}/oauth2/token`,
    /** PEM: it is its own authority. */
    certificate: pair.certificate,
    async change(settings: Partial<BankSettings>): Promise<void> {
      const answer = await fetch(`${admin}/settings`, { method: 'PUT', body: JSON.stringify(settings) });
      if (!answer.ok) throw new Error(`the bank service refused its settings: ${answer.status}`);
    },
    journal: async () => (await (await fetch(`${admin}/journal`)).json()) as BankJournal,
  };
}
