/**
 * The folder map and the import map of the project, as data, and the other rules about where things may be. The rules look
 * at text only, so that a planted file shows that each of them can fail (test/architecture.test.ts).
 */
import { importsOf, resolveImport, type SourceFiles, withoutComments } from './source-files.ts';

export interface Violation {
  readonly rule: string;
  readonly path: string;
  readonly detail: string;
}

/** Each folder of src and what it may import from, besides itself. A folder that is not here is an error. */
export const importMap: Readonly<Record<string, readonly string[]>> = {
  'platform/base': [],
  'platform/postgres': ['platform/base'],
  'platform/telemetry': ['platform/base'],
  'platform/secrets': ['platform/base', 'platform/postgres', 'platform/tenancy', 'platform/telemetry'],
  'platform/storage': ['platform/base', 'platform/blob', 'platform/secrets', 'platform/telemetry'],
  'platform/tenancy': ['platform/base', 'platform/postgres'],
  'platform/access': ['platform/base', 'platform/postgres', 'platform/tenancy', 'platform/secrets', 'platform/events'],
  'platform/events': ['platform/base', 'platform/postgres', 'platform/tenancy', 'platform/telemetry'],
  'platform/packing': ['platform/base', 'platform/openpgp'],
  'platform/sftp': ['platform/base'],
  'platform/openpgp': ['platform/base'],
  'platform/blob': ['platform/base'],
  'pipeline/engine': ['platform/base', 'pipeline/formats'],
  'pipeline/formats': ['platform/base', 'pipeline/engine'],
  'pipeline/connectors': ['platform', 'pipeline/engine', 'pipeline/formats'],
  'pipeline/ledger': ['platform', 'pipeline/engine', 'pipeline/formats'],
  'pipeline/arrivals': ['platform', 'pipeline'],
  'pipeline/deliveries': ['platform', 'pipeline'],
  'control/flows': ['platform', 'pipeline', 'control'],
  'control/jobs': ['platform', 'pipeline', 'control'],
  'control/redrives': ['platform', 'pipeline', 'control'],
  'control/calendar': ['platform', 'pipeline', 'control'],
  'control/sla': ['platform', 'pipeline', 'control'],
  'control/flags': ['platform', 'pipeline', 'control'],
  'control/replays': ['platform', 'pipeline', 'control'],
  'control/rollout': ['platform', 'pipeline', 'control'],
  'control/capacity': ['platform', 'pipeline', 'control'],
  insight: ['platform', 'pipeline', 'control'],
  governance: ['platform', 'pipeline', 'control'],
  api: ['platform', 'pipeline', 'control', 'insight', 'governance'],
  cli: ['platform', 'pipeline', 'control', 'insight', 'governance', 'api'],
  main: ['platform', 'pipeline', 'control', 'insight', 'governance', 'api', 'cli'],
};

/** Bytes in, bytes out: they also run in worker threads and offline. */
const pureFolders = ['pipeline/engine', 'pipeline/formats'];
const pureNodeModules = ['node:buffer', 'node:util', 'node:crypto', 'node:module'];

/** Of the folders below pipeline/connectors the one that is none: what all have in common that hold files. */
const sharedByConnectors = 'output-files';

/** Commands that may touch the database themselves (decisions 35); version only counts the migration files. */
const databaseCommands = /^src\/cli\/(migrate|doctor|serve|demo|tenant|version)\b/;

const forbiddenFolders = [
  'utils',
  'util',
  'common',
  'helpers',
  'lib',
  'core',
  'services',
  'models',
  'types',
  'managers',
  'misc',
  'interfaces',
];

/** Where the world comes in: the adapters of the ports. */
const worldAdapters = new Set(['src/platform/base/system-ports.ts']);
/** Whoever else prints does it with `writeOut`, which fails with a code. */
const stdoutWriters = new Set(['src/cli/stdout.ts', 'src/main/headgate.ts']);
const worldSources =
  /\b(?:Date\.now|Math\.random|(?<!socket\.)setTimeout|setInterval|setImmediate|performance\.now|process\.hrtime|Temporal\.Now|AbortSignal\.timeout|crypto\.random\w+)\b|\bDate\(\)|\bimport\s*\{[^}]*\b(?:random\w+|getRandomValues)\b[^}]*\}\s*from\s*'node:crypto'/;

