/**
 * Makes the demo's files and brings each in another way: a folder that is polled, HTTP upload, `headgate ingest`, SFTP to
 * Headgate's own server, and SFTP from a partner's server.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createApiClient } from '../../cli/api-client.ts';
import type { CommandLine } from '../../cli/command.ts';
import { bodyOfBytes } from '../../cli/http-call.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Settings } from '../../platform/base/settings-catalogue.ts';
import { type AcquirerServer, acquirerFlow } from './acquirer-server.ts';
import { cardsFile, eftFile, invoicesFile } from './demo-files.ts';
import { bringBySftp } from './demo-partner.ts';
import type { DemoTenant, DemoTenants } from './demo-tenants.ts';

export interface ArrivedFile {
  readonly tenant: DemoTenant;
  readonly flow: string;
  readonly name: string;
  readonly cameBy: 'folder' | 'HTTP upload' | 'headgate ingest' | 'SFTP, brought' | 'SFTP, collected';
}

const smallRecords = 1_000;
/** Far from those of the other files of cards. */
const partnerSeeds = 1_000_000;
const acquirerSeeds = 2_000_000;
const flushBytes = 1 << 20;

export async function bringFilesIn(parts: {
  readonly tenants: DemoTenants;
  readonly dataDir: string;
  readonly records: number;
  readonly url: string;
  readonly settings: Settings;
  readonly sftpPort: number;
  readonly acquirer: AcquirerServer | undefined;
  readonly tell: (message: string) => void;
}): Promise<ArrivedFile[]> {
  const { tenants, records, url, acquirer, tell } = parts;
  const { bank, acme } = tenants;
  const made = join(parts.dataDir, 'made');
  mkdirSync(made, { recursive: true });
  const run = (await countFiles(url, bank, 'eft-credit-inbound')) + 1;
  const suffix = String(run).padStart(4, '0');
  const eft: ArrivedFile = { tenant: bank, flow: 'eft-credit-inbound', name: `EFT_20261124_${suffix}.txt`, cameBy: 'folder' };
  const cards: ArrivedFile = { tenant: acme, flow: 'card-settlements', name: `cards-${suffix}.csv`, cameBy: 'HTTP upload' };
  const settled: ArrivedFile = { tenant: acme, flow: 'card-settlements', name: `partner-cards-${suffix}.csv`, cameBy: 'SFTP, brought' };
  const invoices: ArrivedFile = { tenant: acme, flow: 'invoices', name: `invoices-${suffix}.ndjson`, cameBy: 'headgate ingest' };
  const collected: ArrivedFile = { tenant: acme, flow: acquirerFlow, name: `acquirer-${suffix}.csv`, cameBy: 'SFTP, collected' };

  tell(
    `making ${eft.name} with ${records} records (about 1% faulty), ${cards.name}, ${settled.name} and ${invoices.name} with ${smallRecords} each`,
  );
  writeFile(join(made, eft.name), eftFile(run, records));
  writeFile(join(made, cards.name), cardsFile(run, smallRecords));
  writeFile(join(made, settled.name), cardsFile(run + partnerSeeds, smallRecords));
  writeFile(join(made, invoices.name), invoicesFile(run, smallRecords));

  if (acquirer !== undefined) {
    writeFile(join(made, collected.name), cardsFile(run + acquirerSeeds, smallRecords));
    tell(`putting ${collected.name} on the SFTP server of a partner (OpenSSH at ${acquirer.address}), where it is collected`);
    acquirer.offer(join(made, collected.name), collected.name);
  }
  tell(`dropping ${eft.name} into the folder ${join(bank.inbox, 'in')}`);
  renameSync(join(made, eft.name), join(bank.inbox, 'in', eft.name));
  tell(`uploading ${cards.name} over HTTP`);
  await upload(url, cards, join(made, cards.name));
  tell(`bringing ${invoices.name} in with \`headgate ingest\``);
  await ingest(url, invoices, join(made, invoices.name));
  tell(`bringing ${settled.name} in over SFTP, as the user ${tenants.partner.user}`);
  const { settings, sftpPort: port } = parts;
  await bringBySftp(tenants.partner, { settings, port }, { from: join(made, settled.name), to: `/cards/${settled.name}` });
  return [eft, cards, settled, invoices, ...(acquirer === undefined ? [] : [collected])];
}

/** A seed of its own for each run, so that a second run's files are no duplicates of the first's. */
async function countFiles(url: string, tenant: DemoTenant, flow: string): Promise<number> {
  const { items } = await clientOf(url, tenant).get<{ items: { acceptedNumber: number }[] }>('/v1/files', { flow, limit: '1' });
  return items[0]?.acceptedNumber ?? 0;
}

export function clientOf(url: string, tenant: DemoTenant) {
  const line: CommandLine = { positionals: [], options: { url, 'key-file': tenant.keyFile } };
  return createApiClient(line);
}

function writeFile(path: string, lines: Generator<string>): void {
  const file = openSync(path, 'w');
  let text = '';
  for (const each of lines) {
    text += each;
    if (text.length < flushBytes) continue;
    writeSync(file, text);
    text = '';
  }
  writeSync(file, text);
  closeSync(file);
}

async function upload(url: string, file: ArrivedFile, path: string): Promise<void> {
  const query = new URLSearchParams({ flow: file.flow, name: file.name });
  const { status } = await clientOf(url, file.tenant).send(`/v1/files?${query}`, bodyOfBytes(readFileSync(path)), {
    'content-type': 'text/csv',
    'idempotency-key': file.name,
  });
  if (status !== 201) throw new HeadgateError('E_INTERNAL', `the upload of ${file.name} was answered ${status}`);
}

function ingest(url: string, file: ArrivedFile, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        // As this process was started.
        process.argv[1]!,
        'ingest',
        path,
        '--flow',
        file.flow,
        '--key-file',
        file.tenant.keyFile,
        '--url',
        url,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new HeadgateError('E_INTERNAL', `headgate ingest ended with ${code}`))));
  });
}
