import { describe, expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { ReferenceRun } from '../../src/pipeline/engine/reference/reference-run.ts';
import { type GeneratedFile, generateFile } from './generated-files.ts';
import { seededRandom } from './seeded-random.ts';
import { type FlowName, flowsOf, flowTenants, type TargetName, tenantDocuments, tenantsOf } from './soak-flows.ts';

const wide = {
  broker: '127.0.0.1:40003',
  topic: 'transfers',
  queuePort: 40_004,
  queueUser: 'writer',
  ledgerPort: 40_005,
  ledgerDatabase: 'ledger',
  ledgerUser: 'writer',
  sftpPort: 40_006,
  sftpUser: 'writer',
  sftpHostKey: 'SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8',
};
const place = { root: '/exchange', httpPort: 40_001, postgres: { port: 40_002, database: 'sink', user: 'writer' }, wide };
const plans = new Map(
  tenantsOf('all')
    .flatMap((tenant) => tenantDocuments(tenant, place))
    .filter((text) => text.includes('kind: FlowDefinition'))
    .map((text) => {
      const { plan, diagnostics } = loadFlow(text);
      expect(diagnostics).toEqual([]);
      return [plan!.flow.name as FlowName, plan!] as const;
    }),
);

/** What the reference parser makes of a file, in the generator's words. */
function readFile(file: GeneratedFile) {
  const plan = plans.get(file.flow)!;
  const counts = { read: 0, valid: 0, rejected: 0, filtered: 0 };
  const routed: Partial<Record<string, string[]>> = Object.fromEntries(plan.targets.map(({ id }) => [id, []]));
  const seen = new Set<string>();
  for (const record of new ReferenceRun(plan).records([file.content])) {
    const key = record.key?.join(' ') ?? '';
    const isAgain = file.keys.size === 0 && plan.records[0]!.key.length > 0 && seen.has(key);
    seen.add(key);
    counts.read += 1;
    counts[isAgain ? 'rejected' : record.status] += 1;
    if (record.status !== 'valid' || isAgain) continue;
    const id = /[A-Z]\d{6}-\d{4}/.exec(file.content.toString('utf8', record.offset, record.offset + record.length))![0];
    for (const target of record.routes) routed[plan.targets[target]!.id]!.push(id);
  }
  return { counts, routed };
}

describe('what the generator knows of its files', () => {
  const random = seededRandom(7);
  const files = Array.from({ length: 200 }, (_, at) => generateFile(at + 1, random, { flows: flowsOf('all') }));

  it('is what the reference parser reads', () => {
    for (const file of files) {
      const { counts, routed } = readFile(file);
      const known: Partial<Record<string, string[]>> = {};
      for (const target of Object.keys(file.delivered) as TargetName[]) {
        known[target] = [...file.delivered[target]!, ...(file.refused[target] ?? [])].sort();
        routed[target]!.sort();
      }
      expect({ name: file.name, counts, routed }).toEqual({ name: file.name, counts: file.counts, routed: known });
    }
  });

  it('has files of every flow, with every fate a record can have', () => {
    expect(new Set(files.map(({ flow }) => flow))).toEqual(new Set(Object.keys(flowTenants)));
    for (const fate of ['valid', 'rejected', 'filtered'] as const) expect(files.some(({ counts }) => counts[fate] > 0)).toBe(true);
    expect(files.some(({ refused }) => Object.values(refused).some((ids) => ids.length > 0))).toBe(true);
  });

  it('is the same for the same seed', () => {
    const first = generateFile(1, seededRandom(7)).sha256;
    expect(generateFile(1, seededRandom(7)).sha256).toBe(first);
    expect(generateFile(1, seededRandom(8)).sha256).not.toBe(first);
  });
});
