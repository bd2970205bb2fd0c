import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';
import { type MetricDescription, metricsCatalogue } from './metrics-catalogue.ts';

it('what is counted is rendered in the text format', async () => {
  const metrics = createMetrics();
  metrics.add('headgate_files_total', { tenant: 't', outcome: 'accepted' }, 3);
  metrics.set('headgate_backlog', { kind: 'chunks' }, 7);
  metrics.observe('headgate_attempt_seconds', { target: 'core' }, 0.02);
  const { body, contentType } = await metrics.render();
  expect(contentType).toMatch(/^text\/plain/);
  expect(body).toContain('headgate_files_total{tenant="t",outcome="accepted"} 3');
  expect(body).toContain('headgate_backlog{kind="chunks"} 7');
  expect(body).toContain('headgate_attempt_seconds_bucket{le="0.025",target="core"} 1');
});

it('series beyond the bound are counted together, so that nothing is lost and memory stays bounded', async () => {
  const metrics = createMetrics();
  for (let index = 0; index < 2_500; index++) metrics.add('headgate_database_statements_total', { statement: `s${index}`, outcome: 'ok' });
  const { body } = await metrics.render();
  const lines = body.split('\n').filter((line) => line.startsWith('headgate_database_statements_total{'));
  expect(lines).toHaveLength(2_001);
  expect(lines).toContain('headgate_database_statements_total{statement="other",outcome="other"} 500');
});

it('gauges are refreshed before they are rendered, and a failing refresh does not hide the rest', async () => {
  const metrics = createMetrics();
  metrics.onRender(() => Promise.reject(new Error('database away')));
  metrics.onRender(async () => metrics.set('headgate_backlog', { kind: 'close' }, 5));
  expect((await metrics.render()).body).toContain('headgate_backlog{kind="close"} 5');
});

it('a label value cannot break out of its line', async () => {
  const metrics = createMetrics();
  metrics.add('headgate_chunks_total', { outcome: 'x"} 1\nheadgate_forged 1' });
  expect((await metrics.render()).body).not.toMatch(/^headgate_forged/m);
});

it('every metric follows the naming rules', () => {
  for (const [name, description] of Object.entries(metricsCatalogue) as [string, MetricDescription][]) {
    expect(name).toMatch(/^headgate_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(description.kind === 'counter');
    expect(description.kind === 'histogram').toBe(description.buckets !== undefined);
    expect(description.help).toMatch(/^[A-Z0-9].*\.$/);
    expect(description.labels.filter((label) => /id$/i.test(label))).toEqual([]);
  }
});

it('every metric is measured somewhere', () => {
  const source = join(import.meta.dirname, '../..');
  const texts = (readdirSync(source, { recursive: true }) as string[])
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.endsWith('metrics-catalogue.ts'))
    .map((path) => readFileSync(join(source, path), 'utf8'));
  const unmeasured = Object.keys(metricsCatalogue).filter((name) => !texts.some((text) => text.includes(`'${name}'`)));
  expect(unmeasured).toEqual([]);
});
