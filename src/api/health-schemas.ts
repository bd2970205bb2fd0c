/** What the API says of the health of sources and targets, as JSON Schema. */
import { subjectKinds } from '../insight/health/health-subjects.ts';
import { probeAskers } from '../pipeline/deliveries/probes/probe-store.ts';
import { choice, count, id, instant, nullable, object, text } from './answers.ts';

const probeFields = {
  state: choice(['healthy', 'unhealthy', 'unprobed'] as const),
  code: nullable(text),
  message: nullable(text),
  next: nullable(text),
  durationMs: nullable(count),
  probedAt: nullable(instant),
  askedBy: nullable(choice(probeAskers)),
};

export const healthSchemas = [
  object(
    { flow: text, kind: choice(subjectKinds), id: text, type: text, connection: nullable(text), ...probeFields },
    { $id: 'HealthSubject' },
  ),
  object({ probeId: id, ...probeFields }, { $id: 'Probe' }),
];
