import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { again, describeConnectorContract, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { fileNameOf } from '../output-files/file-name.ts';
import { fileConnector } from './file-connector.ts';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'headgate-out-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const open = (root: string, settings: Record<string, unknown> = {}) =>
  fileConnector.open(openOptions(fileConnector, { settings, connection: { root } }));
const signal = new AbortController().signal;

function idsIn(root: string): string[] {
  return readdirSync(root)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => readFileSync(join(root, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => (JSON.parse(line) as { id: string }).id)
    .sort();
}

describeConnectorContract({
  connector: fileConnector,
  cannot: ['a network', 'reply lost', 'reset while sending', 'half-open', 'too slow', 'busy', 'one record refused'],
  async open() {
    const root = folder();
    const target = open(root);
    const place = join(root, 'eft-out-1-0000.ndjson');
    let isHidden = false;
    return {
      target,
      stored: async () => (isHidden || !existsSync(root) ? [] : idsIn(root)),
      interrupted: 'unknown',
      proxy: null,
      isIdempotent: true,
      async arrange(fault) {
        if (fault === 'refused') {
          writeFileSync(place, 'of somebody else');
          isHidden = true;
          return 'arranged';
        }
        if (fault === 'unreachable') {
          rmSync(root, { recursive: true });
          return 'arranged';
        }
        return undefined;
      },
      close: async () => {},
    };
  },
});

it('a batch sent again finds its own file and leaves it as it is', async () => {
  const root = folder();
  const target = open(root);
  const batch = outgoing(['a', 'b']);
  await target.deliver(batch, signal);
  expect(await target.deliver(again(batch), signal)).toMatchObject({ kind: 'acked', evidence: expect.stringMatching(/already/) });
  expect(idsIn(root)).toEqual(['a', 'b']);
  expect(await target.resolve!(again(batch), signal)).toMatchObject({ kind: 'acked' });
});

it('a file of the same name with other bytes is never overwritten', async () => {
  const root = folder();
  writeFileSync(join(root, 'eft-out-1-0000.ndjson'), 'theirs');
  const outcome = await open(root).deliver(outgoing(['a']), signal);
  expect(outcome).toMatchObject({ kind: 'refused', retryable: false, code: 'E_TARGET_CONFLICT' });
  expect(readdirSync(root)).toEqual(['eft-out-1-0000.ndjson']);
  expect(readFileSync(join(root, 'eft-out-1-0000.ndjson'), 'utf8')).toBe('theirs');
});

it('a file of the same name and bytes that is of another batch is not taken for its own', async () => {
  const root = folder();
  const target = open(root);
  const [first, second] = [outgoing(['a']), outgoing(['a'])];
  expect((await target.deliver(first, signal)).kind).toBe('acked');
  const message = 'the name "eft-out-1-0000.ndjson" is taken by the same bytes of another batch';
  expect(await target.deliver(second, signal)).toEqual({ kind: 'refused', retryable: false, code: 'E_TARGET_CONFLICT', message });
  expect(readdirSync(root)).toEqual(['eft-out-1-0000.ndjson']);
});

it('a fault once the name was found taken by another batch leaves nothing to be asked for, which would be taken for its own', async () => {
  const root = folder();
  const target = open(root);
  expect((await target.deliver(outgoing(['a']), signal)).kind).toBe('acked');
  const second = outgoing(['a']);
  const temporary = () => join(root, readdirSync(root).find((name) => name !== 'eft-out-1-0000.ndjson')!);
  // A file that can't be removed any more.
  const assertOurs = () => {
    const path = temporary();
    unlinkSync(path);
    mkdirSync(path);
  };
  expect(await target.deliver({ ...second, assertOurs }, signal)).toMatchObject({ kind: 'refused', retryable: true });
  rmdirSync(temporary());
  expect(await target.deliver(second, signal)).toMatchObject({ kind: 'refused', retryable: false, code: 'E_TARGET_CONFLICT' });
});

it('a name that is taken is told, unless the name of an input is part of it', async () => {
  const root = folder();
  const batch = outgoing(['a']);
  const messageOf = async (settings: Record<string, unknown>, taken: string) => {
    writeFileSync(join(root, taken), 'theirs');
    const outcome = await open(root, settings).deliver(batch, signal);
    return 'message' in outcome ? outcome.message : outcome.kind;
  };
  expect(await messageOf({}, 'eft-out-1-0000.ndjson')).toBe('the name "eft-out-1-0000.ndjson" is taken by other bytes');
  expect(await messageOf({ name: '{file}-{number}' }, `${batch.fileName}-1-0000`)).toBe('the name of the file is taken by other bytes');
});

it('the header line stands once, before the records', async () => {
  const root = folder();
  const batch = outgoing(['a']);
  const withHeader = { ...batch, body: { ...batch.body, preamble: Buffer.from('id;x\n') } };
  const target = open(root);
  await target.deliver(withHeader, signal);
  expect(readFileSync(join(root, 'eft-out-1-0000.ndjson'), 'utf8')).toMatch(/^id;x\n\{"id":"a"/);
  expect(await target.resolve!(again(withHeader), signal)).toMatchObject({ kind: 'acked' });
});

it('what an attempt left behind that was killed is removed by the next one', async () => {
  const root = folder();
  const batch = outgoing(['a']);
  writeFileSync(join(root, `.headgate-${batch.batchId}-1`), 'half a fi');
  await open(root).deliver(again(batch), signal);
  expect(readdirSync(root)).toEqual(['eft-out-1-0000.ndjson']);
});

it('what an attempt left behind that was killed after its file had its name is removed when that is found', async () => {
  const root = folder();
  const target = open(root);
  const batch = outgoing(['a']);
  await target.deliver(batch, signal);
  linkSync(join(root, 'eft-out-1-0000.ndjson'), join(root, `.headgate-${batch.batchId}-1`));
  expect(await target.resolve!(again(batch), signal)).toMatchObject({ kind: 'acked' });
  expect(readdirSync(root)).toEqual(['eft-out-1-0000.ndjson']);
});

it('a file that was damaged on its way to the disk is found out where it is read back, and written again', async () => {
  for (const [readBack, code] of [
    ['none', undefined],
    ['size', undefined],
    ['hash', 'E_TARGET_READ_BACK'],
  ]) {
    const root = folder();
    const target = open(root, { readBack });
    const batch = outgoing(Array.from({ length: 6_000 }, (_, index) => `record-${index}`));
    const damaged = {
      ...batch.body,
      *pieces() {
        yield* batch.body.pieces();
        const path = join(root, `.headgate-${batch.batchId}-1`);
        // Its last pieces may be on their way still.
        for (let looks = 0; statSync(path).size <= 100 && looks < 1_000_000; ) looks++;
        const file = openSync(path, 'r+');
        const byte = Buffer.alloc(1);
        readSync(file, byte, 0, 1, 100);
        byte[0]! ^= 1;
        writeSync(file, byte, 0, 1, 100);
        closeSync(file);
      },
    };
    expect(damaged.sizeBytes).toBeGreaterThan(256 * 1024);
    const outcome = await target.deliver({ ...batch, body: damaged }, signal);
    expect([readBack, 'code' in outcome ? outcome.code : undefined]).toEqual([readBack, code]);
    if (code === undefined) continue;
    expect([outcome.kind, readdirSync(root)]).toEqual(['refused', []]);
    const second = await target.deliver(again(batch), signal);
    expect(second).toMatchObject({ kind: 'acked', evidence: 'the file was written, read back, named and fsynced' });
  }
});

it('a file system that is full takes nothing for now, and is left without half a file', () => {
  const root = folder();
  const fixture = (name: string) => JSON.stringify(join(import.meta.dirname, name));
  const script = `
    import { fileConnector } from ${fixture('file-connector.ts')};
    import { openOptions, outgoing } from ${fixture('../connector-contract.fixture.ts')};
    const target = fileConnector.open(openOptions(fileConnector, { settings: {}, connection: { root: ${JSON.stringify(root)} } }));
    const ids = Array.from({ length: 20_000 }, (_, index) => 'record-' + index);
    const outcome = await target.deliver(outgoing(ids), new AbortController().signal);
    console.log(outcome.kind, outcome.retryable, outcome.code);`;
  const child = spawnSync('sh', ['-c', 'ulimit -f 1024; exec "$0" --input-type=module-typescript -e "$1"', process.execPath, script], {
    encoding: 'utf8',
  });
  expect(child.stdout).toBe('refused true E_TARGET_FULL\n');
  expect(readdirSync(root)).toEqual([]);
});

it('folders below the root are made', async () => {
  const root = folder();
  await open(root, { path: 'a/b' }).deliver(outgoing(['a']), signal);
  expect(readdirSync(join(root, 'a/b'))).toEqual(['eft-out-1-0000.ndjson']);
});

it.each(['..', 'a/../../b', '/etc'])('the path %s is refused', (path) => {
  expect(() => open(folder(), { path })).toThrowError(expect.objectContaining({ code: 'E_TARGET' }));
});

it('a link that leads out of the root is refused', async () => {
  const root = folder();
  const outside = folder();
  mkdirSync(join(outside, 'x'));
  symlinkSync(outside, join(root, 'way-out'));
  for (const path of ['way-out', 'way-out/x', 'way-out/new']) {
    expect(await open(root, { path }).deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET' });
  }
  expect([readdirSync(outside), readdirSync(join(outside, 'x'))]).toEqual([['x'], []]);
});

it.each(['eft', '.'])('of a root that is not there the uppermost missing part is named, and no file (path %s)', async (path) => {
  const mount = join(folder(), 'mount');
  const told = { code: 'E_TARGET_SETUP', message: `"${mount}" in the root of the connection is missing: a mount?` };
  const target = open(join(mount, 'bank', 'out'), { path });
  expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'refused', retryable: true, ...told });
  expect(await target.probe(signal)).toMatchObject({ isReachable: false, ...told });
});

it('a folder that is in the way is named', async () => {
  const root = folder();
  writeFileSync(join(root, 'eft'), 'a file');
  const message = `the folder "${root}/eft" is not there or can't be written (ENOTDIR)`;
  expect(await open(root, { path: 'eft' }).deliver(outgoing(['a']), signal)).toMatchObject({ code: 'E_TARGET_SETUP', message });
});

it('a link in place of the file is not followed', async () => {
  const root = folder();
  const outside = join(folder(), 'victim');
  writeFileSync(outside, 'precious');
  symlinkSync(outside, join(root, 'eft-out-1-0000.ndjson'));
  expect(await open(root).deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET_CONFLICT' });
  expect(readFileSync(outside, 'utf8')).toBe('precious');
});

const named = (template: string, fileName = 'in.csv') =>
  fileNameOf(template, {
    targetId: 'out',
    format: 'ndjson',
    isEncrypted: false,
    batch: { ...outgoing(['a'], { fileName }), jobIds: ['job-1'], number: '7-0001' },
  });

it('names are made of the template and of plain characters only', () => {
  expect(named('{flow}_{target}_{date}_{job}_{number}.{extension}')).toBe('eft_out_20260102_job-1_7-0001.ndjson');
  expect(named('{file}', '../../etc/passwd')).toBe('-..-etc-passwd');
});

it('the name of a file that came is cut between two characters, so that any makes a name', () => {
  expect(named('{file}.{number}', `${'a'.repeat(99)}é.csv`)).toBe(`${'a'.repeat(99)}.7-0001`);
  expect(named('{file}.{number}', '𠀀'.repeat(60))).toBe(`${'𠀀'.repeat(25)}.7-0001`);
  expect(named('{file}.{number}', '漢'.repeat(80))).toBe(`${'漢'.repeat(33)}.7-0001`);
});

it.each(['...', '{file}', 'x\u0000', '{unknown}', 'a/b'])('the name %j is refused where it makes no plain file name', (template) => {
  expect(() => named(template, '..')).toThrowError(expect.objectContaining({ code: 'E_TARGET' }));
});

it('a lease that is lost before the file has its name leaves no file', async () => {
  const root = folder();
  const lost = new HeadgateError('E_ATTEMPT_ABANDONED', 'the lease of the batch has run out', { retryable: true });
  const assertOurs = () => {
    throw lost;
  };
  expect(await open(root).deliver(outgoing(['a'], { assertOurs }), signal)).toMatchObject({ kind: 'refused', code: 'E_ATTEMPT_ABANDONED' });
  expect(readdirSync(root)).toEqual([]);
});
