/** From a kafka target to its settings: the key as a checked expression, and an order that Kafka can keep. */
import type { OutputFieldPlan } from '../../../pipeline/engine/plan.ts';
import type { DeliveryDefinition, TargetDefinition } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { compileExpression, type FlowScopes } from './expression-scopes.ts';

interface KafkaContext {
  readonly output: readonly OutputFieldPlan[];
  readonly scopes: FlowScopes;
  readonly order: DeliveryDefinition['order'];
}

export function kafkaSettings(
  target: Extract<TargetDefinition, { type: 'kafka' }>,
  { output, scopes, order }: KafkaContext,
  path: Path,
  report: Report,
): Record<string, unknown> {
  const { topic, key, partition, compression } = target;
  const conflict = (message: string): void =>
    report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, ...(target.order === undefined ? [] : ['order'])], message });
  if (order === 'file' && partition === undefined) conflict('order file needs partition: Kafka keeps the order of one partition');
  if (order === 'by-key' && partition === undefined && key === undefined)
    conflict('order by-key needs key or partition: Kafka keeps the order of one partition');
  const at = [...path, 'key'];
  const expression =
    key === undefined ? null : compileExpression({ source: key, path: at, environment: scopes.targets(output), expected: null }, report);
  return { topic, compression, ...(partition === undefined ? {} : { partition }), ...(expression === null ? {} : { key: expression }) };
}
