/**
 * Files for partners at the places where partners fetch them: a real OpenSSH and a blob service, both behind a network that breaks
 * in the middle of a file. What lies there is read without the connectors, while it is written and afterwards.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { azuriteSasToken, startAzurite } from '../support/azurite.ts';
import { itWith } from '../support/components.ts';
import { startGnupg } from '../support/gnupg.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTestServer } from '../support/running-server.ts';
import { startSshd } from '../support/sshd.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { temporaryFolder } from '../support/temporary-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

interface Row {
  readonly text: string;
  readonly cents: bigint;
}

const recordsMax = 60;
const bytesMax = 16 * 1024;
const centsMax = 100_000n;

/** About 230 bytes each. */
const rowsOf = (input: string, count: number): Row[] =>
  Array.from({ length: count }, (_, at) => {
    const cents = BigInt(at * 37 + 1);
    return { text: `${input}${at},${cents / 100n}.${String(cents % 100n).padStart(2, '0')},${'n'.repeat(200 + (at % 60))}`, cents };
  });
const inputs = [rowsOf('A', 120), rowsOf('B', 50), rowsOf('C', 1)];
const expectedRows = inputs.flat().map(({ text }) => text);

/** As few files as may be, in the order of the input. */
function splitOf(fits: (rows: readonly Row[]) => boolean): string[] {
  return inputs.flatMap((rows) => {
    const files: Row[][] = [[]];
    for (const row of rows) {
      const file = files.at(-1)!;
      if (file.length > 0 && !fits([...file, row])) files.push([row]);
      else file.push(row);
    }
    return files.map((file) => file.map(({ text }) => text).join('\n'));
  });
}

const expected = {
  count: splitOf((rows) => rows.length <= recordsMax),
  amount: splitOf((rows) => rows.reduce((sum, { cents }) => sum + cents, 0n) <= centsMax),
  window: [expectedRows.join('\n')],
  sealed: splitOf(() => true),
};
type Kind = keyof typeof expected | 'bytes';
const kinds = [...Object.keys(expected), 'bytes'] as Kind[];

/** Files end where other targets' files end too: they hold less than they might, but there are not twice as many of them. */
const inBytes = (contents: readonly string[]) =>
  contents.every((text) => text.length + 1 <= bytesMax) &&
  contents.length <= 2 * splitOf((rows) => rows.reduce((sum, { text }) => sum + text.length + 1, 0) <= bytesMax).length;
const byPlace = (one: string, other: string) => expectedRows.indexOf(one.split('\n')[0]!) - expectedRows.indexOf(other.split('\n')[0]!);

const settingsOf: Record<Kind, string> = {
  count: `batch: { size: ${recordsMax} }`,
  bytes: `batch: { size: 10000, bytes: ${bytesMax} }`,
  amount: 'batch: { size: 10000 }, maxAmount: { field: amount, value: "1000.00" }',
  window: 'batch: { size: 10000 }, window: 1h',
  sealed: 'batch: { size: 10000 }, encrypt: true, sign: true',
};

const targetsOf = (place: string, type: string) =>
  kinds.map(
    (kind) =>
      `    ${place}-${kind}: { type: ${type}, connection: ${place}, path: ${kind}, name: "OUT{sequence:4}.{extension}", format: csv, header: false, ${settingsOf[kind]}, ` +
      'headerLines: ["H{sequence:6};{flow}"], trailerLines: ["T{sequence:6};{count:7};{minorUnits.amount:12};{sum.amount}"] }\n',
  );

const flow = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: outbound, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema:
    record:
      fields:
        id: { type: string, required: true }
        amount: { type: decimal, scale: 2, required: true, sum: true }
        note: { type: string }
  routes: { default: { to: [${['server', 'bucket'].flatMap((place) => kinds.map((kind) => `${place}-${kind}`)).join(', ')}] } }
  targets:
