import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

it('what the steps of the README leave in a clone lies in a folder that git and the checks ignore', () => {
  const steps = readme
    .replaceAll(/```.*?```/gs, '')
    .split('\n')
    .filter((line) => line.startsWith('    '));
  const written = [
    ...steps.flatMap((step) => [...step.matchAll(/(?:> |--out )([\w./-]+)/g)].map(([, path]) => path!)),
    ...[...readme.matchAll(/as `([\w./-]+)`/g)].map(([, path]) => path!),
  ];
  expect(written.length).toBeGreaterThanOrEqual(5);
  expect(written.filter((path) => !path.startsWith('my/'))).toEqual([]);
  expect(readFileSync(join(root, '.gitignore'), 'utf8').split('\n')).toContain('/my/');
  expect(JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')).vcs).toEqual({ enabled: true, clientKind: 'git', useIgnoreFile: true });
});
