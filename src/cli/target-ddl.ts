/** `headgate target ddl FLOW.yaml TARGET`: what has to be made at a target before its first batch. Offline; exit 2 on mistakes. */
import type { Connector } from '../pipeline/connectors/connector.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { cliErrors } from './cli-errors.ts';
import { type Command, requiredPositional } from './command.ts';
import { offline, readFlowFiles } from './flow-files.ts';
import { writeOut } from './stdout.ts';

const usage = 'headgate target ddl FLOW.yaml TARGET';

/** `loadConnectors` brings drivers with it and is called only when the command runs. */
export function createTargetDdlCommand(loadConnectors: () => Promise<readonly Connector[]>): Command {
  return {
    usage,
    summary: 'Prints the SQL of the tables that a target of a flow writes to, for the owner of that database.',
    run: offline(async (line) => {
      const [file] = readFlowFiles([requiredPositional(line, 0, 'FLOW.yaml', usage)], usage);
      const targetId = requiredPositional(line, 1, 'TARGET', usage);
      const { loadFlow } = await import('../control/flows/load-flow.ts');
      const { plan, diagnostics } = loadFlow(file!.text);
      if (plan === null) {
        const message = `${file!.file} has mistakes; \`headgate flow validate\` shows all of them`;
        throw new HeadgateError(cliErrors.E_USAGE, message, { details: diagnostics });
      }
      const target = plan.targets.find(({ id }) => id === targetId);
      const ids = plan.targets.map(({ id }) => id).join(', ');
      if (target === undefined) throw new HeadgateError(cliErrors.E_USAGE, `the flow has no target of this name; it has ${ids}`);
      const connector = (await loadConnectors()).find(({ name }) => name === target.type);
      if (connector?.prepare === undefined) {
        throw new HeadgateError(cliErrors.E_USAGE, `a target of type ${target.type} needs nothing to be made`);
      }
      await writeOut(connector.prepare(plan, target));
      return 0;
    }),
  };
}
