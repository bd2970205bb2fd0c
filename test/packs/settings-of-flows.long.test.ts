/** Flows judge the mutants of packs as the packs do with settings other than those by default, and count and add up as much. */
import { expect, it } from 'vitest';
import { mutants as bai2Mutants } from '../../src/pipeline/formats/bai2/bai2-mutants.fixture.ts';
import { bai2Pack } from '../../src/pipeline/formats/bai2/bai2-pack.ts';
import { achFile } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { moreMutants } from '../../src/pipeline/formats/nacha/more-mutants.fixture.ts';
import type { Mutant } from '../../src/pipeline/formats/nacha/mutant-making.fixture.ts';
import { mutants as nachaMutants } from '../../src/pipeline/formats/nacha/mutants.fixture.ts';
import { nachaPack } from '../../src/pipeline/formats/nacha/nacha-pack.ts';
import { sampleBatches } from '../../src/pipeline/formats/nacha/sample-batches.fixture.ts';
import type { Pack } from '../../src/pipeline/formats/pack.ts';
import { runPack } from '../../src/pipeline/formats/statements/pack-run.fixture.ts';
import { mutants as swiftMutants } from '../../src/pipeline/formats/swift-mt/swift-mutants.fixture.ts';
import { swiftPack } from '../../src/pipeline/formats/swift-mt/swift-pack.ts';
import { convert, expectSameByEveryPath, packFlow, problemsOf } from '../support/pack-flows.ts';

type Settings = Readonly<Record<string, string | boolean>>;

/** Every setting that takes, warns of or refuses something does the same. */
const allOf = ({ settings }: Pack, policy: string): Settings =>
  Object.fromEntries(settings.filter(({ choices }) => choices?.includes(policy)).map(({ name }) => [name, policy]));

function achBytes({ of, change }: Mutant): Buffer {
  const made = change(achFile(...of.map((name) => sampleBatches[name])));
  return Buffer.isBuffer(made) ? made : Buffer.from(typeof made === 'string' ? made : made.text(), 'latin1');
}

const achFiles = [...Object.entries(nachaMutants), ...moreMutants.map((mutant) => [mutant.name, mutant] as const)].map(
  ([name, mutant]) => [name, achBytes(mutant)] as const,
);
const filesOf = (mutants: Readonly<Record<string, readonly (readonly [what: string, file: string | Uint8Array, ...unknown[]])[]>>) =>
  Object.values(mutants).flatMap((list) => list.map(([what, file]) => [what, Buffer.from(file)] as const));

it.each<readonly [type: string, pack: Pack, settings: Settings, files: readonly (readonly [string, Buffer])[]]>([
  ['nacha', nachaPack, allOf(nachaPack, 'accept'), achFiles],
  ['nacha', nachaPack, allOf(nachaPack, 'warn'), achFiles],
  ['nacha', nachaPack, allOf(nachaPack, 'refuse'), achFiles],
  ['bai2', bai2Pack, { totals: 'warn', unknownTypeCodes: 'refuse', otherVersions: true }, filesOf(bai2Mutants)],
  ['swift-mt', swiftPack, { messages: 'statements', strictness: 'lenient', balances: 'warn' }, filesOf(swiftMutants)],
  ['swift-mt', swiftPack, { messages: 'payments', strictness: 'network' }, filesOf(swiftMutants)],
])(
  'a flow of %s with settings of its own refuses what its pack refuses with them: %#',
  { timeout: 120_000 },
  async (type, pack, settings, files) => {
    const plan = packFlow(JSON.stringify({ type, ...settings }), ['acceptance: { emptyFile: accept }']);
    for (const [what, bytes] of files) {
      const { errors, summary } = runPack(pack, bytes, { settings });
      const { lines, damage } = await convert(plan, bytes);
      const { findings, totals } = expectSameByEveryPath(plan, lines);
      const refused = damage.length > 0 || findings.length > 0 || problemsOf(plan, lines).length > 0;
      expect([what, refused]).toEqual([what, errors.length > 0]);
      expect([what, totals]).toMatchObject([what, { records: { read: summary.records.read } }]);
      if (damage.length === 0) expect([what, totals]).toMatchObject([what, { records: { rejected: summary.records.rejected } }]);
    }
  },
);
