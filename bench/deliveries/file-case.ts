/** file against node:fs alone: a temporary file, fsync, rename, fsync of the folder. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchContext } from '../bench-context.ts';
import { type CaseMaker, openTarget } from './delivery-case.ts';

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
      async taken() {
        return readdirSync(folder)
          .sort()
          .flatMap((name) => [name, readFileSync(join(folder, name), 'utf8')]);
      },
      /** Moved away and on the disk: neither side is timed with the write-back or the freed inodes of the other. */
      async reset() {
        const away = mkdtempSync(`${folder}-`);
        for (const name of readdirSync(folder)) renameSync(join(folder, name), join(away, name));
        execFileSync('sync');
      },
      close: () => target.close(),
    };
  },
};
