import { chmodSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { hasComponent, itWith } from '../../../../test/support/components.ts';
import { makeSshKey, type Sshd, type SshKeyPair, startSshd } from '../../../../test/support/sshd.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { temporaryFolder } from '../../../../test/support/temporary-store.ts';
import type { OutgoingBatch, Target } from '../connector.ts';
import { again, describeConnectorContract, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { sftpConnector } from './sftp-connector.ts';

const remote = mkdtempSync(join(tmpdir(), 'headgate-remote-'));
/** Of a drop box: what is in it can be neither read nor listed. */
let dropKey: SshKeyPair;
let sshd: Sshd;
beforeAll(async () => {
  if (!hasComponent('sshd')) return;
  dropKey = makeSshKey();
  sshd = await startSshd({ folder: remote, keys: [{ publicKey: dropKey.publicKey, folder: remote, denied: 'read,opendir' }] });
});
afterAll(async () => {
  await sshd?.stop();
  rmSync(remote, { recursive: true, force: true });
});

interface Given {
  readonly folder: string;
  readonly port?: number;
  readonly settings?: Record<string, unknown>;
  readonly connection?: Record<string, unknown>;
  readonly env?: Record<string, string>;
}

function open({ folder, port = sshd.port, settings, connection, env }: Given): Target {
  return sftpConnector.open(
    openOptions(sftpConnector, {
      settings: { path: folder, ...settings },
      connection: {
        host: '127.0.0.1',
        port,
        user: sshd.username,
        privateKey: 'env:K',
        hostKeys: [sshd.hostKey.publicKey],
        ...connection,
      },
      env: { K: sshd.clientKey.privateKey, ...env },
      target: { timeoutMs: 10_000 },
    }),
  );
}

let folders = 0;
/** Its name below the root, and where it lies. */
function newFolder(): { readonly folder: string; readonly path: string } {
  const folder = `out-${++folders}`;
  mkdirSync(join(remote, folder));
  return { folder, path: join(remote, folder) };
}

function idsIn(path: string): string[] {
  return readdirSync(path)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => readFileSync(join(path, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => (JSON.parse(line) as { id: string }).id)
    .sort();
}

const signal = new AbortController().signal;
const usualName = 'eft-out-1-0000.ndjson';
/** Whatever the client sends next: what it sends can't be read. */
const next = /(?:)/;

/** What happens within an attempt, right before its first piece and its name. */
function during(target: Target, moments: { sending(): void; naming(): void }): Target {
  return {
    ...target,
    deliver: (batch, deadline) =>
      target.deliver(
        {
          ...batch,
          assertOurs: moments.naming,
          body: {
            ...batch.body,
            *pieces() {
              moments.sending();
              yield* batch.body.pieces();
            },
          },
        },
        deadline,
      ),
  };
}

if (hasComponent('sshd'))
  describeConnectorContract({
    connector: sftpConnector,
    cannot: ['busy', 'one record refused'],
    async open() {
      const { folder, path } = newFolder();
      const proxy = await startTcpProxy({ host: '127.0.0.1', port: sshd.port });
      let isHidden = false;
      const moments = { sending: () => {}, naming: () => {} };
      const once = (moment: keyof typeof moments, how: 'cut-before-forward' | 'forward-and-drop-answer' | 'hold') => {
        moments[moment] = () => {
          proxy.arm({ match: next, how });
          moments[moment] = () => {};
        };
      };
      const target = during(open({ folder, port: proxy.port }), { sending: () => moments.sending(), naming: () => moments.naming() });
      return {
        target,
        stored: async () => (isHidden ? [] : idsIn(path)),
        interrupted: 'refused',
        proxy,
        isIdempotent: true,
        async arrange(fault) {
          switch (fault) {
            case 'reply lost':
              once('naming', 'forward-and-drop-answer');
              return 'arranged';
            case 'reset while sending':
              once('sending', 'cut-before-forward');
              return 'arranged';
            case 'half-open':
              once('sending', 'hold');
              return 'arranged';
            case 'too slow':
              proxy.arm({ match: next, how: 'hold' });
              return 'arranged';
            case 'refused':
              writeFileSync(join(path, usualName), 'of somebody else');
              isHidden = true;
              return 'arranged';
            case 'unreachable':
              await proxy.close();
              return 'arranged';
            case 'busy':
            case 'one record refused':
              return undefined;
          }
        },
        close: () => proxy.close(),
      };
    },
  });

describe('files at an OpenSSH server', () => {
  const withTarget = async (given: Given, work: (target: Target) => Promise<void>) => {
    const target = open(given);
    try {
      await work(target);
    } finally {
      await target.close();
    }
  };

  itWith('sshd')('are read back, and nothing but the file is left', async () => {
    const { folder, path } = newFolder();
    await withTarget({ folder }, async (target) => {
      const outcome = await target.deliver(outgoing(['a', 'b']), signal);
      expect(outcome).toMatchObject({ kind: 'acked', evidence: 'the file was written, made durable, read back, and named' });
      expect(readdirSync(path)).toEqual([usualName]);
    });
  });

  itWith('sshd')('of many megabytes arrive byte by byte as they are', async () => {
    const { folder, path } = newFolder();
    const ids = Array.from({ length: 60_000 }, (_, index) => `record-${index}`);
    await withTarget({ folder }, async (target) => {
      const batch = outgoing(ids);
      expect(batch.body.sizeBytes).toBeGreaterThan(5 * 1024 * 1024);
      expect((await target.deliver(batch, signal)).kind).toBe('acked');
      expect(readFileSync(join(path, usualName)).equals(Buffer.concat([...batch.body.pieces()]))).toBe(true);
    });
  });

  itWith('sshd')('are found by a later attempt, and left as they are', async () => {
    const { folder, path } = newFolder();
    await withTarget({ folder }, async (target) => {
      const batch = outgoing(['a']);
      await target.deliver(batch, signal);
      expect(await target.deliver(again(batch), signal)).toMatchObject({ kind: 'acked', evidence: expect.stringMatching(/already/) });
      expect(idsIn(path)).toEqual(['a']);
    });
  });

  itWith('sshd')('of another batch are not taken for its own, though the bytes are the same, also in the last moment', async () => {
    const message = `the name "${usualName}" is taken by the same bytes of another batch`;
    const refused = { kind: 'refused', retryable: false, code: 'E_TARGET_CONFLICT', message };
    const { folder, path } = newFolder();
    await withTarget({ folder }, async (target) => {
      expect((await target.deliver(outgoing(['a']), signal)).kind).toBe('acked');
      expect(await target.deliver(outgoing(['a']), signal)).toEqual(refused);
      const batch = outgoing(['b'], { number: '2-0000' });
      const other = join(path, usualName.replace('1-0000', '2-0000'));
      const assertOurs = () => writeFileSync(other, Buffer.concat([...batch.body.pieces()]));
      const outcome = await target.deliver({ ...batch, assertOurs }, signal);
      expect(outcome).toMatchObject({ kind: 'refused', retryable: false, code: 'E_TARGET_CONFLICT' });
      expect(readdirSync(path).toSorted()).toEqual([usualName, usualName.replace('1-0000', '2-0000')].toSorted());
    });
  });

  itWith('sshd')('of somebody else that take the name in the last moment are never overwritten', async () => {
    const { folder, path } = newFolder();
    const place = join(path, usualName);
    await withTarget({ folder }, async (target) => {
      const outcome = await target.deliver(outgoing(['a'], { assertOurs: () => writeFileSync(place, 'theirs') }), signal);
      const message = `the name "${usualName}" is taken by other bytes`;
      expect(outcome).toEqual({ kind: 'refused', retryable: false, code: 'E_TARGET_CONFLICT', message });
      expect([readdirSync(path), readFileSync(place, 'utf8')]).toEqual([[usualName], 'theirs']);
    });
  });

  itWith('sshd')('that an attempt left half written are removed by the next one', async () => {
    const { folder, path } = newFolder();
    await withTarget({ folder }, async (target) => {
      const batch = outgoing(['a']);
      writeFileSync(join(path, `.headgate-${batch.batchId}-1`), 'half');
      expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
      expect(readdirSync(path)).toEqual([usualName]);
    });
  });

  itWith('sshd')('whose server was cut off between its name and its temporary one lose the temporary one', async () => {
    const { folder, path } = newFolder();
    await withTarget({ folder }, async (target) => {
      const batch = outgoing(['a']);
      expect((await target.deliver(batch, signal)).kind).toBe('acked');
      const leftBehind = () => linkSync(join(path, usualName), join(path, `.headgate-${batch.batchId}-1`));
      leftBehind();
      expect((await target.resolve!(again(batch), signal)).kind).toBe('acked');
      expect(readdirSync(path)).toEqual([usualName]);
      leftBehind();
      expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
      expect(readdirSync(path)).toEqual([usualName]);
    });
  });

  itWith('sshd')('get no name once the batch belongs to another', async () => {
    const { folder, path } = newFolder();
    const lost: Partial<OutgoingBatch> = {
      assertOurs() {
        throw new Error('lost');
      },
    };
    await withTarget({ folder }, async (target) => {
      await expect(target.deliver(outgoing(['a'], lost), signal)).rejects.toThrowError('lost');
      expect(readdirSync(path)).toEqual([]);
    });
  });

  itWith('sshd')('never lie outside the root, whatever links say', async () => {
    const { folder, path } = newFolder();
    symlinkSync('/tmp', join(path, 'away'));
    await withTarget({ folder: `${folder}/away`, connection: { root: folder } }, async (target) => {
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET_SETUP' });
    });
    await withTarget({ folder: 'away', connection: { root: folder } }, async (target) => {
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET' });
    });
    expect(() => open({ folder: '../out' })).toThrowError(/leads out/);
  });

  itWith('sshd')('wait for a folder that is missing', async () => {
    await withTarget({ folder: 'nowhere', connection: { root: remote } }, async (target) => {
      const told = { code: 'E_TARGET_SETUP', message: `the folder "${remote}/nowhere" or a file in it is not there` };
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, ...told });
      expect(await target.probe(signal)).toMatchObject({ isReachable: false, ...told });
    });
  });
});

describe('a server and its connection', () => {
  itWith('sshd')('that shows another host key gets nothing', async () => {
    const { folder, path } = newFolder();
    const target = open({ folder, connection: { hostKeys: [makeSshKey().publicKey] } });
    onTestFinished(() => target.close());
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_HOST_KEY' });
    expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET_HOST_KEY' });
    expect(readdirSync(path)).toEqual([]);
  });

  itWith('sshd')('with a key that it does not know is forbidden, and goes on with one that was exchanged meanwhile', async () => {
    const { folder, path } = newFolder();
    const secrets = temporaryFolder();
    const file = join(secrets, 'key');
    const put = (text: string) => {
      rmSync(file, { force: true });
      writeFileSync(file, text);
      chmodSync(file, 0o600);
    };
    put(makeSshKey().privateKey);
    const target = open({ folder, connection: { privateKey: `file:${file}` } });
    onTestFinished(() => target.close());
    const batch = outgoing(['a']);
    expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_FORBIDDEN' });
    put(sshd.clientKey.privateKey);
    expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
    put(makeSshKey().privateKey);
    expect(await target.deliver(outgoing(['b'], { number: '2-0000' }), signal)).toMatchObject({ code: 'E_TARGET_FORBIDDEN' });
    expect(idsIn(path)).toEqual(['a']);
  });

  itWith('sshd')(
    'are probed by what a file in the folder meets, and a drop box is well as long as nothing has to be read back',
    async () => {
      const { folder, path } = newFolder();
      const probed = async (given: Partial<Given>) => {
        const target = open({ folder, ...given });
        onTestFinished(() => target.close());
        const { isReachable, code, message } = await target.probe(signal);
        return { isReachable, code, message, delivered: (await target.deliver(outgoing(['a']), signal)).kind };
      };
      expect(await probed({})).toEqual({
        isReachable: true,
        code: null,
        message: 'the folder takes a file and gives it back, and can be listed',
        delivered: 'acked',
      });
      rmSync(join(path, usualName));
      const dropping = { env: { K: dropKey.privateKey } };
      expect(await probed(dropping)).toEqual({
        isReachable: false,
        code: 'E_TARGET_SETUP',
        message: 'the folder takes a file, but the user may not read it back (readBack: hash)',
        delivered: 'refused',
      });
      expect(await probed({ ...dropping, settings: { readBack: 'size' } })).toEqual({
        isReachable: true,
        code: null,
        message: 'the folder takes a file; the user may not read it back or list the folder',
        delivered: 'acked',
      });
      expect(readdirSync(path)).toEqual([usualName]);
    },
  );

  itWith('sshd')('at an address that the policy closes are never connected to', async () => {
    const { folder } = newFolder();
    const options = openOptions(sftpConnector, {
      settings: { path: folder },
      connection: { host: '127.0.0.1', port: sshd.port, user: 'u', password: 'env:P', hostKeys: [sshd.hostKey.publicKey] },
      env: { P: 'p' },
      egress: { allowPrivate: [], allowPlain: true },
    });
    const target = sftpConnector.open(options);
    onTestFinished(() => target.close());
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_SSRF' });
  });
});
