/** A target that can say what became of a batch, and is away when it is asked, is asked again: nobody has to decide in its place. */
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { postgresConnector } from '../../src/pipeline/connectors/postgres/postgres-connector.ts';
import { targetDdl } from '../../src/pipeline/connectors/postgres/target-ddl.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, until } from '../support/delivery-scenario.ts';
import { openSecrets } from '../support/open-secrets.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let database: TestDatabase;
let downstream: TestDatabase;
beforeAll(async () => {
  [database, downstream] = await Promise.all([createTestDatabase(), createTestDatabase({ isEmpty: true })]);
});
afterAll(() => Promise.all([database.drop(), downstream.drop()]));

/** The first try again comes late enough for the server to be away by then. */
const rng = { ...systemPorts.rng, fraction: () => 0.999 };

for (const [what, onUnknown, max] of [
  ['where the flow holds what is unknown', 'hold', 5],
  ['where no tries are left', 'resend', 0],
] as const)
  it(`a COMMIT without an answer at a database that is away then is asked for when it is back, ${what}`, async () => {
    const target = targetPlan(
      'ledger',
      { format: 'ndjson' },
      {
        type: 'postgres',
        connection: 'ledger',
        retry: { max, initialMs: 1_000, capMs: 1_000 },
        onUnknown,
        settings: { table: 'ledger.credit' },
      },
    );
    const plan = deliveryPlan([target]);
    await downstream.adminDb.query('/* anew */ drop schema if exists ledger cascade');
    for (const statement of targetDdl(plan, target)
      .split(';\n')
      .filter((text) => text.trim() !== ''))
      await downstream.adminDb.query(`/* ddl */ ${statement}`);
    const server = new URL(inject('testPostgres').adminUrl);
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(server.port) });
    onTestFinished(() => proxy.close());
    const user = decodeURIComponent(server.username);
    const ledger = bindingOf('postgres', {
      host: '127.0.0.1',
      port: proxy.port,
      database: downstream.name,
      user,
      password: 'env:P',
      tls: 'disable',
    });
    const scenario = await createDeliveryScenario({ database, plan, bindings: { ledger }, connectors: [postgresConnector] });
    onTestFinished(async () => void (await scenario.stopWorkers()));
    const lines = ['a', 'b', 'c'].map((id) => deliveryLine({ id, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }));
    const jobs = await scenario.deliverJobs([{ lines }]);
    proxy.arm({ match: /commit delivery/, how: 'forward-and-drop-answer' });
    scenario.startWorker({ secrets: openSecrets({ P: decodeURIComponent(server.password) }), ports: { ...systemPorts, rng } });
    await until(() => proxy.faultsUsed === 1, 'nothing was sent');
    await proxy.goDown();
    const states = async () => (await scenario.batches()).map(({ state }) => state);
    const claims = async () =>
      (
        await scenario.rows<{ attempts: number }>(
          "/* claims */ select attempts from headgate.work_items where tenant_id = $1 and kind = 'deliver'",
        )
      )[0]?.attempts ?? 0;
    await until(async () => (await states()).join() === 'unknown', 'the outcome is known');
    // Sent, asked, asked again; or given up by then.
    await until(async () => (await claims()) >= 3 || (await states()).join() !== 'unknown', 'the target was not asked again');
    expect(await states()).toEqual(['unknown']);
    await proxy.comeUp();
    await scenario.allEnded(jobs);
    expect(await scenario.attempts()).toMatchObject([
      { outcome: 'unknown', resolvedAs: 'acked', evidence: 'the effects table holds all 3 delivery keys' },
    ]);
    expect(await scenario.counts()).toMatchObject([{ routed: 3, delivered: 3, dead: 0 }]);
  });
