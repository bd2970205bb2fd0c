import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

/** Begun last, they would run alone in the end. */
const longest = [
  'await-kills.e2e',
  'answers-kills.e2e',
  'blob-source.e2e',
  'poison.e2e',
  'amqp-connection.e2e',
  'pack-kills.e2e',
  'statement-kills.e2e',
  'redrive-kills.e2e',
  'redrive-journey.long',
  'job-journey.long',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: Parameters<BaseSequencer['sort']>[0]): ReturnType<BaseSequencer['sort']> {
    const rank = ({ moduleId }: (typeof files)[number]) => (longest.some((name) => moduleId.includes(`/${name}.`)) ? 0 : 1);
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    // No test judges time: what a slow machine needs longer for is no failure, and what hangs is one.
    testTimeout: 180_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // More than processors: many tests wait for a database, a server or a child process.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          // Loading the same modules anew for each file would take a sixth of the time. Tests leave nothing behind in them.
          isolate: false,
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
          exclude: ['**/*.long.test.ts', '**/*.e2e.test.ts', '**/node_modules/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          isolate: false,
          include: ['src/**/*.long.test.ts', 'test/**/*.long.test.ts', 'bench/**/*.long.test.ts'],
          exclude: ['**/node_modules/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['src/**/*.e2e.test.ts', 'test/**/*.e2e.test.ts'],
          exclude: ['**/node_modules/**'],
        },
      },
    ],
  },
});
