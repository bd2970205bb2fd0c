/** Runs a pack over bytes in given pieces, for tests: its findings, its summary and, where wanted, its document. */
import { Buffer } from 'node:buffer';
import type { Pack, PackSummary } from '../pack.ts';
import type { PackFinding } from '../pack-finding.ts';

export interface PackRun {
  readonly findings: readonly PackFinding[];
  readonly errors: readonly PackFinding[];
  readonly rules: readonly string[];
  readonly summary: PackSummary;
  readonly document: string;
}

export interface RunOptions {
  readonly settings?: Readonly<Record<string, string | boolean>>;
  /** Where the bytes are cut, ascending. */
  readonly cuts?: readonly number[];
}

export function runPack(pack: Pack, content: string | Uint8Array, { settings = {}, cuts = [] }: RunOptions = {}): PackRun {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const findings: PackFinding[] = [];
  let document = '';
  const values = new Map(pack.settings.map((setting) => [setting.name, settings[setting.name] ?? setting.default]));
  const reader = pack.createReader(values, { finding: (finding) => findings.push(finding), parsed: (text) => void (document += text) });
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    reader.push(bytes.slice(from, cut));
    from = cut;
  }
  const summary = reader.end();
  return {
    findings,
    errors: findings.filter(({ severity }) => severity === 'error'),
    rules: [...new Set(findings.map(({ rule }) => rule))],
    summary,
    document,
  };
}
