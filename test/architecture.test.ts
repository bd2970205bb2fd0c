import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkArchitecture, importMap } from './support/architecture-rules.ts';
import { importsOf, readSourceFiles } from './support/source-files.ts';

it('the project keeps its rules', () => {
  const violations = checkArchitecture(readSourceFiles());
  expect(violations.map(({ rule, path, detail }) => `${rule}: ${path}: ${detail}`)).toEqual([]);
});

const projectRoot = join(import.meta.dirname, '..');
const isFolder = (name: string) => existsSync(join(projectRoot, 'src', name));

/** Folder → what it may import, by the table of a page. */
function foldersOfTable(page: string): [folder: string, imports: readonly string[]][] {
  const [, table = ''] = /\n\| folder \| holds \| may import[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)/.exec(page) ?? [];
  const quoted = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  return table
    .trimEnd()
    .split('\n')
    .flatMap((row) => {
      const [folders, , imports] = row.slice(2, -2).split(' | ');
      return quoted(folders).map((folder): [string, string[]] => [
        folder,
        quoted(imports)
          .filter((name) => name !== 'node:')
          .toSorted(),
      ]);
    });
}

it('the table of the architecture page has the folders that there are, and what each may import', () => {
  const told = foldersOfTable(readFileSync(join(projectRoot, 'docs/ARCHITECTURE.md'), 'utf8'));
  const wanted = Object.entries(importMap).filter(([folder]) => isFolder(folder));
  expect(told.toSorted()).toEqual(wanted.map(([folder, imports]) => [folder, imports.filter(isFolder).toSorted()]).toSorted());
});

const opening = '/** What it is for. */\n';

describe('a planted violation is caught', () => {
  it.each([
    ['unknown folder', 'src/billing/invoice.ts', ''],
    ['unknown folder', 'src/stray.ts', ''],
    ['unknown folder', 'src/control/weather/rain.ts', ''],
    ['folder name', 'src/pipeline/engine/utils/text.ts', ''],
    ['folder name', 'src/api/v2/files.ts', ''],
    ['file name', 'src/api/filesRoute.ts', ''],
    ['file length', 'src/api/long.ts', '//\n'.repeat(401)],
    ['import', 'src/platform/postgres/a.ts', "import { x } from '../../pipeline/engine/plan.ts';"],
    ['import', 'src/platform/postgres/a.ts', "import type { Plan } from '../../pipeline/engine/plan.ts';"],
    ['import', 'src/platform/postgres/a.ts', "export type { Plan } from '../../pipeline/engine/plan.ts';"],
    ['import', 'src/platform/postgres/a.ts', "const plan = await import('../../pipeline/engine/plan.ts');"],
    ['import', 'src/pipeline/ledger/a.ts', "import '../../control/jobs/job-state.ts';"],
    ['import', 'src/pipeline/engine/a.ts', "import { openPool } from '../../platform/postgres/pool.ts';"],
    ['import', 'src/platform/base/a.ts', "import pino from 'pino';"],
    ['import', 'src/control/jobs/a.ts', "import pg from 'pg';"],
    ['import', 'src/cli/job.ts', "import { openPool } from '../platform/postgres/pool.ts';"],
    ['import', 'src/api/a.ts', "import { x } from '../../test/support/postgres.ts';"],
    ['import', 'src/pipeline/deliveries/a.ts', "import { send } from '../connectors/http/http-target.ts';"],
    ['purity', 'src/pipeline/formats/a.ts', "import { readFileSync } from 'node:fs';"],
    ['cycle', 'src/api/a.ts', "import type { A } from './a.ts';"],
    ['ports', 'src/api/a.ts', 'const at = Date.now();'],
    ['ports', 'src/api/a.ts', 'const at = new Date();'],
    ['ports', 'src/api/a.ts', "import { createHash, randomUUID } from 'node:crypto';"],
    ['ports', 'src/api/a.ts', 'setTimeout(() => {}, 5);'],
    ['ports', 'src/pipeline/engine/a.ts', 'const share = Math.random();'],
    ['sql clock', 'src/api/a.ts', "const sql = '/* list jobs */ select now()';"],
    ['sql clock', 'src/api/a.ts', 'const sql = `/* list jobs */ select *\n from jobs where at < current_timestamp`;'],
    ['sql clock', 'src/api/a.ts', "const sql = '/* add */ insert into x values (gen_random_uuid())';"],
    ['tenant door', 'src/api/a.ts', "const sql = `set local headgate.tenant = 'x'`;"],
    ['console', 'src/api/a.ts', "console.log('here');"],
    ['stdout', 'src/cli/a.ts', "process.stdout.write('here');"],
    ['todo', 'src/api/a.ts', '// TODO later'],
    ['test', 'src/api/a.test.ts', "it.skip('x', () => {});"],
    ['test', 'src/api/a.test.ts', "describe.only('x', () => {});"],
  ])('%s in %s', (rule, path, text) => {
    const violations = checkArchitecture(new Map([[path, opening + text]]));
    expect(violations.map((violation) => violation.rule)).toContain(rule);
  });

  it('a file that does not say what it is for', () => {
    const violations = checkArchitecture(new Map([['src/api/a.ts', 'export const a = 1;']]));
    expect(violations.map((violation) => violation.rule)).toEqual(['opening comment']);
  });

  it('a circle over several files', () => {
    const files = new Map([
      ['src/api/a.ts', `${opening}import { b } from './b.ts';`],
      ['src/api/b.ts', `${opening}import { c } from './c.ts';`],
      ['src/api/c.ts', `${opening}import type { A } from './a.ts';`],
    ]);
    expect(checkArchitecture(files)).toEqual([
      { rule: 'cycle', path: 'src/api/a.ts', detail: 'src/api/a.ts → src/api/b.ts → src/api/c.ts → src/api/a.ts' },
    ]);
  });
});

describe('what is allowed is not caught', () => {
  it.each([
    ['src/pipeline/ledger/a.ts', "import { x } from '../../platform/base/errors.ts';\nimport { y } from '../engine/plan.ts';"],
    ['src/main/serve.ts', "import { x } from '../api/server.ts';"],
    ['src/cli/migrate.ts', "import { x } from '../platform/postgres/migrate.ts';"],
    ['src/api/a.test.ts', "import { x } from '../../test/support/postgres.ts';\nsetTimeout(() => {}, 1);"],
    ['src/api/a.ts', "// Date.now() is not called here\nconst text = 'of now()';"],
    ['src/api/a.ts', "const sql = '/* list jobs */ select headgate.clock()';"],
    ['src/api/a.ts', "const sql = '/* list tenants */ select from headgate.tenants where tenant_id = headgate.tenant()';"],
    ['src/pipeline/engine/a.test.ts', "import { formats } from '../../main/catalogue.ts';"],
    ['src/pipeline/engine/a.ts', 'function randomBytes() {}'],
  ])('%s: %s', (path, text) => {
    expect(checkArchitecture(new Map([[path, opening + text]]))).toEqual([]);
  });
});

it('imports of every form are seen, and text that only looks like one is not', () => {
  const text = `import a, { type B } from './a.ts';
import type {
  C,
} from './c.ts';
export * from './d.ts';
import './e.ts';
const f = import('./f.ts');
// import x from './comment.ts'
const text = "import y from './text.ts'";`;
  expect(importsOf(text).sort()).toEqual(['./a.ts', './c.ts', './d.ts', './e.ts', './f.ts']);
});
