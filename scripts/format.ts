/** `npm run format`: formats every source and applies the safe fixes of the linter. */
import { printStep, runStep } from './steps.ts';

process.exitCode = printStep(await runStep('format', 'biome', ['check', '--write', '--colors=off'])).failed > 0 ? 1 : 0;
