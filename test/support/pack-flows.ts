/** A flow whose format is a pack, and what its engine and the reference parser make of a file. */
import { expect } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { formats, packs } from '../../src/main/catalogue.ts';
import type { Finding } from '../../src/pipeline/engine/chunk.ts';
import { checkFile } from '../../src/pipeline/engine/file/file-checks.ts';
import { OutcomeSegment } from '../../src/pipeline/engine/outcomes/outcome-segment.ts';
import type { Plan } from '../../src/pipeline/engine/plan.ts';
import { type Account, compiledFlowOf, runEngine, runReference } from '../../src/pipeline/engine/reference/run-accounts.fixture.ts';
import { currencyMinorUnits } from '../../src/pipeline/engine/reference-data/currencies.ts';
import { memorySource, runInMemory } from '../../src/pipeline/engine/runs.fixture.ts';
import { decimalText } from '../../src/pipeline/formats/exact-sum.ts';
import { createPackSplitter } from '../../src/pipeline/formats/pack-splitter.ts';

/** `format`: as in a flow, such as `{ type: nacha }`; `more`: other keys of the spec. */
export function packFlow(format: string, more: readonly string[] = []): Plan {
  const { plan, diagnostics } = loadFlow(packFlowText(format, more));
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (plan === null || errors.length > 0) throw new Error(JSON.stringify(errors));
  return plan;
}

export function packFlowText(format: string, more: readonly string[] = []): string {
  return `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank-us, service: payments, name: statements, version: 1.0.0 }
spec:
  format: ${format}
  routes: { default: { to: [out] } }
  targets:
    out: { type: file, connection: folder, path: ., name: "{file}-{number}.ndjson", format: ndjson }
${more.map((line) => `  ${line}\n`).join('')}`;
}

export interface Converted {
  readonly lines: Buffer;
  /** About the file as a whole. */
  readonly damage: readonly Finding[];
}

/** `pieceBytes`: the file comes in pieces so long. */
export async function convert(plan: Plan, bytes: Buffer, pieceBytes = bytes.length): Promise<Converted> {
  const { pack } = plan.format as Extract<Plan['format'], { type: 'json-lines' }>;
  const format = formats.find(({ name }) => name === 'json-lines')!;
  const kept: Buffer[] = [];
  const splitter = createPackSplitter({
    pack: await packs[pack!.name](),
    settings: pack!.settings,
    lines: format.createSplitter(plan.format, plan.records, { chunkBytes: 1_000_000 }),
    keep: (piece) => void kept.push(Buffer.from(piece)),
  });
  for (let at = 0; at < bytes.length; at += pieceBytes) splitter.push(bytes.subarray(at, at + pieceBytes));
  const { damage } = splitter.end();
  return { lines: Buffer.concat(kept), damage };
}

export interface PackAccounts {
  readonly reference: Account;
  /** By the fast path, by the slow one, and in small chunks. */
  readonly engines: readonly Account[];
}

export function accountsOf(plan: Plan, lines: Buffer): PackAccounts {
  return {
    reference: runReference(plan, lines),
    engines: [
      runEngine(plan, lines, { chunkBytes: 1_000_000, path: 'fast', blockBytes: 65_536 }),
      runEngine(plan, lines, { chunkBytes: 1_000_000, path: 'slow', blockBytes: 65_536 }),
      runEngine(plan, lines, { chunkBytes: 700, path: 'fast', blockBytes: 4_096 }),
    ],
  };
}

export function linesOf({ lines }: Converted): Record<string, unknown>[] {
  return lines
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Every path of the engine comes to what the reference parser comes to, which is given. */
export function expectSameByEveryPath(plan: Plan, lines: Buffer): Account {
  const { reference, engines } = accountsOf(plan, lines);
  for (const engine of engines) expect(engine).toEqual(reference);
  return reference;
}

/** Whether anything of a file is refused: a record, or the file as a whole, by its pack or by what its totals come to. */
export async function isRefused(plan: Plan, bytes: Buffer): Promise<boolean> {
  const { lines, damage } = await convert(plan, bytes);
  const reference = runReference(plan, lines);
  expect(runEngine(plan, lines, { chunkBytes: 700, path: 'fast', blockBytes: 4_096 })).toEqual(reference);
  return damage.length > 0 || reference.findings.length > 0 || problemsOf(plan, lines).length > 0;
}

/** The codes of what a file is held or rejected for, apart from what its pack found about it as a whole. */
export function problemsOf(plan: Plan, lines: Buffer): readonly string[] {
  const flow = compiledFlowOf(plan);
  const { summary, outcomes } = runInMemory({ plan, bytes: lines, flow });
  const spec = { number: 0, start: 0, end: lines.length, firstRecord: 1, context: { version: 1, columns: null } } as const;
  const { check } = checkFile(flow, {
    summary,
    chunks: [{ spec, outcomes: new OutcomeSegment(memorySource(outcomes)) }],
    source: memorySource(lines),
    onExclusion() {},
  });
  return check.reasons.map(({ code }) => code);
}

/** Of a summed field: decimal text by currency, with as many decimals as ISO 4217 gives the currency. */
export function sumsOf({ totals }: Account, field: string): Readonly<Record<string, string>> {
  const { amounts } = totals as { amounts: { read: Record<string, { scale: number; byCurrency: Record<string, string> }> } };
  const { scale, byCurrency } = amounts.read[field]!;
  return Object.fromEntries(
    Object.entries(byCurrency).map(([currency, units]) => {
      const digits = currencyMinorUnits.get(currency) ?? 2;
      return [currency, decimalText(BigInt(units) / 10n ** BigInt(scale - digits), digits)];
    }),
  );
}

/** The example of the page of a pack: what its flow makes of its file, and what the page says. Blocks: the flow, the file, the output. */
export async function documentedExample(page: string): Promise<{ readonly made: string; readonly said: string }> {
  const section = page.split('\n## ').find((each) => each.startsWith('In a flow\n')) ?? '';
  const [, flow = ''] = /```yaml\n([\s\S]*?)```/.exec(section) ?? [];
  const [file = '', said = ''] = [...section.matchAll(/(?:^ {4}.*\n)+/gm)].slice(-2).map(([block]) => block.replace(/^ {4}/gm, ''));
  const { plan } = loadFlow(flow);
  const { lines, damage } = await convert(plan!, Buffer.from(file));
  expect(damage).toEqual([]);
  return { made: runReference(plan!, lines).segments.join(''), said };
}
