import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decrypt, generateKey, readMessage, readPrivateKey } from 'openpgp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/delivery-scenario.ts';
import { createJobScenario, type JobScenario } from '../../../../test/support/job-scenario.ts';
import { openFence } from '../../../../test/support/open-fence.ts';
import { openSecrets } from '../../../../test/support/open-secrets.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { temporaryFolder } from '../../../../test/support/temporary-store.ts';
import { fixtureLines, fixturePlan } from '../../../../test/support/verified-flow.ts';
import type { Connector, Target } from '../../../pipeline/connectors/connector.ts';
import { fileConnector } from '../../../pipeline/connectors/file/file-connector.ts';
import type { AcknowledgePlan } from '../../../pipeline/engine/plan.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { acknowledgementStates, acknowledgementTransitions } from './acknowledgement-state.ts';
import { createAcknowledgementWriter } from './acknowledgement-writer.ts';

let database: TestDatabase;
let scenario: JobScenario;
let root: string;
let writers: ReturnType<typeof createAcknowledgementWriter>[] = [];
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 12 });
});
afterEach(async () => {
  await Promise.all(writers.map((writer) => writer.stop(3_000)));
  writers = [];
  await scenario?.stopAll();
});
afterAll(() => database.drop());

/** Longer than the time that passes while a busy machine does its work. */
const leaseMs = 3_600_000;
const fixture = fixturePlan(Buffer.from('a flow'));
const text = fixtureLines.map((line) => `${line}\n`).join('');
const both: AcknowledgePlan = {
  format: 'json',
  levels: ['file', 'record'],
  connection: 'folder',
  path: 'acks',
  name: '{file}.{number}.{level}.{extension}',
  encrypt: false,
  sign: false,
  timeoutMs: 5_000,
  retry: { max: 2, initialMs: 1_000, capMs: 1_000 },
};

async function open(acknowledge: AcknowledgePlan = both): Promise<JobScenario> {
  root = temporaryFolder();
  scenario = await createJobScenario({ database, plan: { ...fixture, acknowledge }, leaseMs });
  scenario.startAll();
  return scenario;
}

/** `keys`: references of the connection to keys, by the variables that hold them. */
function startWriter(
  keys: Readonly<Record<string, unknown>> = {},
  env: Readonly<Record<string, string>> = {},
  connector: Connector = fileConnector,
): void {
  const { services } = scenario;
  const binding = {
    tenant: 'bank',
    connection: { name: 'folder', type: 'folder', settings: { root, ...keys } },
    egress: { allowPrivate: [], allowPlain: false },
    hash: root,
  };
  const writer = createAcknowledgementWriter({
    services,
    definitions: { loadBinding: async () => binding },
    connectors: [connector],
    folders: openFence,
    secrets: openSecrets(env),
    ports: { ...systemPorts, resolveHost: async () => [] },
    workerId: systemPorts.ids.next(),
    leaseMs,
  });
  writer.start();
  writers.push(writer);
}

const rows = () =>
  scenario.rows<{ level: string; state: string; name: string; attempts: number; code: string | null }>(
    '/* acknowledgements */ select level, state, name, attempts, reason_code as code from headgate.acknowledgements where tenant_id = $1 order by level',
  );
const untilAll = (state: string) =>
  until(async () => {
    await scenario.passTime(2);
    const found = await rows();
    return found.length > 0 && found.every((row) => row.state === state);
  }, `not all are ${state}`);
const told = async () => (await scenario.events()).filter(({ type }) => type.startsWith('acknowledgement.')).map(({ type }) => type);
const files = () => readdirSync(join(root, 'acks')).toSorted();

