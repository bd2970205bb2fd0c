/** `npm run check`: format, lint, types, unused code and the fast tests, in under 90 seconds. Changes nothing. */
import { printSummary, runCheckSteps } from './steps.ts';

process.exitCode = printSummary(await runCheckSteps());
