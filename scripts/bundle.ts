/**
 * `npm run bundle`: puts the program's hundreds of modules into a few files beside the compiled code, so that a process starts in
 * two thirds of the time. `bin/headgate` uses them as long as no source is newer; without them it runs the sources.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src');
const folder = join(root, 'node_modules/.cache/headgate-bundle');
const current = join(folder, 'current');
const loader = 'bundle-loader.cjs';

/** What processes and threads begin with, and what is imported by its address. */
const entries = [
  'cli/run/chunk-thread.ts',
  'cli/run/hash-thread.ts',
  'control/jobs/groups/engine-thread.ts',
  'control/jobs/poison/poison-child.ts',
  'pipeline/arrivals/intake-thread-entry.ts',
  'main/catalogue.ts',
  'main/headgate.ts',
] as const;

/** Of what is installed: packages of many small files that every command, or every server, loads. */
const bundled = ['yaml', 'typebox'];

/** A process may go on with the bundle that it began with. */
const keptMs = 24 * 3_600_000;

/** Modules go on looking for what lies beside their sources; other entries lie beside the module in the bundle. */
function moved(text: string, path: string): string {
  const place = `../../../../src/${relative(source, path)}`;
  return text
    .replaceAll(/new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/g, (whole, name: string) =>
      entries.some((entry) => basename(entry) === `${name}.ts`) ? `new URL('./${name}.${kindOf(name)}', HEADGATE_HERE)` : whole,
    )
    .replaceAll('import.meta.dirname', `(HEADGATE_FOLDER + '/${dirname(place)}')`)
    .replaceAll('import.meta.url', `new URL('${place}', HEADGATE_HERE).href`);
}

/** What is imported by its address is a module, though it only hands on what the loader gives. */
const kindOf = (entry: string) => (entry === 'catalogue' ? 'mjs' : 'cjs');

/** What the loader calls: a function of what the parts of the bundle use. */
const around = { banner: '(function (exports, require, module, HEADGATE_FOLDER, HEADGATE_HERE) {"use strict";', footer: '})' };

/** What Node begins a process or a thread with, or imports. */
function start(entry: string, exported: readonly string[]): string {
  if (kindOf(entry) === 'cjs') return `require('./${loader}')(__dirname, '${entry}', require);\n`;
  return `export const { ${exported.join(', ')} } = globalThis[Symbol.for('headgate.load')]('${entry}.js');\n`;
}

async function writeBundle(into: string): Promise<void> {
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [basename(entry, '.ts'), join(source, entry)])),
    cwd: root,
    platform: 'node',
    // What one command needs later may be what another one begins with.
    checks: { ineffectiveDynamicImport: false },
    external: (id) => !id.startsWith('.') && !id.startsWith('/') && !bundled.includes(id.split('/')[0]!),
    plugins: [
      {
        name: 'places of modules',
        transform: (text, id) => (id.startsWith(source) && text.includes('import.meta') ? { code: moved(text, id) } : null),
      },
    ],
  });
  const { output } = await bundle.generate({
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  });
  await bundle.close();
  for (const part of output) {
    if (part.type !== 'chunk') throw new Error(`${part.fileName} is no code`);
    writeFileSync(join(into, part.fileName), `${around.banner}${part.code}\n${around.footer}\n`);
    if (part.isEntry) writeFileSync(join(into, `${part.name}.${kindOf(part.name)}`), start(part.name, part.exports));
  }
  copyFileSync(join(root, 'scripts', loader), join(into, loader));
}

/** Of everything that the bundle is made of: the same always lies in the same folder, for which Node keeps compiled code. */
function hashOfSources(): string {
  const hash = createHash('sha256');
  const paths = (readdirSync(source, { recursive: true }) as string[])
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => join(source, path));
  for (const path of [...paths, import.meta.filename, join(root, 'scripts', loader), join(root, 'package-lock.json')])
    hash.update(`${path}\n`).update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}

/** It is whole before its folder has its name, and used once `current` names it. */
async function makeBundle(name: string): Promise<void> {
  if (existsSync(join(folder, name))) return;
  const made = mkdtempSync(join(folder, 'made-'));
  try {
    await writeBundle(made);
    chmodSync(made, 0o755);
    renameSync(made, join(folder, name));
  } catch (error) {
    // Another maker was first.
    if (!existsSync(join(folder, name))) throw error;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** `current` is as old as the look at the sources; the one before is kept from now on for as long as its processes may need it. */
function publish(name: string, lookedAt: Date): void {
  const before = existsSync(current) ? readFileSync(current, 'utf8').trim() : '';
  const now = new Date();
  if (before !== name && /^[0-9a-f]{16}$/.test(before) && existsSync(join(folder, before))) utimesSync(join(folder, before), now, now);
  const next = join(folder, `current-${process.pid}`);
  writeFileSync(next, `${name}\n`);
  utimesSync(next, lookedAt, lookedAt);
  renameSync(next, current);
  for (const other of readdirSync(folder)) {
    const path = join(folder, other);
    const age = now.getTime() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now.getTime());
    if (other !== name && path !== current && age > keptMs) rmSync(path, { recursive: true, force: true });
  }
}

const lookedAt = new Date();
mkdirSync(folder, { recursive: true });
const name = hashOfSources();
await makeBundle(name);
publish(name, lookedAt);
