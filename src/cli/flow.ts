/** `headgate flow VERB`: each verb is a file of its own; this is the list of them. */
import type { Command } from './command.ts';
import { flowApplyCommand, flowGetCommand, flowListCommand, flowPlanCommand } from './flow-api.ts';
import { flowExplainCommand } from './flow-explain.ts';
import { flowFmtCommand } from './flow-fmt.ts';
import { flowDisableCommand, flowEnableCommand } from './flow-switch.ts';
import { flowValidateCommand } from './flow-validate.ts';

export const flowVerbs: Readonly<Record<string, Command>> = {
  validate: flowValidateCommand,
  fmt: flowFmtCommand,
  explain: flowExplainCommand,
  plan: flowPlanCommand,
  apply: flowApplyCommand,
  list: flowListCommand,
  get: flowGetCommand,
  enable: flowEnableCommand,
  disable: flowDisableCommand,
};
