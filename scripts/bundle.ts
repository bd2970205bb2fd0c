/**
 * `npm run bundle`: puts the program's hundreds of modules into a few files beside the compiled code, so that a process starts in
 * two thirds of the time. `bin/headgate` uses them as long as no source is newer; without them it runs the sources.
 */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src');
const folder = join(root, 'node_modules/.cache/headgate-bundle');

/** What processes and threads begin with, and what is imported by its address. */
const entries = [
  'cli/run/chunk-thread.ts',
  'control/jobs/groups/engine-thread.ts',
  'control/jobs/poison/poison-child.ts',
  'pipeline/arrivals/intake-thread-entry.ts',
  'main/catalogue.ts',
  'main/headgate.ts',
] as const;

/** Of what is installed: packages of many small files that every command, or every server, loads. */
const bundled = ['yaml', 'typebox'];

/** Code of earlier bundles that a running process may still load. */
const keptMs = 24 * 3_600_000;

/** Modules go on looking for what lies beside their sources; other entries lie beside the module in the bundle. */
function moved(text: string, path: string): string {
  const place = `../../../src/${relative(source, path)}`;
  return text
    .replaceAll(/new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/g, (whole, name: string) =>
      entries.some((entry) => basename(entry) === `${name}.ts`) ? `new URL('./${name}.mjs', HEADGATE_HERE)` : whole,
    )
    .replaceAll('import.meta.dirname', `(HEADGATE_FOLDER + '/${dirname(place)}')`)
    .replaceAll('import.meta.url', `new URL('${place}', HEADGATE_HERE).href`)
    .replaceAll('HEADGATE_FOLDER', 'import.meta.dirname')
    .replaceAll('HEADGATE_HERE', 'import.meta.url');
}

async function writeBundle(into: string): Promise<void> {
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [basename(entry, '.ts'), join(source, entry)])),
    cwd: root,
    platform: 'node',
    external: (id) => !id.startsWith('.') && !id.startsWith('/') && !bundled.includes(id.split('/')[0]!),
    plugins: [
      {
        name: 'places of modules',
        transform: (text, id) => (id.startsWith(source) && text.includes('import.meta') ? { code: moved(text, id) } : null),
      },
    ],
  });
  await bundle.write({
    dir: into,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
  });
  await bundle.close();
}

/** The program's own file comes last: until it is there, the earlier bundle is used as a whole. */
function publish(made: string, startedAt: Date): void {
  const names = readdirSync(made).sort((a, b) => Number(a === 'headgate.mjs') - Number(b === 'headgate.mjs'));
  for (const name of names) {
    utimesSync(join(made, name), startedAt, startedAt);
    renameSync(join(made, name), join(folder, name));
  }
  for (const name of readdirSync(folder)) {
    const isOld = !names.includes(name) && Date.now() - statSync(join(folder, name)).mtimeMs > keptMs;
    if (isOld) rmSync(join(folder, name), { recursive: true });
  }
}

const startedAt = new Date();
mkdirSync(folder, { recursive: true });
const made = mkdtempSync(join(folder, 'made-'));
try {
  await writeBundle(made);
  publish(made, startedAt);
} finally {
  rmSync(made, { recursive: true, force: true });
}
