/** The partner of the demo's second tenant: brings files to Headgate's own SFTP server, with a key that is made for this run. */
import { readFileSync, writeFileSync } from 'node:fs';
import { loadSftpHostKey } from '../../pipeline/arrivals/sftp-server/sftp-host-key.ts';
import type { Settings } from '../../platform/base/settings-catalogue.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { readHostKeyPin } from '../../platform/sftp/host-keys.ts';
import { makeEd25519Key } from '../../platform/sftp/new-keys.ts';
import { openSftpSession } from '../../platform/sftp/sftp-session.ts';

export interface DemoPartner {
  /** As whom it logs in. */
  readonly user: string;
  readonly keyFile: string;
  /** The connection that lets it in. */
  readonly document: string;
}

/** On this machine only, at a port that is free. */
export const partnerSettings = { sftpHost: '127.0.0.1', sftpPort: 0, sftpHostKey: undefined } as const satisfies Partial<Settings>;

const timeoutMs = 10_000;

export function makePartner({
  tenant,
  name,
  keyFile,
}: {
  readonly tenant: string;
  readonly name: string;
  readonly keyFile: string;
}): DemoPartner {
  const { privateKey, publicKey } = makeEd25519Key();
  writeFileSync(keyFile, privateKey, { mode: 0o600 });
  const spec = `{ type: sftp-server, publicKeys: [${JSON.stringify(publicKey)}] }`;
  const document = `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: ${tenant}, name: ${name} }\nspec: ${spec}\n`;
  return { user: `${tenant}.${name}`, keyFile, document };
}

/** The server has accepted the file when this resolves. */
export async function bringBySftp(
  { user, keyFile }: DemoPartner,
  at: { readonly settings: Settings; readonly port: number },
  file: { readonly from: string; readonly to: string },
): Promise<void> {
  const { fingerprint } = loadSftpHostKey(at.settings, {}, systemPorts.rng);
  const session = await openSftpSession({
    addresses: [at.settings.sftpHost],
    port: at.port,
    user,
    hostKeys: [readHostKeyPin(fingerprint)!],
    credentials: { kind: 'key', privateKey: readFileSync(keyFile), passphrase: null },
    timeoutMs,
    ...systemPorts,
  });
  try {
    const upload = await session.create(Buffer.from(file.to));
    await upload.append(readFileSync(file.from));
    await upload.finish();
  } finally {
    session.end();
  }
}
