/** What the files of a plan are read with. */
import type { Plan } from '../../pipeline/engine/plan.ts';
import type { Format } from '../../pipeline/formats/format.ts';
import type { Pack, Packs } from '../../pipeline/formats/pack.ts';

export interface Catalogue {
  readonly formats: readonly Format[];
  readonly packs: Packs;
}

export interface FileFormat {
  readonly format: Format;
  /** Null where the format is no pack. */
  readonly pack: Pack | null;
}

export async function formatOf(plan: Plan, { formats, packs }: Catalogue): Promise<FileFormat> {
  const format = formats.find(({ name }) => name === plan.format.type)!;
  const pack = plan.format.type === 'json-lines' && plan.format.pack !== undefined ? await packs[plan.format.pack.name]() : null;
  return { format, pack };
}
