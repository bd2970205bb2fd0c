import { expect, it } from 'vitest';
import { type Command, runCommand } from '../../src/cli/command.ts';
import { commands, isCommand } from '../../src/main/commands.ts';
import { renderSettingsPage } from './settings-page.ts';

const page = await renderSettingsPage();

/** Each flag of the page with the commands that it names. */
const listed = page.split('\n').flatMap((line) => {
  if (!line.startsWith('- Given as: ')) return [];
  const [flag, ...takers] = [...line.matchAll(/`([^`]+)`/g)].slice(1).map(([, text]) => text!);
  return flag === undefined ? [] : [{ flag, takers }];
});

it('each flag of a setting is taken by the commands that are named with it', async () => {
  expect(listed.map(({ flag }) => flag)).toEqual(['--data-dir', '--host', '--port', '--roles']);
  for (const { flag, takers } of listed) {
    expect(takers).not.toEqual([]);
    for (const taker of takers) {
      const [noun, verb] = taker.split(' ');
      const loaded = await commands[noun!]!.load();
      const command = isCommand(loaded) ? loaded : loaded[verb!]!;
      // As it is parsed, without what it does.
      const given: unknown[] = [];
      const run: Command['run'] = async ({ options }) => given.push(options[flag.slice(2)]) - 1;
      const code = await runCommand({ ...command, run }, [flag, '1']);
      expect([taker, code, given]).toEqual([taker, 0, ['1']]);
    }
  }
});

it('a setting that no command takes as a flag is given by environment and file alone', () => {
  expect(page).toContain('- Given as: `HEADGATE_CHUNK_BYTES`\n');
  expect(page).toContain('- Given as: `HEADGATE_MASTER_KEY` (never on a command line)\n');
  expect(listed.find(({ flag }) => flag === '--data-dir')?.takers).toEqual(expect.arrayContaining(['serve', 'doctor', 'migrate up']));
});
