/** Job scenarios of one file of tests, in a database of its own: what a test has started is stopped with it. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { createJobScenario, type JobScenario, type JobScenarioOptions } from './job-scenario.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';

export interface JobScenarios {
  /** Once the first test has begun. */
  readonly database: TestDatabase;
  start(options: Omit<JobScenarioOptions, 'database'> & Partial<Pick<JobScenarioOptions, 'database'>>): Promise<JobScenario>;
}

export function useJobScenarios(): JobScenarios {
  let database: TestDatabase;
  const started: JobScenario[] = [];
  beforeAll(async () => {
    database = await createTestDatabase({ connectionsMax: 12 });
  });
  afterEach(() => Promise.all(started.splice(0).map((scenario) => scenario.stopAll())));
  afterAll(() => database.drop());
  return {
    get database() {
      return database;
    },
    async start(options) {
      const scenario = await createJobScenario({ database, ...options });
      started.push(scenario);
      return scenario;
    },
  };
}