${[...targetsOf('server', 'sftp'), ...targetsOf('bucket', 'azure-blob')].join('')}  targetDefaults: { retry: { max: 60, initial: 20ms, cap: 500ms } }
`;

const policy = `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: TENANT, name: policy }
spec: { egress: { allowPrivate: [127.0.0.1/32], allowPlain: true } }
`;

const connectionOf = (name: string, lines: Record<string, unknown>) => `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: ${name} }
spec: ${JSON.stringify({
  ...lines,
  pgpRecipients: ['env:HEADGATE_SECRET_CLEARING_BANK__PARTNER'],
  pgpSigningKey: 'env:HEADGATE_SECRET_CLEARING_BANK__OWN',
})}
`;

/** What lies in a folder: names with their bytes. */
type ReadFolder = (folder: string) => Promise<ReadonlyMap<string, Buffer>>;

describe('files for partners, with totals, numbers, splits, a window, encryption and signature', () => {
  itWith(
    'sshd',
    'azurite',
    'gpg',
  )('lie at SFTP servers and in buckets whole, each record once, though connections break', async () => {
    const gnupg = startGnupg();
    onTestFinished(() => gnupg.close());
    for (const user of ['partner@example.org', 'own@example.org']) gnupg.makeKey(user);
    const remote = temporaryFolder();
    for (const kind of kinds) mkdirSync(join(remote, kind));
    const [sshd, blobs] = await Promise.all([startSshd({ folder: remote }), startAzurite()]);
    onTestFinished(async () => void (await Promise.all([sshd.stop(), blobs.stop()])));
    await blobs.makeContainer('partner');
    const [ssh, http] = await Promise.all([startTcpProxy(sshd), startTcpProxy({ host: '127.0.0.1', port: blobs.port })]);
    onTestFinished(async () => void (await Promise.all([ssh.close(), http.close()])));
    const { account, endpoint } = blobs.service('partner', http.port, '127.0.0.1') as { account: string; endpoint: string };
    const server = await startTestServer(database, {}, undefined, {
      HEADGATE_SECRET_CLEARING_BANK__SSH: sshd.clientKey.privateKey,
      HEADGATE_SECRET_CLEARING_BANK__BLOB: (blobs.credentials as { accountKey: string }).accountKey,
      HEADGATE_SECRET_CLEARING_BANK__PARTNER: gnupg.publicKey('partner@example.org'),
      HEADGATE_SECRET_CLEARING_BANK__OWN: gnupg.privateKey('own@example.org'),
    });
    onTestFinished(() => server.stop());
    const readers: Record<string, ReadFolder> = { server: readDisk(remote), bucket: readContainer(blobs.port, account) };

    const tenant = await server.tenant('clearing-bank');
    await tenant.apply(
      policy,
      connectionOf('server', {
        type: 'sftp',
        host: sshd.host,
        port: ssh.port,
        user: sshd.username,
        privateKey: 'env:HEADGATE_SECRET_CLEARING_BANK__SSH',
        hostKeys: [sshd.hostKey.publicKey],
      }),
      connectionOf('bucket', {
        type: 'azure-blob',
        container: 'partner',
        account,
        endpoint,
        accountKey: 'env:HEADGATE_SECRET_CLEARING_BANK__BLOB',
      }),
      flow,
    );
    // More than all handshakes, and less than all files.
    ssh.resetAfter(60_000);
    http.resetAfter(60_000);
    const seen = watch(readers);
    const jobIds: string[] = [];
    for (const [at, rows] of inputs.entries()) {
      const body = `id,amount,note\n${rows.map(({ text }) => text).join('\n')}\n`;
      jobIds.push((await server.upload(tenant.key, { flow: 'outbound', name: `in-${at}.csv`, body })).json.jobId);
    }
    const jobs = async () =>
      Promise.all(jobIds.map(async (jobId) => (await server.request(`/v1/jobs/${jobId}`, { key: tenant.key })).json));
    const isLeftToWindows = ({ state, targets }: Awaited<ReturnType<typeof jobs>>[number]) =>
      state === 'delivering' &&
      Object.values<Record<string, number>>(targets).every(
        ({ routed, delivered, waitingForWindow }) => delivered! + waitingForWindow! === routed,
      );
    await vi.waitUntil(async () => (await jobs()).every(isLeftToWindows), { timeout: 60_000, interval: 200 });
    for (const read of Object.values(readers)) expect(await read('window')).toEqual(new Map());
    await database.adminDb.query("/* pass time */ update headgate.clock_offset set by = by + interval '1 hour'");
    for (const [at, jobId] of jobIds.entries()) {
      const job = await server.settle(tenant.key, jobId);
      expect(job).toMatchObject({ state: 'completed', balanced: true });
      for (const target of Object.values(job.targets)) expect(target).toMatchObject({ delivered: inputs[at]!.length, dead: 0 });
    }
    const seenFiles = await seen.stop();
    expect([ssh.faultsUsed, http.faultsUsed]).toEqual([1, 1]);

    for (const [place, read] of Object.entries(readers))
      for (const kind of kinds) {
        const files = await read(kind);
        const extension = kind === 'sealed' ? 'csv.pgp' : 'csv';
        const numbers = Array.from({ length: files.size }, (_, at) => String(at + 1));
        expect([...files.keys()].toSorted(), `${place} ${kind}`).toEqual(numbers.map((one) => `OUT${one.padStart(4, '0')}.${extension}`));
        const contents = [...files].map(([name, bytes]) => {
          const text = kind === 'sealed' ? opened(gnupg, bytes) : bytes.toString();
          const lines = text.split('\n');
          expect(lines.pop()).toBe('');
          const number = name.slice(3, 7).padStart(6, '0');
          const records = lines.slice(1, -1);
          const cents = inputs.flat().reduce((sum, row) => (records.includes(row.text) ? sum + row.cents : sum), 0n);
          const sum = `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`;
          const count = String(records.length).padStart(7, '0');
          expect([lines[0], lines.at(-1)], `${place} ${kind} ${name}`).toEqual([
            `H${number};outbound`,
            `T${number};${count};${String(cents).padStart(12, '0')};${sum}`,
          ]);
          return records.join('\n');
        });
        if (kind !== 'bytes') expect(contents.toSorted(), `${place} ${kind}`).toEqual(expected[kind].toSorted());
        else {
          expect(inBytes(contents), `${place} ${kind}`).toBe(true);
          expect(contents.toSorted(byPlace).join('\n')).toBe(expectedRows.join('\n'));
        }
        for (const [name, bytes] of files)
          expect(seenFiles.get(`${place}/${kind}/${name}`)?.equals(bytes) ?? true, `${place} ${name}`).toBe(true);
      }
  });
});

function opened(gnupg: ReturnType<typeof startGnupg>, message: Buffer): string {
  const { content, status } = gnupg.decrypt(message);
  for (const word of ['DECRYPTION_OKAY', 'GOODMDC', 'GOODSIG']) expect(status.some((line) => line.startsWith(word))).toBe(true);
  return content.toString();
}

/** Without hidden names, which are none for partners. */
function readDisk(root: string): ReadFolder {
  return async (folder) => {
    const names = readdirSync(join(root, folder)).filter((name) => !name.startsWith('.'));
    return new Map(names.map((name) => [name, readFileSync(join(root, folder, name))]));
  };
}

/** By the service's own API. */
function readContainer(port: number, account: string): ReadFolder {
  const place = `http://127.0.0.1:${port}/${account}/partner`;
  const token = azuriteSasToken(new Date(Date.now() + 24 * 3_600_000)).slice(1);
  return async (folder) => {
    const listed = await (await fetch(`${place}?restype=container&comp=list&prefix=${folder}/&${token}`)).text();
    const names = [...listed.matchAll(/<Name>([^<]+)<\/Name>/g)].map(([, name]) => name!);
    const contents = names.map(async (name) => Buffer.from(await (await fetch(`${place}/${name}?${token}`)).arrayBuffer()));
    return new Map((await Promise.all(contents)).map((content, at) => [names[at]!.slice(folder.length + 1), content]));
  };
}

/** What every file held when it was first seen under its name. */
function watch(readers: Readonly<Record<string, ReadFolder>>) {
  const seen = new Map<string, Buffer>();
  let isOn = true;
  const watching = Object.entries(readers).map(async ([place, read]) => {
    while (isOn) {
      for (const kind of kinds)
        for (const [name, bytes] of await read(kind)) {
          const path = `${place}/${kind}/${name}`;
          if (!seen.has(path)) seen.set(path, bytes);
        }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
  return {
    async stop() {
      isOn = false;
      await Promise.all(watching);
      return seen;
    },
  };
}
