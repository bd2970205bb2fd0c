/**
 * Two requests of which the first ends while the second is on its way to a table, by locks of the database: the first is held
 * where it counts the tenant's usage, the last thing that it does before COMMIT, and the second in front of the table.
 */
import { vi } from 'vitest';
import type { TestDatabase } from './postgres.ts';

export interface Overtaken<Answer> {
  readonly database: TestDatabase;
  readonly tenantId: string;
  /** What the second is kept from reading until the first has ended. */
  readonly table: 'arrivals' | 'dead_letters';
  readonly ask: () => Promise<Answer>;
}

/** The answers of the first and of the second. */
export async function askOvertaken<Answer>({ database: { adminDb }, tenantId, table, ask }: Overtaken<Answer>): Promise<[Answer, Answer]> {
  const waiting = async () =>
    (await adminDb.query("/* waits */ select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"))
      .rowCount;
  const until = (count: number) => vi.waitUntil(async () => (await waiting()) >= count, { timeout: 60_000, interval: 10 });
  let first!: Promise<Answer>;
  let second!: Promise<Answer>;
  let passed!: Promise<void>;
  await adminDb.transaction(async (tx) => {
    await tx.query('/* hold usage */ select from headgate.tenant_usage where tenant_id = $1 for update', [tenantId]);
    first = ask();
    await until(1);
    passed = adminDb.transaction(async (behind) => {
      await behind.query(`/* stand in front */ lock table headgate.${table} in access exclusive mode`);
    });
    await until(2);
    second = ask();
    await until(3);
  });
  const [one, , two] = await Promise.all([first, passed, second]);
  return [one, two];
}
