/** A served tenant with users of the SFTP server, and a client that does what it is told, also what no good client does. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import ssh2, { type Client, type SFTPWrapper } from 'ssh2';
import { onTestFinished, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow } from '../../../../test/support/running-server.ts';
import { makeEd25519Key } from '../../../platform/sftp/new-keys.ts';

export interface Partner {
  readonly user: string;
  readonly key: { readonly privateKey: string; readonly publicKey: string };
}

export function makeKey(type: 'ed25519' | 'ecdsa' | 'rsa' = 'ed25519'): Partner['key'] {
  if (type === 'ed25519') return makeEd25519Key();
  const made = ssh2.utils.generateKeyPairSync(type, { bits: type === 'rsa' ? 2048 : 256 } as never);
  return { privateKey: made.private, publicKey: made.public.trim() };
}

export const partnerConnection = (name: string, key: Partner['key'], more = '') => `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: ${name} }
spec: { type: sftp-server, publicKeys: ["${key.publicKey}"]${more} }
`;

/** A flow of the tenant's that takes the files of a folder of the user. */
export function partnerFlow(options: {
  readonly out: string;
  readonly user: string;
  readonly folder?: string;
  readonly more?: string;
}): string[] {
  const { out, user, folder = 'payments', more = '' } = options;
  const [connection, flow] = testFlow({ root: out, name: folder });
  return [connection!, flow!.replace('type: http', `type: sftp-server, connection: ${user}, folder: ${folder}${more}`)];
}

export interface PartnerOptions {
  readonly user?: string;
  readonly folder?: string;
  /** Of the connection. */
  readonly limits?: string;
  /** Of the source. */
  readonly source?: string;
}

export async function addPartner(server: RunningTestServer, tenant: TestTenant, options: PartnerOptions = {}): Promise<Partner> {
  const { user = 'partner', folder, limits, source } = options;
  const key = makeKey();
  await tenant.apply(partnerConnection(user, key, limits), ...partnerFlow({ out: server.out, user, folder, more: source }));
  return { user: `${tenant.name}.${user}`, key };
}

export interface ServedPartner {
  readonly database: TestDatabase;
  readonly server: RunningTestServer;
  readonly bank: TestTenant;
  readonly partner: Partner;
  stop(): Promise<void>;
}

/** A server of its own with one tenant and one user; `beforeAll` gives back `stop`. */
export async function servePartner(tenant: string): Promise<ServedPartner> {
  const database = await createTestDatabase();
  const server = await startTestServer(database, { roles: 'api,sftp', sftpPort: '0' });
  const bank = await server.tenant(tenant);
  const stop = async () => {
    await server.stop();
    await database.drop();
  };
  return { database, server, bank, partner: await addPartner(server, bank), stop };
}

export interface Answered<Value = void> {
  readonly value: Value;
  /** Null: OK. */
  readonly refusal: { readonly status: number; readonly message: string } | null;
}

export class PartnerSession {
  readonly client: Client;
  readonly sftp: SFTPWrapper;
  readonly closed: Promise<unknown>;

  constructor(client: Client, sftp: SFTPWrapper) {
    this.client = client;
    this.sftp = sftp;
    this.closed = once(client, 'close');
  }

  ask<Value>(work: (done: (error: unknown, value?: Value) => void) => void): Promise<Answered<Value>> {
    return new Promise((resolve) => {
      work((error, value) => {
        const { code, message } = (error ?? {}) as { code?: number; message?: string };
        resolve({ value: value as Value, refusal: error ? { status: code ?? -1, message: message ?? '' } : null });
      });
    });
  }

  open(path: string, flags: 'w' | 'r' | 'a' = 'w'): Promise<Answered<Buffer>> {
    return this.ask((done) => this.sftp.open(path, flags, done));
  }

  write(handle: Buffer, offset: number, bytes: Uint8Array): Promise<Answered> {
    return this.ask((done) => this.sftp.write(handle, Buffer.from(bytes), 0, bytes.length, offset, done));
  }

  close(handle: Buffer): Promise<Answered> {
    return this.ask((done) => this.sftp.close(handle, done));
  }

  /** Opened, written from start to end, closed: the first refusal counts. */
  async put(path: string, content: string | Uint8Array): Promise<Answered['refusal']> {
    const opened = await this.open(path);
    if (opened.refusal) return opened.refusal;
    const bytes = Buffer.from(content as string);
    for (let at = 0; at < bytes.length; at += 32_768) {
      const { refusal } = await this.write(opened.value, at, bytes.subarray(at, at + 32_768));
      if (refusal) return refusal;
    }
    return (await this.close(opened.value)).refusal;
  }

  async names(path: string): Promise<string[]> {
    const { value, refusal } = await this.ask<{ filename: string }[]>((done) => this.sftp.readdir(path, done as never));
    if (refusal) throw new Error(refusal.message);
    return value.map(({ filename }) => filename).sort();
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  async receipt(path: string): Promise<any> {
    const { value, refusal } = await this.ask<Buffer>((done) => this.sftp.readFile(path, done as never));
    if (refusal) throw new Error(refusal.message);
    return JSON.parse(value.toString('utf8'));
  }

  end(): void {
    this.client.end();
  }
}

/** Rejects when it is not let in. */
export async function connect(server: RunningTestServer, partner: Partner, more: Record<string, unknown> = {}): Promise<PartnerSession> {
  const client = await connectClient(server, partner, more);
  return new Promise((resolve, reject) => {
    client.sftp((error, sftp) => {
      if (error) reject(error);
      else resolve(new PartnerSession(client, sftp));
    });
  });
}

export async function connectClient(server: RunningTestServer, partner: Partner, more: Record<string, unknown> = {}): Promise<Client> {
  const client = new ssh2.Client();
  onTestFinished(() => void client.destroy());
  await new Promise<void>((resolve, reject) => {
    client.on('ready', resolve).on('error', reject);
    client.on('close', () => reject(new Error('closed before it was ready')));
    const sock = createConnection({ host: '127.0.0.1', port: server.sftpPort!, noDelay: true });
    client.connect({ sock, username: partner.user, privateKey: partner.key.privateKey, ...more });
  });
  return client;
}

export async function arrivalsOf(
  server: RunningTestServer,
  tenant: TestTenant,
): Promise<{ name: string; state: string; source: string }[]> {
  return (await server.request('/v1/arrivals', { key: tenant.key })).json.items;
}

/** What the database says is asked until it says so. */
export function until(check: () => Promise<boolean>): Promise<boolean> {
  return vi.waitUntil(check, { timeout: 60_000, interval: 30 });
}
