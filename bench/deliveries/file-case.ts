/** file against node:fs alone: a temporary file, fsync, rename, fsync of the folder. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchContext } from '../bench-context.ts';
import { type CaseMaker, openTarget } from './delivery-case.ts';
import { filesIn, moveAway } from './sent-files.ts';

export const fileCase: CaseMaker = {
  connector: 'file',
  sizes: { batched: 400_000, single: 2_000 },
  missing: () => null,
  async make(context: BenchContext) {
    const folder = join(context.folder, 'delivery-files');
    mkdirSync(folder);
    const { target } = await openTarget({
      target: '{ type: file, connection: c, path: ., name: "{number}.ndjson" }',
      connection: `{ type: folder, root: "${folder}" }`,
    });
    return {
      connector: 'file',
      against: 'node:fs',
      target,
      async sendBare({ batch }) {
        const temporary = join(folder, `.${batch.batchId}`);
        const file = await open(temporary, 'wx', 0o640);
        for (const piece of batch.body.pieces()) await file.write(piece);
        await file.sync();
        await file.close();
        await rename(temporary, join(folder, `${batch.number}.ndjson`));
        const parent = await open(folder, 'r');
        await parent.sync();
        await parent.close();
      },
      taken: async () => filesIn(folder),
      /** And on the disk: nor with its write-back. */
      async reset() {
        moveAway(folder);
        execFileSync('sync');
      },
      close: () => target.close(),
    };
  },
};
