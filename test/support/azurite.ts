/** Microsoft's emulator of Azure Blob Storage, on a loopback port, in memory. Ask `itWith('azurite')` first. */
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import type { BlobServer } from './blob-server.ts';
import { freePort, startChildServer } from './child-server.ts';

/** `npm test` installs it beside the project's own packages (scripts/bring-emulators.ts). */
export const emulatorsFolder = join(import.meta.dirname, '../emulators');
export const azuriteProgram = join(emulatorsFolder, 'node_modules/azurite/dist/src/blob/main.js');

/** Known to everybody: the one account that the emulator has. */
const account = 'devstoreaccount1';
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const version = '2021-12-02';
const readyMsMax = 60_000;

/** Of the account: to read, write, create, delete and list its containers and what is in them. */
export function azuriteSasToken(expiresAt: Date): string {
  const fields = { sv: version, ss: 'b', srt: 'sco', sp: 'rwdlac', se: `${expiresAt.toISOString().slice(0, 19)}Z`, spr: 'https,http' };
  const signed = [account, fields.sp, fields.ss, fields.srt, '', fields.se, '', fields.spr, fields.sv, '', ''].join('\n');
  const sig = createHmac('sha256', Buffer.from(accountKey, 'base64')).update(signed).digest('base64');
  return `?${new URLSearchParams({ ...fields, sig })}`;
}

export async function startAzurite(): Promise<BlobServer> {
  const port = await freePort();
  const server = await startChildServer({
    command: process.execPath,
    args: [
      azuriteProgram,
      '--silent',
      '--inMemoryPersistence',
      '--skipApiVersionCheck',
      '--disableTelemetry',
      '--disableProductStyleUrl',
      '--blobHost=127.0.0.1',
      `--blobPort=${port}`,
    ],
    ready: /successfully listens/,
    readyMsMax,
  });
  return {
    port,
    connectionType: 'azure-blob',
    credentials: { kind: 'account-key', accountKey },
    otherCredentials: { kind: 'account-key', accountKey: Buffer.from('not the key').toString('base64') },
    comparesOnRemove: true,
    etagIsOfContent: false,
    service: (container, at = port, host = 'blobs.bank.example') => ({
      kind: 'azure-blob',
      container,
      account,
      endpoint: `http://${host}:${at}/${account}`,
    }),
    async makeContainer(name) {
      const date = new Date().toUTCString();
      const signed = [
        'PUT',
        ...Array.from({ length: 11 }, () => ''),
        `x-ms-date:${date}`,
        `x-ms-version:${version}`,
        `/${account}/${account}/${name}`,
        'restype:container',
      ];
      const signature = createHmac('sha256', Buffer.from(accountKey, 'base64')).update(signed.join('\n')).digest('base64');
      const answer = await fetch(`http://127.0.0.1:${port}/${account}/${name}?restype=container`, {
        method: 'PUT',
        headers: { 'x-ms-date': date, 'x-ms-version': version, authorization: `SharedKey ${account}:${signature}` },
      });
      if (answer.status !== 201) throw new Error(`the container was not made: ${answer.status}`);
    },
    keepVersions: null,
    stop: () => server.kill(),
  };
}