describe('acknowledgements', () => {
  it('are written for each level under the names that the flow says, once the job is closed, with an event each', async () => {
    await open();
    startWriter();
    const [jobId] = await scenario.accept([text]);
    await untilAll('sent');
    expect(files()).toEqual(['in-1.csv.1.file.json', 'in-1.csv.1.record.json']);
    const [file, record] = files().map((name) => JSON.parse(readFileSync(join(root, 'acks', name), 'utf8')));
    const [job] = await scenario.jobs();
    expect(file).toMatchObject({ jobId, level: 'file', records: { read: job!.read, valid: job!.valid, rejected: job!.rejected } });
    expect(record.rejected.length).toBeGreaterThan(0);
    expect((await told()).toSorted()).toEqual([
      'acknowledgement.asked',
      'acknowledgement.asked',
      'acknowledgement.sent',
      'acknowledgement.sent',
    ]);
    expect(await rows()).toMatchObject(files().map((name) => ({ name, attempts: 1, code: null })));
  });

  it('are there once, with the same bytes, after a process that ended between the file and its commit', async () => {
    await open();
    scenario.crash.arm('acknowledgements.before-commit');
    startWriter();
    await scenario.accept([text]);
    await until(async () => scenario.crash.reached.has('acknowledgements.before-commit'), 'nothing was written');
    const written = files().map((name) => [name, readFileSync(join(root, 'acks', name), 'utf8')]);
    expect(written).toHaveLength(2);
    expect((await rows()).map(({ state, attempts }) => [state, attempts])).toEqual([
      ['pending', 0],
      ['pending', 0],
    ]);
    await scenario.passTime(leaseMs / 1_000);
    await untilAll('sent');
    expect(files().map((name) => [name, readFileSync(join(root, 'acks', name), 'utf8')])).toEqual(written);
    expect((await told()).filter((type) => type === 'acknowledgement.sent')).toHaveLength(2);
  });

  it('that are encrypted are known again by what they hold, after a process that ended between the file and its commit', async () => {
    const { publicKey, privateKey } = await generateKey({ type: 'curve25519', userIDs: { name: 'sender' }, format: 'armored' });
    await open({ ...both, levels: ['record'], encrypt: true });
    scenario.crash.arm('acknowledgements.before-commit');
    startWriter({ pgpRecipients: ['env:SENDER'] }, { SENDER: publicKey });
    await scenario.accept([text]);
    await until(async () => scenario.crash.reached.has('acknowledgements.before-commit'), 'nothing was written');
    await scenario.passTime(leaseMs / 1_000);
    await untilAll('sent');
    expect(files()).toEqual(['in-1.csv.1.record.json.pgp']);
    const binaryMessage = readFileSync(join(root, 'acks', files()[0]!));
    const decryptionKeys = await readPrivateKey({ armoredKey: privateKey });
    const { data } = await decrypt({ message: await readMessage({ binaryMessage }), decryptionKeys });
    expect(JSON.parse(data as string)).toMatchObject({ level: 'record', verdict: 'partial' });
  });

  it('are tried again while the place is away, and given up after as many tries as the flow says', async () => {
    await open({ ...both, levels: ['file'] });
    const full = (given: Parameters<Connector['open']>[0]): Target => ({
      ...fileConnector.open(given),
      deliver: async () => ({ kind: 'refused', retryable: true, code: 'E_TARGET_FULL', message: 'no space is left' }),
    });
    startWriter({}, {}, { ...fileConnector, open: full });
    await scenario.accept([text]);
    await untilAll('failed');
    const [row] = await rows();
    expect([row!.attempts, row!.code]).toEqual([3, 'E_TARGET_FULL']);
    expect(await told()).toEqual(['acknowledgement.asked', 'acknowledgement.failed']);
  });

  it('of a place whose settings are at fault are tried one at a time, never given up, and written once that is mended', async () => {
    await open();
    rmSync(root, { recursive: true });
    let tries = 0;
    const counting = (given: Parameters<Connector['open']>[0]): Target => {
      const target = fileConnector.open(given);
      return {
        ...target,
        deliver: (batch, signal) => {
          tries += 1;
          return target.deliver(batch, signal);
        },
      };
    };
    const startMs = systemPorts.clock.monotonicMs();
    startWriter({}, {}, { ...fileConnector, open: counting });
    await scenario.accept(Array.from({ length: 12 }, () => text));
    const isFailing = async () => (await rows()).some(({ code }) => code === 'E_TARGET_SETUP');
    await until(async () => (await rows()).length === 24 && (await isFailing()), 'nothing was tried');
    // More time than all tries of each would take.
    for (let passed = 0; passed < 20; passed++) {
      await scenario.passTime(2);
      await systemPorts.sleep.sleep(100);
    }
    expect((await rows()).every(({ state, attempts }) => state === 'pending' && attempts === 0)).toBe(true);
    // The first four at once, then each time that the place was due: after 1 s, after 2 s more, after 4 s more …
    const seconds = (systemPorts.clock.monotonicMs() - startMs) / 1_000;
    expect(tries).toBeLessThanOrEqual(4 + Math.floor(Math.log2(seconds + 1)));
    mkdirSync(root);
    await untilAll('sent');
    expect(files()).toHaveLength(24);
  });

  it('that wait for a place that hangs are asked for ever more rarely', async () => {
    await open({ ...both, levels: ['file'], timeoutMs: 60_000 });
    const goesOn = Promise.withResolvers<void>();
    const hanging = (given: Parameters<Connector['open']>[0]): Target => {
      const target = fileConnector.open(given);
      return { ...target, deliver: (batch, signal) => goesOn.promise.then(() => target.deliver(batch, signal)) };
    };
    startWriter({}, {}, { ...fileConnector, open: hanging });
    await scenario.accept(Array.from({ length: 24 }, () => text));
    const claims = async () => {
      const [row] = await scenario.rows<{ count: number }>(
        "/* claims */ select coalesce(sum(attempts), 0)::int as count from headgate.work_items where tenant_id = $1 and kind = 'acknowledge'",
      );
      return row!.count;
    };
    await until(async () => (await rows()).length === 24 && (await claims()) >= 24, 'nothing was claimed');
    const before = await claims();
    const pauseSeconds = async () => {
      const [row] = await scenario.rows<{ seconds: number }>(
        `/* pause */ select coalesce(max(extract(epoch from due_at - headgate.clock())), 0)::float8 as seconds
         from headgate.work_items where tenant_id = $1 and kind = 'acknowledge' and lease_until is null`,
      );
      return row!.seconds;
    };
    // At first half a second. Were it half a second for ever, each of twenty would be claimed as often.
    await until(async () => (await pauseSeconds()) > 2.5, 'the place is asked for as often as ever');
    expect((await claims()) - before).toBeLessThan(100);
    goesOn.resolve();
    await untilAll('sent');
  });

  it('replace no file of somebody else', async () => {
    await open({ ...both, levels: ['file'], name: '{file}.ack' });
    mkdirSync(join(root, 'acks'));
    writeFileSync(join(root, 'acks', 'in-1.csv.ack'), 'theirs');
    startWriter();
    await scenario.accept([text]);
    await untilAll('failed');
    expect(await rows()).toMatchObject([{ name: 'in-1.csv.ack', attempts: 1, code: 'E_TARGET_CONFLICT' }]);
    expect(files().map((name) => readFileSync(join(root, 'acks', name), 'utf8'))).toEqual(['theirs']);
  });

  it('have the states and moves that the database enforces', async () => {
    const { rows: moves } = await database.db.query<{ move: string }>(
      `/* transitions */ select from_state || ' ' || event || ' ' || to_state as move from headgate.state_transitions where machine = 'acknowledgement'`,
    );
    const known = Object.entries(acknowledgementTransitions).flatMap(([from, events]) =>
      Object.entries(events).map(([event, to]) => `${from} ${event} ${to}`),
    );
    expect(moves.map(({ move }) => move).toSorted()).toEqual(known.toSorted());
    const reached = new Set(Object.values(acknowledgementTransitions).flatMap((events) => Object.values(events)));
    expect([...reached].toSorted()).toEqual([...acknowledgementStates].toSorted());
  });
});