const sqlSources =
  /\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|random|gen_random_uuid|uuidv4|uuidv7|nextval|setseed)\s*\(|\b(?:current_timestamp|current_date|current_time|localtimestamp|localtime)\b|\b(?:small|big)?serial\b/i;

const lineCountMax = 400;

const isTest = (path: string) => /\.(test|fixture)\.ts$/.test(path) || path.startsWith('test/') || path.startsWith('bench/');

/** All violations over the given files. */
export function checkArchitecture(files: SourceFiles): Violation[] {
  const violations: Violation[] = [];
  const report = (rule: string, path: string, detail: string) => violations.push({ rule, path, detail });
  for (const [path, text] of files) {
    checkNames(path, text, report);
    if (path.endsWith('.sql')) continue;
    checkImports(path, text, report);
    if (path.startsWith('src/')) checkSource(path, text, report);
  }
  for (const cycle of findCycles(files)) report('cycle', cycle[0]!, cycle.join(' → '));
  return violations;
}

type Report = (rule: string, path: string, detail: string) => void;

/** The entry of the import map that a path in src belongs to: the longest one. */
function mapEntry(path: string): string | undefined {
  const parts = path
    .replace(/^src\//, '')
    .split('/')
    .slice(0, -1);
  for (let length = parts.length; length > 0; length--) {
    const name = parts.slice(0, length).join('/');
    if (importMap[name]) return name;
  }
  return undefined;
}

function checkNames(path: string, text: string, report: Report): void {
  const folders = path.split('/').slice(0, -1);
  const forbidden = folders.find((folder) => forbiddenFolders.includes(folder) || /^v\d+$/.test(folder));
  if (forbidden) report('folder name', path, `${forbidden} is no noun of the business`);
  if (!/(^|\/)[a-z0-9][a-z0-9_-]*(\.[a-z0-9-]+)*\.(ts|sql)$/.test(path)) report('file name', path, 'is not kebab-case');
  if (path.startsWith('src/') && mapEntry(path) === undefined) report('unknown folder', path, 'its folder is not in the import map');
  const lines = text.split('\n').length - 1;
  // A released migration never changes, so it cannot be split.
  if (lines > lineCountMax && !path.endsWith('.sql')) report('file length', path, `${lines} lines; ${lineCountMax} are allowed`);
}

function checkImports(path: string, text: string, report: Report): void {
  const own = path.startsWith('src/') ? mapEntry(path) : undefined;
  for (const specifier of importsOf(text)) {
    const target = resolveImport(path, specifier);
    if (target === undefined) checkPackage(path, own, specifier, report);
    else if (own !== undefined) checkTarget(path, own, target, report);
  }
}

function checkTarget(path: string, own: string, target: string, report: Report): void {
  if (!target.startsWith('src/')) {
    if (!isTest(path)) report('import', path, `${target}: product code does not import from outside src`);
    return;
  }
  const theirs = mapEntry(target);
  // Tests run over the whole list of formats and connectors.
  if (isTest(path) && (target === 'src/main/catalogue.ts' || target === 'src/main/demo/demo-files.ts')) return;
  const isAllowed = theirs === own || importMap[own]!.some((allowed) => theirs === allowed || theirs?.startsWith(`${allowed}/`));
  if (!isAllowed) report('import', path, `${own} may not import ${target}`);
  if (theirs === 'platform/postgres' && own === 'cli' && !databaseCommands.test(path))
    report('import', path, 'this command may not touch the database');
  const connector = /^src\/pipeline\/connectors\/([^/]+)\//.exec(target)?.[1];
  if (
    connector &&
    connector !== sharedByConnectors &&
    !path.startsWith(`src/pipeline/connectors/${connector}/`) &&
    !path.startsWith('src/main/') &&
    !isTest(path)
  ) {
    report('import', path, `connector ${connector} is known to src/main/catalogue.ts only`);
  }
}

function checkPackage(path: string, own: string | undefined, specifier: string, report: Report): void {
  if (isTest(path)) return;
  if (own === 'platform/base' && !specifier.startsWith('node:')) report('import', path, `platform/base may not import ${specifier}`);
  if (own !== undefined && pureFolders.includes(own) && specifier.startsWith('node:') && !pureNodeModules.includes(specifier)) {
    report('purity', path, `${own} may not import ${specifier}`);
  }
  if (specifier === 'pg' && own !== 'platform/postgres' && !path.startsWith('src/pipeline/connectors/') && own !== undefined) {
    report('import', path, 'only platform/postgres and connectors speak to PostgreSQL');
  }
}

function checkSource(path: string, text: string, report: Report): void {
  const code = withoutComments(text);
  if (isTest(path)) {
    if (/\b(?:it|test|describe)\.(?:skip|only|todo)\b/.test(code)) report('test', path, 'a test is skipped or singled out');
    return;
  }
  if (!/^(?:#![^\n]*\n)?(?:\/\*\*|\/\/)/.test(text)) report('opening comment', path, 'does not open with what it is responsible for');
  if (/\b(?:TODO|FIXME|XXX:|HACK)\b/.test(text)) report('todo', path, 'holds a TODO');
  if (/\bconsole\.(?:log|info|warn|error|debug)\b/.test(code))
    report('console', path, 'writes to the console instead of the logger or stdout');
  if (!stdoutWriters.has(path) && /\bprocess\.stdout\.write\b/.test(code))
    report('stdout', path, 'writes to stdout without hearing that it could not be written');
  const world = worldAdapters.has(path) ? null : worldSources.exec(code);
  if (world) report('ports', path, `${world[0]} outside the ports`);
  const sql = /\/\* [a-z][\w .:-]*\*\//i.test(text) ? sqlSources.exec(sqlTexts(code)) : null;
  if (sql) report('sql clock', path, `${sql[0]} in SQL: use headgate.clock() or a parameter`);
  if (/\bheadgate\.tenant(?![\w(])/.test(code) && !/^src\/platform\/(tenancy|postgres)\//.test(path)) {
    report('tenant door', path, 'only platform/tenancy sets the tenant');
  }
}

/** The quoted texts of a file that hold a named SQL statement. */
function sqlTexts(code: string): string {
  const quoted = code.match(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g) ?? [];
  return quoted
    .filter((text) => /^.\s*\/\*/.test(text))
    .map((text) => text.replace(/\/\*[\s\S]*?\*\//g, ' '))
    .join('\n');
}

/** Circles of imports between files, types included; each is reported once. */
function findCycles(files: SourceFiles): string[][] {
  const edges = new Map<string, string[]>();
  for (const [path, text] of files) {
    if (!path.endsWith('.ts')) continue;
    edges.set(
      path,
      importsOf(text).flatMap((specifier) => resolveImport(path, specifier) ?? []),
    );
  }
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: string[]) => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      cycles.push([...trail.slice(at), path]);
      return;
    }
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) if (edges.has(next)) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return cycles;
}
