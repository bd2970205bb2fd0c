/** `headgate flow VERB`: each verb is a file of its own; this is the list of them. */

import type { Command } from './command.ts';
import { flowApplyCommand, flowGetCommand, flowListCommand, flowPlanCommand } from './flow-api.ts';
import { createFlowExplainCommand } from './flow-explain.ts';
import { flowFmtCommand } from './flow-fmt.ts';
import { flowHistoryCommand } from './flow-history.ts';
import { flowDisableCommand, flowEnableCommand } from './flow-switch.ts';
import { createFlowTestCommand } from './flow-test.ts';
import { flowValidateCommand } from './flow-validate.ts';
import type { Catalogue } from './run/file-format.ts';

export function createFlowVerbs(catalogue: Catalogue): Readonly<Record<string, Command>> {
  return {
    validate: flowValidateCommand,
    fmt: flowFmtCommand,
    explain: createFlowExplainCommand(catalogue),
    test: createFlowTestCommand(catalogue),
    plan: flowPlanCommand,
    apply: flowApplyCommand,
    list: flowListCommand,
    get: flowGetCommand,
    history: flowHistoryCommand,
    enable: flowEnableCommand,
    disable: flowDisableCommand,
  };
}
