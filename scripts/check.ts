/** `npm run check`: format, lint, types, unused code and the fast tests. Changes nothing. */
import { printSummary, runCheckSteps } from './steps.ts';

process.exitCode = printSummary(await runCheckSteps());
